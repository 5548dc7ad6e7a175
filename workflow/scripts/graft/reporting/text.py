"""Words and columns of the summary, in the terminal and on the report's first page."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

STAGES = {"head": "head", "finetuned": "fine-tuned"}
ROLES = {"val": "validation", "test": "test", "train": "training"}
SIGNS = "*+#^~%&="


def footnote_signs(row: Mapping[Any, Any], notes: dict[str, str]) -> str:
    """Return the footnote signs of a row, new ones for notes not met before."""
    return "".join(notes.setdefault(note, SIGNS[len(notes) % len(SIGNS)]) for note in remarks_on(row))


def remarks_on(row: Mapping[Any, Any]) -> list[str]:
    """Return what a reader of a row of evaluation.csv must know: its notes, and that it is no better than a guess."""
    remarks = [note for note in row["note"].split("; ") if note]
    return remarks if row["verdict"].startswith("better") else [*remarks, row["verdict"]]


def aligned(rows: list[list[str]]) -> str:
    """Return rows of text as columns, two spaces apart.

    >>> print(aligned([["run", "photos"], ["lesson", "20"]]))
    run     photos
    lesson  20
    """
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def number(value: float, form: str, unit: str = "") -> str:
    """Return a number in words; a dash where it is not defined or was not measured.

    >>> number(1234.5, ",.0f", " MB"), number(float("nan"), ".3f")
    ('1,234 MB', '–')
    """
    return "–" if pd.isna(value) else f"{value:{form}}{unit}"
