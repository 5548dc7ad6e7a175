"""The table of many photos' scores, as CSV, JSON Lines or Parquet, written row by row."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from graft.errors import UserError
from graft.storage.files import atomic

AT_ONCE = 10_000  # rows of a part of a Parquet file
NO_PYARROW = (
    "{} is to be a Parquet file, which takes the package pyarrow: "
    "pip install --require-hashes -r envs/requirements-parquet.txt, or name a table that ends in .csv or .jsonl"
)
FIRST = ("path", "predicted", "probability", "sure", "unlike", "distance")
Row = dict[str, Any]


def columns_of(classes: list[str]) -> list[str]:
    """Return the columns of a table of scores.

    >>> columns_of(["cat", "dog"])[-3:]
    ['probability_cat', 'probability_dog', 'fault']
    """
    return [*FIRST, *(f"probability_{name}" for name in classes), "fault"]


def check_output(path: Path) -> None:
    """Refuse a table that could not be written once all photos are scored.

    Raises: UserError if its name says nothing of its format, or Parquet's package is missing.
    """
    if path.suffix.lower() not in WRITERS:
        raise UserError(f"--output is {path}; the table's name ends in {', '.join(WRITERS)}")
    if path.is_dir():
        raise UserError(f"--output is {path}, a folder; name a table")
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise UserError(NO_PYARROW.format(path)) from None


def write_scores(rows: Iterable[Row], classes: list[str], path: Path) -> tuple[int, int]:
    """Write a table; return how many photos could be read, and how many not.

    Args:
        rows: of `scoring.score`, one a photo.
        classes: of the model.
        path: its ending says how it is written.
    """
    counted = [0, 0]

    def flat() -> Iterator[Row]:
        for row in rows:
            counted[bool(row["fault"])] += 1
            yield flattened(row, classes)

    with atomic(path) as part:
        WRITERS[path.suffix.lower()](flat(), classes, part)
    return counted[0], counted[1]


def flattened(row: Row, classes: list[str]) -> Row:
    """Return a row by column; None where a photo that could not be read has nothing.

    >>> flattened({"path": "a.jpg", "fault": "no such file"}, ["cat"])["probability_cat"] is None
    True
    """
    name = row["path"].encode("utf-8", "backslashreplace").decode()  # a name of other bytes than UTF-8's
    if row["fault"]:
        return dict.fromkeys(columns_of(classes)) | {"path": name, "fault": row["fault"]}
    chances = {f"probability_{name}": chance for name, chance in zip(classes, row["probabilities"], strict=True)}
    return {"path": name, **{key: row[key] for key in FIRST[1:]}, **chances, "fault": ""}


def write_csv(rows: Iterable[Row], classes: list[str], path: Path) -> None:
    """Write CSV: nine significant digits, flags as 0 and 1, nothing where there is no number."""
    with open(path, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(columns_of(classes))
        for row in rows:
            table.writerow(map(cell_of, row.values()))


def cell_of(value: Any) -> str:
    """Return a value as CSV has it.

    >>> [cell_of(value) for value in (None, True, 0.123456789123, "cat")]
    ['', '1', '0.123456789', 'cat']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def write_lines(rows: Iterable[Row], classes: list[str], path: Path) -> None:
    """Write JSON Lines: an object a photo."""
    with open(path, "w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_parquet(rows: Iterable[Row], classes: list[str], path: Path) -> None:
    """Write Parquet, some thousands of rows at a time."""
    import pyarrow
    import pyarrow.parquet

    texts, flags = ("path", "predicted", "fault"), ("sure", "unlike")
    kinds = {name: pyarrow.string() if name in texts else pyarrow.float64() for name in columns_of(classes)}
    schema = pyarrow.schema(kinds | dict.fromkeys(flags, pyarrow.bool_()))
    with pyarrow.parquet.ParquetWriter(path, schema) as table:
        held: list[Row] = []
        for row in rows:
            held.append(row)
            if len(held) == AT_ONCE:
                table.write_table(pyarrow.Table.from_pylist(held, schema))
                held = []
        table.write_table(pyarrow.Table.from_pylist(held, schema))


WRITERS: dict[str, Callable[[Iterable[Row], list[str], Path], None]] = {
    ".csv": write_csv,
    ".jsonl": write_lines,
    ".ndjson": write_lines,
    ".parquet": write_parquet,
}
