"""Runs of one label a photo and of several: the number that each kind is judged by, and how two runs are compared."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from graft.config.evaluation import Evaluation
from graft.judging import metrics, multilabel_significance, significance
from graft.judging.evaluation import interval_over_photos
from graft.judging.multilabel_metrics import intervals, value_of
from graft.judging.multilabel_outcomes import (
    LabelOutcomes,
    has_sets,
    is_table_of_sets,
    label_losses,
    label_outcomes_of,
)
from graft.judging.outcomes import Outcomes, outcomes_of

PRECISION = "mean_average_precision"


@dataclass(frozen=True)
class Kind:
    """How runs of one kind are judged.

    Attributes:
        column: of the number that judges, in every table.
        name: of this number, in words.
        beside: the column of a second number, for which a rare class counts as much as a frequent one.
        better: of two runs, in words.
        outcomes_of: rows of predictions.csv as arrays.
        scores: log loss and the number that judges, of such arrays.
        interval: of that number.
        compare: the second of two runs against the first; None where they share no photo.
        verdict: what a comparison shows, in words.
    """

    column: str
    name: str
    beside: str
    better: str
    outcomes_of: Callable[[pd.DataFrame], Any]
    scores: Callable[[Any], tuple[float, float]]
    interval: Callable[[Any, Evaluation], tuple[float, float]]
    compare: Callable[[Any, Any, Evaluation], Mapping[str, Any] | None]
    verdict: Callable[..., str]

    @property
    def columns(self) -> tuple[str, str, str]:
        """Return the columns of the number and of the ends of its interval."""
        return self.column, f"{self.column}_low", f"{self.column}_high"


def scores_of_classes(outcomes: Outcomes) -> tuple[float, float]:
    """Return log loss and accuracy."""
    return metrics.log_loss(outcomes.labels, outcomes.probabilities), float(outcomes.correct.mean())


def scores_of_labels(outcomes: LabelOutcomes) -> tuple[float, float]:
    """Return log loss, the mean over the labels, and mean average precision; 0 where the photos can judge no label."""
    found = float(value_of(PRECISION, outcomes))
    return float(label_losses(outcomes).mean()), 0.0 if np.isnan(found) else found


def interval_of_labels(outcomes: LabelOutcomes, settings: Evaluation) -> tuple[float, float]:
    """Return the interval of the mean average precision."""
    low, high = intervals([PRECISION], outcomes, settings)[PRECISION]
    return float(low), float(high)


ONE_LABEL = Kind(
    column="accuracy",
    name="accuracy",
    beside="balanced_accuracy",
    better="more accurate",
    outcomes_of=outcomes_of,
    scores=scores_of_classes,
    interval=lambda outcomes, settings: interval_over_photos(outcomes, settings.confidence),
    compare=significance.compare,
    verdict=significance.verdict,
)
SEVERAL_LABELS = Kind(
    column=PRECISION,
    name="mean average precision",
    beside="macro_f1",
    better="better",
    outcomes_of=label_outcomes_of,
    scores=scores_of_labels,
    interval=interval_of_labels,
    compare=multilabel_significance.compare,
    verdict=multilabel_significance.verdict,
)


def kind_of(table: pd.DataFrame) -> Kind:
    """Return the kind of a table of predictions, or of results.

    >>> kind_of(pd.DataFrame({"labels": ["car|tree"]})).name, kind_of(pd.DataFrame({"accuracy": [1.0]})).name
    ('mean average precision', 'accuracy')
    """
    return SEVERAL_LABELS if has_sets(table) or is_table_of_sets(table) else ONE_LABEL
