"""Tables of labels as people have them: CSV, TSV, JSON, JSON Lines and Parquet, read as text and found by column."""

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from graft.config.base import nearest
from graft.data.layout import TABLES
from graft.errors import UserError

PATH_COLUMNS = ("file_name", "filename", "file", "path", "image", "image_path", "image_id", "id")
LABEL_COLUMNS = ("label", "labels", "class", "class_name", "category", "target")
DELIMITERS = ",;\t|"
NO_PYARROW = (
    "{} is a Parquet file, which takes the package pyarrow: "
    "pip install --require-hashes -r envs/requirements-parquet.txt, or save the table as CSV"
)


def read_labels(path: Path, name: str, delimiter: str | None = None) -> pd.DataFrame:
    """Return a table as text: every cell a str without spaces around it, an empty one "", rows numbered as users do.

    The index is the number of each row where a user looks for it: in a spreadsheet (the header is row 1), else from 1.

    Args:
        path: the file.
        name: what the user calls it; its ending says how it is read.
        delimiter: what parts the columns of a CSV; None: whichever its first line has most of.

    Raises: UserError, one sentence that names the file and what is wrong with it.
    """
    suffix = PurePosixPath(name).suffix.lower()
    kind = TABLES.get(suffix)
    if kind is None:
        raise UserError(f"{name} is no table that can be read; one ends in {', '.join(TABLES)}")
    try:
        if kind == "parquet":
            table = read_parquet(path, name)
        elif kind in ("csv", "tsv"):
            table = read_csv(path, delimiter or ("\t" if kind == "tsv" else None))
        else:
            table = table_of_json(path.read_text(encoding="utf-8-sig"), kind == "lines", name)
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text; save it as CSV UTF-8") from None
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror or error}") from None
    except pd.errors.EmptyDataError:
        raise UserError(f"{name} is empty; it takes a line of column names and a row for each photo") from None
    except ValueError as error:  # what parsers raise, of JSON and of CSV
        raise UserError(f"{name} is no {suffix[1:].upper()} table: {' '.join(str(error).split())}") from None
    if not len(table):
        raise UserError(f"{name} has no rows; it takes a row for each photo")
    table.columns = [str(column).strip() for column in table.columns]
    first = 1 if kind in ("json", "lines") else 2
    table.index = pd.RangeIndex(first, first + len(table))
    return table.map(text_of)


def read_csv(path: Path, delimiter: str | None) -> pd.DataFrame:
    """Return a CSV as text; a cell "NA" or "007" stays what it is."""
    if delimiter is None:
        with open(path, encoding="utf-8-sig") as stream:
            first = stream.readline()
        delimiter = max(DELIMITERS, key=first.count)  # of equal counts the first: a comma
    return pd.read_csv(
        path, sep=delimiter, dtype=str, keep_default_na=False, na_filter=False, index_col=False, encoding="utf-8-sig"
    )


def read_parquet(path: Path, name: str) -> pd.DataFrame:
    """Return a Parquet file as a table; the package that reads it is optional."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise UserError(NO_PYARROW.format(name)) from None
    try:
        schema = pyarrow.parquet.read_schema(path)
        plain = [one.name for one in schema if not (pyarrow.types.is_nested(one.type) or "binary" in str(one.type))]
        return pyarrow.parquet.read_table(path, columns=plain).to_pandas()  # photos may lie in the other columns
    except pyarrow.ArrowException as error:
        raise UserError(f"{name} is no Parquet table: {' '.join(str(error).split())}") from None


def table_of_json(text: str, lines: bool, name: str) -> pd.DataFrame:
    """Return JSON as a table.

    It may be a list of objects, an object of lists (one a column), or an object that gives each photo its label or an
    object.

    >>> table_of_json('{"1.jpg": "cat", "2.jpg": "dog"}', False, "labels.json")["label"].tolist()
    ['cat', 'dog']
    """
    value = objects_of_lines(text) if lines else json.loads(text)
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return pd.DataFrame(value)
    if isinstance(value, dict) and value:
        parts = list(value.values())
        if all(isinstance(part, list) for part in parts) and len({len(part) for part in parts}) == 1:
            return pd.DataFrame(value)
        if all(isinstance(part, dict) for part in parts):
            return pd.DataFrame([{"path": photo, **row} for photo, row in value.items()])
        if not any(isinstance(part, list | dict) for part in parts):
            return pd.DataFrame({"path": list(value), "label": parts})
    raise UserError(
        f'{name} is no table: it takes a list of objects, one a photo, or an object such as {{"1.jpg": "cat"}}'
    )


def objects_of_lines(text: str) -> list[Any]:
    """Return the value of each line that is not blank."""
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return values


def text_of(value: Any) -> str:
    """Return a cell as text: nothing as "", whole numbers without a point.

    >>> [text_of(value) for value in (" cat ", 7, 7.0, 0.5, None, float("nan"), True)]
    ['cat', '7', '7', '0.5', '', '', 'True']
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, default=str)
    if pd.isna(value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def column_of(table: pd.DataFrame, asked: str | None, usual: tuple[str, ...], key: str, name: str) -> str:
    """Return the column that the user names, or the first usual one that the table has.

    Args:
        table: the table.
        asked: the name in the configuration, if there is one.
        usual: names that need not be asked for.
        key: where the configuration names it.
        name: what the user calls the table.

    Raises: UserError that names the nearest column.
    """
    columns = list(table.columns)
    if asked is not None:
        if asked not in columns:
            raise UserError(f"{key} is {asked!r}, a column that {name} lacks{nearest(asked, columns)}")
        return asked
    found = next((column for column in usual if column in columns), None)
    if found is None:
        raise UserError(f"{name} has none of the columns {', '.join(usual)}; set {key}: it has {', '.join(columns)}")
    return found
