"""Checks of a photo set's source before any job runs: a missing path, an empty folder, a single class."""

import hashlib
import os
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath

from graft.config.dataset import Dataset
from graft.data.layout import ARCHIVES, EXTENSIONS, arrange, is_junk, natural
from graft.errors import UserError


def check_source(name: str, dataset: Dataset) -> None:
    """Refuse a local source that cannot make a photo set, going by names alone.

    Raises: UserError that names the key and what to do.
    """
    source, key = dataset.source, f"datasets.{name}.source.{dataset.source.kind}"
    if source.archive is not None:
        path = Path(source.archive).expanduser()
        if not path.is_file():
            what = "a folder; use `source: {folder: PATH}`" if path.is_dir() else "no file"
            raise UserError(f"{key} is {source.archive!r}, which is {what}")
        check_names(zip_names(path), f"{key} ({source.archive})", dataset)
    if source.folder is not None:
        path = Path(source.folder).expanduser()
        if not path.is_dir():
            what = "a file; use `source: {archive: PATH}`" if path.is_file() else "no folder"
            raise UserError(f"{key} is {source.folder!r}, which is {what}")
        check_names([listed for listed, _, _ in listing(path)], f"{key} ({source.folder})", dataset)
    if dataset.split.file is not None and not Path(dataset.split.file).is_file():
        raise UserError(f"datasets.{name}.split.file is {dataset.split.file!r}, which is no file")


def check_names(names: list[str] | None, where: str, dataset: Dataset) -> None:
    """Refuse files by whose names there are too few photos; the audit later checks what is in them."""
    if names is None or any(name.lower().endswith(ARCHIVES) for name in names):
        return
    photos = [name for name in names if not is_junk(name) and PurePosixPath(name).suffix.lower() in EXTENSIONS]
    if not photos:
        files = f"none of its {len(names):,} files is named as an image" if names else "it is empty"
        raise UserError(f"{where} has no photos: {files}; it takes a folder per class, with photos in it")
    counts = Counter(place.label for place in arrange(photos, dataset.ingest.labels) if place.label)
    if len(counts) < 2:
        found = f"one class folder only, {next(iter(counts))!r}" if counts else "no class folders"
        raise UserError(f"{where} has {found}; it takes two or more, a folder per class")
    lonely = sorted((label for label, count in counts.items() if count < 2), key=natural)
    if lonely:
        raise UserError(
            f"{where} has one photo of class {lonely[0]!r}; each needs two or more, to train and to validate"
        )


def zip_names(path: Path) -> list[str] | None:
    """Return the names of a zip's files, or None of anything else: a tar would have to be read whole."""
    try:
        with zipfile.ZipFile(path) as archive:
            return [info.filename.replace("\\", "/") for info in archive.infolist() if not info.is_dir()]
    except Exception:  # the download stage reports what is wrong with it
        return None


@cache
def listing(folder: Path) -> list[tuple[str, int, int]]:
    """Return (name, bytes, time of change in ns) of every file of a folder, links followed once."""
    found, seen = [], set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        for file in files:
            path = os.path.join(parent, file)  # noqa: PTH118 (50,000 Path objects would take a second)
            try:
                status = os.stat(path)  # noqa: PTH116
            except OSError:
                continue
            found.append((os.path.relpath(path, folder).replace(os.sep, "/"), status.st_size, status.st_mtime_ns))
    return sorted(found)


def fingerprint(folder: str) -> str:
    """Return a digest that changes when a file is added, removed, renamed or written; not for Thumbs.db and such."""
    files = [file for file in listing(Path(folder).expanduser()) if not is_junk(file[0])]
    lines = "".join(f"{name}\0{size}\0{time}\n" for name, size, time in files)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
