"""What the class, the role and the group of each photo are: by its folders, a table, or a pattern on its path."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from graft.config.base import nearest
from graft.config.dataset import Ingest, Labels
from graft.data import label_sets, layout
from graft.data.archive import File, safe_name, shown
from graft.data.audit import Entry
from graft.data.label_table import LABEL_COLUMNS, PATH_COLUMNS, column_of, read_labels
from graft.data.wording import abbreviated, nowhere
from graft.errors import UserError
from graft.storage.files import sha256_of

KEY = "source.labels"
UNLABELLED = ("unlabelled", "photo_without_row", "conflicting_rows")  # faults that a correction's label mends
ACTIONS = ("drop", "relabel", "keep")


@dataclass(slots=True)
class Row:
    """A row of a label table: its number as users count, and what it says."""

    number: int
    path: str
    label: str
    role: str = ""
    group: str = ""
    action: str = ""


@dataclass(slots=True)
class Table:
    """A table of labels or of corrections: what it is called, its file, and its entry if it lies in the photo set."""

    name: str
    file: Path
    entry: Entry | None = None

    @property
    def folder(self) -> str:
        """Return the table's folder within the photo set."""
        return posixpath.dirname(self.entry.name) if self.entry else ""


@dataclass
class Labelling:
    """What names the classes of a photo set, and what it was found to be.

    Attributes:
        settings: the user's.
        tables: the label tables in use; none where folders or a pattern name the classes.
        corrections: the table of corrections, if there is one.
        record: what the provenance keeps of the tables: names, digests, columns, counts.
        unmatched: rows of the tables that are nobody's, as entries of the audit.
    """

    settings: Labels = field(default_factory=Labels)
    tables: list[Table] = field(default_factory=list)
    corrections: Table | None = None
    record: dict[str, Any] = field(default_factory=dict)
    unmatched: list[Entry] = field(default_factory=list)

    def find_tables(self, entries: list[Entry]) -> None:
        """Find the tables, on this machine or among the files that arrived, and mark those files as read.

        Raises: UserError if one is nowhere.
        """
        self.tables = []
        if self.settings.table is not None:
            self.tables = [found(self.settings.table, entries, f"{KEY}.table")]
        elif self.settings.pattern is None and self.settings.metadata:
            self.tables = hugging_face(entries, self.settings)
        self.corrections = (
            found(self.settings.corrections, entries, f"{KEY}.corrections") if self.settings.corrections else None
        )
        keys = ("path", "label", "separator", "columns", "role", "group", "suffix")
        named = [key for key in keys if getattr(self.settings, key)]
        if named and not self.tables:
            raise UserError(
                f"{KEY}.{named[0]} goes with a table, and there is none{hint(entries, f'name it in {KEY}.table')}"
            )
        for table in [*self.tables, self.corrections]:
            if table and table.entry:
                table.entry.faults = [("label_table", "it says what the photos are")]

    def label(self, entries: list[Entry], pictures: list[Entry], settings: Ingest) -> None:
        """Give each picture its class, and its role and group as far as anything says so.

        Args:
            entries: every file that arrived.
            pictures: those that are pictures.
            settings: of the audit.

        Raises: UserError where a table or a pattern fits no photo at all, or says what cannot be.
        """
        photos = Photos(entries if self.tables or self.corrections else [])  # who has folders need not wait for it
        if self.settings.pattern is not None:
            label_by_pattern(pictures, self.settings.pattern)
        elif self.tables:
            self.label_by_tables(photos, pictures)
        else:
            label_by_folders(pictures, settings)
        if self.corrections:
            self.correct(self.corrections, photos, pictures)
        blame_without_role(pictures)

    def label_by_tables(self, photos: "Photos", pictures: list[Entry]) -> None:
        """Give each picture what its rows say."""
        rows_of: dict[int, list[tuple[Table, Row]]] = defaultdict(list)
        unclear: dict[int, str] = {}
        for table in self.tables:
            rows, columns = rows_of_table(table, self.settings)
            self.record.setdefault("labels", []).append(
                {"table": table.name, "sha256": sha256_of(table.file), "rows": len(rows), "columns": columns}
            )
            for row in rows:
                named = photos.named(row.path and row.path + self.settings.suffix, table.folder)
                if len(named) == 1:
                    rows_of[id(named[0])].append((table, row))
                else:
                    self.unmatched.append(unmatched(table, row, named, photos))
                    detail = f"row {row.number} of {table.name} could be it or another"
                    unclear |= {id(entry): detail for entry in named}
        names = " and ".join(table.name for table in self.tables[:2])
        if pictures and not any(id(entry) in rows_of for entry in pictures):
            refuse_strangers(names, self.unmatched, pictures)
        for entry in photos.files:  # the audit tells the class of a damaged photo too
            if own := rows_of.get(id(entry)):
                apply(entry, own, self.settings.several)
        for entry in pictures:
            if id(entry) not in rows_of:
                entry.faults.append(("photo_without_row", unclear.get(id(entry), f"{names} has no row for it")))
        place_by_folders(pictures)

    def correct(self, table: Table, photos: "Photos", pictures: list[Entry]) -> None:
        """Relabel and drop the photos that a table of corrections names."""
        several = self.settings.several
        labels = {entry.label for entry in pictures if entry.label}
        known = label_sets.names_in(labels) if several else sorted(labels, key=layout.natural)
        counts = {"relabelled": 0, "withdrawn": 0}
        earlier: dict[int, Row] = {}
        for row in correction_rows(table, several):
            if several:
                row.label = label_sets.corrected_set(row.label, self.settings.separator)
            named = photos.named(row.path, table.folder)
            if len(named) != 1:
                self.unmatched.append(unmatched(table, row, named, photos))
                continue
            (entry,) = named
            before = earlier.setdefault(id(entry), row)
            if (before.label, before.action) != (row.label, row.action):
                rows = f"rows {before.number} and {row.number} of {table.name}"
                raise UserError(f"{rows} correct {entry.name} differently; leave one of them")
            done = correction(entry, row, table.name, known, several) if before is row else None
            if done:
                counts[done] += 1
        self.record["corrections"] = {"table": table.name, "sha256": sha256_of(table.file), **counts}

    def told(self) -> list[str]:
        """Return a line about each table, for the terminal."""
        lines = [
            f"  labels from {one['table']}: {one['rows']:,} rows; columns {', '.join(one['columns'].values())}"
            for one in self.record.get("labels", [])
        ]
        if one := self.record.get("corrections"):
            lines.append(
                f"  corrections from {one['table']}: {one['relabelled']:,} relabelled, {one['withdrawn']:,} dropped"
            )
        return lines


