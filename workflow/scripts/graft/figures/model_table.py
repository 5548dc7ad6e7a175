"""Which network: accuracy against milliseconds a photo, every network by its name, the Pareto front as a line."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from graft.config.model_table import ModelTable
from graft.figures.comparison import ACCURACY, measure_of
from graft.figures.style import RIGHT, WRONG, canvas

INTERVALS = 12  # to this many networks the intervals do not hide the points
OTHER = "#767676"
NEAR, FAR, RINGS = 6, 150, 22  # points from a marker to its label, tried from near to far
TURNS = 20
RING = 4  # points that the mark of the recommended network is wider than others
LEADER = {"arrowstyle": "-", "lw": 0.5, "color": "#999999", "shrinkA": 0, "shrinkB": 3}


def draw(table: pd.DataFrame, budget: ModelTable) -> Figure:
    """Return a point per network: filled on the Pareto front, ringed if recommended, hollow beyond the budget."""
    measure = measure_of(table)
    table = measure.as_accuracy(table)
    n = len(table)
    figure = canvas(9.2, min(9.0, 4.6 + 0.11 * n), table["network"])
    axes = figure.subplots()
    axes.set_xscale("log")
    draw_budget(axes, table, budget)
    front = table[table["pareto"] == 1].sort_values("cpu_ms_1")
    axes.plot(
        front["cpu_ms_1"],
        front["accuracy"],
        color=RIGHT,
        lw=1.2,
        zorder=2,
        drawstyle="steps-post",
        label=f"Pareto front: none is both faster and {'more accurate' if measure is ACCURACY else 'better'}",
    )
    if n <= INTERVALS:
        spread = np.abs(table[["accuracy_low", "accuracy_high"]].to_numpy().T - table["accuracy"].to_numpy())
        axes.errorbar(table["cpu_ms_1"], table["accuracy"], yerr=spread, ls="none", ecolor="#b0b0b0", lw=0.8, zorder=1)
    for row in table.to_dict("records"):
        colour = RIGHT if row["pareto"] else OTHER
        axes.plot(
            row["cpu_ms_1"], row["accuracy"], "o", ms=6, mec=colour, mfc=colour if row["fits"] else "white", zorder=3
        )
    for row in table[table["verdict"] == "recommended"].to_dict("records"):
        axes.plot(row["cpu_ms_1"], row["accuracy"], "o", ms=13, mec=WRONG, mfc="none", mew=1.8, ls="none",
                  label=f"recommended: {row['network']}", zorder=6)  # fmt: skip
    finish(axes, table, measure.name)
    figure.canvas.draw()  # so that the places of the labels can be asked for
    label(axes, table)
    return figure


def draw_budget(axes: Axes, table: pd.DataFrame, budget: ModelTable) -> None:
    """Mark the budget of time, and say what a hollow point is."""
    if budget.milliseconds:
        axes.axvline(
            budget.milliseconds, color=WRONG, lw=1, ls=":", label=f"budget: {budget.milliseconds:g} ms a photo"
        )
    if not table["fits"].all():
        axes.plot([], [], "o", ms=6, mec=OTHER, mfc="white", ls="none", label="beyond the budget")


def finish(axes: Axes, table: pd.DataFrame, number: str) -> None:
    """Set axes, title and legend, with room for the labels; `number` is what the networks are judged by."""
    times, accuracy = table["cpu_ms_1"], table["accuracy"]
    axes.set_xlim(times.min() / 1.6, times.max() * 1.9)
    room = max(0.02, 0.12 * (accuracy.max() - accuracy.min()))
    low, high = (table["accuracy_low"], table["accuracy_high"]) if len(table) <= INTERVALS else (accuracy, accuracy)
    axes.set_ylim(max(0, low.min() - room), min(1.02, high.max() + room))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.tick_params(axis="x", which="minor", labelsize=7)
    threads = int(table["threads"].iloc[0])
    axes.set_xlabel(f"milliseconds a photo, one at a time, on this processor ({threads} threads)")
    axes.set_ylabel(f"{number} of a probe" + (", with its interval" if len(table) <= INTERVALS else ""))
    axes.set_title(f"{len(table)} networks, {int(table['n'].iloc[0]):,} judgements each")
    axes.figure.legend(loc="outside lower center", ncols=2)


def label(axes: Axes, table: pd.DataFrame) -> None:
    """Write each network's name by its point, where it covers neither a point nor another name.

    The names on the Pareto front and the most crowded ones choose first. A name away from its point has a line to it.
    """
    points = axes.transData.transform(table[["cpu_ms_1", "accuracy"]].to_numpy())
    crowd = [np.sum(np.hypot(*(points - point).T) < 60) for point in points]
    order = sorted(range(len(table)), key=lambda place: (-table["pareto"].iloc[place], -crowd[place]))
    taken = [Bbox.from_extents(*(point - 6), *(point + 6)) for point in points]
    taken += steps(points[(table["pareto"] == 1).to_numpy()])
    size = 8 if len(table) <= 20 else 6.5
    for place in order:
        row = table.iloc[place]
        text = axes.annotate(row["network"], (row["cpu_ms_1"], row["accuracy"]), (0, 0), textcoords="offset points",
                             fontsize=size, color="black" if row["pareto"] else "#444444", zorder=5,
                             arrowprops=LEADER, path_effects=[withStroke(linewidth=2, foreground="white")])  # fmt: skip
        ring = RING if row["verdict"] == "recommended" else 0
        taken.append(put(text, axes, points[place], taken, NEAR + ring))


def steps(points: np.ndarray) -> list[Bbox]:
    """Return where the Pareto front's line runs, (n, 2) points of it in pixels, as boxes that no name may cover."""
    points = points[np.argsort(points[:, 0])]
    corners = [(*left, right[0], left[1]) for left, right in pairwise(points)]
    corners += [(right[0], left[1], *right) for left, right in pairwise(points)]
    return [Bbox.from_extents(x0 - 1, y0 - 1, x1 + 1, y1 + 1) for x0, y0, x1, y1 in corners]


