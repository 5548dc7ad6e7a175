"""Photos of several labels, or none: how a set of labels is read from a table, and how it stands in Graft's own.

In manifest.csv, split.csv and the predictions a set is text, its labels in natural order with `|` between them, and a
photo without labels has an empty cell. Equal sets are equal texts.
"""

import json
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from graft.config.dataset import Labels
from graft.data.label_table import LABEL_COLUMNS, column_of
from graft.data.layout import natural
from graft.errors import UserError

SEPARATOR = "|"
COLUMN = "labels"  # of every table of ours whose photos have sets; where they have one label it is `label`
HAS = ("1", "1.0", "true", "yes", "y", "x")
HAS_NOT = ("0", "0.0", "-1", "-1.0", "false", "no", "n", "")


def joined(labels: Iterable[str]) -> str:
    """Return a set of labels as our tables have it.

    >>> joined(["tree", "car"]), joined([])
    ('car|tree', '')
    """
    return SEPARATOR.join(sorted(set(labels), key=natural))


def parted(text: str) -> list[str]:
    """Return the labels of a set, in natural order.

    >>> parted("car|tree"), parted("")
    (['car', 'tree'], [])
    """
    return text.split(SEPARATOR) if text else []


def names_in(texts: Iterable[str]) -> list[str]:
    """Return the labels that occur in some sets, in natural order.

    >>> names_in(["label 10|label 9", "", "label 9"])
    ['label 9', 'label 10']
    """
    return sorted({label for text in set(texts) for label in parted(text)}, key=natural)


