"""Which photos may bear a wrong label: confident learning on out-of-fold probabilities.

The scores are those of cleanlab (`rank.get_self_confidence_for_each_label`, `get_normalized_margin_for_each_label`,
`filter.find_label_issues(filter_by="confident_learning")`), which is a page of code: no package more in the install.
A test compares them with cleanlab's own where that is installed.

Source: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70, 2021.
"""

import numpy as np
import pandas as pd

from graft import tables

COLUMNS = tables.LabelIssues.names()


def self_confidence(probabilities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return (n,): the probability of each photo's own label.

    >>> self_confidence(np.array([[0.8, 0.2], [0.3, 0.7]]), np.array([1, 1])).tolist()
    [0.2, 0.7]
    """
    return probabilities[np.arange(len(codes)), codes]


def normalized_margin(probabilities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return (n,): how far the label's probability lies above the largest other, from 0 (surely wrong) to 1.

    >>> normalized_margin(np.array([[0.75, 0.25], [0.25, 0.75]]), np.array([1, 1])).tolist()
    [0.25, 0.75]
    """
    own = self_confidence(probabilities, codes)
    others = probabilities.copy()
    others[np.arange(len(codes)), codes] = -np.inf
    return (own - others.max(1) + 1) / 2


def suspects(probabilities: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return (n,) bool: the photos that confident learning counts as another class than their label.

    A class may claim a photo whose probability of it reaches the mean that photos of that label have; of several, the
    most probable claims it. It is suspect if that is not its label, and the label is not the most probable either.

    Args:
        probabilities: (n, n_classes), out of fold.
        codes: (n,), int; the labels; every class occurs.

    >>> p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.95, 0.05], [0.4, 0.6]])
    >>> suspects(p, np.array([0, 0, 1, 1, 1])).tolist()
    [False, False, False, True, False]
    """
    own = self_confidence(probabilities, codes)
    bars = np.array([own[codes == code].mean() for code in range(probabilities.shape[1])])
    claims = np.where(probabilities >= bars - 1e-6, probabilities, -np.inf)  # cleanlab's allowance for rounding
    claimed = np.isfinite(claims).any(1)
    return claimed & (claims.argmax(1) != codes) & (probabilities.argmax(1) != codes)


def issues_table(paths: list[str], classes: list[str], codes: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Return a row for every photo, the likeliest wrong labels first, with COLUMNS.

    `suggested` is the most probable class, `probability` its own; `action` is empty, for a user to fill in. Photos
    whose class no other photo could vouch for have no scores, are never suspect, and come last.

    Args:
        paths: n photos.
        classes: the class names.
        codes: (n,), int; each photo's label, as a place in `classes`.
        probabilities: (n, n_classes), out of fold; NaN where a class was not seen.
    """
    vouched = ~np.isnan(self_confidence(probabilities, codes))
    filled = np.nan_to_num(probabilities)
    margins = np.where(vouched, normalized_margin(filled, codes), np.nan)
    best = filled.argmax(1)
    table = pd.DataFrame(
        {
            "path": paths,
            "label": [classes[code] for code in codes],
            "suggested": [classes[code] for code in best],
            "suspect": (suspects(filled, codes) & vouched).astype(int),
            "self_confidence": np.where(vouched, self_confidence(filled, codes), np.nan),
            "normalized_margin": margins,
            "probability": filled.max(1),
            "action": "",
        },
        columns=COLUMNS,
    )
    return table.iloc[np.argsort(margins, kind="stable")].reset_index(drop=True)
