"""Predictions as arrays: what was true, what was answered, and how sure the model was."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from graft.errors import UserError
from graft.paths import STAGES as STAGES

PROBABILITY = "probability_"
CALIBRATED = "calibrated_"


@dataclass(frozen=True)
class Outcomes:
    """What a model said of some photos, as its published form says it.

    Attributes:
        classes: names, in the order of the model's outputs.
        labels: (n,), int; the true class, as an index of `classes`.
        predicted: (n,), int; the model's answer, as an index of `classes`.
        probabilities: (n, n_classes), float; every row sums to 1.
        groups: (n,), int; photos of one group, and several judgements of one photo, are not independent.
    """

    classes: list[str]
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    groups: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Return (n,), bool: whether the answer is the truth."""
        return self.labels == self.predicted


def judging_role(roles: pd.Series) -> str:
    """Return whose photos judge a run: test where there are any, else val, else train.

    >>> judging_role(pd.Series(["val", "test", "val"]))
    'test'
    """
    return next(role for role in ("test", "val", "train") if role in set(roles))


def classes_of(table: pd.DataFrame) -> list[str]:
    """Return the class names that a table of predictions has probability columns for, in order.

    >>> classes_of(pd.DataFrame(columns=["path", "probability_rural", "probability_urban"]))
    ['rural', 'urban']
    """
    return [name.removeprefix(PROBABILITY) for name in table.columns if name.startswith(PROBABILITY)]


def outcomes_of(table: pd.DataFrame, kind: str = "") -> Outcomes:
    """Return the rows of a table of predictions as arrays.

    `kind` says which probabilities: PROBABILITY, the network's own; CALIBRATED; or, by default, the calibrated ones
    where the table has them, since these are the published model's.

    Probabilities were written with nine digits, so each row is made to sum to 1 again.

    Raises: UserError if a label or an answer is none of the classes.
    """
    classes = classes_of(table)
    kind = kind or (CALIBRATED if CALIBRATED + classes[0] in table else PROBABILITY)
    probabilities = table[[kind + name for name in classes]].to_numpy(float)
    return Outcomes(
        classes=classes,
        labels=indices(table["label"], classes),
        predicted=indices(table["predicted"], classes),
        probabilities=probabilities / probabilities.sum(axis=1, keepdims=True),
        groups=groups_in(table),
    )


def groups_in(table: pd.DataFrame) -> np.ndarray:
    """Return each row's group, (n,), int; photos without one are a group each, by their path.

    >>> groups_in(pd.DataFrame({"path": ["a", "b", "a"]})).tolist()
    [0, 1, 0]
    """
    if "group" in table:
        return table["group"].to_numpy(int)
    return pd.factorize(table["path"])[0] if "path" in table else np.arange(len(table))


def indices(names: pd.Series, classes: list[str]) -> np.ndarray:
    """Return each name's place in `classes`.

    >>> indices(pd.Series(["b", "a"]), ["a", "b"]).tolist()
    [1, 0]
    """
    places = pd.Index(classes).get_indexer(names)
    if (places < 0).any():
        stranger = names.iloc[int(np.argmin(places))]
        raise UserError(f"predictions name the class {stranger!r}, which is none of {', '.join(classes)}")
    return places


def losses(outcomes: Outcomes) -> np.ndarray:
    """Return (n,), float: minus the log of each true class's probability, kept finite as scikit-learn does."""
    true = outcomes.probabilities[np.arange(len(outcomes.labels)), outcomes.labels]
    return -np.log(np.maximum(true, np.finfo(float).eps))
