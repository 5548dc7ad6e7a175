"""Backbones: any network of keras.applications without its top, one of KerasHub's, and Graft's own small ones."""

import os
import re
import warnings
from pathlib import Path

import keras

from graft.config.backbone import BASELINES, PUBLISHED_WIDTHS, SHIPPED_WEIGHTS, Backbone
from graft.config.hub import is_hub
from graft.errors import UserError
from graft.storage import seals


def build_backbone(spec: Backbone, weights: str | None = None) -> keras.Model:
    """Return the network from preprocessed pixels (size, size, 3) to its last feature map, with random weights.

    Args:
        spec: which network.
        weights: for keras.applications, `imagenet` to load the published weights; None: random.
    """
    if spec.name in BASELINES:
        from graft.network.baselines import build_baseline

        return build_baseline(spec.name, spec.size)
    if spec.name == "Rootstock":
        from graft.network.rootstock import build_rootstock

        return build_rootstock(spec.size)
    width = {"alpha": spec.alpha} if spec.name in PUBLISHED_WIDTHS else {}
    constructor = getattr(keras.applications, spec.name)
    return constructor(include_top=False, weights=weights, input_shape=(spec.size, spec.size, 3), **width)


def load_backbone(spec: Backbone, weights_file: str | Path) -> keras.Model:
    """Return the network with the weights that `fetch_weights` saved.

    Raises: UserError if the file is not as it was written, or cannot be read.
    """
    seals.check(weights_file)
    if is_hub(spec.name):
        from graft.network.hub_weights import load_network

        return load_network(spec, Path(weights_file))
    backbone = build_backbone(spec)
    if backbone.weights:
        try:
            backbone.load_weights(weights_file)
        except (OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{weights_file} cannot be loaded ({reason}): delete it and run again") from None
    return backbone


def fetch_weights(spec: Backbone, path: Path, scratch: Path) -> int:
    """Write the weights that a specification asks for, under one format, and return how many there are.

    Args:
        spec: which network, with which weights.
        path: the `.weights.h5` to write.
        scratch: a folder where a download waits to be resumed; removed once it is not needed.

    Raises: UserError if they cannot be had, or do not fit.
    """
    if is_hub(spec.name):
        from graft.network.hub_download import preset_folder
        from graft.network.hub_weights import save_preset

        with preset_folder(spec, scratch) as folder:
            return save_preset(folder, spec, path)
    backbone = fetch_backbone(spec)
    backbone.save_weights(path)
    return int(backbone.count_params())


def fetch_backbone(spec: Backbone) -> keras.Model:
    """Return the network with the weights that its specification asks for, downloading what Keras has to.

    Raises: UserError if they cannot be had, or do not fit.
    """
    if spec.weights == "imagenet":
        return published(spec)
    backbone = build_backbone(spec)
    if spec.weights == "textures":
        from graft.network.rootstock import load_rootstock_weights

        load_rootstock_weights(backbone, SHIPPED_WEIGHTS)
    elif spec.weights != "none":
        load_file(backbone, Path(spec.weights))
    return backbone


def published(spec: Backbone) -> keras.Model:
    """Return a network of keras.applications with its ImageNet weights, from Keras's cache or the network."""
    try:
        return build_backbone(spec, weights="imagenet")
    except Exception as error:
        if "URL fetch failure" not in str(error) and "hash" not in str(error):
            raise
        address = re.search(r"https?://\S+?/([^/\s:]+)(?=[\s:]|$)", str(error))  # none where the checksum is wrong
        name = address[1] if address else ""
        folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
        raise UserError(
            f"the ImageNet weights of {spec.name} could not be downloaded ({short(error)}); "
            f"put {name or 'their file'} into {folder} by hand, or name a file of your own in backbone.weights"
        ) from None


def short(error: Exception) -> str:
    """Return the reason at the end of Keras's message."""
    return str(error).split(" -- ")[-1].strip() or type(error).__name__


def load_file(backbone: keras.Model, path: Path) -> None:
    """Load a user's weights: an `.h5` or `.weights.h5` of the same network, or a `.keras` model that holds it.

    Raises: UserError if the file is missing, broken, or of another network.
    """
    if not path.is_file():
        raise UserError(f"backbone.weights is {str(path)!r}, and there is no such file")
    try:
        if path.suffix == ".keras":
            load_from_model(backbone, keras.models.load_model(path, compile=False))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # weights that do not fit are reported once, below
                backbone.load_weights(path)
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the weights in {path} do not fit this {backbone.name}: {reason}") from None


def load_from_model(backbone: keras.Model, donor: keras.Model) -> None:
    """Copy weights from a model that is the backbone, or has it nested inside."""
    shapes = [tuple(weight.shape) for weight in backbone.weights]
    for part in [donor, *(layer for layer in donor.layers if isinstance(layer, keras.Model))]:
        if [tuple(weight.shape) for weight in part.weights] == shapes:
            backbone.set_weights(part.get_weights())
            return
    raise UserError(
        f"no part of the model {donor.name!r} has the {len(shapes)} weights of {backbone.name}, shape for shape"
    )
