"""Atomic writes of files, and tables that keep every name as it was written."""

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from graft import disk, tables
from graft.errors import UserError
from graft.storage import seals

PART = ".part-"
TEXT_COLUMNS = tables.text_columns()


@contextlib.contextmanager
def atomic(path: str | Path, sealed: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` on success and removed on failure.

    The suffix is kept, since Keras and matplotlib choose a format by it. A file that a later stage reads is `sealed`,
    so that the stage notices if it was cut or edited in between (`graft.storage.seals`).

    Raises: UserError that names the disk, if that is full.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic(target) as part:
    ...     _ = part.write_text("all of it")
    >>> target.read_text()
    'all of it'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{PART}{os.getpid()}-{path.name}")
    try:
        yield part
        if sealed:
            seals.place(part, path)
        else:
            seals.remove(path)
            part.replace(path)
    except Exception as error:
        if isinstance(error, UserError) or not disk.is_full(error):
            raise
        raise UserError(disk.no_room(path)) from None
    finally:
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def own_name(part: Path) -> Path:
    """Return the name that a temporary path of `atomic` stands for.

    >>> own_name(Path("results/.part-123-split.csv")).as_posix()
    'results/split.csv'
    """
    return part.with_name(re.sub(rf"^{re.escape(PART)}\d+-", "", part.name))


def write_table(table: pd.DataFrame, path: str | Path, sealed: bool = True) -> None:
    """Write a CSV whose bytes depend on its values alone: nine significant digits, Unix newlines."""
    with atomic(path, sealed) as part:
        table.to_csv(part, index=False, float_format="%.9g", lineterminator="\n")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV of `write_table`; a class named "NA", "007" or "nan" stays the text that it is.

    Raises: UserError if the table is not as it was written, or is none.
    """
    seals.check(path)
    try:
        header = pd.read_csv(path, nrows=0, encoding="utf-8")
        text = {name: str for name in header.columns if name in TEXT_COLUMNS}
        empty = {name: [""] for name in header.columns if name not in text}
        return pd.read_csv(path, dtype=text, encoding="utf-8", keep_default_na=False, na_values=empty)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is no table ({' '.join(str(error).split())}): delete it and run again") from None


def write_json(value: object, path: str | Path, sealed: bool = True) -> None:
    """Write JSON with sorted keys, so that equal values have equal bytes."""
    with atomic(path, sealed) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read what `write_json` wrote.

    Raises: UserError if the file is not as it was written, or is no JSON.
    """
    seals.check(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no JSON ({error}): delete it and run again") from None


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
