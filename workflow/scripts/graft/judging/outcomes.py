"""Predictions as arrays: what was true, what was answered, and how sure the model was."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from graft.errors import UserError
from graft.paths import STAGES as STAGES

PROBABILITY = "probability_"
CALIBRATED = "calibrated_"


@dataclass(frozen=True)
class Outcomes:
    """A model's answers and probabilities for some photos, by default those of the published model.

    Attributes:
        classes: names, in the order of the model's outputs.
        labels: (n,), int; the true class, as an index of `classes`.
        predicted: (n,), int; the model's answer, as an index of `classes`.
        probabilities: (n, n_classes), float; every row sums to 1.
        groups: (n,), int; photos of one group, and several judgements of one photo, are not independent.
        paths: (n,), str; the photos.
    """

    classes: list[str]
    labels: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    groups: np.ndarray
    paths: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Return (n,), bool: whether the answer is the truth."""
        return self.labels == self.predicted

    @property
    def confidence(self) -> np.ndarray:
        """Return (n,), float: the probability of each answer."""
        return self.probabilities[np.arange(len(self.predicted)), self.predicted]

    def take(self, places: np.ndarray) -> "Outcomes":
        """Return the outcomes of some photos, by their places or by a mask."""
        arrays = ("labels", "predicted", "probabilities", "groups", "paths")
        return replace(self, **{name: getattr(self, name)[places] for name in arrays})


def judging_role(roles: Iterable[str]) -> str:
    """Return whose photos judge a run: test where there are any, else val, else train.

    >>> judging_role(["val", "test", "val"])
    'test'
    """
    there = set(roles)
    return next(role for role in ("test", "val", "train") if role in there)


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
        paths=table["path"].to_numpy(),
    )


def groups_in(table: pd.DataFrame) -> np.ndarray:
    """Return each row's group, (n,), int; photos without one are a group each, by their path.

    >>> groups_in(pd.DataFrame({"path": ["a", "b", "a"]})).tolist()
    [0, 1, 0]
    """
    return table["group"].to_numpy(int) if "group" in table else pd.factorize(table["path"])[0]


def indices(names: pd.Series, classes: list[str]) -> np.ndarray:
    """Return each name's place in `classes`.

    >>> indices(pd.Series(["b", "a"]), ["a", "b"]).tolist()
    [1, 0]
    """
    places = pd.Index(classes).get_indexer(pd.Index(names))
    if (places < 0).any():
        unknown = names.iloc[int(np.argmin(places))]
        raise UserError(f"predictions name the class {unknown!r}, which is none of {', '.join(classes)}")
    return places


def losses(outcomes: Outcomes) -> np.ndarray:
    """Return (n,), float: minus the log of each true class's probability, kept finite as scikit-learn does."""
    true = outcomes.probabilities[np.arange(len(outcomes.labels)), outcomes.labels]
    return -np.log(np.maximum(true, np.finfo(float).eps))
