"""ROC and precision-recall curves of each label of several, with the point at which the model answers it."""

from math import ceil

import pandas as pd
from matplotlib.figure import Figure

from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.names import class_labels
from graft.figures.roc_pr import NAMED, Curves, curves_of, draw_panel, explain, look_of
from graft.figures.style import STAGE_NAMES, canvas
from graft.judging.multilabel_outcomes import LabelOutcomes, label_outcomes_of


def curves_of_labels(outcomes: LabelOutcomes) -> list[Curves | None]:
    """Return the curves of each label; None of those that all photos have, or none."""
    return [
        curves_of(outcomes.truth[:, label], outcomes.predicted[:, label], outcomes.probabilities[:, label])
        for label in range(len(outcomes.classes))
    ]


def draw(predictions: pd.DataFrame, run: str) -> Figure:
    """Return both panels of the run's last stage; of many labels, those with the lowest average precision are named."""
    stage = stages_of(predictions)[-1]
    rows = judged(predictions, stage)
    outcomes = label_outcomes_of(rows)
    names = class_labels(outcomes.classes, 24)
    every = [(number, curves) for number, curves in enumerate(curves_of_labels(outcomes)) if curves]
    ranked = sorted(every, key=lambda one: one[1].average_precision)
    named = sorted(ranked[:NAMED], key=lambda one: one[0])
    lines = [(names[number], curves, look_of(place)) for place, (number, curves) in enumerate(named)]
    title = f"{run}, {STAGE_NAMES[stage]}: each label, {judging_photos(rows)}"
    figure = canvas(9.4, 5.2 + 0.17 * ceil(max(len(lines), 1) / 2), [title, *names])
    panels = figure.subplots(1, 2)
    faint = [curves for _, curves in ranked[NAMED:]]
    draw_panel(panels[0], lines, faint, roc=True)
    draw_panel(panels[1], lines, faint, roc=False)
    figure.suptitle(title, x=0.01, ha="left")
    explain(figure, panels[0], lines, faint, "labels")
    return figure
