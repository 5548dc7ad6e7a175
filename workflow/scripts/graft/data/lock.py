"""A lock file: the archive and the photos that a result was made from, so that no other pass for them."""

import json
from pathlib import Path

import pandas as pd

from graft.data.wording import some
from graft.errors import UserError


def read(path: Path | None) -> dict | None:
    """Return a lock file's content, or None where there is none to enforce."""
    if path is None or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {"archive": content["archive"], "photos": dict(content["photos"])}
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} is not a lock file; delete it") from None


def content_of(arrived: dict, manifest: pd.DataFrame) -> dict:
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
    faults = [f"{len(names)} {kind} ({some(names)})" for kind, names in kinds.items() if names]
    if faults:
        raise UserError(f"the photos are not those of {path}: {'; '.join(faults)}; delete it to accept what is here")
