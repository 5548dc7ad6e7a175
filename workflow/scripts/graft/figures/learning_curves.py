"""Loss and accuracy over both phases of training, on one axis of epochs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graft import paths
from graft.errors import UserError
from graft.figures.style import canvas
from graft.storage.files import read_table

MEASURES = {"loss": "loss", "accuracy": "accuracy"}
# colour, dashes, marker: training and validation differ without colour too
LOOKS = {"": ("#D55E00", (0, (4, 1.5)), "s"), "val_": ("#0072B2", "-", "o")}
WATCHED = {"inner": "inner part of the training photos, which chooses", "val": "validation"}

Histories = dict[tuple[int, str], pd.DataFrame]


@dataclass(frozen=True)
class Curve:
    """One fold's values of one column, against epochs counted over both phases."""

    epochs: np.ndarray
    values: np.ndarray


def read_histories(files: Iterable[str]) -> Histories:
    """Return the tables at runs/{run}/fold{fold}/{stage}/history.csv by fold and stage."""
    histories = {}
    for path in files:
        found = paths.wildcards_of(paths.HISTORY, path)
        if not found:
            raise UserError(f"{path} is not a history: expected a path that ends in runs/RUN/foldN/STAGE/history.csv")
        histories[int(found["fold"]), found["stage"]] = read_table(path)
    return histories


def boundary_of(histories: Histories) -> int:
    """Return the epochs of the longest head phase: where fine-tuning starts on the common axis."""
    return max((len(table) for (_, stage), table in histories.items() if stage == "head"), default=0)


def curves_of(histories: Histories, column: str) -> dict[int, list[Curve]]:
    """Return each fold's curves of a column, a phase each; fine-tuning starts at the same epoch in every fold."""
    start = boundary_of(histories)
    curves: dict[int, list[Curve]] = {}
    for (fold, stage), table in sorted(histories.items(), key=lambda one: (one[0][0], one[0][1] != "head")):
        values = pd.to_numeric(table[column]).to_numpy(float) if column in table else np.full(len(table), np.nan)
        epochs = np.arange(1, len(table) + 1) + (start if stage == "finetuned" else 0)
        known = np.isfinite(values)
        curves.setdefault(fold, []).append(Curve(epochs[known], values[known]))
    return curves


def mean_curve(curves: list[Curve]) -> Curve:
    """Return the mean of the folds' curves over the epochs that all of them have.

    Where a fold stopped early the mean ends: a mean over the folds left would jump.

    >>> one, two = Curve(np.array([1, 2, 3]), np.array([0.5, 0.6, 0.9])), Curve(np.array([1, 2]), np.array([0.7, 0.8]))
    >>> mean_curve([one, two]).values.tolist()
    [0.6, 0.7]
    """
    common = [epoch for epoch in curves[0].epochs if all(epoch in curve.epochs for curve in curves)]
    values = [[dict(zip(curve.epochs, curve.values, strict=True))[epoch] for curve in curves] for epoch in common]
    return Curve(np.array(common, int), np.array([np.mean(row) for row in values], float))


def draw(histories: Histories, run: str) -> Figure:
    """Return two panels, loss and accuracy; folds are thin lines, their mean a thick one."""
    figure = canvas(8.6, 3.6, [run])
    folds = len({fold for fold, _ in histories})
    for axes, (measure, label) in zip(figure.subplots(1, 2), MEASURES.items(), strict=True):
        for prefix in LOOKS:
            whose = watched_by(histories) if prefix else "training"
            draw_measure(axes, curves_of(histories, prefix + measure), prefix, whose, folds)
        finish(axes, histories, label)
    axes.set_ylim(top=min(1.03, axes.get_ylim()[1]) if axes.get_ylim()[1] > 1 else None)
    among = f": mean of {folds} folds, and each fold" if folds > 1 else ""
    figure.suptitle(f"{run}{among}", x=0.01, ha="left")
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def watched_by(histories: Histories) -> str:
    """Return whose photos were measured after each epoch, in words."""
    roles = {role for table in histories.values() if "watched" in table for role in table["watched"]} - {""}
    return " and ".join(WATCHED[role] for role in sorted(roles)) or "validation"


def draw_measure(axes: Axes, curves: dict[int, list[Curve]], prefix: str, label: str, folds: int) -> None:
    """Draw one column of the histories: every fold, and the mean where there are several."""
    colour, dashes, marker = LOOKS[prefix]
    phases = range(max(map(len, curves.values())))
    dots = marker if max(len(curve.epochs) for fold in curves.values() for curve in fold) <= 12 else None
    legend: str | None = label
    for phase in phases:
        of_folds = [fold[phase] for fold in curves.values() if phase < len(fold)]
        thick = of_folds if folds == 1 else [mean_curve(of_folds)]
        if folds > 1:
            for curve in of_folds:
                axes.plot(curve.epochs, curve.values, color=colour, ls=dashes, lw=0.7, alpha=0.5)
        for curve in thick:
            if len(curve.epochs):
                one = marker if len(curve.epochs) == 1 else dots  # a phase of one epoch is a point
                axes.plot(curve.epochs, curve.values, color=colour, ls=dashes, marker=one, ms=3.5, label=legend)
                legend = None  # one entry for all phases


def finish(axes: Axes, histories: Histories, label: str) -> None:
    """Mark the boundary between the phases, and name the axes."""
    start = boundary_of(histories)
    last = max(start * (stage == "finetuned") + len(table) for (_, stage), table in histories.items())
    axes.set_xlim(0.5, max(last, 1) + 0.5)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    if any(stage == "finetuned" for _, stage in histories) and start:
        axes.axvline(start + 0.5, color="black", lw=1, ls=":")
        note: dict[str, Any] = {
            "xytext": (0, 3),
            "textcoords": "offset points",
            "size": 7.5,
            "va": "bottom",
            "color": "#444444",
        }
        across = axes.get_xaxis_transform()
        axes.annotate("head", ((start + 1) / 2, 1), xycoords=across, ha="center", **note)
        axes.annotate("fine-tuning", ((start + last + 1) / 2, 1), xycoords=across, ha="center", **note)
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
