"""Backbones of KerasHub, as the configuration names them: `hub/PRESET`, or `hub/NAME` with a folder in `weights`."""

import csv
import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

from graft.config.base import nearest

PREFIX = "hub/"
TABLE = Path(__file__).resolve().parents[3] / "resources" / "hub_presets.csv"  # `commands/list_hub_presets.py` makes it
PRESET = "preset"  # what `weights` says for those that Kaggle keeps
USUAL_SIZE = 224


class Preset(NamedTuple):
    """A preset that KerasHub knows by name.

    `family`: KerasHub's class. `handle`: where Kaggle keeps it, owner/model/framework/variation/version. `size`: side
    of the photos in pixels. `parameters`: of the whole preset, its text tower included where it has one.
    """

    family: str
    handle: str
    size: int
    parameters: int


@functools.cache
def presets() -> dict[str, Preset]:
    """Return the presets of image backbones, by name."""
    with TABLE.open(encoding="utf-8", newline="") as stream:
        return {
            row["preset"]: Preset(row["family"], row["handle"], int(row["size"]), int(row["parameters"]))
            for row in csv.DictReader(stream)
        }


def is_hub(name: str) -> bool:
    """Return whether a backbone's name means KerasHub.

    >>> is_hub("hub/dinov2_small"), is_hub("ResNet50")
    (True, False)
    """
    return name.startswith(PREFIX)


def filled(values: dict[str, Any]) -> dict[str, Any]:
    """Return a backbone's settings with the defaults that depend on its preset.

    Raises: ValueError if there is no such preset, and `weights` names no folder either.
    """
    name, given = str(values["name"]).removeprefix(PREFIX), dict(values)
    weights = str(given.setdefault("weights", PRESET))
    if weights in ("imagenet", "textures", "none"):
        raise ValueError(f"weights is {weights!r}, but those of {PREFIX}{name} are its preset's; leave weights out")
    if weights != PRESET:
        return given | {"size": given.get("size") or size_of_folder(Path(weights).expanduser())}
    if name not in presets():
        raise ValueError(
            f"name is '{PREFIX}{name}', no preset of KerasHub's image backbones{nearest(name, list(presets()))}, or "
            "name the folder of a preset of your own in weights"
        )
    return given | {"size": given.get("size") or presets()[name].size}


def size_of_folder(folder: Path) -> int:
    """Return the side of the photos that a preset in a folder was made for.

    Raises: ValueError if it is no preset's folder.
    """
    network, converter = read(folder, "config.json"), read(folder, "image_converter.json", needed=False)
    for described, keys in ((network, ("image_shape", "input_shape")), (converter, ("image_size",))):
        inner = described.get("config", {})
        inner = inner.get("vision_encoder", {}).get("config", inner)
        sides = next((inner[key] for key in keys if inner.get(key)), [None])
        if sides[0]:
            return int(sides[0])
    return USUAL_SIZE


def read(folder: Path, name: str, needed: bool = True) -> dict[str, Any]:
    """Return what one of a preset's files says; nothing where a file that is not needed is not there.

    Raises: ValueError if it cannot be read.
    """
    path = folder / name
    if not path.is_file() and not needed:
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        why = "is not there" if isinstance(error, FileNotFoundError | NotADirectoryError) else "cannot be read"
        raise ValueError(
            f"weights is {str(folder)!r}, which is no folder of a KerasHub preset: its {name} {why}"
        ) from None


def check(name: str, alpha: float) -> None:
    """Refuse what KerasHub's backbones do not have.

    Raises: ValueError.
    """
    if alpha != 1.0:
        raise ValueError(f"alpha is {alpha}, but {name} has no width multiplier; leave it out")