def put(text: Annotation, axes: Axes, point: np.ndarray, taken: list[Bbox], near: float) -> Bbox:
    """Move a name to the nearest free place, at least `near` points from its point; return where it stands."""
    pixels = axes.figure.dpi / 72
    drawn = text.get_window_extent()
    width, height = drawn.width, drawn.height
    inside = axes.get_window_extent()
    best: tuple[float, float, Bbox] | None = None
    for away, turn in places(near):
        # The name's nearer edge, not its middle, is `away` from the point.
        x = away * np.cos(turn) * pixels + (np.cos(turn) - 1) / 2 * width
        y = away * np.sin(turn) * pixels + (np.sin(turn) - 1) / 2 * height
        box = Bbox.from_bounds(point[0] + x, point[1] + y, width, height)
        free = box.x0 > inside.x0 and box.x1 < inside.x1 and box.y0 > inside.y0 and box.y1 < inside.y1
        best = best or (x, y, box)
        if free and not any(box.overlaps(other) for other in taken):
            best = (x, y, box)
            break
    assert best is not None  # there is always a first place
    x, y, box = best
    text.set_position((x / pixels, y / pixels))
    if text.arrow_patch and np.hypot(x + width / 2, y + height / 2) < width / 2 + 2 * near * pixels:
        text.arrow_patch.set_visible(False)  # close enough to be seen to belong to it
    return box


def places(near: float) -> Iterator[tuple[float, float]]:
    """Yield distances in points, near ones first, and angles, right and left before above and below."""
    turns = sorted(np.linspace(0, 2 * np.pi, TURNS, endpoint=False), key=lambda turn: abs(np.sin(turn)))
    for away in np.linspace(near, FAR, RINGS):
        yield from ((away, turn) for turn in turns)
