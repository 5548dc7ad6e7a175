"""The saved model: Keras's own file, with what a prediction needs beside the network written into it.

A `.keras` file is a zip. Graft adds one member, `graft.json`: class names in the order of the logits, the input size,
and, once a run is judged, temperature and threshold. Keras ignores it, and reading it needs no framework. A published
model has likeness.npz too, which tells photos unlike its training photos.
"""

import importlib.util
import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from graft import paths
from graft.config.dataset import Pictures
from graft.config.hub import is_hub
from graft.errors import UserError
from graft.storage import seals
from graft.storage.files import atomic

if TYPE_CHECKING:
    import keras

FACTS = "graft.json"
DECISION = ("temperature", "threshold", "thresholds", "unsure_below")  # thresholds: one a label, of several labels


def save_model(model: "keras.Model", facts: dict[str, Any], path: str | Path) -> None:
    """Save a model, without its optimiser, and its facts, among them its run, fold and stage."""
    with atomic(path, sealed=True) as part:
        model.save(part)
        add_facts(part, facts | place_of(path))


def load_model(path: str | Path) -> tuple["keras.Model", dict[str, Any]]:
    """Return the model, from raw pixels to logits, and its facts.

    Raises: UserError if the file is none of Graft's, is not as it was written, or is the model of another run, fold or
        stage than its folders say.
    """
    import keras

    facts = checked_facts(path)
    if is_hub(str(facts.get("backbone", ""))) and importlib.util.find_spec("keras_hub") is None:
        raise UserError(
            f"{path} has layers of KerasHub ({facts['backbone']}), which is not installed: run make hub-setup"
        )
    return keras.models.load_model(path, compile=False), facts


def checked_facts(path: str | Path) -> dict[str, Any]:
    """Return the facts of a model whose file is as it was written, and the one that belongs there."""
    seals.check(path)
    facts = read_facts(path)
    place = place_of(path)
    if any(facts.get(key, value) != value for key, value in place.items()):
        made = f"{facts.get('run')}, fold {facts.get('fold')}, {facts.get('stage')}"
        raise UserError(f"{path} is the model of {made}: delete it and run again")
    return facts


def place_of(path: str | Path) -> dict[str, Any]:
    """Return the run, fold and stage that a model's folders name; nothing where they name none.

    >>> place_of("results/runs/lesson/fold0/head/model.keras")
    {'run': 'lesson', 'fold': 0, 'stage': 'head'}
    """
    place = paths.wildcards_of(paths.MODEL_OF_STAGE, path)
    return place | {"fold": int(place["fold"])} if place else {}


def read_facts(path: str | Path) -> dict[str, Any]:
    """Return what `save_model` wrote beside the network.

    Raises: UserError if the file is none of Graft's.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(FACTS))
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; name the model.keras of a run") from None
    except (zipfile.BadZipFile, KeyError, IsADirectoryError):
        raise UserError(f"{path} is no model of Graft's, or was cut; name the model.keras of a run") from None


def pictures_of(facts: dict[str, Any]) -> Pictures:
    """Return how a model's photos were made into squares; a model of an earlier version squeezed them."""
    return Pictures.model_validate(facts.get("pictures", {}))


def copy_model(
    source: str | Path, more_facts: dict[str, Any], target: str | Path, more_members: Mapping[str, bytes] | None = None
) -> None:
    """Copy a model file with more facts and members in it; the network is copied byte for byte.

    Raises: UserError as `load_model` does.
    """
    facts = checked_facts(source) | more_facts
    with atomic(target, sealed=True) as part:
        with zipfile.ZipFile(source) as old, zipfile.ZipFile(part, "w") as new:
            for member in old.infolist():
                if member.filename != FACTS:
                    with old.open(member) as stream, new.open(member, "w", force_zip64=True) as sink:
                        shutil.copyfileobj(stream, sink, 1 << 20)
        for name, data in (more_members or {}).items():
            add_member(part, name, data)
        add_facts(part, facts)


def published_of(models: Sequence[Path]) -> Path:
    """Return the model that is published: that of the last stage's first fold."""
    places = {path: place_of(path) for path in models}
    return min(models, key=lambda path: (-paths.STAGES.index(places[path]["stage"]), places[path]["fold"]))


def publish(
    run: str,
    models: Sequence[Path],
    calibration: dict[str, Any],
    target: Path,
    more_facts: Mapping[str, Any] = MappingProxyType({}),
    more_members: Mapping[str, bytes] | None = None,
) -> None:
    """Write the model to take away, with what its decisions need.

    Args:
        run: its name.
        models: of every fold and stage.
        calibration: what calibration.json holds.
        target: the file to write.
        more_facts: what else its decisions need, such as the views that they are averaged over.
        more_members: files for the archive, by name.
    """
    first = published_of(models)
    stage, fold = place_of(first)["stage"], place_of(first)["fold"]
    fitted = calibration["stages"][stage]["folds"][str(fold)]
    facts = {"run": run, "stage": stage, "fold": fold, **more_facts}
    facts |= {name: fitted[name] for name in DECISION if name in fitted}
    copy_model(first, facts, target, more_members)


def add_facts(path: Path, facts: dict[str, Any]) -> None:
    """Append the facts to a `.keras` file."""
    add_member(path, FACTS, json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False))


def add_member(path: Path, name: str, data: str | bytes) -> None:
    """Append a member to a `.keras` file, with a fixed date."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), data)
