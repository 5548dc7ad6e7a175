"""A sheet to draw a scene on: sky, ground, noise, and shapes that fade with depth."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw

from graft.sample.light import Colour, Light, as_rgb, blend

THINGS = ("car", "tree", "water")  # what a scene can be asked about
WIDTH, HEIGHT = 256, 192  # drawn at twice the size, in pixels, and reduced by the camera


def noise(
    rng: np.random.Generator,
    height: int,
    width: int,
    coarsest: int = 4,
    octaves: int = 5,
    persistence: float = 0.55,
    stretch: float = 1.0,
) -> np.ndarray:
    """Return fractal noise (height, width), float32, from 0 to 1: clouds, soil, foliage.

    Args:
        coarsest: cells of the coarsest octave along the height; every octave doubles them.
        persistence: how strong an octave is, compared with the coarser one before it.
        stretch: above 1, more cells along the width.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows = min(height, coarsest * 2**octave)
        columns = max(2, min(width, int(rows * stretch * width / height)))
        cells = Image.fromarray(rng.random((max(2, rows), columns), dtype=np.float32))
        total += persistence**octave * np.asarray(cells.resize((width, height), Image.Resampling.BICUBIC))
        if rows == height:
            break
    total -= total.min()
    return total / (total.max() + 1e-6)


