"""Houses of a town: facades with their windows, seen from the front or along a street."""

from collections.abc import Callable

import numpy as np

from graft.sample.canvas import WIDTH, Canvas
from graft.sample.light import Colour, pick, vary
from graft.sample.props import IRON, WALLS, pane_colour

AWNINGS = [(170, 50, 45), (50, 90, 70), (60, 70, 120), (205, 190, 150)]
Range = tuple[float, float]  # the least and the most
Place = Callable[[float, float], tuple[float, float]]  # from a wall's (along, up), 0 to 1, to (x, y) of the canvas


def facade(canvas: Canvas, left: float, top: float, right: float, foot: float, pane: float, depth: float) -> np.ndarray:
    """Draw a house front with windows about `pane` pixels apart; return the wall's colour."""
    wall = vary(canvas.rng, pick(canvas.rng, WALLS)) * canvas.rng.uniform(0.82, 1.08)
    canvas.box(left, top, right, foot, wall, depth)
    n_across, n_up = max(1, int((right - left) / pane)), max(1, int((foot - top) / (pane * 1.2)))

    def place(along: float, up: float) -> tuple[float, float]:
        return left + along * (right - left), foot - up * (foot - top)

    windows(canvas, place, n_across, n_up, depth, wall)
    canvas.line([(left, top), (right, top)], wall * 1.2, 2, depth)
    return wall


def windows(
    canvas: Canvas, place: Place, n_across: int, n_up: int, depth: float, wall: Colour, shops: bool = False
) -> None:
    """Draw a grid of windows on a wall, in bands or columns at times; the lowest row are shops if asked."""
    rng = canvas.rng
    broad, tall = rng.uniform(0.4, 0.66), rng.uniform(0.45, 0.66)
    style, share_lit = rng.choice(["grid", "bands", "columns"], p=[0.66, 0.17, 0.17]), rng.uniform(0.2, 0.8)
    broad, tall = (0.94, tall) if style == "bands" else (broad, 0.94) if style == "columns" else (broad, tall)
    framed = rng.random() < 0.35
    for column, row in np.ndindex(n_across, n_up):
        shop = shops and row == 0
        height = 0.85 if shop else tall
        x0, x1 = (column + 0.5 - broad / 2) / n_across, (column + 0.5 + broad / 2) / n_across
        y0, y1 = (row + 0.5 - height / 2) / n_up, (row + 0.5 + height / 2) / n_up
        colour, lit = pane_colour(canvas, 0.85 if shop else share_lit)
        if framed:
            edge = 0.12 / n_across
            canvas.polygon(quad(place, x0 - edge, y0 - edge, x1 + edge, y1 + edge), np.asarray(wall) * 1.25, depth)
        canvas.polygon(quad(place, x0, y0, x1, y1), colour, depth, lit)
        if shop and rng.random() < 0.45:
            canvas.polygon(quad(place, x0, y1 - 0.02, x1, y1 + 0.2 / n_up), vary(rng, pick(rng, AWNINGS)), depth)


def quad(place: Place, x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    """Return the corners of a wall's rectangle, in order."""
    return [place(x0, y0), place(x0, y1), place(x1, y1), place(x1, y0)]


def houses(
    canvas: Canvas, foot: float, heights: Range, widths: Range, pane: float, depth: float, gap: float = 0.0
) -> None:
    """Draw a row of houses from edge to edge; some have gables, some masts and tanks."""
    rng, x = canvas.rng, -canvas.rng.uniform(0, widths[1])
    while x < WIDTH:
        width, height = rng.uniform(*widths), rng.uniform(*heights) * rng.choice([1, 1.4], p=[0.88, 0.12])
        top = foot - height
        wall = facade(canvas, x, top, x + width, foot, pane * rng.uniform(0.8, 1.25), depth)
        if rng.random() < 0.25:
            ridge = top - width * rng.uniform(0.2, 0.5)
            canvas.polygon([(x, top), (x + width / 2, ridge), (x + width, top)], wall * 0.6, depth)
        else:
            roof_clutter(canvas, x, x + width, top, depth)
        x += width + rng.uniform(0, gap)


def roof_clutter(canvas: Canvas, left: float, right: float, top: float, depth: float) -> None:
    """Draw aerials, boxes, chimneys and water tanks on a flat roof."""
    rng = canvas.rng
    for _ in range(rng.integers(0, 4)):
        x, what = rng.uniform(left, right - 4), rng.integers(4)
        if what == 0:
            canvas.line([(x, top), (x, top - rng.uniform(8, 20))], IRON, 1, depth)
        elif what == 1:
            canvas.box(x, top - rng.uniform(3, 7), min(right, x + rng.uniform(5, 12)), top, (105, 105, 108), depth)
        elif what == 2:
            canvas.box(x, top - rng.uniform(5, 9), x + 3, top, (120, 80, 66), depth)
        else:
            size = rng.uniform(5, 8)
            canvas.box(x, top - size * 1.6, x + size, top - size / 2, (110, 84, 66), depth)
            for leg in (x + 1, x + size - 1):
                canvas.line([(leg, top), (leg, top - size / 2)], IRON, 1, depth)
