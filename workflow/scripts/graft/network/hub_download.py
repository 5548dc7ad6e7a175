"""A preset's folder: the user's own, or one that Kaggle's official client downloads, every byte of it read."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from graft.config.backbone import Backbone
from graft.config.dataset import Limits
from graft.config.hub import PREFIX, PRESET, presets
from graft.data import archive, transfer
from graft.data.download import Wanted, verified
from graft.data.kaggle_source import Thing, advice_on, fetch_model
from graft.errors import UserError
from graft.network.hub import library

LIMITS = Limits(file_mb=1e6, ratio=1000.0)  # one file of weights may have gigabytes
NEEDED = re.compile(r"(config|image_converter|model\.weights)\.json|model(_\d+)?\.weights\.h5")


@contextlib.contextmanager
def preset_folder(spec: Backbone, scratch: Path) -> Iterator[Path]:
    """Yield the folder of a preset; a downloaded one goes once it was used.

    Args:
        spec: the backbone; its `weights` say which of the two it is.
        scratch: where a download waits to be resumed.

    Raises: UserError if KerasHub is not installed, or the preset cannot be had.
    """
    library()  # before gigabytes are downloaded in vain
    if spec.weights != PRESET:
        yield Path(spec.weights).expanduser()
        return
    packed = downloaded(spec, scratch)
    folder = scratch / "preset"
    try:
        yield unpacked(packed, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(scratch)


def downloaded(spec: Backbone, scratch: Path) -> Path:
    """Return the preset's archive, downloaded whole."""
    handle = presets()[spec.name.removeprefix(PREFIX)].handle
    owner, model, *_ = handle.split("/")
    instead = "put the preset's folder on this machine and name it in backbone.weights"
    page = f"https://www.kaggle.com/models/{owner}/{model}"
    thing = Thing("model", handle, page, "backbone.name", f"or {instead}")
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / f"{model}.tar.gz"
    note = scratch / "source"
    if note.is_file() and note.read_text() != handle:
        transfer.discard(target)  # a partial download of something else
    note.write_text(handle)
    wanted = Wanted(spec.name, lambda fault: advice_on(thing, fault), instead)
    verified(fetch_model, {"model": handle}, target, wanted, LIMITS)
    return target


def unpacked(packed: Path, folder: Path) -> Path:
    """Return a folder with those files of an archive that make a network.

    Raises: UserError if they are not all in it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    found: dict[str, Path] = {}
    for file in archive.unpack(packed, folder / "files", LIMITS):
        name = PurePosixPath(file.name).name
        if file.local is not None and NEEDED.fullmatch(name):
            found[name] = file.local.rename(folder / name)
    shutil.rmtree(folder / "files")
    if "config.json" not in found:
        raise UserError(f"{packed} holds no preset of KerasHub, since it has no config.json: delete it and run again")
    return folder
