"""Seals record each file of the chain as it was written, so that one that was cut or edited since is noticed.

A seal lies beside its file, as `.seals/NAME.json`, and holds the file's size, digest and state. The state is what the
file system keeps of a file: its inode, its time of writing, and its time of change, which nobody can set by hand (that
of writing can be set, with `touch`). A large file whose state is still the sealed one is not read again; any other file
is. So packed pixels are digested when they are written, once more by the first stage that reads them (Snakemake has set
their time of writing since then), and hardly ever after that.

A file without a seal is accepted: a user's own table, or the result of an earlier version.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from graft.errors import UserError

FOLDER = ".seals"
SMALL = 2**20  # bytes; a file below it is always read: that takes a millisecond
BLOCK = 2**24  # bytes that a thread digests at once
THREADS = 4


def place(part: Path, path: Path) -> None:
    """Rename a finished file to its name, and seal it.

    The old seal goes first, so that a kill at any point leaves a file without a seal, never one with a wrong seal.
    """
    digest = digest_of(part)
    remove(path)
    part.replace(path)
    write(path, digest)


def remove(path: Path) -> None:
    """Remove a file's seal, if there is one."""
    seal_of(path).unlink(missing_ok=True)


def seal_of(path: Path) -> Path:
    """Return where a file's seal lies."""
    return path.with_name(FOLDER) / f"{path.name}.json"


def check(path: str | Path) -> None:
    """Compare a file with its seal.

    Raises: UserError if the file is not as it was written.
    """
    if not intact(Path(path)):
        raise UserError(spoilt([path]))


def spoilt(paths: Iterable[str | Path]) -> str:
    """Return the sentence about files that are not as they were written.

    >>> spoilt(["split.csv"])
    'split.csv is not as it was written (it was edited, cut or replaced): delete it and run again'
    >>> spoilt(["split.csv", "model.keras"])
    'split.csv, model.keras are not as they were written (edited, cut or replaced): delete them and run again'
    """
    names = [str(path) for path in paths]
    if len(names) == 1:
        return f"{names[0]} is not as it was written (it was edited, cut or replaced): delete it and run again"
    return f"{', '.join(names)} are not as they were written (edited, cut or replaced): delete them and run again"


def intact(path: Path) -> bool:
    """Return whether a file is as it was sealed; a file without a seal is, and so is one that does not exist."""
    seal = read(path)
    if seal is None or not path.is_file():
        return True
    if path.stat().st_size != seal["size"]:
        return False
    if seal["size"] >= SMALL and state_of(path) == seal["state"]:
        return True
    if digest_of(path) != seal["digest"]:
        return False
    if state_of(path) != seal["state"]:  # it was copied, or Snakemake set its time
        with contextlib.suppress(OSError):  # results that may only be read are digested the next time too
            write(path, seal["digest"])
    return True


def digest_by_seal(path: str | Path) -> str:
    """Return a file's digest: the sealed one, where there is a seal, after a comparison with the file.

    Raises: UserError if the file is not as it was written.
    """
    check(path)
    seal = read(Path(path))
    return seal["digest"] if seal else digest_of(Path(path))


def read(path: Path) -> dict[str, Any] | None:
    """Return a file's seal; None where there is none, or where it is damaged itself."""
    try:
        seal = json.loads(seal_of(path).read_bytes())
        return {key: seal[key] for key in ("size", "digest", "state")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(path: Path, digest: str) -> None:
    """Write a file's seal."""
    write_text(seal_of(path), json.dumps({"size": path.stat().st_size, "digest": digest, "state": state_of(path)}))


def write_text(seal: Path, text: str) -> None:
    """Write a seal whole or not at all."""
    seal.parent.mkdir(exist_ok=True)
    part = seal.with_name(f".part-{os.getpid()}-{seal.name}")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(seal)
    finally:
        part.unlink(missing_ok=True)


def state_of(path: Path) -> list[int]:
    """Return inode, time of writing and time of change."""
    found = path.stat()
    return [found.st_ino, found.st_mtime_ns, found.st_ctime_ns]


def digest_of(path: Path) -> str:
    """Return a file's digest: SHA-256, or, for more than one block, SHA-256 over the blocks' own.

    Blocks are digested by several threads at once: packed photos can be many gigabytes.
    """
    size = path.stat().st_size
    starts = range(0, max(size, 1), BLOCK)
    with open(path, "rb") as stream:

        def block(start: int) -> "hashlib._Hash":
            return hashlib.sha256(os.pread(stream.fileno(), BLOCK, start))

        if len(starts) == 1:
            return block(0).hexdigest()
        with ThreadPoolExecutor(THREADS) as pool:
            digests = b"".join(found.digest() for found in pool.map(block, starts))
    return hashlib.sha256(digests).hexdigest()


def sealed_files(folder: Path) -> list[Path]:
    """Return the files of a folder that have a seal; seals whose files are gone are removed."""
    found = []
    for seal in sorted((folder / FOLDER).glob("[!.]*.json")):
        path = folder / seal.name.removesuffix(".json")
        if path.is_file():
            found.append(path)
        elif not path.is_dir():  # a folder of photos has a seal of its own kind
            seal.unlink(missing_ok=True)
    return found
