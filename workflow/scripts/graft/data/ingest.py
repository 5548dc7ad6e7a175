"""From an archive or a folder to checked photos: gather, look, label, judge, place."""

import filecmp
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from pathlib import Path, PurePosixPath

import pandas as pd

from graft import tables
from graft.config.dataset import SQUASHED, Ingest, Pictures
from graft.data import archive, duplicates, label_sets, layout
from graft.data.archive import File
from graft.data.audit import Entry, judge
from graft.data.decode import PICTURE_PX, Look, look
from graft.data.labelling import Labelling, hint
from graft.data.setting_apart import set_apart
from graft.data.small_pictures import SmallPictures
from graft.errors import UserError

BATCH = 32  # files a worker gets at once
RARE = 0.01  # digits on black are no accidents


def ingest(
    photos: Path,
    staging: Path,
    settings: Ingest,
    workers: int,
    labelling: Labelling,
    pictures: Pictures = SQUASHED,
) -> list[Entry]:
    """Return every file of an archive or a folder, with its verdict, and the rows of label tables that are no photo's.

    Args:
        photos: a zip or tar archive, or a folder, which is only read.
        staging: an empty folder, for what an archive unpacks to.
        settings: policy and limits.
        workers: processes that decode.
        labelling: what names the classes; afterwards it knows what it found.
        pictures: which page of a picture counts, and which of its values are black and white.

    Raises: UserError if the archive cannot be read, the policy forbids what it holds, or a label table does not fit.
    """
    entries = [Entry(file, faults=list(file.faults)) for file in gather(photos, staging, settings)]
    entries.sort(key=lambda entry: layout.natural(entry.name))
    tell_cases_apart(entries)
    blame_junk_and_copies(entries)
    labelling.find_tables(entries)
    small = SmallPictures(staging, PICTURE_PX**2)
    inspect([entry for entry in entries if not entry.faults], settings, workers, pictures, small)
    decoded = [entry for entry in entries if entry.look and entry.look.phash is not None]
    labelling.label(entries, decoded, settings)
    set_apart(decoded, settings.policy)
    blame_blanks(decoded, settings)
    entries += labelling.unmatched
    judge(entries, settings, small)
    return entries


def tell_cases_apart(entries: list[Entry]) -> None:
    """Rename files whose names differ from an earlier one in case alone: on some disks they would be one file."""
    taken: set[str] = set()
    for entry in entries:
        while (name := entry.file.name).casefold() in taken:
            path = PurePosixPath(name)
            entry.file.name = str(path.with_name(f"{path.stem}~{path.suffix}"))
        taken.add(name.casefold())


def gather(photos: Path, staging: Path, settings: Ingest) -> list[File]:
    """Return the files of an archive, unpacked into `staging`, or of a folder, where they are."""
    if photos.is_dir():
        return list(folder_files(photos, staging, settings))
    try:
        return archive.unpack(photos, staging, settings.limits)
    except archive.DamagedArchive as error:
        raise UserError(f"{photos} cannot be unpacked: {error}") from None
    except FileNotFoundError:
        raise UserError(f"there is no file or folder {photos}") from None


def folder_files(folder: Path, staging: Path, settings: Ingest) -> list[File]:
    """Return the files of a folder, links followed once; archives within it are unpacked into `staging`."""
    files, seen, names = [], set(), set()
    for parent, folders, here in os.walk(folder, followlinks=True, onerror=cannot_be_read):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()  # a link that leads back
            continue
        seen.add(real)
        for own in sorted(here):
            local = Path(parent, own)
            relative = local.relative_to(folder).as_posix().replace("\\", "_")
            name = archive.safe_name(relative) or archive.safe_name(relative.replace(":", "_"))
            assert name is not None, relative  # without a colon it cannot point outside
            while name in names:  # two names that differ only in what cannot be printed
                name += "~"
            names.add(name)
            files.append(File(name, local) if local.is_file() else unreadable(name, local))
    return [unpacked for file in files for unpacked in nested(file, staging, settings)]


def cannot_be_read(error: OSError) -> None:
    """Stop at a folder that is closed to us: photos would be missing without a word."""
    raise UserError(f"the folder {error.filename} cannot be read: {error.strerror}; change its permissions")


def unreadable(name: str, local: Path) -> File:
    """Return a folder's entry that is no regular file."""
    what = "a link that leads nowhere" if local.is_symlink() else "a device, pipe or socket"
    return File(name, None, [("unsafe", f"it is {what}")])


def nested(file: File, staging: Path, settings: Ingest) -> list[File]:
    """Return a file, or what it unpacks to if it is an archive."""
    if file.local is None or layout.is_junk(file.name) or not file.name.lower().endswith(layout.ARCHIVES):
        return [file]
    room = staging / f"nested-{len(list(staging.iterdir()))}"
    room.mkdir()
    try:
        inner = archive.unpack(file.local, room, settings.limits)
    except archive.DamagedArchive as error:
        return [File(file.name, None, [("undecodable", f"an archive that cannot be read: {error}")])]
    return [File(f"{file.name}/{one.name}", one.local, one.faults) for one in inner]


def blame_junk_and_copies(entries: list[Entry]) -> None:
    """Mark leftovers of operating systems, and trees that came twice."""
    for entry in entries:
        if layout.is_junk(entry.name):
            entry.faults = [("junk", "a leftover of an operating system")]
    files = [entry for entry in entries if not entry.faults]

    def same(one: int, other: int) -> bool:
        try:
            return filecmp.cmp(files[one].local, files[other].local, shallow=False)
        except OSError:  # unreadable: the audit says so
            return False

    for copy, original in layout.doubled([entry.name for entry in files], same).items():
        files[copy].faults = [("doubled", f"the archive holds its tree twice: {files[original].name}")]
        files[copy].partners = [files[original]]


