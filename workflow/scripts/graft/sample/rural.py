"""Rural scenes: a ploughed field, a meadow with animals, a lane, a forest's edge, a farmyard."""

import numpy as np

from graft.sample.canvas import HEIGHT, WIDTH, Canvas
from graft.sample.farm import animal, bale, barn, fence, stone_wall, tractor
from graft.sample.light import Colour, pick, vary
from graft.sample.props import GRASS, bushes, car_from_behind, grass, tree, wires

FIELDS = [*GRASS, (196, 178, 110), (110, 116, 96)]


def far_land(canvas: Canvas) -> None:
    """Draw mountains, hills or a hedge at the horizon."""
    rng, horizon = canvas.rng, canvas.horizon
    if rng.random() < 0.25:
        mountains(canvas)
    if rng.random() < 0.8:
        height, n_layers = rng.uniform(8, 40), rng.integers(1, 4)
        for layer in range(n_layers):
            hill(canvas, height * (1 - layer / n_layers), 1 - 0.75 * layer / n_layers)
    else:
        bushes(canvas, 0, WIDTH, horizon + 2, rng.uniform(4, 12), 0.7)
    if rng.random() < 0.5:
        bushes(canvas, rng.uniform(-60, 130), rng.uniform(100, 310), horizon + 3, rng.uniform(3, 10), 0.6)


def mountains(canvas: Canvas) -> None:
    """Draw a jagged range with shaded flanks, at times under snow."""
    rng, horizon = canvas.rng, canvas.horizon
    xs = np.linspace(-10, WIDTH + 10, rng.integers(8, 14))
    tops = horizon - rng.uniform(8, HEIGHT * 0.3, len(xs))
    rock, snow = vary(rng, (112, 116, 124), 8), rng.random() < 0.4
    ridge = list(zip(xs, tops, strict=True))
    canvas.polygon([(-10, horizon + 4), *ridge, (WIDTH + 10, horizon + 4)], rock, 0.85)
    for x, top in ridge:
        flank = [(x, top), (x + 9, (top + horizon) / 2 + 4), (x + 1, (top + horizon) / 2 + 8)]
        canvas.polygon(flank, rock * 0.86, 0.85)
        if snow:
            canvas.polygon([(x, top), (x + 5, top + 7), (x - 5, top + 7)], (232, 234, 238), 0.6)


def hill(canvas: Canvas, height: float, depth: float) -> None:
    """Draw a rolling ridge down to the picture's foot, often with trees on it."""
    rng, xs = canvas.rng, np.linspace(0, WIDTH, 48)
    wave = sum(
        rng.normal() / n**1.2 * np.sin(xs / WIDTH * 2 * np.pi * n * rng.uniform(0.5, 1.2) + rng.uniform(0, 7))
        for n in range(1, 5)
    )
    ys = canvas.horizon + 2 - height * (0.55 + 0.35 * wave)
    canvas.polygon([(0, HEIGHT), *zip(xs, ys, strict=True), (WIDTH, HEIGHT)], vary(rng, pick(rng, FIELDS), 8), depth)
    wooded = rng.random() < 0.55
    for x, y in zip(xs, ys, strict=True):
        if wooded and rng.random() < 0.5:
            radius = rng.uniform(1.5, 4.5)
            leaves = np.array((70, 86, 50)) * rng.uniform(0.8, 1.1)
            with canvas.drawing("tree"):
                canvas.oval(x + rng.uniform(-3, 3), y, radius, radius * 0.9, leaves, depth)


