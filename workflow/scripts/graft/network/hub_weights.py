"""The weights file of a KerasHub backbone: it describes its network too, which nothing but the preset knows."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import h5py
import keras

from graft.config.backbone import Backbone
from graft.errors import UserError
from graft.network.hub import Tokens, library, network_of

DESCRIPTION = "graft"


def save_preset(folder: Path, spec: Backbone, path: Path) -> int:
    """Write a preset's network as a weights file, and return how many weights it has."""
    network, tokens = network_of(folder, spec)
    save_network(network, tokens, path)
    return int(network.count_params())


def save_network(network: keras.Model, tokens: Tokens | None, path: Path) -> None:
    """Write weights and description, as a `.weights.h5`."""
    network.save_weights(path)
    described = {"network": network.to_json(), "tokens": asdict(tokens) if tokens else None}
    with h5py.File(path, "a") as file:
        file[DESCRIPTION] = json.dumps(described)


def load_network(spec: Backbone, path: Path) -> keras.Model:
    """Return the network that a file describes, with its weights.

    Raises: UserError if KerasHub is not installed, or the file cannot be read.
    """
    library()
    described = description_of(path)
    try:
        network = keras.models.model_from_json(described["network"])
        network.load_weights(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} cannot be loaded as {spec.name} ({reason}): delete it and run again") from None
    return network


def description_of(path: Path) -> dict[str, Any]:
    """Return what is written beside the weights.

    Raises: UserError if nothing is.
    """
    try:
        with h5py.File(path) as file:
            return dict(json.loads(file[DESCRIPTION][()]))
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path} describes no network ({error}): delete it and run again") from None


def facts_of(path: Path) -> dict[str, Any]:
    """Return what a model file has to know of a network beside its layers: where tokens stand, if it has any."""
    tokens = description_of(path)["tokens"]
    return {"tokens": tokens} if tokens else {}
