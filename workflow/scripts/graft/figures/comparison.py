"""Every run side by side: accuracy with its interval, after the head and after fine-tuning."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from graft.figures.names import clean, shorten
from graft.figures.style import STAGE_COLOURS, STAGE_MARKERS, STAGE_NAMES, canvas, photos
from graft.judging.outcomes import STAGES


@dataclass(frozen=True)
class Measure:
    """The number by which runs are compared: its column, what it is called, and what its baseline is."""

    column: str
    name: str
    baseline: str

    def as_accuracy(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a comparison with the number in the columns that the figures read."""
        ends = ("", "_low", "_high")
        return table.rename(columns={f"{self.column}{end}": f"accuracy{end}" for end in ends})


ACCURACY = Measure("accuracy", "accuracy", "always the same answer")
PRECISION = Measure("mean_average_precision", "mean average precision", "the labels' frequencies")


def measure_of(table: pd.DataFrame) -> Measure:
    """Return the number that a comparison of runs has: of one label a photo, or of several."""
    return PRECISION if PRECISION.column in table else ACCURACY


OFFSETS = {"head": -0.15, "finetuned": 0.15}


def draw(table: pd.DataFrame, measure: Measure = ACCURACY) -> Figure:
    """Return a line per run, and per experiment of several seeds, in the table's order, with a point per stage."""
    table = measure.as_accuracy(table)
    runs = list(dict.fromkeys(table["run"]))
    names = names_of(table, 32)
    figure = canvas(7.2, 1.4 + 0.42 * len(runs), names)
    axes = figure.subplots()
    stages = [stage for stage in STAGES if stage in set(table["stage"])]
    for stage in stages:
        rows = table[table["stage"] == stage].reset_index(drop=True)
        lines = rows["run"].map(runs.index).to_numpy(float) + (OFFSETS[stage] if len(stages) > 1 else 0)
        draw_stage(axes, rows, lines, stage)
    places = table.drop_duplicates("run")
    axes.scatter(places["baseline"], range(len(runs)), marker="|", s=140, color="black", label=measure.baseline)
    axes.set_yticks(range(len(runs)), names)
    axes.set_ylim(len(runs) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"{measure.name}, with its interval")
    axes.set_title(judged_on(table))
    figure.legend(*legend_of(axes), loc="outside lower center", ncols=4)
    return figure


def names_of(table: pd.DataFrame, width: int) -> list[str]:
    """Return the runs' names, with a star where the judging photos also chose."""
    flattered = set(table.loc[table["selected_on"] != "", "run"]) if "selected_on" in table else set()
    runs = dict.fromkeys(table["run"])
    return [shorten(clean(run), width) + (" *" if run in flattered else "") for run in runs]


def draw_stage(axes: Axes, rows: pd.DataFrame, lines: np.ndarray, stage: str) -> None:
    """Draw one stage's points, hollow where they are means over seeds, and write their values at the right."""
    look: dict[str, Any] = {"fmt": STAGE_MARKERS[stage], "color": STAGE_COLOURS[stage], "capsize": 3, "lw": 1.5}
    for kind, fill in (("run", STAGE_COLOURS[stage]), ("seeds", "white")):
        part = (rows["kind"] == kind).to_numpy()
        if part.any():
            label = STAGE_NAMES[stage] + (", mean over seeds" if kind == "seeds" else "")
            values = rows.loc[part, "accuracy"].to_numpy(float)
            axes.errorbar(values, lines[part], xerr=reach(rows[part]), mfc=fill, label=label, **look)
    for value, line in zip(rows["accuracy"], lines, strict=True):
        axes.annotate(
            f"{value:.3f}", (1.01, line), xycoords=axes.get_yaxis_transform(), va="center", size=7.5,
            color=STAGE_COLOURS[stage], annotation_clip=False,
        )  # fmt: skip


def reach(rows: pd.DataFrame) -> np.ndarray:
    """Return (2, n): how far each interval reaches below and above its accuracy; 0 where there is no interval.

    >>> reach(pd.DataFrame({"accuracy": [0.5], "accuracy_low": [0.25], "accuracy_high": [float("nan")]})).tolist()
    [[0.25], [0.0]]
    """
    ends = rows[["accuracy_low", "accuracy_high"]].to_numpy(float).T
    return np.nan_to_num(np.abs(ends - rows["accuracy"].to_numpy(float)))


def legend_of(axes: Axes) -> tuple[list[Artist], list[str]]:
    """Return the legend's marks without their error bars, and their names."""
    handles, labels = axes.get_legend_handles_labels()
    return [handle[0] if isinstance(handle, tuple) else handle for handle in handles], labels


def judged_on(table: pd.DataFrame) -> str:
    """Say on how many photos, of which role, the runs are judged."""
    counts, roles = sorted(set(table["n"].dropna().astype(int))), set(table["role"])
    role = roles.pop() if len(roles) == 1 else ""
    if not counts:
        return ""
    fewest = f"{counts[0]:,} to " if len(counts) > 1 else ""
    starred = any(name.endswith(" *") for name in names_of(table, 32))
    return f"judged on {fewest}{photos(counts[-1], role)}{'; *: these also chose' if starred else ''}"
