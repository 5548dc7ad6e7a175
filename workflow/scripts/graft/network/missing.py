"""Weights that could not be had: a note beside their file, so that a model table goes on without that network."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from graft.errors import UserError

SUFFIX = ".missing"


@contextlib.contextmanager
def noted(weights: Path) -> Iterator[None]:
    """Write why weights cannot be had beside where they would lie, if that is so; else take the note away.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "VGG16.weights.h5"
    >>> with contextlib.suppress(UserError), noted(file):
    ...     raise UserError("no network")
    >>> why_missing(file)
    'no network'
    """
    note = note_of(weights)
    try:
        yield
    except UserError as error:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(f"{error}\n", encoding="utf-8")
        raise
    note.unlink(missing_ok=True)


def note_of(weights: Path) -> Path:
    """Return where the note about a weights file lies."""
    return weights.with_name(weights.name + SUFFIX)


def why_missing(weights: Path) -> str:
    """Return why weights could not be had when they were last asked for; nothing if they are there, or never were."""
    note = note_of(weights)
    return note.read_text(encoding="utf-8").strip() if note.is_file() and not weights.is_file() else ""
