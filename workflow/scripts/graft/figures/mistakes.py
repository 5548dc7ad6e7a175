"""The mistakes that the model was surest of, and those whose label may be wrong."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.dataset import SQUASHED, Pictures
from graft.config.figures import Mistakes
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.photos import tiled
from graft.figures.prediction_grid import tiles_of
from graft.figures.style import STAGE_NAMES
from graft.judging.outcomes import Outcomes, outcomes_of

BADGE = "label?"
NOTE = f"the surest mistakes first   ·   {BADGE}: as sure of the other class as of photos that bear its label"


def suspects(truth: np.ndarray, answer: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return (n,) bool: the label may be wrong, as the model is as sure of another class as of that class's photos.

    The answer differs from the label, and its probability is at least the mean probability of that class over the
    photos that are labelled with it. Source: Northcutt, Jiang and Chuang, "Confident Learning", JAIR 2021, section 3.1.

    Args:
        truth: (n,) int: the labels.
        answer: (n,) int: the predicted classes.
        probabilities: (n, n_classes).

    >>> p = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.95, 0.05], [0.6, 0.4]])
    >>> suspects(np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 0, 0]), p).tolist()
    [False, False, False, True, False]
    """
    size = probabilities.shape[1]
    bars = np.array([probabilities[truth == c, c].mean() if np.any(truth == c) else np.inf for c in range(size)])
    return (truth != answer) & (probabilities[np.arange(len(truth)), answer] >= bars[answer])


def chosen(outcomes: Outcomes, count: int) -> np.ndarray:
    """Return the places of up to `count` mistakes, the surest first; without any, of the least sure right answers."""
    confidence = outcomes.confidence
    if outcomes.correct.all():
        return np.argsort(confidence, kind="stable")[:count]
    wrong = np.flatnonzero(~outcomes.correct)
    return wrong[np.argsort(-confidence[wrong], kind="stable")][:count]


def draw(
    predictions: pd.DataFrame, images: Path, settings: Mistakes, run: str, pictures: Pictures = SQUASHED
) -> Figure:
    """Return the mistakes of the run's last stage."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    outcomes = outcomes_of(rows)
    shown = chosen(outcomes, settings.photos)
    doubted = outcomes.paths[suspects(outcomes.labels, outcomes.predicted, outcomes.probabilities)]
    wrong, many = int((~outcomes.correct).sum()), judging_photos(rows)
    tiles = tiles_of(outcomes.take(shown), images, dict.fromkeys(doubted, BADGE), pictures)
    if not wrong:
        title, note = f"{run}, {STAGE_NAMES[stage]}: no mistake in {many}", "its least sure answers instead, all right"
    else:
        among = f"{len(shown)} of {wrong} mistakes" if len(shown) < wrong else f"{wrong} mistake{'s' * (wrong > 1)}"
        title, note = f"{run}, {STAGE_NAMES[stage]}: {among} in {many}", NOTE
    return tiled(title, tiles, settings.columns, note=note)
