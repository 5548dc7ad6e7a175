"""Textures to pretrain on: repeated shapes in any colours, so that only shape tells one from another.

None of them is a scene. Collages of them ask a network which texture is where.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import get_context

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from graft.sample.camera import tone
from graft.sample.canvas import noise
from graft.sample.light import as_rgb, blend, pick, vary

SIDE = 192  # drawn at, in pixels, and reduced


class Swatch:
    """One texture while it is drawn: a mottled ground and a pen of another colour."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        ground, self.ink = rng.integers(0, 256, (2, 3))
        while abs(ground.sum() - self.ink.sum()) < 120:
            self.ink = rng.integers(0, 256, 3)
        mottled = ground * (0.7 + 0.3 * noise(rng, SIDE, SIDE, 3)[..., None])
        self.image = Image.fromarray(mottled.astype(np.uint8))
        self.pen = ImageDraw.Draw(self.image)
        self.step = SIDE / np.exp(rng.uniform(np.log(3), np.log(20)))  # from one shape to the next, in pixels
        self.n = math.ceil(SIDE / self.step) + 2  # that many cover the side
        self.share = rng.uniform(0.25, 0.65)  # of the step that a shape fills
        self.spread = pick(rng, (8, 20, 60))  # how far the shapes' colours differ, of 255

    def colour(self) -> tuple[int, ...]:
        """Return the ink, a little different every time."""
        return as_rgb(vary(self.rng, self.ink, self.spread))

    def line(self, points: Iterable[Sequence[float]], width: float) -> None:
        """Draw a line, at least a pixel wide."""
        self.pen.line([(float(x), float(y)) for x, y in points], fill=self.colour(), width=max(1, round(width)))

    def polygon(self, points: Iterable[Sequence[float]]) -> None:
        """Fill a polygon."""
        self.pen.polygon([(float(x), float(y)) for x, y in points], fill=self.colour())

    def grid(self) -> list[tuple[float, float]]:
        """Return the crossings of a square grid a little beyond the edges."""
        return [((i - 0.5) * self.step, (j - 0.5) * self.step) for i in range(self.n) for j in range(self.n)]

    def spots(self, density: float) -> np.ndarray:
        """Return scattered places (n, 2), about `density` to a square of the step."""
        n = density * (SIDE / self.step) ** 2 * self.rng.uniform(0.6, 1.4)
        return self.rng.random((int(n) + 3, 2)) * SIDE

    def size(self, low: float, high: float) -> float:
        """Return a length in pixels between two shares of the step."""
        return self.rng.uniform(low, high) * self.step

    def stamp(self, mask: np.ndarray) -> None:
        """Ink the pixels where `mask` (SIDE, SIDE) holds."""
        self.image = Image.fromarray(np.where(mask[..., None], self.colour(), np.asarray(self.image)).astype(np.uint8))
        self.pen = ImageDraw.Draw(self.image)


def stripes_across(swatch: Swatch) -> None:
    """Horizontal stripes."""
    for i in range(swatch.n):
        swatch.line([(-SIDE, i * swatch.step), (2 * SIDE, i * swatch.step)], swatch.step * swatch.share)


def stripes_up(swatch: Swatch) -> None:
    """Vertical stripes."""
    for i in range(swatch.n):
        swatch.line([(i * swatch.step, -SIDE), (i * swatch.step, 2 * SIDE)], swatch.step * swatch.share)


def stripes_aslant(swatch: Swatch) -> None:
    """Stripes at an angle of 30 to 60 degrees, either way."""
    lean = SIDE * swatch.rng.uniform(0.6, 1.7) * swatch.rng.choice([-1, 1])
    for i in range(-2 * swatch.n, 3 * swatch.n):
        swatch.line([(i * swatch.step, 0), (i * swatch.step + lean, SIDE)], swatch.step * swatch.share * 0.7)


def fan(swatch: Swatch) -> None:
    """Stripes that converge on a point, often outside."""
    rng = swatch.rng
    x, y, n = rng.uniform(-0.3, 1.3) * SIDE, rng.uniform(-0.3, 0.3) * SIDE, rng.integers(14, 40)
    turns = np.linspace(0, 2 * math.pi, 2 * n) + rng.uniform(0, 1)
    for first, second in zip(turns[::2], turns[1::2], strict=True):
        swatch.polygon([(x, y), *((x + 3 * SIDE * math.cos(a), y + 3 * SIDE * math.sin(a)) for a in (first, second))])


def squares(swatch: Swatch) -> None:
    """A grid of boxes, all of one shape."""
    half_x, half_y = swatch.step * swatch.share / 2, swatch.step * swatch.rng.uniform(0.25, 0.75) / 2
    for x, y in swatch.grid():
        swatch.polygon(
            [(x - half_x, y - half_y), (x - half_x, y + half_y), (x + half_x, y + half_y), (x + half_x, y - half_y)]
        )


