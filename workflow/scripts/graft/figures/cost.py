"""What accuracy costs: each run's accuracy against the seconds that it took to get there."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from graft.figures.comparison import ACCURACY, Measure, judged_on, names_of
from graft.figures.style import STAGE_NAMES, canvas, class_look
from graft.judging.outcomes import STAGES

INTERVALS = 12  # up to this many runs the intervals leave the points visible; `comparison` has them always


def draw(table: pd.DataFrame, measure: Measure = ACCURACY) -> Figure:
    """Return a marker per run: hollow after the head, filled after fine-tuning, a line from one to the other."""
    table = measure.as_accuracy(table[table["kind"] == "run"] if "kind" in table else table)
    runs = list(dict.fromkeys(table["run"]))
    names = names_of(table, 28)
    figure = canvas(7.6, max(3.8, 1.2 + 0.19 * len(runs)), names)
    axes = figure.subplots()
    for number, run in enumerate(runs):
        rows = table[(table["run"] == run) & table["seconds"].notna()]
        rows = rows.assign(order=rows["stage"].map(STAGES.index)).sort_values("order")
        look = class_look(number)
        axes.plot(rows["seconds"], rows["accuracy"], color=look["color"], lw=1, alpha=0.7)
        for row in rows.to_dict("records"):
            spread = np.abs(np.array([[row["accuracy_low"]], [row["accuracy_high"]]]) - row["accuracy"])
            spread = spread if len(runs) <= INTERVALS else None
            fill = "white" if row["stage"] == "head" else look["color"]
            axes.errorbar(row["seconds"], row["accuracy"], yerr=spread, mfc=fill, mec=look["color"], ms=7,
                          elinewidth=0.7, capsize=2, ls="none", ecolor=look["color"], **look)  # fmt: skip
    if table["seconds"].notna().any():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
        axes.tick_params(axis="x", which="minor", labelsize=7)
        seconds = table["seconds"].dropna()
        axes.set_xlim(seconds.min() / 1.5, seconds.max() * 1.5)
    axes.set_xlabel("seconds to get there, nothing shared or cached, all folds together")
    axes.set_ylabel(f"{measure.name}, with its interval" if len(runs) <= INTERVALS else measure.name)
    axes.set_title(judged_on(table))
    handles = [Line2D([], [], ls="none", ms=7, **class_look(number)) for number in range(len(runs))]
    stages = [stage for stage in STAGES if stage in set(table["stage"])]
    fills = {"head": "white", "finetuned": "#666666"}
    handles += [Line2D([], [], ls="none", ms=7, marker="o", mec="#666666", mfc=fills[stage]) for stage in stages]
    figure.legend(handles, [*names, *(STAGE_NAMES[stage] for stage in stages)], loc="outside right center",
                  ncols=1 + len(runs) // 41)  # fmt: skip
    return figure
