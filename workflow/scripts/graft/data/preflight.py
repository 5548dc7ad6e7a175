"""Checks of a photo set's source before any job runs: a missing path, an empty folder, a single class."""

import hashlib
import os
import re
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path, PurePosixPath

from graft.config.dataset import Dataset
from graft.data.layout import ARCHIVES, EXTENSIONS, arrange, ending_in, is_junk, is_metadata, natural, table_names
from graft.data.wording import nowhere
from graft.errors import UserError


def check_source(name: str, dataset: Dataset, results: Path = Path("results")) -> None:
    """Refuse a local source that cannot make a photo set, going by names alone.

    Args:
        name: of the dataset.
        dataset: its settings.
        results: the folder of results, whose tables a next run may replace.

    Raises: UserError that names the key and what to do.
    """
    source, key = dataset.source, f"datasets.{name}.source.{dataset.source.kind}"
    names = None  # of an archive that is yet to come
    if source.archive is not None:
        path = Path(source.archive).expanduser()
        if not path.is_file():
            what = "a folder; use `source: {folder: PATH}`" if path.is_dir() else "no file"
            raise UserError(f"{key} is {source.archive!r}, which is {what}")
        names = zip_names(path)
    if source.folder is not None:
        path = Path(source.folder).expanduser()
        if not path.is_dir():
            what = "a file; use `source: {archive: PATH}`" if path.is_file() else "no folder"
            raise UserError(f"{key} is {source.folder!r}, which is {what}")
        names = [listed for listed, _, _ in listing(path)]
    if names is None or any(listed.lower().endswith(ARCHIVES) for listed in names):
        names = None  # what an archive within the archive holds is not known yet
    check_tables(names, f"datasets.{name}.source.labels", dataset, results)
    if names is not None:
        check_names(names, f"{key} ({source.archive or source.folder})", dataset)
    if dataset.split.file is not None and not Path(dataset.split.file).is_file():
        raise UserError(f"datasets.{name}.split.file is {dataset.split.file!r}, which is no file")


def check_tables(names: list[str] | None, key: str, dataset: Dataset, results: Path) -> None:
    """Refuse a table of labels or corrections that is neither a file here nor, as far as is known, in the photo set."""
    for what, asked in tables_of(dataset).items():
        here = Path(asked).expanduser()
        if here.is_dir():
            raise UserError(f"{key}.{what} is {asked!r}, which is a folder; it takes a file")
        if results.resolve() in here.resolve().parents:
            raise UserError(
                f"{key}.{what} is {asked!r}, a result that the next run may replace; copy it elsewhere first"
            )
        if not here.is_file() and names is not None and len(fitting := ending_in(names, asked)) != 1:
            raise UserError(nowhere(asked, f"{key}.{what}", fitting, names))


def tables_of(dataset: Dataset) -> dict[str, str]:
    """Return the tables that a dataset's labels name, by their key."""
    labels = dataset.source.labels
    named = {"table": labels.table, "corrections": labels.corrections} if labels else {}
    return {what: asked for what, asked in named.items() if asked is not None}


def tables_here(dataset: Dataset) -> list[str]:
    """Return the tables of labels and corrections that are files on this machine, and so inputs of their own."""
    paths = [os.path.expanduser(asked) for asked in tables_of(dataset).values()]  # noqa: PTH111 (a rule's input is text)
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113


def check_names(names: list[str], where: str, dataset: Dataset) -> None:
    """Refuse files by whose names there are too few photos; the audit later checks what is in them."""
    photos = [name for name in names if not is_junk(name) and PurePosixPath(name).suffix.lower() in EXTENSIONS]
    if not photos:
        files = f"none of its {len(names):,} files is named as an image" if names else "it is empty"
        raise UserError(f"{where} has no photos: {files}; it takes a folder per class, with photos in it")
    labels = dataset.source.labels
    if labels and labels.pattern:
        if not any(re.search(labels.pattern, name) for name in photos):
            raise UserError(
                f"source.labels.pattern {labels.pattern!r} matches none of the photos of {where}, such as {photos[0]}"
            )
        return
    if (labels and (labels.table or labels.several)) or any(is_metadata(name) for name in names):
        return  # the classes stand in a table, which the audit reads
    counts = Counter(place.label for place in arrange(photos, dataset.ingest.labels) if place.label)
    if len(counts) < 2:
        found = f"one class folder only, {next(iter(counts))!r}" if counts else "no class folders"
        tables = table_names(names)
        named = f", or a table of labels, `labels: {tables[0]}` in the source" if tables else ""
        raise UserError(f"{where} has {found}; it takes two or more, a folder per class{named}")
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
