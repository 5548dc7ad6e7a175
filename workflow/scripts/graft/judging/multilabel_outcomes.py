"""Predictions of photos that may have several labels, as arrays: what was true, what was answered, how probably."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from graft.data.label_sets import COLUMN, multi_hot
from graft.judging.outcomes import CALIBRATED, PROBABILITY, classes_of, groups_in

FLOOR = float(np.finfo(float).eps)


def has_sets(table: pd.DataFrame) -> bool:
    """Return whether a table is of photos that may have several labels."""
    return COLUMN in table


def is_table_of_sets(evaluation: pd.DataFrame) -> bool:
    """Return whether an evaluation.csv, or a comparison of several, is of photos that may have several labels."""
    return "mean_average_precision" in evaluation


@dataclass(frozen=True)
class LabelOutcomes:
    """A model's answers and probabilities for some photos, by default those of the published model.

    Attributes:
        classes: the labels, in the order of the model's outputs.
        truth: (n, n_labels), bool; whether a photo has a label.
        predicted: (n, n_labels), bool; whether the model answers it.
        probabilities: (n, n_labels), float; rows need not sum to 1.
        groups: (n,), int; photos of one group, and several judgements of one photo, are not independent.
        paths: (n,), str; the photos.
    """

    classes: list[str]
    truth: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray
    groups: np.ndarray
    paths: np.ndarray

    @property
    def right_sets(self) -> np.ndarray:
        """Return (n,), bool: whether the answer has all of the photo's labels and no other."""
        return (self.truth == self.predicted).all(axis=1)

    @property
    def judged(self) -> np.ndarray:
        """Return (n_labels,), bool: which labels the photos can judge, since some have it and some have not."""
        has = self.truth.sum(axis=0)
        return (has > 0) & (has < len(self.truth))

    def take(self, places: np.ndarray) -> "LabelOutcomes":
        """Return the outcomes of some photos, by their places or by a mask."""
        arrays = ("truth", "predicted", "probabilities", "groups", "paths")
        return replace(self, **{name: getattr(self, name)[places] for name in arrays})


def label_outcomes_of(table: pd.DataFrame, kind: str = "") -> LabelOutcomes:
    """Return the rows of a table of predictions as arrays.

    `kind` says which probabilities: PROBABILITY, the network's own; CALIBRATED; or, by default, the calibrated ones
    where the table has them, since these are the published model's.

    Raises: UserError if a label or an answer is none of the classes.
    """
    classes = classes_of(table)
    kind = kind or (CALIBRATED if CALIBRATED + classes[0] in table else PROBABILITY)
    return LabelOutcomes(
        classes=classes,
        truth=multi_hot(table[COLUMN], classes) > 0,
        predicted=multi_hot(table["predicted"], classes) > 0,
        probabilities=table[[kind + name for name in classes]].to_numpy(float),
        groups=groups_in(table),
        paths=table["path"].to_numpy(),
    )


def label_losses(outcomes: LabelOutcomes) -> np.ndarray:
    """Return (n,), float: each photo's mean, over the labels, of minus the log of the truth's probability."""
    of_truth = np.where(outcomes.truth, outcomes.probabilities, 1 - outcomes.probabilities)
    return -np.log(np.maximum(of_truth, FLOOR)).mean(axis=1)