def squares_in_perspective(swatch: Swatch) -> None:
    """A grid of boxes on a wall that recedes to one side."""
    rng, side = swatch.rng, swatch.rng.choice([-1, 1])
    tilt, broad, tall = rng.uniform(0.5, 0.9), rng.uniform(0.4, 0.7), rng.uniform(0.4, 0.7)

    def place(along: float, up: float) -> tuple[float, float]:
        z = 1 / (1 - tilt * along)
        return SIDE / 2 + side * SIDE * (along * 1.1 - 0.55), SIDE / 2 + (up - 0.5) * 2 * SIDE / z

    n_across, n_up = rng.integers(4, 16), rng.integers(5, 18)
    for i, j in np.ndindex(n_across, n_up):
        x0, x1, y0, y1 = i / n_across, (i + broad) / n_across, j / n_up, (j + tall) / n_up
        swatch.polygon([place(x0, y0), place(x0, y1), place(x1, y1), place(x1, y0)])


def checks(swatch: Swatch) -> None:
    """A chequerboard."""
    half = swatch.step / 2
    for x, y in swatch.grid():
        for dx, dy in ((0, 0), (half, half)):
            swatch.polygon(
                [(x + dx, y + dy), (x + dx + half, y + dy), (x + dx + half, y + dy + half), (x + dx, y + dy + half)]
            )


def bricks(swatch: Swatch) -> None:
    """Courses of bricks, each shifted by half a brick."""
    height = swatch.step * 0.5
    for j in range(2 * swatch.n):
        for i in range(-1, swatch.n):
            x, y = (i + j % 2 / 2) * swatch.step, j * height
            swatch.polygon(
                [(x, y), (x + swatch.step * 0.9, y), (x + swatch.step * 0.9, y + height * 0.82), (x, y + height * 0.82)]
            )


def discs(swatch: Swatch) -> None:
    """A grid of discs."""
    radius = swatch.step * swatch.share * 0.55
    for x, y in swatch.grid():
        swatch.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=swatch.colour())


def scattered_discs(swatch: Swatch) -> None:
    """Discs of any size, anywhere."""
    for x, y in swatch.spots(0.8):
        radius = swatch.size(0.08, 0.6)
        swatch.pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=swatch.colour())


def scattered_boxes(swatch: Swatch) -> None:
    """Upright boxes of any size, anywhere."""
    for x, y in swatch.spots(0.5):
        width, height = swatch.size(0.25, 1.5), swatch.size(0.25, 1.5)
        swatch.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])


def scattered_triangles(swatch: Swatch) -> None:
    """Triangles that point up, anywhere."""
    for x, y in swatch.spots(0.5):
        width, height = swatch.size(0.25, 0.6), swatch.size(0.6, 1.8)
        swatch.polygon([(x - width, y), (x + width, y), (x, y - height)])


def rings(swatch: Swatch) -> None:
    """Concentric rings."""
    x, y = swatch.rng.uniform(0.1, 0.9, 2) * SIDE
    for i in range(1, 2 * swatch.n):
        radius = i * swatch.step * 0.7
        box = (x - radius, y - radius, x + radius, y + radius)
        swatch.pen.ellipse(box, outline=swatch.colour(), width=max(2, int(swatch.step * swatch.share * 0.4)))


def tufts(swatch: Swatch) -> None:
    """Heaps of many small discs, lighter on top."""
    for x, y in swatch.spots(0.15)[:30]:
        reach = swatch.size(0.5, 1.3)
        for late in np.linspace(0, 1, 40):
            dx, dy = swatch.rng.normal(0, reach / 2.4, 2)
            radius = reach * swatch.rng.uniform(0.12, 0.3) * (1.2 - late)
            box = (x + dx - radius, y + dy - radius, x + dx + radius, y + dy + radius)
            swatch.pen.ellipse(box, fill=as_rgb(np.asarray(swatch.colour()) * (0.65 + 0.5 * late)))


def waves(swatch: Swatch) -> None:
    """Wavy lines across."""
    xs, phase = np.arange(-8.0, SIDE + 16, 6), swatch.rng.uniform(0, 7)
    length, height = swatch.size(1.0, 4.0), swatch.step * 0.35
    for i in range(swatch.n):
        ys = i * swatch.step + height * np.sin(xs / length * 2 * math.pi + phase)
        swatch.line(list(zip(xs, ys, strict=True)), swatch.step * swatch.share * 0.6)


