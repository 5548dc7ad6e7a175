"""Photos with the labels that they have and those that the model gave them: a sample, and its surest mistakes."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.dataset import SQUASHED, Pictures
from graft.config.figures import Mistakes, PredictionGrid
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels, photo_label, shorten
from graft.figures.photos import Tile, thumbnail, tiled
from graft.figures.prediction_grid import sample
from graft.figures.style import STAGE_NAMES
from graft.judging.multilabel_outcomes import LabelOutcomes, label_outcomes_of

WIDTH = 30  # columns of a line below a photo
NOTE = "✓ solid frame: all labels right   ·   ✗ dashed frame: some wrong   ·   numbers: the labels' probabilities"
MISTAKES = (
    "the surest mistakes first   ·   +: given and wrong   ·   −: not given and there   ·   numbers: probabilities"
)


def draw_sample(
    predictions: pd.DataFrame, images: Path, settings: PredictionGrid, run: str, pictures: Pictures = SQUASHED
) -> Figure:
    """Return a sample of the judged photos of the run's last stage."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    shown = sample(rows, settings.columns * settings.rows, settings.seed)
    title = f"{run}, {STAGE_NAMES[stage]}: {len(shown)} of {judging_photos(rows)}"
    outcomes = label_outcomes_of(shown)
    tiles = tiles_of(outcomes, images, answers_in_words(outcomes), pictures)
    return tiled(title, tiles, settings.columns, note=NOTE)


def draw_mistakes(
    predictions: pd.DataFrame, images: Path, settings: Mistakes, run: str, pictures: Pictures = SQUASHED
) -> Figure:
    """Return the photos of the run's last stage with the surest wrong labels; without any, the least sure answers."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    every = label_outcomes_of(rows)
    wrong, many = int((~every.right_sets).sum()), judging_photos(rows)
    shown = every.take(surest_mistakes(every, settings.photos))
    if not wrong:
        title, note = f"{run}, {STAGE_NAMES[stage]}: no mistake in {many}", "its least sure answers instead, all right"
        tiles = tiles_of(shown, images, answers_in_words(shown), pictures)
        return tiled(title, tiles, settings.columns, note=note)
    among = f"{len(shown.paths)} of {wrong}" if len(shown.paths) < wrong else f"{wrong}"
    title = f"{run}, {STAGE_NAMES[stage]}: {among} photo{'s' * (wrong > 1)} with a wrong label in {many}"
    tiles = tiles_of(shown, images, mistakes_in_words(shown), pictures)
    return tiled(title, tiles, settings.columns, note=MISTAKES)


def surest_mistakes(outcomes: LabelOutcomes, count: int) -> np.ndarray:
    """Return the places of up to `count` photos with a wrong label, those of the surest wrong label first.

    A wrong answer is as sure as the label that was given is probable, or one that was not given is not. Without any
    mistake: the photos whose least sure answer is least sure.
    """
    sure = np.where(outcomes.predicted, outcomes.probabilities, 1 - outcomes.probabilities)
    wrong = outcomes.truth != outcomes.predicted
    if not wrong.any():
        return np.argsort(sure.min(axis=1), kind="stable")[:count]
    surest = np.where(wrong, sure, -1).max(axis=1)
    ranked = np.argsort(-surest, kind="stable")
    return ranked[wrong.any(axis=1)[ranked]][:count]


def tiles_of(
    outcomes: LabelOutcomes, images: Path, said: list[str], pictures: Pictures = SQUASHED
) -> list[Tile | None]:
    """Return a tile per photo: what is said of it, the truth, the file."""
    names = class_labels(outcomes.classes, 16)
    return [
        Tile(
            photo=thumbnail(images / path, pictures=pictures),
            lines=(
                shorten(words, WIDTH - 4),
                shorten(f"truth: {', '.join(names[label] for label in np.flatnonzero(truth)) or 'none'}", WIDTH + 2),
                photo_label(path),
            ),
            right=bool(right),
        )
        for path, truth, right, words in zip(outcomes.paths, outcomes.truth, outcomes.right_sets, said, strict=True)
    ]


def answers_in_words(outcomes: LabelOutcomes) -> list[str]:
    """Return each photo's labels as the model gives them, the most probable first, such as "tree 0.97, car 0.71"."""
    names = class_labels(outcomes.classes, 16)
    return [
        ", ".join(f"{names[label]} {row[label]:.2f}" for label in np.argsort(-row, kind="stable") if given[label])
        or f"none (most {names[int(row.argmax())]} {row.max():.2f})"
        for row, given in zip(outcomes.probabilities, outcomes.predicted, strict=True)
    ]


def mistakes_in_words(outcomes: LabelOutcomes) -> list[str]:
    """Return each photo's wrong labels, the surest first, such as "+car 0.93, −tree 0.12"."""
    names = class_labels(outcomes.classes, 16)
    wrong = outcomes.truth != outcomes.predicted
    sure = np.where(outcomes.predicted, outcomes.probabilities, 1 - outcomes.probabilities)
    return [
        ", ".join(
            f"{'+' if outcomes.predicted[row, label] else '−'}{names[label]} {outcomes.probabilities[row, label]:.2f}"
            for label in np.argsort(-sure[row], kind="stable")
            if wrong[row, label]
        )
        for row in range(len(wrong))
    ]
