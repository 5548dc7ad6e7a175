"""Rows of photos, each framed by whether the model was right of it, with a few lines beneath."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from graft.config.dataset import SQUASHED, Pictures
from graft.data.pictures import upright_rgb
from graft.figures.style import RIGHT, WRONG, canvas

CELL = 2.0  # inches from one photo to the next
PHOTO = 1.8  # inches of a photo's side
LINE = 0.155  # inches of a line of text
PIXELS = 280  # of a photo's longer side: 150 dots per inch over 1.8 inches


@dataclass(frozen=True)
class Tile:
    """A photo and what is said of it; `right` is None where there is nothing to judge."""

    photo: np.ndarray
    lines: tuple[str, ...]
    right: bool | None = None
    badge: str = ""


def thumbnail(path: Path, pixels: int = PIXELS, pictures: Pictures = SQUASHED) -> np.ndarray:
    """Return a photo upright, in RGB, (height, width, 3) uint8, its longer side at most `pixels`.

    `pictures` says which page is shown, and which values are black and white; the photo keeps its shape.

    A photo that cannot be read gives a grey square: the other tiles of the figure are drawn as usual.
    """
    try:
        upright = upright_rgb(path, 2 * pixels, truncated=True, pictures=pictures)  # a JPEG is decoded near its size
        upright.thumbnail((pixels, pixels))
        return np.asarray(upright)
    except Exception:  # a decoder raises almost anything on damaged bytes
        return np.full((pixels, pixels, 3), 210, np.uint8)


def tiled(
    title: str, tiles: Sequence[Tile | None], columns: int, note: str = "", headings: dict[int, str] | None = None
) -> Figure:
    """Return a figure of tiles, row by row.

    Args:
        title: stands above all, at the left.
        tiles: at least one; None leaves a gap.
        columns: tiles in a row.
        note: a line beneath the title: how to read the frames.
        headings: text at the left of a row, by the number of the row.
    """
    columns = min(columns, len(tiles))
    rows = ceil(len(tiles) / columns)
    deep = PHOTO + 0.14 + LINE * max(len(tile.lines) for tile in tiles if tile)
    top = 0.62 if note else 0.4
    left = 0.3 if headings else 0.0
    width, height = left + columns * CELL, top + rows * (deep + 0.12)
    texts = [title, note, *(line for tile in tiles if tile for line in tile.lines), *(headings or {}).values()]
    figure = canvas(width, height, texts, layout=None)
    figure.text(0.1 / width, 1 - 0.12 / height, title, va="top", weight="bold", size=11)
    figure.text(0.1 / width, 1 - 0.37 / height, note, va="top", size=8, color="#444444")
    for place, tile in enumerate(tiles):
        if tile is None:
            continue
        row, column = divmod(place, columns)
        bottom = height - top - row * (deep + 0.12) - PHOTO
        box = ((left + column * CELL + 0.1) / width, bottom / height, PHOTO / width, PHOTO / height)
        draw_tile(figure.add_axes(box), tile)
    for row, heading in (headings or {}).items():
        middle = height - top - row * (deep + 0.12) - PHOTO / 2
        figure.text(0.2 / width, middle / height, heading, rotation=90, ha="center", va="center", weight="bold", size=9)
    return figure


def draw_tile(axes: Axes, tile: Tile) -> None:
    """Draw one photo in the middle of its square, its frame, its badge and its lines."""
    axes.imshow(tile.photo, interpolation="antialiased")
    height, width = tile.photo.shape[:2]
    side = max(height, width)
    axes.set_xlim((width - side) / 2 - 0.5, (width + side) / 2 - 0.5)
    axes.set_ylim((height + side) / 2 - 0.5, (height - side) / 2 - 0.5)
    axes.set_axis_off()
    if tile.right is not None:
        colour, dashes = (RIGHT, "-") if tile.right else (WRONG, (0, (3, 1.5)))
        frame = Rectangle(
            (0, 0), 1, 1, transform=axes.transAxes, fill=False, ec=colour, lw=2.5, ls=dashes, clip_on=False
        )
        axes.add_patch(frame)
        mark = {"boxstyle": "circle,pad=0.25", "fc": "white", "ec": colour, "lw": 1.5}
        axes.text(0.09, 0.91, "✓" if tile.right else "✗", transform=axes.transAxes, ha="center", va="center",
                  size=10, color=colour, weight="bold", bbox=mark)  # fmt: skip
    if tile.badge:
        label = {"boxstyle": "round,pad=0.25", "fc": "#F0E442", "ec": "black", "lw": 0.8}
        axes.text(0.95, 0.93, tile.badge, transform=axes.transAxes, ha="right", va="center", size=8, bbox=label)
    for number, line in enumerate(tile.lines):
        below = -(0.06 + number * LINE) / PHOTO
        weight = "bold" if number == 0 else "normal"
        axes.text(0, below, line, transform=axes.transAxes, va="top", size=8.5 if number == 0 else 7.5, weight=weight)