def inspect(entries: list[Entry], settings: Ingest, workers: int, pictures: Pictures, small: SmallPictures) -> None:
    """Decode every file once, in `workers` processes, and add what was found; its small picture goes to `small`."""
    jobs = [(str(entry.local), entry.name) for entry in entries]
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    looks = run_batches(batches, settings, workers, pictures)
    for entry, found in zip(entries, looks, strict=True):
        entry.look = found
        entry.faults += found.faults
        if found.picture is not None:
            entry.picture, found.picture = small.append(found.picture), None


def run_batches(
    batches: list[list[tuple[str, str]]], settings: Ingest, workers: int, pictures: Pictures
) -> Iterator[Look]:
    """Yield the look at each file, as soon as it is there; a file that kills its process costs that file alone."""
    done = 0
    try:
        with ProcessPoolExecutor(workers) as pool:
            for looks in pool.map(look_batch, batches, repeat(settings), repeat(pictures)):
                yield from looks
                done += 1
            return
    except BrokenProcessPool:
        rest = batches[done:]
    if len(rest) == len(rest[0]) == 1:
        yield Look("", 0, [("undecodable", "decoding it kills the process")])
        return
    half = len(rest) // 2
    for part in (rest[:half], rest[half:]) if half else ([[one] for one in rest[0]],):
        yield from run_batches(part, settings, workers, pictures)


def look_batch(batch: list[tuple[str, str]], settings: Ingest, pictures: Pictures) -> list[Look]:
    """Look at some files, in a worker."""
    return [look(Path(local), name, settings, pictures) for local, name in batch]


def blame_blanks(entries: list[Entry], settings: Ingest) -> None:
    """Mark images of one grey level all over, such as an error page, where they are rare enough to be accidents."""
    blanks = [entry for entry in entries if entry.seen.blank > settings.max_blank]
    if len(blanks) <= max(1, RARE * len(entries)):
        for entry in blanks:
            entry.faults.append(("blank", f"{entry.seen.blank:.0%} of it is one grey level"))


def class_names(entries: list[Entry]) -> list[str]:
    """Return the classes of the kept photos in natural order: 2 before 10.

    Raises: UserError if there are fewer than two; it says what was seen.
    """
    kept = [entry for entry in entries if entry.kept and entry.label is not None]
    names = sorted({entry.label for entry in kept if entry.label is not None}, key=layout.natural)
    if len(names) >= 2:
        return names
    labelled = any(entry.verdict == "label_table" or entry.is_row for entry in entries)
    tables = "" if labelled else hint(entries, "or name a table of labels in source.labels")
    if not kept:
        counts = Counter(entry.verdict for entry in entries)
        seen = ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "no file at all"
        raise UserError(
            f"no photo is left to learn from: {seen}; put photos into a folder per class, two or more{tables}"
        )
    raise UserError(
        f"there is one class only, {names[0]!r}, of {len(kept)} photos; a folder per class, two or more{tables}"
    )


def label_names(entries: list[Entry]) -> list[str]:
    """Return the labels of the kept photos, of which each may have several, in natural order.

    Raises: UserError if there are fewer than two; it says what was seen.
    """
    kept = [entry for entry in entries if entry.kept]
    if not kept:
        return class_names(entries)  # which says why
    names = label_sets.names_in(entry.label or "" for entry in kept)
    if len(names) < 2:
        found = f"one label only, {names[0]!r}" if names else "no label at all"
        raise UserError(
            f"the {len(kept):,} photos that were kept have {found}; several labels a photo takes two or more: set "
            "source.labels.separator to what parts them, or source.labels.columns"
        )
    return names


def place(entries: list[Entry], images: Path, photos: Path) -> None:
    """Put the kept photos under `images`: an archive's are moved there, a folder's are linked to."""
    root = photos.resolve()
    for entry in entries:
        if entry.kept:
            target = images / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if photos.is_dir() and entry.local.is_relative_to(photos):
                target.symlink_to(root / entry.local.relative_to(photos))
            else:
                shutil.move(entry.local, target)


def manifest_table(entries: list[Entry], several: bool = False) -> pd.DataFrame:
    """Return a row for each kept photo; copies and lookalikes share a `duplicate_group`.

    Where the user's table or pattern gives groups, these are in a column more, `source_group`. Where photos may have
    `several` labels, the column `labels` stands in the place of `label`.
    """
    kept = [entry for entry in entries if entry.kept]
    at = {id(entry): position for position, entry in enumerate(kept)}
    links = duplicates.links_of([entry.seen.sha256 for entry in kept])
    links += [(at[id(one)], at[id(entry)]) for entry in kept for one in entry.partners if id(one) in at]
    groups = duplicates.connected_components(len(kept), links)
    own_groups = {"source_group": [entry.group for entry in kept]} if any(entry.group for entry in kept) else {}
    rows = [
        (
            entry.name,
            entry.label or "",
            entry.source_split,
            entry.seen.width,
            entry.seen.height,
            entry.seen.sha256,
            f"{entry.seen.phash:016x}",
            group,
        )
        for entry, group in zip(kept, groups, strict=True)
    ]
    columns = [column.name for column in tables.Manifest.columns() if not column.optional]
    table = pd.DataFrame(rows, columns=columns).assign(**own_groups)
    if several:
        return tables.MultilabelManifest.checked(table.rename(columns={"label": label_sets.COLUMN}))
    return tables.Manifest.checked(table)
