"""Which photos of several labels may bear a wrong one, or lack one: confident learning, a label at a time.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021; that
each label is judged by itself, and a photo by its least sure one, is Thyagarajan, Snorrason, Northcutt and Mueller,
"Identifying Incorrect Annotations in Multi-Label Classification Data", 2022, where several ways to sum up are compared.
"""

import numpy as np
import pandas as pd

from graft import tables
from graft.data.label_sets import SEPARATOR, texts_of
from graft.judging import label_issues

COLUMNS = tables.MultilabelLabelIssues.names()
MISSING, WRONG = "+", "-"  # before a label that a photo seems to lack, and before one that it seems not to have


def suspects(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (n, n_labels) bool: what the table says of a label, it stands there or not, that is likely to be wrong.

    Args:
        probabilities: (n, n_labels), out of fold.
        truth: (n, n_labels), bool. A label that all photos have, or none, is never suspect.

    >>> chances = np.array([[0.9], [0.8], [0.1], [0.95]])
    >>> suspects(chances, np.array([[True], [True], [False], [False]])).ravel().tolist()
    [False, False, False, True]
    """
    found = np.zeros(truth.shape, bool)
    for label in np.flatnonzero(truth.any(0) & ~truth.all(0)):
        chance = probabilities[:, label]
        sides = np.stack([1 - chance, chance], axis=1)
        found[:, label] = label_issues.suspects(sides, truth[:, label].astype(int))
    return found


def issues_table(paths: list[str], classes: list[str], truth: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Return a row for every photo, the likeliest wrong labels first, with COLUMNS.

    Args:
        paths: n photos.
        classes: the labels.
        truth: (n, n_labels), bool; the labels that stand in the table.
        probabilities: (n, n_labels), out of fold.
    """
    sure = np.where(truth, probabilities, 1 - probabilities)
    wrong = suspects(probabilities, truth)
    table = pd.DataFrame(
        {
            "path": paths,
            "label": texts_of(truth, classes),
            "suggested": texts_of(probabilities > 0.5, classes),
            "suspect": wrong.any(axis=1).astype(int),
            "doubted": [in_signs(classes, has, row) for has, row in zip(truth, wrong, strict=True)],
            "self_confidence": sure.min(axis=1),
            "least_sure": [classes[label] for label in sure.argmin(axis=1)],
            "action": "relabel",
        },
        columns=COLUMNS,
    )
    return table.iloc[np.argsort(table["self_confidence"], kind="stable")].reset_index(drop=True)


def in_signs(classes: list[str], has: np.ndarray, wrong: np.ndarray) -> str:
    """Return the doubted labels of a photo, with + before one that seems to be missing and - before one too many.

    >>> in_signs(["car", "tree"], np.array([False, True]), np.array([True, True]))
    '+car|-tree'
    """
    return SEPARATOR.join(f"{WRONG if has[label] else MISSING}{classes[label]}" for label in np.flatnonzero(wrong))
