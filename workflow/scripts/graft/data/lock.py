"""A lock file: checksums of the archive and the photos of a result, so that other photos are noticed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.data.wording import abbreviated
from graft.errors import UserError

if TYPE_CHECKING:
    import pandas as pd  # slow to load, and Snakemake reads this module too


def read(path: Path | None) -> dict[str, Any] | None:
    """Return a lock file's content, or None where there is none to enforce."""
    if path is None or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"archive": content["archive"], "photos": dict(content["photos"])}
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is not a lock file; delete it") from None


def content_of(arrived: dict[str, Any], manifest: pd.DataFrame) -> dict[str, Any]:
    """Return what a lock file holds: the archive's checksum, if there is one, and every kept photo's."""
    archive = {key: arrived[key] for key in ("sha256", "n_bytes", "version") if arrived.get(key) is not None}
    photos = dict(zip(manifest["path"], manifest["sha256"], strict=True))
    return {"archive": archive or None, "photos": photos}


def check_archive(sha256: str, path: Path | None) -> None:
    """Compare an archive with its lock file.

    Raises: UserError if it is another one.
    """
    locked = read(path)
    if locked and locked["archive"] and locked["archive"]["sha256"] != sha256:
        raise UserError(
            f"the archive has SHA-256 {sha256[:16]}..., and {path} names {locked['archive']['sha256'][:16]}...; "
            "get the locked version back, or delete the lock to accept this one"
        )


def check_photos(manifest: pd.DataFrame, path: Path | None) -> None:
    """Compare the kept photos with the lock file.

    Raises: UserError that counts and names those that are missing, new or changed.
    """
    locked = read(path)
    if locked is None:
        return
    here, there = dict(zip(manifest["path"], manifest["sha256"], strict=True)), locked["photos"]
    kinds = {
        "missing": sorted(there.keys() - here.keys()),
        "new": sorted(here.keys() - there.keys()),
        "changed": sorted(name for name in here.keys() & there.keys() if here[name] != there[name]),
    }
    faults = [f"{len(names)} {kind} ({abbreviated(names)})" for kind, names in kinds.items() if names]
    if faults:
        raise UserError(f"the photos are not those of {path}: {'; '.join(faults)}; delete it to accept what is here")


def digest_of(photos: dict[str, str]) -> str:
    """Return a digest over photos, {path: SHA-256}, in whatever order they come.

    >>> digest_of({"2.jpg": "b", "10.jpg": "a"}) == digest_of({"10.jpg": "a", "2.jpg": "b"})
    True
    """
    lines = sorted(f"{path}\0{sha256}\n" for path, sha256 in photos.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_results(folder: Path, path: Path) -> None:
    """Compare photos that were checked in an earlier run, by the record in their folder, with a lock file.

    Raises: UserError if a lock came, or changed, since.
    """
    locked, record = read(path), folder / "source.json"
    if locked is None or not record.is_file():
        return
    try:
        held = json.loads(record.read_text(encoding="utf-8"))["photos"]["sha256"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{record} is damaged; delete {folder} and run again") from None
    if held != digest_of(locked["photos"]):
        raise UserError(
            f"{folder} holds other photos than {path} names; delete {folder} to get those, or delete the lock"
        )
