"""Which labels stand together in photos, and which of them the model answers together."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from graft.figures.confusion import SMALL, cell_inches, slant_of
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels
from graft.figures.style import STAGE_NAMES, canvas
from graft.judging.multilabel_outcomes import label_outcomes_of

MOST = 40  # labels with a row; of more, the most frequent ones


def shares_together(given: np.ndarray, also: np.ndarray) -> np.ndarray:
    """Return (n_labels, n_labels): of the photos that have the row's label, the share that have the column's; or nan.

    Args:
        given: (n, n_labels), bool; whose photos a row is about.
        also: (n, n_labels), bool; what is asked of them.

    >>> truth = np.array([[True, True], [True, False]])
    >>> shares_together(truth, truth).tolist()
    [[1.0, 0.5], [1.0, 1.0]]
    """
    support = given.sum(axis=0)[:, None].astype(float)
    both = given.T.astype(float) @ also.astype(float)
    return np.divide(both, support, out=np.full(both.shape, np.nan), where=support > 0)


def draw(predictions: pd.DataFrame, run: str) -> Figure:
    """Return two matrices of the run's last stage: labels that stand together, and answers to photos of a label."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    outcomes = label_outcomes_of(rows)
    support = outcomes.truth.sum(axis=0)
    shown = np.sort(np.argsort(-support, kind="stable")[:MOST])
    truth, answers = outcomes.truth[:, shown], outcomes.predicted[:, shown]
    names = [class_labels(outcomes.classes, 20)[label] for label in shown]
    side = max(2.4, len(names) * cell_inches(len(names)))
    beside = 0.085 * (max(map(len, names)) + 8)  # inches that the names at the left take
    under = {0: 0.1, 45: 0.06, 90: 0.065}[slant_of(names)] * max(map(len, names))
    figure = canvas(2 * (side + 0.3) + beside + 1.0, side + 1.4 + under, [run, *names])
    panels = figure.subplots(1, 2, sharey=True)
    draw_matrix(panels[0], shares_together(truth, truth), names, "has this label too")
    image = draw_matrix(panels[1], shares_together(truth, answers), names, "is given this label")
    panels[0].set_title("labels")
    panels[1].set_title(f"answers, {STAGE_NAMES[stage]}")
    panels[0].set_yticks(
        range(len(names)), [f"{name} ({count:,})" for name, count in zip(names, support[shown], strict=True)]
    )
    panels[0].set_ylabel("photos of a label")
    bar = figure.colorbar(image, ax=list(panels), shrink=0.7, aspect=25, pad=0.02)
    bar.set_label("share of the row's photos")
    bar.outline.set_visible(False)
    few = f"; the {MOST} most frequent of {len(outcomes.classes):,} labels" if len(outcomes.classes) > MOST else ""
    figure.suptitle(f"{run}: {judging_photos(rows)}{few}", x=0.01, ha="left")
    return figure


def draw_matrix(axes: Axes, shares: np.ndarray, names: list[str], across: str) -> AxesImage:
    """Draw one matrix, and return its image for the colour bar."""
    many = len(names) > SMALL
    image = axes.imshow(np.nan_to_num(shares), vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(shares > 0):
        share = shares[row, column]
        axes.text(column, row, f"{share:.0%}" if not many else f"{100 * share:.0f}", ha="center", va="center",
                  color="white" if share > 0.55 else "black", size=5.5 if many else 8)  # fmt: skip
    for row in np.flatnonzero(np.isnan(shares).all(axis=1)):  # no photo of that label was judged
        axes.axhspan(row - 0.5, row + 0.5, facecolor="#EEEEEE", edgecolor="#AAAAAA", hatch="////", lw=0)
    slant = slant_of(names)
    axes.set_xticks(range(len(names)), names, rotation=slant, ha="right" if slant == 45 else "center",
                    rotation_mode="anchor" if slant == 45 else None)  # fmt: skip
    axes.tick_params(length=0, labelsize=6.5 if many else None)
    axes.set_xlabel(across)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return image
