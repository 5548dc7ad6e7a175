"""A preset of KerasHub as a backbone: from raw pixels to a feature map, or to a vector made of its tokens.

The network holds KerasHub's own backbone as one layer, between its preprocessing and the pooling of its tokens; so its
numbers are KerasHub's, and a saved model needs nothing but Keras and KerasHub to be loaded. `opened` shows the same
network with its blocks as layers, for whatever reads, freezes or names those of other backbones.
"""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from graft.config.backbone import Backbone
from graft.config.hub import read
from graft.errors import UserError

# Layers that only hold other layers and call them, down to the blocks of transformers, and to the normalisations of
# convolutional networks, which have to keep their statistics.
HOLDERS = (
    *("ViTEncoder", "DeiTEncoder", "DINOV2Encoder", "DINOV3Encoder", "SwinTransformerStage"),
    *("HGNetV2Embeddings", "HGNetV2Encoder", "HGNetV2Stage", "HGNetV2BasicLayer"),
    *("HGNetV2ConvLayer", "HGNetV2ConvLayerLight", "MBConvBlock", "FusedMBConvBlock", "CBABlock"),
)
PREFIXES: dict[str, Callable[[Any], int]] = {  # by class: how many tokens stand before those of the patches
    "CLIPVisionEncoder": lambda tower: 1,
    "DINOV2Backbone": lambda tower: 1 + tower.num_register_tokens,
    "DINOV3Backbone": lambda tower: 1 + tower.num_register_tokens,
    "DeiTBackbone": lambda tower: 2,  # one for the class, one for distillation
    "MetaCLIP2VisionEncoder": lambda tower: 1,
    "SigLIPVisionEncoder": lambda tower: 0,
    "SwinTransformerBackbone": lambda tower: 0,
    "ViTBackbone": lambda tower: int(tower.use_class_token),
}
ANY_SIZE = ("DINOV2Backbone", "DINOV3Backbone", "EfficientNetBackbone", "HGNetV2Backbone", "MobileNetV5Backbone")
RANDOM = ("dropout", "dropout_rate", "attention_dropout", "drop_path", "drop_path_rate")


@dataclass(frozen=True)
class Tokens:
    """Where the tokens of a photo's patches stand: behind `prefix` others, `side` x `side` of them, row by row."""

    prefix: int
    side: int