class Photos:
    """The files of a photo set, found by what a table may call them."""

    def __init__(self, entries: list[Entry]):
        originals = {
            entry.name: entry.partners[0] if entry.partners else entry
            for entry in entries
            if not any(kind in ("junk", "label_table", "unsafe", "duplicate_name") for kind, _ in entry.faults)
        }
        self.files = list({id(entry): entry for entry in originals.values()}.values())
        self.exact = originals
        self.by_name: dict[str, list[Entry]] = defaultdict(list)
        self.by_stem: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.files:
            last = PurePosixPath(entry.name).name.casefold()
            self.by_name[last].append(entry)
            if PurePosixPath(last).suffix in layout.EXTENSIONS:
                self.by_stem[PurePosixPath(last).stem].append(entry)

    def named(self, text: str, folder: str = "") -> list[Entry]:
        """Return the files that a row may mean: one if it is clear, none, or several.

        A name fits a file if one of the two paths ends in the other: `1.jpg` and `/disk/set/a/1.jpg` both mean
        `a/1.jpg`. Without an extension of pictures it means a picture of any.

        Args:
            text: a path, a file name, or an id.
            folder: where the table lies within the photo set; photos beside it and below come first.
        """
        wanted = re.sub(r"^[A-Za-z]:(?=/)", "", shown(text.replace("\\", "/")))
        for path in (posixpath.join(folder, wanted.lstrip("/")), wanted.lstrip("/")):
            if exact := self.exact.get(safe_name(posixpath.normpath(path)) or ""):
                return [exact]
        parts = [part for part in wanted.split("/") if part not in ("", ".", "..")]
        if not parts:
            return []
        last = parts[-1].casefold()
        bare = PurePosixPath(last).suffix not in layout.EXTENSIONS
        fitting = [
            entry
            for entry in (self.by_name[last] if last in self.by_name else self.by_stem.get(last, []) if bare else [])
            if ends_alike(parts[:-1], entry.name.split("/")[:-1])
        ]
        near = [entry for entry in fitting if folder and entry.name.startswith(f"{folder}/")]
        return near or fitting

    def like(self, text: str) -> str:
        """Return the name of a picture that has a row's name and another extension, or ''."""
        stem = PurePosixPath(text.replace("\\", "/")).stem.casefold()
        return next((entry.name for entry in self.by_stem.get(stem, [])), "")