def zigzags(swatch: Swatch) -> None:
    """Lines with sharp corners, across."""
    xs = np.arange(-1, 2 * SIDE / swatch.step) * swatch.size(0.5, 1.2)
    for i in range(swatch.n):
        ys = i * swatch.step + swatch.step * 0.4 * (np.arange(len(xs)) % 2)
        swatch.line(list(zip(xs, ys, strict=True)), swatch.step * swatch.share * 0.5)


def ridges(swatch: Swatch) -> None:
    """Layers with smooth, irregular upper edges."""
    xs = np.linspace(-10, SIDE + 10, 40)
    for y in np.arange(swatch.size(0, 1), SIDE, max(14, swatch.step)):
        wave = sum(swatch.rng.normal() / k * np.sin(xs / SIDE * k * 4 + swatch.rng.uniform(0, 7)) for k in (1, 2, 3, 4))
        swatch.polygon([(-10, SIDE + 10), *zip(xs, y + 9 * wave, strict=True), (SIDE + 10, SIDE + 10)])


def blades(swatch: Swatch) -> None:
    """Short strokes that stand upright, dense."""
    for x, y in swatch.rng.random((swatch.rng.integers(250, 1200), 2)) * SIDE:
        length = swatch.rng.uniform(4, 18)
        swatch.line([(x, y), (x + swatch.rng.normal(0, length / 4), y - length)], 1)


def branches(swatch: Swatch) -> None:
    """Trunks that fork and fork again."""

    def fork(x: float, y: float, angle: float, length: float, forks: int) -> None:
        tip = x + length * math.cos(angle), y - length * math.sin(angle)
        swatch.line([(x, y), tip], forks)
        for turn in (-1, 1) if forks > 1 and length > 3 else ():
            fork(*tip, angle + turn * swatch.rng.uniform(0.2, 0.7), length * 0.72, forks - 1)

    for x in swatch.rng.random(swatch.rng.integers(1, 4)) * SIDE:
        fork(x, SIDE * swatch.rng.uniform(0.8, 1), math.pi / 2, SIDE * swatch.rng.uniform(0.15, 0.3), 7)


def rays(swatch: Swatch) -> None:
    """Thin lines from one point, at any angle."""
    x, y = swatch.rng.uniform(0.2, 0.8, 2) * SIDE
    for angle in swatch.rng.uniform(0, 2 * math.pi, swatch.rng.integers(7, 24)):
        end = x + 2 * SIDE * math.cos(angle), y + 2 * SIDE * math.sin(angle)
        swatch.line([(x, y), end], swatch.rng.uniform(1, 8))


def sagging_lines(swatch: Swatch) -> None:
    """A few thin lines that hang from edge to edge."""
    along = np.linspace(0, 1, 16)
    for y in swatch.rng.uniform(-0.1, 0.9, swatch.rng.integers(4, 12)) * SIDE:
        ys = y + swatch.rng.uniform(-20, 20) * along + swatch.rng.uniform(10, 80) * along * (1 - along)
        swatch.line(list(zip(along * SIDE, ys, strict=True)), swatch.rng.uniform(1, 3))


def posts(swatch: Swatch) -> None:
    """Rows of posts joined by rails."""
    for foot in np.arange(swatch.rng.uniform(20, 60), SIDE + 40, swatch.rng.uniform(36, 80)):
        height, spacing = swatch.rng.uniform(12, 40), swatch.rng.uniform(8, 34)
        for up in (0.35, 0.75):
            swatch.line([(-9, foot - up * height), (SIDE + 9, foot - up * height)], 2)
        for x in np.arange(swatch.rng.uniform(0, spacing), SIDE, spacing):
            swatch.line([(x, foot), (x, foot - height)], swatch.rng.uniform(2, 5))


def fine_noise(swatch: Swatch) -> None:
    """Patches of noise, small."""
    swatch.stamp(noise(swatch.rng, SIDE, SIDE, 8, 6, 0.7) > 0.5)


def coarse_noise(swatch: Swatch) -> None:
    """Patches of noise, large and smooth."""
    swatch.stamp(noise(swatch.rng, SIDE, SIDE, 2, 3, 0.45) > swatch.rng.uniform(0.4, 0.6))


def plain(swatch: Swatch) -> None:
    """A soft gradient and nothing else."""
    fall = np.linspace(0, 1, SIDE)[:, None, None] * swatch.rng.choice([-1, 1])
    mixed = blend(np.asarray(swatch.image, float), swatch.ink, 0.5 + 0.4 * fall)
    swatch.image = Image.fromarray(np.broadcast_to(mixed, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8))


