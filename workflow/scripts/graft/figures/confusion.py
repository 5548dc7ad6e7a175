"""The confusion matrix: which class is taken for which, in counts and in rates."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels
from graft.figures.style import STAGE_NAMES, canvas
from graft.judging.outcomes import classes_of, outcomes_of

SMALL = 12  # up to this many classes, both stages fit side by side and every cell shows its rate
MOST = 40  # up to this many classes, each has a row whose name can be read


def counts_of(rows: pd.DataFrame) -> np.ndarray:
    """Return (n_classes, n_classes) counts: row = truth, column = prediction, both in class order."""
    outcomes = outcomes_of(rows)
    counts = np.zeros((len(outcomes.classes), len(outcomes.classes)), int)
    np.add.at(counts, (outcomes.labels, outcomes.predicted), 1)
    return counts


def rates_of(counts: np.ndarray) -> np.ndarray:
    """Return each row of `counts` as shares of its sum; NaN where a class has no photo.

    >>> rates_of(np.array([[3, 1], [0, 0]])).tolist()
    [[0.75, 0.25], [nan, nan]]
    """
    support = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, support, out=np.full(counts.shape, np.nan), where=support > 0)


def most_confused(counts: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` classes that are taken for each other most often, in class order.

    Pairs of classes are gone through, the one with most mistakes between the two first.

    >>> most_confused(np.array([[9, 0, 0, 0], [0, 7, 0, 2], [1, 0, 8, 0], [0, 1, 0, 9]]), 2).tolist()
    [1, 3]
    """
    between = np.triu(counts + counts.T, 1)
    one, other = np.nonzero(between)
    order = np.argsort(-between[one, other], kind="stable")
    ranked = np.stack([one[order], other[order]], 1).ravel().tolist()
    chosen = list(dict.fromkeys([*ranked, *range(len(counts))]))[:count]
    return np.sort(chosen)


def with_others(counts: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return the matrix of the chosen classes, with all others as one more class, the last.

    >>> with_others(np.array([[5, 1, 0], [0, 4, 2], [0, 0, 3]]), np.array([0])).tolist()
    [[5, 1], [0, 9]]
    """
    place = np.full(len(counts), len(chosen))
    place[chosen] = np.arange(len(chosen))
    small = np.zeros((len(chosen) + 1, len(chosen) + 1), int)
    np.add.at(small, (place[:, None], place), counts)
    return small


def draw(predictions: pd.DataFrame, run: str) -> Figure:
    """Return a matrix per stage, or of the last stage alone where there are too many classes for two.

    Of more than MOST classes, those that are taken for each other most often have rows; the others share one.
    """
    classes = classes_of(predictions)
    stages = stages_of(predictions)
    stages = stages if len(classes) <= SMALL else stages[-1:]
    names = class_labels(classes, 24 if len(classes) <= SMALL else 20)
    told = ""
    if len(classes) > MOST:
        chosen = most_confused(counts_of(judged(predictions, stages[-1])), MOST - 1)
        others = len(classes) - len(chosen)
        names = [*(names[number] for number in chosen), f"{others:,} other classes"]
        told = f", the {len(chosen)} of {len(classes):,} classes most often taken for each other"
    side = len(names) * cell_inches(len(names))
    beside = 0.085 * (max(map(len, names)) + 8)  # inches that the names at the left take
    under = {0: 0.0, 45: 0.06, 90: 0.075}[slant_of(names)] * max(map(len, names))
    figure = canvas(max(3.6, side + beside + 0.3) * len(stages) + 0.6, side + 1.2 + under, [run, *names])
    panels = figure.subplots(1, len(stages), squeeze=False)[0]
    for axes, stage in zip(panels, stages, strict=True):
        rows = judged(predictions, stage)
        counts = counts_of(rows)
        right, all_of_them = int(np.trace(counts)), int(counts.sum())
        if told:
            counts = with_others(counts, chosen)
        image = draw_matrix(axes, counts, names)
        axes.set_title(
            f"{STAGE_NAMES[stage]}: {right:,} of {all_of_them:,} right ({right / max(all_of_them, 1):.3f}){told}"
        )
    bar = figure.colorbar(image, ax=list(panels), shrink=0.7, aspect=25, pad=0.02)
    bar.set_label("share of the row's photos")
    bar.outline.set_visible(False)
    figure.suptitle(f"{run}: {judging_photos(rows)}", x=0.01, ha="left")
    return figure


def cell_inches(n_classes: int) -> float:
    """Return the side of a cell: wide for few classes, and still room for a count of four digits at 40."""
    return 1.0 if n_classes <= 4 else 0.58 if n_classes <= SMALL else 0.27


def slant_of(names: list[str]) -> int:
    """Return the angle, in degrees, at which the names under the columns do not run into each other."""
    if len(names) > SMALL:
        return 90
    return 0 if len(names) <= 4 and max(map(len, names)) <= 12 else 45


def draw_matrix(axes: Axes, counts: np.ndarray, names: list[str]) -> AxesImage:
    """Draw one matrix, and return its image for the colour bar."""
    rates = rates_of(counts)
    many = len(names) > SMALL
    # the figure's size makes the cells square: with a fixed aspect, constrained layout would let titles collide
    image = axes.imshow(np.nan_to_num(rates), vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(counts > 0):
        rate = f"\n{rates[row, column]:.0%}" if not many else ""
        dark = rates[row, column] > 0.55
        axes.text(column, row, f"{counts[row, column]}{rate}", ha="center", va="center",
                  color="white" if dark else "black", size=6.5 if many else 8)  # fmt: skip
    for row in np.flatnonzero(counts.sum(axis=1) == 0):  # no photo of that class was judged
        axes.axhspan(row - 0.5, row + 0.5, facecolor="#EEEEEE", edgecolor="#AAAAAA", hatch="////", lw=0)
    support = [f"{name} ({count:,})" for name, count in zip(names, counts.sum(axis=1), strict=True)]
    size = 7.5 if many else matplotlib.rcParams["ytick.labelsize"]
    slant = slant_of(names)
    axes.set_xticks(range(len(names)), names, rotation=slant, ha="right" if slant == 45 else "center",
                    rotation_mode="anchor" if slant == 45 else None, size=size)  # fmt: skip
    axes.set_yticks(range(len(names)), support, size=size)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth (photos)")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=1)
    axes.tick_params(which="minor", length=0)
    return image