def ends_alike(one: list[str], other: list[str]) -> bool:
    """Return whether the longer of two lists of folders ends in the shorter.

    >>> ends_alike(["set", "a"], ["a"]), ends_alike([], ["a"]), ends_alike(["b"], ["a"])
    (True, True, False)
    """
    n = min(len(one), len(other))
    return one[len(one) - n :] == other[len(other) - n :]


def found(asked: str, entries: list[Entry], key: str) -> Table:
    """Return a table that the user names: a file on this machine, or one within the photo set."""
    usable = {entry.name: entry for entry in entries if entry.file.local is not None and not entry.faults}
    here = Path(asked).expanduser()
    if here.is_file():
        of_that_name = [entry for entry in usable.values() if entry.local.name == here.name]
        return Table(asked, here, next((entry for entry in of_that_name if entry.local.samefile(here)), None))
    names = layout.ending_in(list(usable), asked)
    if len(names) == 1:
        return Table(asked, usable[names[0]].local, usable[names[0]])
    raise UserError(nowhere(asked, key, names, list(usable)))


def hint(entries: list[Entry], advice: str) -> str:
    """Return the end of a sentence: what to do, and which tables are among the files, if there are any."""
    tables = layout.table_names([entry.name for entry in entries if entry.file.local is not None])
    return f"; {advice}: there is {abbreviated(tables)}" if tables else f"; {advice}"


def hugging_face(entries: list[Entry], settings: Labels) -> list[Table]:
    """Return the metadata files of Hugging Face's image folders: with a column file_name, and one of labels.

    Where the user names the column of labels, each is taken, so that a wrong name is said.
    Source: the documentation of Hugging Face's `datasets`, ImageFolder with metadata.
    """
    tables = []
    for entry in entries:
        if entry.faults or entry.file.local is None or not layout.is_metadata(entry.name):
            continue
        try:
            columns = set(read_labels(entry.file.local, entry.name, settings.delimiter).columns)
        except UserError:  # nobody asked for it: the audit says that it is no image
            continue
        named = settings.label or settings.columns
        if "file_name" in columns and (named or columns.intersection(LABEL_COLUMNS)):
            tables.append(Table(entry.name, entry.file.local, entry))
    return tables


