"""How often the model is right, against how sure it says it is."""

from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graft.config.figures import Reliability
from graft.figures.judged import judged, judging_photos, stages_of
from graft.figures.style import STAGE_NAMES, canvas
from graft.judging.outcomes import CALIBRATED, PROBABILITY, classes_of, outcomes_of

Z = 1.959964  # of a 95% interval
# colour, marker, line and name: marker and line differ without colour too
LOOKS = {PROBABILITY: ("#D55E00", "s", (0, (4, 1.5)), "as trained"), CALIBRATED: ("#0072B2", "o", "-", "published")}


def bins_of(confidence: np.ndarray, right: np.ndarray, bins: int) -> pd.DataFrame:
    """Return a row per bin that has photos: confidence and accuracy (means), n, and accuracy's Wilson interval.

    Bins are equally wide over 0 to 1; a bin has its upper edge and not its lower one.

    >>> bins_of(np.array([0.6, 0.9, 1.0]), np.array([True, True, False]), 2)[["confidence", "accuracy", "n"]].round(3)
       confidence  accuracy  n
    0       0.833     0.667  3
    """
    place = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    table = pd.DataFrame({"bin": place, "confidence": confidence, "accuracy": right.astype(float), "n": 1})
    means = table.groupby("bin").agg({"confidence": "mean", "accuracy": "mean", "n": "sum"}).reset_index(drop=True)
    middle = (means["accuracy"] + Z**2 / (2 * means["n"])) / (1 + Z**2 / means["n"])
    spread = np.sqrt(means["accuracy"] * (1 - means["accuracy"]) / means["n"] + Z**2 / (4 * means["n"] ** 2))
    half = Z * spread / (1 + Z**2 / means["n"])
    return means.assign(low=(middle - half).clip(lower=0), high=(middle + half).clip(upper=1))


def draw(predictions: pd.DataFrame, settings: Reliability, run: str) -> Figure:
    """Return a panel per stage, accuracy over confidence, and beneath it how many photos are how sure."""
    stages = stages_of(predictions)
    figure = canvas(0.6 + 3.9 * len(stages), 5.2, [run])
    panels = figure.subplots(2, len(stages), squeeze=False, sharex=True, height_ratios=[3, 1])
    for column, stage in enumerate(stages):
        rows = judged(predictions, stage)
        draw_stage(panels[0, column], panels[1, column], rows, settings.bins)
        panels[0, column].set_title(STAGE_NAMES[stage])
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    figure.suptitle(f"{run}: {judging_photos(rows)}", x=0.01, ha="left")
    return figure


def answers_of(rows: pd.DataFrame, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability of each answer, (n,), and whether it is right, (n,), bool.

    The network's own answer is its likeliest class; the published model's is `predicted`, which follows its threshold.
    """
    outcomes = outcomes_of(rows, kind)
    if kind == PROBABILITY:
        outcomes = replace(outcomes, predicted=outcomes.probabilities.argmax(axis=1))
    return outcomes.confidence, outcomes.correct


def draw_stage(above: Axes, below: Axes, rows: pd.DataFrame, bins: int) -> None:
    """Draw one stage: points with intervals above, the share of photos per bin below."""
    above.plot([0, 1], [0, 1], color="#666666", lw=1, ls=":", label="as sure as it is right")
    lowest = 1.0
    for kind, (colour, marker, dashes, name) in LOOKS.items():
        columns = [kind + one for one in classes_of(rows)]
        if not set(columns) <= set(rows.columns) or not np.isfinite(rows[columns].to_numpy(float)).all():
            continue
        confidence, right = answers_of(rows, kind)
        lowest = min(lowest, float(confidence.min(initial=1)))
        points = bins_of(confidence, right, bins)
        spread = np.abs(points[["low", "high"]].to_numpy().T - points["accuracy"].to_numpy())
        above.errorbar(points["confidence"], points["accuracy"], yerr=spread, color=colour, marker=marker, ls=dashes,
                       lw=1.4, elinewidth=0.9, capsize=2, label=name)  # fmt: skip
        weights = np.full(len(rows), 1 / max(len(rows), 1))
        edges = np.linspace(0, 1, bins + 1).tolist()
        below.hist(confidence, edges, weights=weights, histtype="step", color=colour, ls=dashes, lw=1.4)
    left = np.floor(lowest * 10) / 10
    above.set_xlim(left - 0.02, 1.02)
    above.set_ylim(-0.02, 1.03)
    above.set_ylabel("share that is right")
    below.set_ylim(0, 1.03)
    below.set_ylabel("share of photos")
    below.set_xlabel("the model's probability of its answer")
