"""A research object, read and checked: is every file as it was when the object was made? Needs no optional install."""

import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from graft.errors import UserError
from graft.reporting import provenance
from graft.storage.files import sha256_of

METADATA = "ro-crate-metadata.json"
PREVIEW = "ro-crate-preview.html"
SUMS = "SHA256SUMS"
RESULTS = "results"


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """Give the folder of a crate whose files are as they were made; a `.zip` is unpacked for as long as this lasts.

    Raises: UserError if it is no crate of a run, or was changed.
    """
    if path.is_dir():
        check(path, path)
        yield path
        return
    if not path.is_file():
        raise UserError(f"{path} does not exist; name a crate that make crate wrote, a folder or a .crate.zip")
    with tempfile.TemporaryDirectory() as scratch:
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(scratch)
        except (zipfile.BadZipFile, EOFError) as error:
            raise UserError(f"{path} is no crate: it cannot be unpacked ({error})") from None
        check(Path(scratch), path)
        yield Path(scratch)


def check(folder: Path, name: Path) -> None:
    """Compare every file of a crate with its checksum.

    Args:
        folder: where it is unpacked.
        name: what a message calls it.

    Raises: UserError if it is no crate of a run, or a file is another than it was, or is gone.
    """
    described = files_described(folder, name)
    listed = sums(folder, name)
    if described.get(SUMS) != sha256_of(folder / SUMS):
        raise UserError(f"{name} was edited since it was made: {SUMS} is another; take an unedited copy")
    for path, digest in listed.items():
        if not (folder / path).is_file():
            raise UserError(f"{name} is not whole: {path} is gone; take an unedited copy")
        if sha256_of(folder / path) != digest or described.get(path, digest) != digest:
            raise UserError(f"{name} was edited since it was made: {path} has another checksum; take an unedited copy")


def files_described(folder: Path, name: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that a crate's metadata describes with one, by its path."""
    if not (folder / METADATA).is_file():
        raise UserError(f"{name} is no crate: it has no {METADATA}")
    try:
        entities = json.loads((folder / METADATA).read_text(encoding="utf-8"))["@graph"]
        return {unquote(entity["@id"]): entity["sha256"] for entity in entities if "sha256" in entity}
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{name} is no crate: its {METADATA} cannot be read") from None


def sums(folder: Path, name: Path) -> dict[str, str]:
    """Return the SHA-256 of every file by its path, as SHA256SUMS lists them.

    Raises: UserError if there is no such list, or it names files outside the crate.
    """
    path = folder / SUMS
    if not path.is_file():
        raise UserError(f"{name} is no crate of make crate: it has no {SUMS}")
    found = dict(line.split("  ", 1)[::-1] for line in path.read_text(encoding="utf-8").splitlines() if "  " in line)
    for one in found:
        if PurePosixPath(one).is_absolute() or ".." in PurePosixPath(one).parts:
            raise UserError(f"{name} is no crate of make crate: {SUMS} names {one!r}, which lies outside it")
    return found


def strange_files(folder: Path) -> list[str]:
    """Return the files of a folder that its crate does not list."""
    own = {METADATA, PREVIEW, SUMS, *sums(folder, folder)}
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(set(found) - own)


def run_of(folder: Path, name: Path) -> str:
    """Return the run that a crate holds.

    Raises: UserError if it holds none, or several.
    """
    found = sorted((folder / RESULTS / "runs").glob("*/provenance.json"))
    if len(found) != 1:
        raise UserError(f"{name} is no crate of make crate: it holds {len(found)} runs, where it should hold one")
    return found[0].parent.name


def code_of(folder: Path, target: Path) -> Path:
    """Copy the code that a crate holds into a folder, and return that folder."""
    for path in sums(folder, folder):
        if not path.startswith(f"{RESULTS}/"):
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, target / path)
    return target


def holds_recorded_code(folder: Path, record: dict[str, Any]) -> bool:
    """Return whether a crate's code is that with which its run was made."""
    return provenance.code_record(folder)["sha256"] == record["code"]["sha256"]


def is_crate(name: str) -> bool:
    """Return whether what a user gave as a run's name is the path of a crate.

    >>> is_crate("lesson"), is_crate("elsewhere/lesson.crate.zip")
    (False, True)
    """
    return bool(re.search(r"\.zip$", name)) or (Path(name) / METADATA).is_file()