def library() -> Any:
    """Return KerasHub.

    Raises: UserError if it is not installed.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise UserError(f"backbones named hub/... need KerasHub ({error}): run make hub-setup") from None
    return keras_hub


def network_of(folder: Path, spec: Backbone) -> tuple[keras.Model, Tokens | None]:
    """Return a preset's network with its weights, and where its tokens stand; None for those with a feature map.

    Raises: UserError if the folder holds no preset of an image backbone, or it does not fit the settings.
    """
    whole = built(folder, spec)
    tower = getattr(whole, "vision_encoder", whole)
    pixels = keras.Input((spec.size, spec.size, 3), name="hub_pixels")
    scaled = scaling_of(folder, spec)(pixels)
    said = last_of(tower({next(iter(tower.input)): scaled} if isinstance(tower.input, dict) else scaled))
    name, prefix = spec.name.rpartition("/")[2], PREFIXES.get(type(tower).__name__)
    if prefix is None:
        if len(said.shape) != 4:
            raise UserError(f"{spec.name} cannot be used: Graft does not know what a {type(tower).__name__} says")
        if spec.tokens != "auto":
            raise UserError(f"backbone.tokens is {spec.tokens!r}, but {spec.name} makes a feature map; leave it out")
        return keras.Model(pixels, said, name=name), None
    tokens = Tokens(prefix(tower), side_of(tower, spec.size))
    if hasattr(whole, "vision_post_layer_norm"):  # MetaCLIP 2 has it outside of its tower
        said = whole.vision_post_layer_norm(said)
    return keras.Model(pixels, pooled(said, tokens, spec), name=name), tokens


def built(folder: Path, spec: Backbone) -> Any:
    """Return KerasHub's own backbone with the preset's weights, at the size asked for, without anything random in it.

    Raises: UserError if that cannot be.
    """
    try:
        config = read(folder, "config.json")
    except ValueError as error:
        raise UserError(f"backbone.{error}") from None
    hub, config = library(), without_dropout(config)
    for part in (config, config.get("config", {}).get("vision_encoder", {})):
        fit_size(part, spec)
    with tempfile.TemporaryDirectory() as scratch:
        for path in folder.iterdir():
            if path.name != "config.json":
                (Path(scratch) / path.name).symlink_to(path.resolve())
        (Path(scratch) / "config.json").write_text(json.dumps(config), encoding="utf-8")
        try:
            return at_home(hub.models.Backbone.from_preset(scratch, dtype="float32"))
        except Exception as error:  # whatever KerasHub meets in a folder that is not of its making
            reason = " ".join(str(error).replace(scratch, str(folder)).split())[:200]
            raise UserError(f"the preset of {spec.name} in {folder} cannot be built: {reason}") from None


def without_dropout(described: Any) -> Any:
    """Return a configuration with every rate of dropout 0: a frozen network has none, and none trains with it here.

    >>> without_dropout({"drop_path": 0.1, "vision_encoder": {"dropout_rate": 0.2, "num_layers": 2}})
    {'drop_path': 0.0, 'vision_encoder': {'dropout_rate': 0.0, 'num_layers': 2}}
    """
    if isinstance(described, dict):
        return {key: 0.0 if key in RANDOM else without_dropout(value) for key, value in described.items()}
    return [without_dropout(value) for value in described] if isinstance(described, list) else described


def fit_size(part: dict[str, Any], spec: Backbone) -> None:
    """Write the size asked for into the description of an image network, in place.

    Raises: UserError if its positions are learnt for another size.
    """
    inner = part.get("config", {})
    key = next((key for key in ("image_shape", "input_shape") if key in inner), None)
    if key is None:
        return
    own = inner[key][0]
    if own is None or part["class_name"] in ANY_SIZE:
        inner[key] = [spec.size, spec.size, 3]
    elif own != spec.size:
        raise UserError(
            f"backbone.size is {spec.size}, but {spec.name} has learnt positions for photos of {own} pixels: "
            f"write {own}, or leave size out"
        )


def scaling_of(folder: Path, spec: Backbone) -> layers.Layer:
    """Return the preset's preprocessing, as KerasHub's image converter has it, but for the size, which is there.

    Raises: UserError if the folder does not say what it is.
    """
    try:
        converter = keras.saving.deserialize_keras_object(read(folder, "image_converter.json"))
    except ValueError as error:
        raise UserError(
            f"backbone.{error}; it says how pixels are scaled, and KerasHub's image converter writes it: "
            f"converter.save_to_preset(folder)"
        ) from None
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    return layers.Rescaling(scale, offset, name="preprocess")


def side_of(tower: Any, size: int) -> int:
    """Return how many patches stand in a row when a transformer is done with them."""
    patch = tower.patch_size if isinstance(tower.patch_size, int) else tower.patch_size[0]
    halvings = len(getattr(tower, "depths", [0])) - 1  # Swin halves the side between its stages
    return int(size) // int(patch) // 2**halvings


def last_of(output: Any) -> keras.KerasTensor:
    """Return the last of a backbone's outputs, which may be one for each of its stages."""
    return keras.tree.flatten(list(output.values()) if isinstance(output, dict) else output)[-1]