def rows_of_table(table: Table, settings: Labels) -> tuple[list[Row], dict[str, str]]:
    """Return a table's rows, and the columns that they were read from, by what these say.

    Raises: UserError for a column that it lacks, or a role that there is not.
    """
    content = read_labels(table.file, table.name, settings.delimiter)
    columns = {"path": column_of(content, settings.path, PATH_COLUMNS, f"{KEY}.path", table.name)}
    if not settings.several:
        columns["label"] = column_of(content, settings.label, LABEL_COLUMNS, f"{KEY}.label", table.name)
    for key in ("role", "group"):
        if asked := getattr(settings, key):
            columns[key] = column_of(content, asked, (), f"{KEY}.{key}", table.name)
    cells_of = {key: texts(content, columns.get(key)) for key in ("path", "label", "role", "group")}
    if settings.several:
        taken = list(columns.values())
        cells_of["label"] = [shown(one) for one in label_sets.sets_of_table(content, settings, taken, KEY, table.name)]
        columns["labels"] = label_sets.columns_of_labels(content, settings, taken)
    rows = [Row(number, *cells) for number, *cells in zip(content.index, *cells_of.values(), strict=True)]
    for row in rows:
        row.role = role_of(row.role, f"row {row.number} of {table.name}")
    if "role" in columns and not any(row.role for row in rows):
        raise UserError(f"{KEY}.role is {settings.role!r}, a column of {table.name} that is empty")
    return [row for row in rows if row.path or row.label], columns


def texts(content: pd.DataFrame, column: str | None) -> list[str]:
    """Return a column's cells without control characters, which no table or figure can hold; none of it: empty ones."""
    return [shown(cell) for cell in content[column]] if column else [""] * len(content)


def role_of(text: str, where: str) -> str:
    """Return train, val, test or nothing for what a table or a path calls a role.

    >>> role_of("Validation", "row 2"), role_of("", "row 3")
    ('val', '')
    """
    if text and text.lower() not in layout.ROLES:
        raise UserError(f"{where} has the role {text!r}{nearest(text.lower(), ['train', 'val', 'test'])}")
    return layout.ROLES.get(text.lower(), "")


def unmatched(table: Table, row: Row, named: list[Entry], photos: Photos) -> Entry:
    """Return a row that is no one photo's as an entry of the audit."""
    if named:
        detail = f"row {row.number} of {table.name} could be {abbreviated([entry.name for entry in named])}"
        fault = ("ambiguous_row", detail)
    else:
        like = photos.like(row.path) if row.path else ""
        instead = f"; there is {like}" if like else ""
        fault = ("row_without_photo", f"row {row.number} of {table.name}{instead}")
    return Entry(File(row.path or "(no name)", None), label=row.label or None, faults=[fault], is_row=True)


def refuse_strangers(names: str, rows: list[Entry], pictures: list[Entry]) -> None:
    """Stop where no row names a photo: the wrong column, most likely."""
    unclear = next((detail for row in rows for kind, detail in row.faults if kind == "ambiguous_row"), "")
    if unclear:
        raise UserError(f"{names} names no photo for certain: {unclear}; write more of the paths, or set {KEY}.suffix")
    example = f", such as {rows[0].name!r}," if rows else ""
    raise UserError(
        f"{names} names no photo that is there: its rows{example} fit none of the photos, such as {pictures[0].name}; "
        f"set {KEY}.path to the column of file names or ids"
    )


def apply(entry: Entry, rows: list[tuple[Table, Row]], several: bool = False) -> None:
    """Give a photo what its rows say; where their labels differ, nobody can tell which is right.

    Where photos may have `several` labels, an empty label means none of them, and else that nobody said.

    Raises: UserError if they give it several roles or groups.
    """
    table, first = rows[0]
    entry.label, entry.source_split, entry.group = first.label or None, first.role, first.group
    if several:
        entry.label = first.label
    elif not first.label:
        entry.faults.append(("unlabelled", f"row {first.number} of {table.name} has no label"))
    for other_table, other in rows[1:]:
        here = "" if other_table is table else f" of {table.name}"
        where = f"rows {first.number}{here} and {other.number} of {other_table.name}"
        if other.label != first.label:
            entry.label = None
            entry.faults.append(
                ("conflicting_rows", f"{where} give it the labels {first.label or 'none'} and {other.label or 'none'}")
            )
        for what in ("role", "group"):
            one, two = getattr(first, what), getattr(other, what)
            if one != two:
                raise UserError(f"{where} give {entry.name} the {what}s {one!r} and {two!r}; a photo has one")


