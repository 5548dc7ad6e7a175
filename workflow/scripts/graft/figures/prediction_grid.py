"""A sample of judged photos: the model's answer to each, its probability, and the truth."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.dataset import SQUASHED, Pictures
from graft.config.figures import PredictionGrid
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels, photo_label
from graft.figures.photos import Tile, thumbnail, tiled
from graft.figures.style import STAGE_NAMES
from graft.judging.outcomes import Outcomes, outcomes_of

FRAMES = "✓ solid frame: right   ·   ✗ dashed frame: wrong   ·   the number is the model's probability"


def sample(rows: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Return `count` rows (or all, if fewer) drawn by `seed`, in the order of the table.

    Whether an answer is right does not matter for the draw, so that the sample shows the model as it is.

    >>> sample(pd.DataFrame({"path": list("abcde")}), 2, seed=0).path.tolist() \
            == sample(pd.DataFrame({"path": list("abcde")}), 2, seed=0).path.tolist()
    True
    """
    chosen = np.random.default_rng(seed).permutation(len(rows))[:count]
    return rows.iloc[np.sort(chosen)].reset_index(drop=True)


def tiles_of(
    outcomes: Outcomes, images: Path, badges: dict[str, str] | None = None, pictures: Pictures = SQUASHED
) -> list[Tile]:
    """Return a tile per photo: "urban 0.97", the truth, the file; `badges` go on photos by path."""
    names = class_labels(outcomes.classes, 20)
    return [
        Tile(
            photo=thumbnail(images / path, pictures=pictures),
            lines=(f"{names[guess]} {confidence:.2f}", f"truth: {names[truth]}", photo_label(path)),
            right=bool(guess == truth),
            badge=(badges or {}).get(path, ""),
        )
        for path, truth, guess, confidence in zip(
            outcomes.paths, outcomes.labels, outcomes.predicted, outcomes.confidence, strict=True
        )
    ]


def draw(
    predictions: pd.DataFrame, images: Path, settings: PredictionGrid, run: str, pictures: Pictures = SQUASHED
) -> Figure:
    """Return the grid of the run's last stage."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    shown = sample(rows, settings.columns * settings.rows, settings.seed)
    title = f"{run}, {STAGE_NAMES[stage]}: {len(shown)} of {judging_photos(rows)}"
    return tiled(title, tiles_of(outcomes_of(shown), images, pictures=pictures), settings.columns, note=FRAMES)