def pooled(said: keras.KerasTensor, tokens: Tokens, spec: Backbone) -> keras.KerasTensor:
    """Return a vector for each photo of its tokens (n, n_tokens, channels): class token, mean of the patches, or both.

    Raises: UserError if the class token is asked for, and there is none, or the network pools its tokens itself.
    """
    if len(said.shape) == 2:
        if spec.tokens != "auto":
            raise UserError(
                f"backbone.tokens is {spec.tokens!r}, but {spec.name} pools its tokens itself; leave it out"
            )
        return said
    choice = spec.tokens if spec.tokens != "auto" else "class" if tokens.prefix else "mean"
    if "class" in choice and not tokens.prefix:
        raise UserError(
            f"backbone.tokens is {choice!r}, but {spec.name} has no class token; write mean, or leave it out"
        )
    vectors = []
    if "class" in choice:
        rest = tokens.prefix - 1 + tokens.side**2
        vectors.append(layers.Flatten(name="class_token")(layers.Cropping1D((0, rest), name="first_token")(said)))
    if "mean" in choice:
        patches = layers.Cropping1D((tokens.prefix, 0), name="patches")(said)
        vectors.append(layers.GlobalAveragePooling1D(name="patches_mean")(patches))
    return layers.Concatenate(name="class_and_mean")(vectors) if len(vectors) > 1 else vectors[0]


def at_home(backbone: Any) -> Any:
    """Return a backbone whose learnt positions are those of the size that it was built for.

    DINOv2 keeps positions of another size, and fits them to its own whenever it is loaded.
    """
    if type(backbone).__name__ != "DINOV2Backbone":
        return backbone
    own = type(backbone).from_config(backbone.get_config() | {"position_embedding_shape": backbone.image_shape})
    for source, target in zip(backbone.weights, own.weights, strict=True):
        if source.name != "position_embeddings":
            target.assign(source)
    settle(own)
    return own


def settle(network: keras.Model) -> None:
    """Let a network whose weights were set keep them when it is saved.

    DINOv2 saves the positions that it learnt from, not those that it computes with: fine-tuned ones would be lost
    (KerasHub 0.32).
    """
    for layer in every_layer(network):
        if type(layer).__name__ == "DINOV2Embedding":
            layer.position_embeddings.assign(layer.interpolated_position_embeddings)


def every_layer(network: keras.Model) -> list[keras.Layer]:
    """Return a network's layers, and those that they hold, in a fixed order."""
    found: dict[int, keras.Layer] = {}
    waiting = held_in(network)
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in found:
            found[id(layer)] = layer
            waiting = held_in(layer) + waiting
    return list(found.values())


def held_in(layer: keras.Layer) -> list[keras.Layer]:
    """Return the layers that a layer or network holds itself, each once; Keras has no public name for them."""
    if isinstance(layer, keras.Model):
        return list(layer.layers)
    found: dict[int, keras.Layer] = {}
    for value in vars(layer).values():
        several = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        found |= {id(one): one for one in several if isinstance(one, keras.Layer)}
    return list(found.values())


def opened(network: keras.Model) -> keras.Model:
    """Return the same network, of the same layers and weights, with what its blocks are held in taken away.

    `closed_of` gives the network back. Other networks than those of KerasHub stay as they are.
    """
    closed = network
    while any(map(is_holder, network.layers)):
        network = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call_inside)
    if network is not closed:
        network.closed = lambda: closed  # a function, since Keras would track a network as part of this one
    return network


def closed_of(network: keras.Model) -> keras.Model:
    """Return the network that `opened` was given: the same weights, in the order in which they are saved."""
    return network.closed() if hasattr(network, "closed") else network


def is_holder(layer: Any) -> bool:
    """Return whether a layer only holds others."""
    return isinstance(layer, keras.Model) or type(layer).__name__ in HOLDERS


def call_inside(layer: Any, *arguments: Any, **options: Any) -> Any:
    """Call a layer; call those that a holder holds in its place."""
    if not is_holder(layer):
        return layer(*arguments, **options)
    if not isinstance(layer, keras.Model):
        for inner in held_in(layer):
            if not inner.name.startswith(layer.name):
                inner.name = f"{layer.name}_{inner.name}"  # names are unique in a holder, and now in the network
    options.pop("training", None)  # not every holder takes it, and what a holder holds is told by the network anyway
    if type(layer).__name__ == "DeiTEncoder":  # else its blocks give a None beside the tokens, which no layer may
        options["return_attention_scores"] = True
    return layer.call(*arguments, **options)