def multi_hot(texts: Iterable[str], classes: list[str]) -> np.ndarray:
    """Return (n, n_labels), float32: 1 where a photo has a label, else 0.

    Raises: UserError if a set has a label that is none of `classes`.

    >>> multi_hot(["car|tree", ""], ["car", "tree", "water"]).tolist()
    [[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    texts = list(texts)
    places = {name: place for place, name in enumerate(classes)}
    hot = np.zeros((len(texts), len(classes)), np.float32)
    for row, text in enumerate(texts):
        for label in parted(text):
            if label not in places:
                raise UserError(f"the label {label!r} is none of {', '.join(classes)}")
            hot[row, places[label]] = 1
    return hot


def texts_of(hot: np.ndarray, classes: list[str]) -> list[str]:
    """Return sets as text, the reverse of `multi_hot`.

    >>> texts_of(np.array([[1, 1, 0], [0, 0, 0]]), ["car", "tree", "water"])
    ['car|tree', '']
    """
    names = np.array(classes, object)
    return [joined(names[row]) for row in np.asarray(hot, bool)]


def sets_of_table(content: pd.DataFrame, settings: Labels, taken: list[str], key: str, name: str) -> list[str]:
    """Return each row's set of labels, as our tables have it.

    Args:
        content: the user's table, as text.
        settings: one column and its separator, or the columns.
        taken: the columns of path, role and group.
        key: where the configuration names the labels.
        name: what the user calls the table.

    Raises: UserError for a column that it lacks, a cell that says neither yes nor no, or a label that has a `|`.
    """
    if settings.columns is None:
        column = column_of(content, settings.label, LABEL_COLUMNS, f"{key}.label", name)
        sets = [labels_in(cell, settings.separator or SEPARATOR) for cell in content[column]]
    else:
        asked = settings.columns if isinstance(settings.columns, list) else columns_left(content, taken)
        columns = [column_of(content, one, (), f"{key}.columns", name) for one in asked]
        flags = np.stack([flags_of(content[column], name) for column in columns], axis=1)
        sets = [[columns[place] for place in np.flatnonzero(row)] for row in flags]
    for labels in sets:
        check_names(labels, name)
    return [joined(labels) for labels in sets]


def columns_of_labels(content: pd.DataFrame, settings: Labels, taken: list[str]) -> str:
    """Return the columns that the labels stand in, as the record keeps them."""
    if settings.columns:
        return ", ".join(settings.columns if isinstance(settings.columns, list) else columns_left(content, taken))
    return settings.label or next(one for one in LABEL_COLUMNS if one in content)


def columns_left(content: pd.DataFrame, taken: list[str]) -> list[str]:
    """Return all columns but those of path, role and group."""
    return [one for one in content.columns if one not in taken]


def labels_in(cell: str, separator: str) -> list[str]:
    """Return the labels of one cell: a list in JSON, or names with a separator between them.

    >>> labels_in(" tree; car;", ";"), labels_in('["tree", "car"]', ";"), labels_in("", ";")
    (['tree', 'car'], ['tree', 'car'], [])
    """
    if cell.startswith("["):
        try:
            found = json.loads(cell)
        except ValueError:
            found = None
        if isinstance(found, list) and not any(isinstance(one, list | dict) for one in found):
            return [str(one).strip() for one in found if one is not None and str(one).strip()]
    return [part.strip() for part in cell.split(separator) if part.strip()]


def corrected_set(cell: str, separator: str | None) -> str:
    """Return the set of a cell of corrections, written with the table's own separator or as our tables write it.

    >>> corrected_set("tree;car", ";"), corrected_set("tree|car", ";"), corrected_set("", None)
    ('car|tree', 'car|tree', '')
    """
    given = labels_in(cell, separator or SEPARATOR)
    return joined(label.strip() for one in given for label in parted(one))


def flags_of(cells: pd.Series, name: str) -> np.ndarray:
    """Return (n,), bool: which cells of a column say that the photo has the column's label.

    Raises: UserError for a cell that says neither yes nor no.
    """
    lower = cells.str.lower()
    odd = ~lower.isin([*HAS, *HAS_NOT])
    if odd.any():
        row, cell = next(iter(cells[odd].items()))
        raise UserError(
            f"row {row} of {name} has {cell!r} in the column {cells.name}, which says neither that the photo has "
            "the label (1, true, yes, x) nor that it has not (0, -1, false, no, or nothing); name the columns of "
            "labels in source.labels.columns"
        )
    return lower.isin(HAS).to_numpy()


def check_names(labels: list[str], name: str) -> None:
    """Refuse a label that would fall apart in our tables."""
    for label in labels:
        if SEPARATOR in label:
            raise UserError(
                f"{name} has the label {label!r}; {SEPARATOR!r} stands between the labels of a photo in every table of "
                "the results, so rename it, or set source.labels.separator to it"
            )


def audit_lines(texts: list[str]) -> list[str]:
    """Return how often each label stands, and which of them stand together, for the terminal.

    >>> for line in audit_lines(["car|tree", "tree", "tree", ""]): print(line)
      labels: car 1 (25%), tree 3 (75%); 1 photo has none; 1.00 a photo
      combinations: 3: tree 2, car|tree 1, none 1
    """
    n, counts = len(texts), Counter(label for text in texts for label in parted(text))
    listed = ", ".join(f"{label} {counts[label]:,} ({counts[label] / n:.0%})" for label in sorted(counts, key=natural))
    none = texts.count("")
    bare = f"{none:,} photo{' has' if none == 1 else 's have'} none"
    sets = Counter(texts).most_common()
    shown = ", ".join(f"{text or 'none'} {count:,}" for text, count in sets[:8])
    more = f" and {len(sets) - 8:,} more" if len(sets) > 8 else ""
    return [
        f"  labels: {listed}; {bare}; {sum(counts.values()) / n:.2f} a photo",
        f"  combinations: {len(sets):,}: {shown}{more}",
    ]


def record_of(texts: list[str]) -> dict[str, object]:
    """Return what source.json keeps of the labels: photos of each, and of each combination, the most frequent first."""
    counts = Counter(label for text in texts for label in parted(text))
    return {
        "photos_of_label": {label: counts[label] for label in sorted(counts, key=natural)},
        "combinations": len(set(texts)),
        "photos_of_combination": dict(Counter(texts).most_common(50)),
    }