def ploughed_field(canvas: Canvas) -> None:
    """Draw furrows that meet at the horizon."""
    rng, horizon = canvas.rng, canvas.horizon
    far_land(canvas)
    soil = vary(rng, pick(rng, FIELDS), 8)
    canvas.ground(soil, 0.1)
    vanishing, spacing = WIDTH * rng.uniform(-0.3, 1.3), rng.uniform(9, 20)
    furrows: list[Colour] = [(120, 94, 70), (140, 116, 84), (96, 84, 66), soil * 0.65, soil * 1.35]
    furrow = vary(rng, pick(rng, furrows), 6)
    for row in range(-120, 120):
        far, near = vanishing + row * spacing * 0.16, vanishing + row * spacing * 3
        canvas.polygon(
            [(far, horizon + 1), (far + spacing * 0.08, horizon + 1), (near + spacing * 1.5, HEIGHT), (near, HEIGHT)],
            furrow,
            0.12,
        )
    canvas.mottle(horizon, 0.4)
    grass(canvas, horizon + 10, rng.integers(0, 400), soil, rng.uniform(4, 9))
    if rng.random() < 0.5:
        barn(canvas, rng.uniform(0.1, 0.75) * WIDTH, horizon + rng.uniform(3, 10), rng.uniform(20, 50), 0.35)
    for _ in range(rng.integers(0, 5)):
        tree(canvas, rng.uniform(0, WIDTH), horizon + rng.uniform(2, 16), rng.uniform(14, 50), 0.4)
    if rng.random() < 0.3:
        near = rng.uniform(0.2, 0.7)
        tractor(canvas, rng.uniform(0.1, 0.7) * WIDTH, horizon + (HEIGHT - horizon) * near, 24 + 40 * near)
    if rng.random() < 0.35:
        wires(canvas)


def meadow(canvas: Canvas) -> None:
    """Draw grass with animals, bales, a pond, a fence."""
    rng, horizon = canvas.rng, canvas.horizon
    far_land(canvas)
    green = vary(rng, pick(rng, FIELDS), 8)
    canvas.ground(green, 0.42)
    below = HEIGHT - horizon
    if rng.random() < 0.3:
        x, y, rx = rng.uniform(0.2, 0.8) * WIDTH, horizon + rng.uniform(18, 50), rng.uniform(30, 80)
        with canvas.drawing("water"):
            canvas.oval(x, y, rx, rx * 0.2, canvas.light.horizon * 0.85, 0.2)
        bushes(canvas, x - rx, x + rx, y - rx * 0.17, 5, 0.2)
    for far in sorted(rng.random(rng.integers(0, 6))):
        tree(canvas, rng.uniform(0, WIDTH), horizon + 3 + 30 * far, 18 + 60 * far, 0.3)
    if rng.random() < 0.4:
        barn(canvas, rng.uniform(0.1, 0.7) * WIDTH, horizon + rng.uniform(6, 20), rng.uniform(28, 66), 0.25)
    grass(canvas, horizon + 8, rng.integers(100, 900), green, rng.uniform(4, 12))
    if rng.random() < 0.3:
        for near in sorted(rng.uniform(0.15, 0.8, rng.integers(1, 6))):
            bale(canvas, rng.uniform(0, WIDTH), horizon + below * near, 5 + 12 * near)
    if rng.random() < 0.6:
        for near in sorted(rng.uniform(0.12, 0.7, rng.integers(1, 7))):
            animal(canvas, rng.uniform(0.05, 0.95) * WIDTH, horizon + below * near, 5 + 17 * near)
    if rng.random() < 0.5:
        border = pick(rng, [fence, stone_wall])
        border(canvas, HEIGHT * rng.uniform(0.7, 0.98))
    if rng.random() < 0.3:
        wires(canvas)


def lane(canvas: Canvas) -> None:
    """Draw a country lane that bends away between rows of trees."""
    rng, horizon = canvas.rng, canvas.horizon
    far_land(canvas)
    green = vary(rng, pick(rng, FIELDS), 8)
    canvas.ground(green, 0.38)
    near = np.linspace(0, 1, 24) ** 1.5  # of the way from the horizon to the foot
    ys, half = horizon + 1 + (HEIGHT - horizon) * near, rng.uniform(30, 80)
    start, bend = WIDTH * rng.uniform(0.25, 0.75), rng.normal(0, 46)
    middle = start + bend * np.sin(near * 2.2) * (0.3 + near) * 0.6 + (WIDTH / 2 - start) * near * 0.4
    gravel = vary(rng, pick(rng, [(160, 140, 112), (126, 122, 118), (150, 126, 96), (104, 102, 100)]), 8)

    def strip(share: float, colour: Colour) -> None:
        edge = half * near * share + 0.8
        left, right = zip(middle - edge, ys, strict=True), zip(middle + edge, ys, strict=True)
        canvas.polygon([*left, *reversed(list(right))], colour, 0.1)

    strip(1.0, gravel)
    if rng.random() < 0.5:
        strip(0.2, green * 0.95)  # grass between the wheel tracks
    canvas.mottle(horizon, 0.2)
    grass(canvas, horizon + 12, rng.integers(0, 400), green, 7)
    avenue(canvas, start, half * rng.uniform(1.2, 2.0))
    if rng.random() < 0.35:
        barn(canvas, rng.uniform(0.05, 0.75) * WIDTH, horizon + rng.uniform(4, 14), rng.uniform(20, 50), 0.3)
    if rng.random() < 0.25:
        car_from_behind(canvas, middle[15] + half * near[15] * 0.4, ys[15], half * near[15] * 0.7, 0.2)
    if rng.random() < 0.5:
        border = pick(rng, [fence, stone_wall])
        border(canvas, HEIGHT * rng.uniform(0.75, 0.98))
    if rng.random() < 0.35:
        wires(canvas)


