"""How often photos have a label, against how probable the model says it is; all labels together."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.figures import Reliability
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.reliability import LOOKS, bins_of
from graft.figures.style import STAGE_NAMES, canvas
from graft.judging.multilabel_outcomes import label_outcomes_of


def draw(predictions: pd.DataFrame, settings: Reliability, run: str) -> Figure:
    """Return a panel per stage: the share that has a label over its probability, and beneath it the probabilities."""
    stages = stages_of(predictions)
    figure = canvas(0.6 + 3.9 * len(stages), 5.2, [run])
    panels = figure.subplots(2, len(stages), squeeze=False, sharex=True, height_ratios=[3, 1])
    for column, stage in enumerate(stages):
        rows = judged(predictions, stage)
        above, below = panels[:, column]
        above.plot([0, 1], [0, 1], color="#666666", lw=1, ls=":", label="as often as it says")
        for kind, (colour, marker, dashes, name) in LOOKS.items():
            outcomes = label_outcomes_of(rows, kind)
            chances = outcomes.probabilities.ravel()
            points = bins_of(chances, outcomes.truth.ravel(), settings.bins)
            spread = np.abs(points[["low", "high"]].to_numpy().T - points["accuracy"].to_numpy())
            above.errorbar(points["confidence"], points["accuracy"], yerr=spread, color=colour, marker=marker,
                           ls=dashes, lw=1.4, elinewidth=0.9, capsize=2, label=name)  # fmt: skip
            edges = np.linspace(0, 1, settings.bins + 1).tolist()
            weights = np.full(len(chances), 1 / max(len(chances), 1))
            below.hist(chances, edges, weights=weights, histtype="step", color=colour, ls=dashes, lw=1.4)
        above.set_xlim(-0.02, 1.02)
        above.set_ylim(-0.02, 1.03)
        above.set_ylabel("share that has the label")
        below.set_ylim(0, 1.03)
        below.set_ylabel("share of answers")
        below.set_xlabel("the model's probability of a label")
        above.set_title(STAGE_NAMES[stage])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    figure.suptitle(f"{run}: {judging_photos(rows)}, all labels together", x=0.01, ha="left")
    return figure
