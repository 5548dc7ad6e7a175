"""ROC and precision-recall curves, each with the point at which the model answers."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels
from graft.figures.style import STAGE_COLOURS, STAGE_NAMES, canvas, class_look
from graft.judging.outcomes import Outcomes, classes_of, outcomes_of

Dashes = str | tuple[int, tuple[float, ...]]  # as matplotlib takes them
Look = tuple[str, Dashes, str]  # colour, dashes, marker
NAMED = 9  # curves in a legend, at most; of more classes, those with the lowest average precision
DASHES: tuple[Dashes, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)), (0, (8, 2, 1, 2, 1, 2)))


@dataclass(frozen=True)
class Curves:
    """One class against the rest: both curves, their areas, and where the answers lie on them."""

    false_rate: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    area: float
    average_precision: float
    point: tuple[float, float, float]  # false positive rate, recall, precision of the answers


def curves_of(truth: np.ndarray, answer: np.ndarray, score: np.ndarray) -> Curves | None:
    """Return the curves of one class; None unless some photos are of it and some are not.

    Photos of equal score are passed together, in one step of the curve. Written out since scikit-learn takes longer
    to load than all the rest of a figure; the tests compare the two.

    Args:
        truth: (n,) bool: the photo is of the class.
        answer: (n,) bool: the model says that it is.
        score: (n,) the class's probability.

    >>> curves = curves_of(np.array([1, 0, 1, 0], bool), np.array([1, 1, 0, 0], bool), np.array([0.9, 0.8, 0.4, 0.1]))
    >>> curves.area, round(curves.average_precision, 3), curves.point
    (0.75, 0.833, (0.5, 0.5, 0.5))
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)  # of each group of equal scores
    true_positives, false_positives = np.cumsum(truth[order])[last], np.cumsum(~truth[order])[last]
    recall, false_rate = np.append(0, true_positives) / positives, np.append(0, false_positives) / negatives
    precision = np.append(1, true_positives / (true_positives + false_positives))
    claimed, right = int(answer.sum()), int((truth & answer).sum())
    point = ((claimed - right) / negatives, right / positives, right / claimed if claimed else np.nan)
    average = float(np.sum(np.diff(recall) * precision[1:]))
    return Curves(false_rate, recall, precision, float(np.trapezoid(recall, false_rate)), average, point)


def curves_of_classes(outcomes: Outcomes) -> list[Curves | None]:
    """Return the curves of each class, in class order."""
    scores = outcomes.probabilities
    return [
        curves_of(outcomes.labels == number, outcomes.predicted == number, scores[:, number])
        for number in range(scores.shape[1])
    ]


def draw(predictions: pd.DataFrame, run: str) -> Figure:
    """Return both panels: of two classes a curve per stage, of more a curve per class of the last stage."""
    classes, stages = classes_of(predictions), stages_of(predictions)
    names = class_labels(classes, 24)
    last = judged(predictions, stages[-1])
    counted = judging_photos(last)
    if len(classes) == 2:
        drawn = {stage: curves_of_classes(outcomes_of(judged(predictions, stage)))[1] for stage in stages}
        looks: dict[str, Look] = {
            stage: (STAGE_COLOURS[stage], DASHES[number], "os"[number]) for number, stage in enumerate(stages)
        }
        lines = [(STAGE_NAMES[stage], curves, looks[stage]) for stage, curves in drawn.items() if curves]
        title = f"{run}: {names[1]} against {names[0]}, {counted}"
        faint: list[Curves] = []
    else:
        every = [(number, curves) for number, curves in enumerate(curves_of_classes(outcomes_of(last))) if curves]
        ranked = sorted(every, key=lambda one: one[1].average_precision)
        look_by_class = {
            number: look_of(place) for place, number in enumerate(sorted(number for number, _ in ranked[:NAMED]))
        }
        lines = [(names[number], curves, look_by_class[number]) for number, curves in ranked[:NAMED]]
        faint = [curves for _, curves in ranked[NAMED:]]
        title = f"{run}, {STAGE_NAMES[stages[-1]]}: each class against the rest, {counted}"
    figure = canvas(9.4, 5.2 + 0.17 * ceil(max(len(lines), 1) / 2), [title, *names])
    panels = figure.subplots(1, 2)
    draw_panel(panels[0], lines, faint, roc=True)
    draw_panel(panels[1], lines, faint, roc=False)
    figure.suptitle(title, x=0.01, ha="left")
    explain(figure, panels[0], lines, faint)
    return figure


def look_of(number: int) -> Look:
    """Return colour, dashes and marker of the classes that are named, by their place among these."""
    look = class_look(number)
    return look["color"], DASHES[number % len(DASHES)], look["marker"]


def draw_panel(axes: Axes, lines: list[tuple[str, Curves, Look]], faint: list[Curves], roc: bool) -> None:
    """Draw one kind of curve for every line, and the points at which the model answers."""
    for curves in faint:
        x, y = (curves.false_rate, curves.recall) if roc else (curves.recall, curves.precision)
        axes.plot(x, y, color="#BBBBBB", lw=0.7, drawstyle="default" if roc else "steps-pre")
    for name, curves, (colour, dashes, marker) in lines:
        false_rate, recall, precision = curves.point
        x, y = (curves.false_rate, curves.recall) if roc else (curves.recall, curves.precision)
        at = (false_rate, recall) if roc else (recall, precision)
        label = f"{name} (area {curves.area:.3f}, average precision {curves.average_precision:.3f})"
        style = "default" if roc else "steps-pre"
        axes.plot(x, y, color=colour, ls=dashes, lw=1.6, drawstyle=style, label=label, clip_on=False)
        axes.plot(*at, marker=marker, ms=7, mfc="white", mec=colour, mew=1.6, ls="none", clip_on=False, zorder=5)
    if roc:
        axes.plot([0, 1], [0, 1], color="#666666", lw=1, ls=":")
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.03)
    axes.set_title("ROC" if roc else "precision and recall")
    axes.set_xlabel("false positive rate" if roc else "recall")
    axes.set_ylabel("true positive rate (recall)" if roc else "precision")
    if not lines:
        axes.text(0.5, 0.5, "no curve: all photos\nare of one class", ha="center", va="center", color="#444444")


def explain(
    figure: Figure, axes: Axes, lines: list[tuple[str, Curves, Look]], faint: list[Curves], kind: str = "classes"
) -> None:
    """Add the legend, and say what the grey curves and the hollow markers are."""
    handles, labels = axes.get_legend_handles_labels()
    title = "hollow marker: where the model answers"
    if faint:
        title += f"; named: the {len(lines)} {kind} with the lowest average precision; grey: the other {len(faint)}"
    if handles:
        figure.legend(handles, labels, loc="outside lower left", ncols=2, title=title, title_fontsize=8,
                      alignment="left")  # fmt: skip