def avenue(canvas: Canvas, centre: float, half: float) -> None:
    """Draw trees along both sides of a lane, in perspective, the farthest first."""
    rng, below = canvas.rng, HEIGHT - canvas.horizon
    kind = pick(rng, ["round", "conifer", "poplar", None])
    height, density = rng.uniform(50, 120), rng.uniform(0.4, 1)
    for z in np.arange(6, rng.uniform(0.8, 1.3), -rng.uniform(0.35, 0.9)):
        for side in (-1, 1):
            if rng.random() < density:
                x, foot = centre + (side * half + rng.normal(0, 4)) / z, canvas.horizon + below * 0.85 / z
                tree(canvas, x, foot, height / z * rng.uniform(0.8, 1.2), min(1, z / 6), kind)


def forest_edge(canvas: Canvas) -> None:
    """Draw a wood behind a meadow or a lake."""
    rng, horizon = canvas.rng, canvas.horizon
    far_land(canvas)
    green, kind = vary(rng, pick(rng, FIELDS), 8), pick(rng, ["round", "conifer", None])
    canvas.ground(green, 0.4)
    for layer in range(rng.integers(2, 4)):
        for x in np.arange(-10, WIDTH + 10, rng.uniform(9, 24)):
            if rng.random() < 0.75:
                height = rng.uniform(0.5, 1) * (28 + layer * 26)
                foot = horizon + layer * 7 + rng.normal(0, 2)
                tree(canvas, x + rng.normal(0, 5), foot, height, 0.7 - 0.25 * layer, kind)
    if rng.random() < 0.4:
        canvas.water(horizon + 16, horizon + 16 + (HEIGHT - horizon) * rng.uniform(0.4, 0.9))
    else:
        grass(canvas, horizon + 25, rng.integers(0, 600), green, 7)
    if rng.random() < 0.25:
        barn(canvas, rng.uniform(0.2, 0.7) * WIDTH, horizon + rng.uniform(16, 26), rng.uniform(18, 46), 0.2)
    if rng.random() < 0.4:
        fence(canvas, HEIGHT * rng.uniform(0.8, 0.98))


def farmyard(canvas: Canvas) -> None:
    """Draw a large barn close by, with planks, hay bales, animals and a fence before it."""
    rng, horizon = canvas.rng, canvas.horizon
    far_land(canvas)
    green = vary(rng, pick(rng, FIELDS), 8)
    canvas.ground(green, 0.4)
    for _ in range(rng.integers(0, 4)):
        tree(canvas, rng.uniform(0, WIDTH), horizon + rng.uniform(4, 20), rng.uniform(50, 100), 0.2)
    foot = horizon + rng.uniform(22, 50)
    barn(canvas, rng.uniform(0.1, 0.4) * WIDTH, foot, rng.uniform(90, 150), 0.05)
    grass(canvas, foot, rng.integers(100, 500), green, rng.uniform(5, 10))
    for _ in range(rng.integers(0, 4)):
        bale(canvas, rng.uniform(0, WIDTH), foot + rng.uniform(5, 25), rng.uniform(9, 15))
    for _ in range(rng.integers(0, 4)):
        animal(canvas, rng.uniform(0, WIDTH), foot + rng.uniform(8, 30), rng.uniform(9, 18))
    if rng.random() < 0.4:
        tractor(canvas, rng.uniform(0, 0.7) * WIDTH, foot + rng.uniform(5, 20), rng.uniform(40, 66))
    if rng.random() < 0.6:
        fence(canvas, HEIGHT * rng.uniform(0.8, 0.98))


SCENES = {ploughed_field: 0.23, meadow: 0.25, lane: 0.19, forest_edge: 0.17, farmyard: 0.16}  # with their shares
