"""What stands on a farm: barns, tractors, animals, bales, fences."""

import numpy as np

from graft.sample.canvas import WIDTH, Canvas
from graft.sample.light import Colour, pick, vary
from graft.sample.props import STONE, pane_colour

BARN_WALLS = [(150, 56, 46), (128, 104, 84), (176, 164, 144), (110, 92, 78), (205, 200, 188)]
HIDES = [(228, 222, 214), (94, 66, 48), (40, 36, 34), (150, 104, 70)]


def barn(canvas: Canvas, x: float, foot: float, width: float, depth: float) -> None:
    """Draw a barn from x to x + width, with its gable, its door and often a silo to one side."""
    rng = canvas.rng
    side, height, gable = rng.choice([-1, 1]), width * rng.uniform(0.36, 0.5), width * 0.36
    wall, roof = (
        vary(rng, pick(rng, BARN_WALLS), 9),
        vary(rng, pick(rng, [(98, 70, 60), (84, 84, 88), (140, 120, 100)])),
    )
    eaves, ridge = foot - height, foot - height - gable * 0.78
    left = x - gable if side > 0 else x + width  # of the gable
    inner, far = (x, x + width) if side > 0 else (x + width, x)
    if rng.random() < 0.35:
        silo = x + width * (1.05 if side > 0 else -0.25)
        canvas.box(silo, foot - height * 1.9, silo + width * 0.2, foot, (168, 166, 160), depth)
        canvas.oval(silo + width * 0.1, foot - height * 1.9, width * 0.1, width * 0.07, (150, 150, 148), depth)
    canvas.box(x, eaves, x + width, foot, wall * (0.95 if side == canvas.light.sun else 0.75), depth)
    outline = [(left, foot), (left, eaves), (left + gable / 2, ridge), (left + gable, eaves), (left + gable, foot)]
    canvas.polygon(outline, wall * 1.05, depth)
    for plank in np.arange(x, x + width, max(4, width / 18)):
        canvas.line([(plank, eaves), (plank, foot)], wall * 0.7, 1, depth)
    canvas.polygon(
        [(left + gable / 2, ridge), (inner, eaves), (far, eaves), (far - side * gable * 0.3, ridge)], roof, depth
    )
    canvas.box(left + gable * 0.3, foot - height * 0.62, left + gable * 0.7, foot, wall * 0.45, depth)
    for along in rng.choice([0.2, 0.45, 0.7], rng.integers(0, 3), replace=False):
        colour, lit = pane_colour(canvas, 0.7)
        window = x + width * along
        canvas.box(window, foot - height * 0.65, window + width * 0.08, foot - height * 0.35, colour, depth, lit)


def tractor(canvas: Canvas, x: float, foot: float, length: float, depth: float = 0.05) -> None:
    """Draw a tractor from the side, its large wheel at the rear."""
    paint = vary(canvas.rng, pick(canvas.rng, [(180, 50, 40), (60, 120, 60), (50, 80, 140)]), 8)

    def part(x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        canvas.box(x + x0 * length, foot - y0 * length, x + x1 * length, foot - y1 * length, colour, depth)

    part(0, 0.45, 0.7, 0.18, paint)
    part(0.05, 0.8, 0.35, 0.42, (70, 84, 92))
    part(0.03, 0.84, 0.37, 0.78, paint)
    part(0.6, 0.66, 0.63, 0.45, (40, 40, 42))
    for along, radius in ((0.16, 0.24), (0.62, 0.13)):
        hub = x + along * length, foot - radius * length
        canvas.oval(*hub, radius * length, radius * length, (28, 28, 28), depth)
        canvas.oval(*hub, radius * length * 0.45, radius * length * 0.45, (190, 170, 70), depth)


def animal(canvas: Canvas, x: float, foot: float, size: float, depth: float = 0.1) -> None:
    """Draw a cow, a sheep or a horse, about twice `size` long."""
    rng, facing = canvas.rng, canvas.rng.choice([-1, 1])
    kind = rng.choice(["cow", "sheep", "horse"], p=[0.5, 0.3, 0.2])
    coat = np.array((222, 216, 204) if kind == "sheep" else pick(rng, HIDES), float)
    skin = np.array((60, 54, 50)) if kind == "sheep" else coat * 0.8
    back, tall, long = {"cow": (0.85, 0.42, 0.95), "sheep": (0.65, 0.42, 0.65), "horse": (1.15, 0.34, 0.85)}[kind]
    for leg in (-0.7, -0.45, 0.45, 0.7):
        hip = x + leg * long * size
        canvas.line([(hip, foot), (hip, foot - size * back)], skin, size * 0.13, depth)
    canvas.oval(x, foot - size * back, size * long, size * tall, coat, depth)
    if kind == "horse":
        neck = [(0.5, 1.2), (0.9, 1.85), (1.3, 1.6), (0.85, 1.05)]
        canvas.polygon([(x + facing * along * size, foot - up * size) for along, up in neck], coat, depth)
    else:
        canvas.oval(x + facing * size * long * 1.1, foot - size * back * 1.2, size * 0.28, size * 0.22, skin, depth)
    if kind == "cow" and rng.random() < 0.5:
        canvas.oval(x - size * 0.2, foot - size * 0.95, size * 0.35, size * 0.24, (40, 36, 34), depth)


def bale(canvas: Canvas, x: float, foot: float, radius: float) -> None:
    """Draw a round hay bale."""
    canvas.oval(x, foot - radius * 0.8, radius * 1.1, radius * 0.9, (190, 160, 92), 0.1)
    canvas.oval(x - radius * 0.25, foot - radius * 0.8, radius * 0.75, radius * 0.85, (160, 130, 74), 0.1)
    canvas.oval(x - radius * 0.25, foot - radius * 0.8, radius * 0.35, radius * 0.4, (180, 150, 88), 0.1)


def stone_wall(canvas: Canvas, foot: float) -> None:
    """Draw a dry-stone wall from edge to edge."""
    rng = canvas.rng
    height, stone = rng.uniform(10, 26), vary(rng, pick(rng, STONE))
    canvas.box(0, foot - height, WIDTH, foot, stone * 0.6, 0.05)
    for row in np.arange(foot - height, foot, 5):
        x = -rng.uniform(0, 10)
        while x < WIDTH:
            width = rng.uniform(5, 13)
            canvas.oval(x + width / 2, row + 2.5, width / 2, 2.7, stone * rng.uniform(0.75, 1.2), 0.05)
            x += width


def fence(canvas: Canvas, foot: float) -> None:
    """Draw a fence of posts and rails, or of wire, from edge to edge."""
    rng = canvas.rng
    height, slope, spacing = rng.uniform(14, 38), rng.normal(0, 0.06), rng.uniform(16, 32)
    wood, of_wire = vary(rng, pick(rng, [(120, 98, 76), (160, 150, 136), (88, 76, 64)]), 8), rng.random() < 0.4
    y0, y1 = foot - slope * WIDTH / 2, foot + slope * WIDTH / 2
    for up in (0.35, 0.75):
        rail = [(0, y0 - height * up), (WIDTH, y1 - height * up)]
        canvas.line(rail, wood, 1 if of_wire else 3, 0.05)
    for x in np.arange(rng.uniform(0, spacing), WIDTH, spacing):
        y = y0 + slope * x
        canvas.line([(x, y), (x + rng.normal(0, 0.6), y - height)], wood, 2 if of_wire else 4, 0.05)
