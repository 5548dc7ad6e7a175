"""The folder of checked photos between two runs: whether each one is still there, and the one that was checked.

Its seal is a digest over what each entry is: where a link leads, or what the file system keeps of a file. Only where
that has changed, as in results that were copied, is every photo read and compared with the manifest.
"""

import contextlib
import csv
import hashlib
import json
import os
import stat
from pathlib import Path

from graft.data.wording import abbreviated
from graft.errors import UserError
from graft.storage import seals


def seal_photos(folder: Path) -> None:
    """Seal the photos of a data set, `images` beside `manifest.csv` in its folder of results."""
    images = folder / "images"
    seals.write_text(seals.seal_of(images), json.dumps({"photos": fingerprint(images, list(photos_of(folder)))}))


def check_photos(folder: Path) -> None:
    """Compare the photos of a data set with their seal, if they have one.

    Raises: UserError that names the photos which are gone, or are not those that were checked.
    """
    images = folder / "images"
    try:
        sealed = json.loads(seals.seal_of(images).read_bytes())["photos"]
        photos = photos_of(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not images.is_dir() or fingerprint(images, list(photos)) == sealed:
        return
    wrong = [path for path, sha256 in photos.items() if digest_of(images / path) != sha256]
    if wrong:
        raise UserError(
            f"{images} lacks photos, or has others than were checked ({abbreviated(wrong)}): "
            "delete the folder and run again"
        )
    with contextlib.suppress(OSError):  # results that may only be read
        seal_photos(folder)


def photos_of(folder: Path) -> dict[str, str]:
    """Return {path: SHA-256} of a data set's manifest."""
    with open(folder / "manifest.csv", newline="", encoding="utf-8") as stream:
        return {row["path"]: row["sha256"] for row in csv.DictReader(stream)}


def fingerprint(images: Path, paths: list[str]) -> str:
    """Return a digest that changes when a photo is removed, replaced or written, or its link is led elsewhere."""
    digest = hashlib.sha256()
    for path in paths:
        name = f"{images}/{path}"
        try:
            found = os.lstat(name)
            link = stat.S_ISLNK(found.st_mode)
            state = os.readlink(name) if link else (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)  # noqa: PTH115
        except OSError:
            state = None
        digest.update(f"{path}\0{state}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def digest_of(path: Path) -> str | None:
    """Return a photo's SHA-256, or None where it cannot be read."""
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None
