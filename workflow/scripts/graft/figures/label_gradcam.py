"""Where in a photo of several labels the model looked: Grad-CAM of the label that it finds most probable."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.figures import GradCam
from graft.figures.gradcam import NO_PLACE, in_rows, overlay, picked
from graft.figures.judged import also_chose, judged, role_of, stages_of
from graft.figures.label_photos import WIDTH
from graft.figures.names import class_labels, photo_label, shorten
from graft.figures.photos import Tile, tiled
from graft.figures.style import ROLE_NAMES, STAGE_NAMES, message_figure
from graft.judging.multilabel_outcomes import LabelOutcomes, label_outcomes_of

NOTE = (
    "bright: raised the logit of the likeliest label   ·   ✓ solid frame: it is there   ·   ✗ dashed frame: it is not"
)


def chosen(predictions: pd.DataFrame, settings: GradCam) -> pd.DataFrame:
    """Return the examples, by their most probable label: those that have it, then those that have not."""
    rows = judged(predictions, stages_of(predictions)[-1])
    outcomes = label_outcomes_of(rows)
    return rows.iloc[picked(likeliest(outcomes), is_there(outcomes), settings)].reset_index(drop=True)


def likeliest(outcomes: LabelOutcomes) -> np.ndarray:
    """Return each photo's most probable label, (n,), int."""
    return outcomes.probabilities.argmax(axis=1)


def is_there(outcomes: LabelOutcomes) -> np.ndarray:
    """Return whether each photo has its most probable label, (n,), bool."""
    return outcomes.truth[np.arange(len(outcomes.truth)), likeliest(outcomes)]


def draw(rows: pd.DataFrame, pixels: np.ndarray, maps: np.ndarray | None, run: str) -> Figure:
    """Return a row per label, photos that have it first; words where the backbone makes no feature map."""
    stage = STAGE_NAMES[rows["stage"].iloc[0]]
    title = f"{run}, {stage}: where it looks in {ROLE_NAMES[role_of(rows)]} photos{also_chose(rows)}"
    if maps is None:
        return message_figure(title, NO_PLACE)
    outcomes = label_outcomes_of(rows)
    names, label, there = class_labels(outcomes.classes, 18), likeliest(outcomes), is_there(outcomes)
    tiles = [
        Tile(
            photo=overlay(pixels[row], maps[row]),
            lines=(
                f"{names[label[row]]} {outcomes.probabilities[row, label[row]]:.2f}",
                shorten(f"truth: {', '.join(names[one] for one in np.flatnonzero(truth)) or 'none'}", WIDTH + 2),
                photo_label(outcomes.paths[row]),
            ),
            right=bool(there[row]),
        )
        for row, truth in enumerate(outcomes.truth)
    ]
    grid, columns = in_rows(tiles, label)
    headings = {row: names[number] for row, number in enumerate(dict.fromkeys(label.tolist()))}
    return tiled(title, grid, columns, note=NOTE, headings=headings)