TEXTURES: tuple[Callable[[Swatch], None], ...] = (
    stripes_across,
    stripes_up,
    stripes_aslant,
    fan,
    squares,
    squares_in_perspective,
    checks,
    bricks,
    discs,
    scattered_discs,
    scattered_boxes,
    scattered_triangles,
    rings,
    tufts,
    waves,
    zigzags,
    ridges,
    blades,
    branches,
    rays,
    sagging_lines,
    posts,
    fine_noise,
    coarse_noise,
    plain,
)


def draw_texture(number: int, rng: np.random.Generator, size: int) -> np.ndarray:
    """Return a texture of class `number`, (size, size, 3), uint8: a little turned, at times out of focus."""
    swatch = Swatch(rng)
    TEXTURES[number](swatch)
    crop = SIDE * 0.08  # a turned picture's empty corners
    photo = swatch.image.rotate(rng.uniform(-6, 6), Image.Resampling.BILINEAR)
    photo = photo.resize((size, size), Image.Resampling.LANCZOS, box=(crop, crop, SIDE - crop, SIDE - crop))
    return np.asarray(photo.filter(ImageFilter.GaussianBlur(pick(rng, (0, 0, 0.5, 0.9)))))


def draw_textures(n_per_class: int, size: int, seed: int, processes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return textures (n, size, size, 3), uint8, and their classes (n,), the same for any number of processes."""
    wanted = [(number, size, seed, index) for index in range(n_per_class) for number in range(len(TEXTURES))]
    with get_context("spawn").Pool(processes) as pool:
        textures = pool.starmap(numbered_texture, wanted, chunksize=50)
    return np.stack(textures), np.array([number for number, *_ in wanted])


def numbered_texture(number: int, size: int, seed: int, index: int) -> np.ndarray:
    """Return one texture, by a generator of its own."""
    return draw_texture(number, np.random.default_rng([seed, number, index]), size)


def collages(rng: np.random.Generator, textures: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return collages of one to five textures each, strong and faint, toned like photos, and what is where.

    Args:
        textures: (n, size, size, 3), uint8.
        labels: (n,), int; the class of each texture.

    Returns: collages (n, size, size, 3), float32, 0 to 1; and the class of each of their pixels (n, size, size).
    """
    n, size = textures.shape[:2]
    strong = faded(rng, textures)
    photos, classes = strong.copy(), np.tile(labels[:, None, None], (1, size, size))
    for _ in range(4):
        chosen, added = rng.permutation(n)[: n // 2], rng.integers(0, n, n // 2)
        masks = patches(rng, n // 2, size)
        photos[chosen] = np.where(masks[..., None], strong[added], photos[chosen])
        classes[chosen] = np.where(masks, labels[added][:, None, None], classes[chosen])
    mirrored = rng.random(n) < 0.5
    photos[mirrored], classes[mirrored] = photos[mirrored, :, ::-1], classes[mirrored, :, ::-1]
    return np.stack([tone(rng, photo) for photo in photos]).astype(np.float32), classes


def faded(rng: np.random.Generator, textures: np.ndarray) -> np.ndarray:
    """Return textures, 0 to 1, each with its contrast lowered to a random share."""
    photos = textures.astype(np.float32) / 255
    mean = photos.mean((1, 2), keepdims=True)
    return mean + (photos - mean) * rng.uniform(0.25, 1, (len(photos), 1, 1, 1)).astype(np.float32)


def patches(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Return masks (n, size, size), bool: a half-plane or an upright box each."""
    ys, xs = (np.mgrid[:size, :size] / size)[:, None]
    angle = rng.uniform(0, 2 * np.pi, (n, 1, 1))
    half_plane = (xs - 0.5) * np.cos(angle) + (ys - 0.5) * np.sin(angle) > rng.uniform(0, 0.3, (n, 1, 1))
    left, top = rng.uniform(-0.1, 0.8, (2, n, 1, 1))
    width, height = rng.uniform(0.2, 0.7, (2, n, 1, 1))
    box = (xs > left) & (xs < left + width) & (ys > top) & (ys < top + height)
    return np.where(rng.random((n, 1, 1)) < 0.4, half_plane, box)


def shares(classes: np.ndarray, n_cells: int) -> np.ndarray:
    """Return how much of each cell every class fills, (n, n_cells, n_cells, n_classes), float32, summing to 1.

    Args:
        classes: (n, size, size), int; `size` a multiple of `n_cells`.
        n_cells: cells along each side.
    """
    n, size = classes.shape[:2]
    cell = np.arange(size) * n_cells // size
    address = (np.arange(n)[:, None, None] * n_cells + cell[:, None]) * n_cells + cell
    counts = np.bincount((address * len(TEXTURES) + classes).ravel(), minlength=n * n_cells**2 * len(TEXTURES))
    return (counts.reshape(n, n_cells, n_cells, -1) / (size // n_cells) ** 2).astype(np.float32)