def place_by_folders(pictures: list[Entry]) -> None:
    """Take the roles from train, val and test folders, where no table or pattern gave any."""
    if not any(entry.source_split for entry in pictures):
        roles = layout.roles_of_folders([entry.name for entry in pictures])
        for entry, role in zip(pictures, roles, strict=True):
            entry.source_split = role


def blame_without_role(pictures: list[Entry]) -> None:
    """Mark photos of which nothing says train, val or test, where something says it of others."""
    if any(entry.source_split for entry in pictures):
        for entry in pictures:
            if entry.label is not None and not entry.source_split:
                entry.faults.append(("unlabelled", "nothing says whether it is a train, val or test photo"))


def label_by_pattern(pictures: list[Entry], pattern: str) -> None:
    """Give each picture the class, and perhaps the role and the group, that a pattern finds in its path."""
    matches = [re.search(pattern, entry.name) for entry in pictures]
    if pictures and not any(matches):
        raise UserError(f"{KEY}.pattern {pattern!r} matches none of the photos' paths, such as {pictures[0].name}")
    for entry, match in zip(pictures, matches, strict=True):
        said = match.groupdict(default="") if match else {}
        entry.label = said.get("label", "").strip() or None
        entry.source_split = role_of(said.get("role", ""), f"{KEY}.pattern: {entry.name}")
        entry.group = said.get("group", "")
        if entry.label is None:
            entry.faults.append(("unlabelled", f"{KEY}.pattern finds no label in its path"))
    place_by_folders(pictures)


def label_by_folders(pictures: list[Entry], settings: Ingest) -> None:
    """Give each picture the class and the role that its folders name."""
    places = layout.arrange([entry.name for entry in pictures], settings.labels)
    for entry, place in zip(pictures, places, strict=True):
        entry.label, entry.source_split = place.label, place.source_split
        if place.label is None:
            entry.faults.append(("unlabelled", place.detail))


def correction_rows(table: Table, several: bool = False) -> Iterator[Row]:
    """Yield the rows of a table of corrections; where photos may have `several` labels, `relabel` may give them none.

    Raises: UserError for columns or actions that there are not, or a row that says nothing.
    """
    content = read_labels(table.file, table.name)
    path = next((name for name in ("path", *PATH_COLUMNS) if name in content), None)
    if path is None:
        raise UserError(f"{table.name} has no column path; it has {', '.join(content.columns)}")
    if not {"label", "action"} & set(content.columns):
        raise UserError(f"{table.name} has no column label or action; it takes path, and one of these or both")
    columns = [path, *(name if name in content else None for name in ("label", "action"))]
    for number, *cells in zip(content.index, *(texts(content, column) for column in columns), strict=True):
        row = Row(number, cells[0], cells[1], action=cells[2].lower())
        if not row.path:
            raise UserError(f"row {number} of {table.name} names no photo in its column {path}")
        if row.action and row.action not in ACTIONS:
            raise UserError(
                f"row {number} of {table.name} has the action {row.action!r}{nearest(row.action, list(ACTIONS))}"
            )
        if not row.label and row.action in (("",) if several else ("", "relabel")):
            raise UserError(f"row {number} of {table.name} has no label for {row.path}; write one, or the action drop")
        yield row


def correction(entry: Entry, row: Row, name: str, known: list[str], several: bool = False) -> str | None:
    """Correct one photo; return what was done to it: relabelled, withdrawn, or nothing."""
    where = f"row {row.number} of {name}"
    if row.action == "drop":
        entry.faults.append(("withdrawn", f"{where} drops it"))
        return "withdrawn"
    if row.action == "keep" or row.label == entry.label:
        return None
    for label in label_sets.parted(row.label) if several else [row.label]:
        if label not in known:
            close = nearest(label, known)
            raise UserError(f"{where} gives {entry.name} the label {label!r}, which no photo has{close}")
    entry.faults = [fault for fault in entry.faults if fault[0] not in UNLABELLED]
    was = f"it was {entry.label}" if entry.label else "it had none"
    entry.faults.append(("relabelled", f"{where} gives it the label {row.label or 'none'}; {was}"))
    entry.label = row.label
    return "relabelled"