class Canvas:
    """One scene while it is drawn; x runs right and y down, in pixels of the large size.

    Attributes:
        things: which thing is in front at each pixel, where that is asked for: 0, or its place in `THINGS`, from 1.
    """

    def __init__(self, rng: np.random.Generator, watched: bool = False):
        self.rng = rng
        self.things = Image.new("L", (WIDTH, HEIGHT)) if watched else None
        self.marker = ImageDraw.Draw(self.things) if self.things else None
        self.thing = 0  # that is being drawn
        self.light = Light.draw(rng)
        self.horizon = HEIGHT * rng.uniform(0.34, 0.62)
        self.glows: list[tuple[float, float, float, Colour, float]] = []
        self.put(self.sky())

    @contextlib.contextmanager
    def drawing(self, thing: str) -> Iterator[None]:
        """Note that what is drawn within is one of `THINGS`."""
        before, self.thing = self.thing, THINGS.index(thing) + 1
        yield
        self.thing = before

    def put(self, pixels: np.ndarray) -> None:
        """Replace the whole picture by (HEIGHT, WIDTH, 3) pixels."""
        self.image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        self.pen = ImageDraw.Draw(self.image)

    def pixels(self) -> np.ndarray:
        """Return the picture as (HEIGHT, WIDTH, 3), float32."""
        return np.asarray(self.image).astype(np.float32)

    def sky(self) -> np.ndarray:
        """Return a sky (HEIGHT, WIDTH, 3): a gradient under clouds, at times with a sun."""
        rng, light = self.rng, self.light
        fall = np.clip(np.arange(HEIGHT) / self.horizon, 0, 1)[:, None, None] ** rng.uniform(0.7, 1.4)
        sky = blend(light.zenith, light.horizon, fall)
        cover = np.clip((noise(rng, HEIGHT, WIDTH, 2, stretch=0.6) - rng.uniform(0.42, 0.62)) * 3.2, 0, 1)
        clouds = light.clouds * rng.choice([0.65, 1.0], p=[0.3, 0.7])
        sky = blend(sky, clouds, cover[..., None] * rng.uniform(0.1, 0.75))
        if light.hour in ("day", "dusk") and rng.random() < 0.4:
            x, y = rng.uniform(0.1, 0.9) * WIDTH, rng.uniform(0.2, 0.9) * self.horizon
            rows, columns = np.mgrid[:HEIGHT, :WIDTH]
            sky = blend(sky, (255, 240, 205), 0.75 * np.exp(-np.hypot(columns - x, rows - y) / 42)[..., None])
        return sky

    def polygon(self, points: Iterable[Sequence[float]], colour: Colour, depth: float = 0.0, lit: bool = False) -> None:
        """Fill the polygon through points (x, y)."""
        points = [(float(x), float(y)) for x, y in points]
        self.pen.polygon(points, fill=self.light.shade(colour, depth, lit))
        if self.marker:
            self.marker.polygon(points, fill=self.thing)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, depth: float = 0.0, lit: bool = False
    ) -> None:
        """Fill an upright rectangle, whichever corners are given."""
        corners = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        self.pen.rectangle(corners, fill=self.light.shade(colour, depth, lit))
        if self.marker:
            self.marker.rectangle(corners, fill=self.thing)

    def line(self, points: Iterable[Sequence[float]], colour: Colour, width: float = 1.0, depth: float = 0.0) -> None:
        """Draw a line through points (x, y), at least a pixel wide."""
        points = [(float(x), float(y)) for x, y in points]
        self.pen.line(points, fill=self.light.shade(colour, depth), width=max(1, round(width)))
        if self.marker:
            self.marker.line(points, fill=self.thing, width=max(1, round(width)))

    def oval(self, x: float, y: float, rx: float, ry: float, colour: Colour, depth: float = 0.0) -> None:
        """Fill an ellipse around (x, y)."""
        corners = (x - rx, y - ry, x + rx, y + ry)
        self.pen.ellipse(corners, fill=self.light.shade(colour, depth))
        if self.marker:
            self.marker.ellipse(corners, fill=self.thing)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float = 0.9) -> None:
        """Let a lamp shine, in the dark hours only."""
        if self.light.is_dark:
            self.glows.append((x, y, radius, colour, strength))

    def ground(self, colour: Colour, grain: float, top: float | None = None) -> None:
        """Fill the picture below `top` (the horizon), hazier towards it, and mottle it."""
        top = self.horizon if top is None else top
        for y in range(int(top), HEIGHT):
            near = (y - top) / max(1, HEIGHT - top)
            self.pen.line((0, y, WIDTH, y), fill=self.light.shade(colour, 0.8 * (1 - near) ** 2))
        if self.marker:
            self.marker.rectangle((0, int(top), WIDTH, HEIGHT), fill=self.thing)
        self.mottle(top, grain)

    def mottle(self, top: float, grain: float) -> None:
        """Darken and lighten the ground below `top` by noise that coarsens towards the viewer."""
        top = int(max(0, top))
        n_rows = HEIGHT - top
        if n_rows < 4:
            return
        mottles = noise(self.rng, 128, 256, 8, 6, 0.7)
        distance = 1 / (np.linspace(0, 1, n_rows) * 0.92 + 0.08)
        columns = ((np.arange(WIDTH) - WIDTH / 2) * distance[:, None] / 2).astype(int)
        rows = (((distance - 1) / (distance.max() - 1)) ** 0.6 * 127).astype(int)
        pixels = self.pixels()
        pixels[top:] *= 1 + 2 * grain * (mottles[rows[:, None], (columns + 128) % 256] - 0.5)[..., None]
        self.put(pixels)

    def water(self, top: float, bottom: float) -> None:
        """Mirror what stands above `top` in rippled water down to `bottom`."""
        top, bottom = int(top), int(min(bottom, HEIGHT))
        pixels = self.pixels()
        for y in range(top, bottom):
            source = pixels[max(0, 2 * top - y - 1)]
            ripple = int(self.rng.normal(0, 0.6 + (y - top) * 0.05))
            pixels[y] = blend(np.roll(source, ripple, axis=0) * 0.72, as_rgb(self.light.horizon * 0.7), 0.2)
        self.put(pixels)
        if self.marker:
            self.marker.rectangle((0, top, WIDTH, bottom - 1), fill=THINGS.index("water") + 1)

    def finish(self) -> np.ndarray:
        """Return the picture with its glows, (HEIGHT, WIDTH, 3), float32 from 0 to 255."""
        pixels = self.pixels()
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        for x, y, radius, colour, strength in self.glows:
            left, top, reach = max(0, int(x - 3 * radius)), max(0, int(y - 3 * radius)), int(6 * radius) + 2
            near = np.s_[top : top + reach, left : left + reach]  # beyond, the halo is too faint to see
            halo = strength * np.exp(-((columns[near] - x) ** 2 + (rows[near] - y) ** 2) / radius**2)
            pixels[near] = blend(pixels[near], colour, halo[..., None])
        return pixels
