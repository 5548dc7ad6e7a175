"""What stands in both town and country: trees, bushes, cars, people, lamps, wires, houses' windows."""

import math

import numpy as np

from graft.sample.canvas import HEIGHT, WIDTH, Canvas
from graft.sample.light import Colour, pick, vary

LEAVES = [(62, 88, 44), (84, 104, 50), (50, 74, 48), (120, 100, 48), (146, 92, 44)]
GRASS = [(96, 118, 54), (118, 132, 62), (86, 104, 58), (140, 136, 74), (170, 150, 84), (150, 124, 80), (122, 104, 76)]
STONE = [(104, 104, 104), (120, 116, 110), (92, 94, 98), (134, 128, 118), (150, 146, 140)]
WALLS = [(150, 92, 74), (176, 150, 120), (140, 138, 136), (196, 188, 172), (120, 112, 104), (168, 120, 92)]
WALLS += [(104, 118, 124), (186, 172, 150), (128, 98, 82), (206, 200, 190)]
LAMPLIGHT = [(255, 214, 130), (255, 232, 170), (240, 200, 120), (215, 225, 255)]
GLASS = [(58, 68, 80), (80, 94, 108), (44, 50, 58), (120, 140, 155)]
PAINT = [(180, 40, 36), (40, 70, 140), (225, 225, 225), (40, 42, 46), (130, 135, 140), (200, 165, 50), (60, 110, 80)]
BARK, IRON = (72, 58, 46), (56, 58, 62)


def tree(canvas: Canvas, x: float, foot: float, height: float, depth: float = 0.2, kind: str | None = None) -> None:
    """Draw a round tree, a conifer, a poplar or a bare one, standing at (x, foot)."""
    with canvas.drawing("tree"):
        kind = kind or canvas.rng.choice(["round", "conifer", "poplar", "bare"], p=[0.55, 0.22, 0.13, 0.1])
        canvas.line([(x, foot), (x, foot - height * 0.5)], BARK, height * 0.07, depth)
        if kind == "bare":
            branch(canvas, x, foot - height * 0.25, height * 0.32, math.pi / 2, 4 if height > 30 else 3, depth)
        elif kind == "conifer":
            conifer(canvas, x, foot, height, depth)
        else:
            slender = kind == "poplar"
            width = height * (0.16 if slender else canvas.rng.uniform(0.3, 0.42))
            crown(canvas, x, foot - height * 0.6, width, height * (0.44 if slender else 0.34), depth)


def branch(canvas: Canvas, x: float, y: float, length: float, angle: float, forks: int, depth: float) -> None:
    """Draw a branch and, from its tip, the thinner ones that it forks into."""
    tip = x + length * math.cos(angle), y - length * math.sin(angle)
    canvas.line([(x, y), tip], BARK, length * 0.12, depth)
    for _ in range(3 if forks and length > 3 else 0):
        shorter, turned = length * canvas.rng.uniform(0.55, 0.75), angle + canvas.rng.uniform(-0.75, 0.75)
        branch(canvas, *tip, shorter, turned, forks - 1, depth)


def conifer(canvas: Canvas, x: float, foot: float, height: float, depth: float) -> None:
    """Draw five skirts of needles, lighter towards the sun."""
    green = vary(canvas.rng, pick(canvas.rng, LEAVES[:3]), 9)
    for tier in range(5):
        y, half = foot - height * (0.12 + 0.176 * tier), height * 0.27 * (1 - tier * 0.17)
        tip = (x, y - height * 0.36)
        canvas.polygon([(x - half, y), (x + half, y), tip], green * (0.64 + 0.08 * tier), depth)
        canvas.polygon([(x, y), (x + canvas.light.sun * half, y), tip], green * (0.81 + 0.1 * tier), depth)


def crown(canvas: Canvas, x: float, y: float, rx: float, ry: float, depth: float) -> None:
    """Draw a crown as a heap of tufts: dark and large first, then small and light ones towards the sun."""
    rng, n_tufts = canvas.rng, int(12 + min(60, ry * 2.6))
    green = vary(rng, pick(rng, LEAVES), 9)
    for tuft in range(n_tufts):
        angle, reach = rng.uniform(0, 2 * math.pi), 0.85 * math.sqrt(rng.random())
        dx, dy, late = reach * math.cos(angle), reach * math.sin(angle), tuft / n_tufts
        size = rng.uniform(0.16, 0.34) * max(0.5, 1 - late) + 0.06
        shade = 0.68 + 0.42 * late - 0.15 * dy + 0.1 * canvas.light.sun * dx
        canvas.oval(x + rx * dx, y + ry * dy, rx * size * 1.2, ry * size * 1.2, vary(rng, green, 5) * shade, depth)


def bushes(canvas: Canvas, left: float, right: float, foot: float, height: float, depth: float) -> None:
    """Draw a hedge of round bushes."""
    green, x = vary(canvas.rng, (74, 92, 48)), left
    while x < right:
        radius = height * canvas.rng.uniform(0.4, 1)
        canvas.oval(x, foot - radius * 0.4, radius, radius * 0.75, green * canvas.rng.uniform(0.75, 1.1), depth)
        x += radius * canvas.rng.uniform(0.5, 1.1)


def grass(canvas: Canvas, top: float, n_blades: int | np.integer, colour: Colour, length: float) -> None:
    """Draw blades of grass below `top`, longer towards the viewer."""
    rng = canvas.rng
    for x, near, lean, shade in zip(
        rng.uniform(0, WIDTH, n_blades),
        rng.random(n_blades) ** 0.6,
        rng.normal(0, 0.35, n_blades),
        rng.uniform(0.72, 1.25, n_blades),
        strict=True,
    ):
        y, blade = top + (HEIGHT - top) * near, length * (0.3 + near)
        canvas.line([(x, y), (x + lean * blade, y - blade)], np.asarray(colour) * shade, 1, 0.3 * (1 - near))


def car_from_side(canvas: Canvas, x: float, foot: float, length: float, depth: float = 0.0) -> None:
    """Draw a car that passes, from its rear at x."""
    with canvas.drawing("car"):
        paint, h = vary(canvas.rng, pick(canvas.rng, PAINT)), length * 0.3

        def outline(*corners: tuple[float, float]) -> list[tuple[float, float]]:
            return [(x + length * along, foot - h * up) for along, up in corners]

        body = outline((0, 0.2), (0, 0.55), (0.18, 0.62), (0.3, 1), (0.68, 1), (0.84, 0.62), (1, 0.52), (1, 0.2))
        canvas.oval(x + length / 2, foot, length * 0.52, h * 0.16, (35, 35, 38), depth)
        canvas.polygon(body, paint, depth)
        canvas.polygon(outline((0.24, 0.64), (0.33, 0.92), (0.48, 0.92), (0.48, 0.64)), GLASS[0], depth)
        canvas.polygon(outline((0.52, 0.64), (0.52, 0.92), (0.66, 0.92), (0.77, 0.64)), GLASS[0], depth)
        for along in (0.2, 0.8):
            canvas.oval(x + length * along, foot - h * 0.16, h * 0.22, h * 0.22, (22, 22, 24), depth)
            canvas.oval(x + length * along, foot - h * 0.16, h * 0.1, h * 0.1, (140, 140, 140), depth)
        canvas.glow(x + length, foot - h * 0.4, h * 0.5, (255, 235, 180))


def car_from_behind(canvas: Canvas, x: float, foot: float, width: float, depth: float = 0.0) -> None:
    """Draw a car that drives away or comes, centred on x."""
    with canvas.drawing("car"):
        left, h, paint = x - width / 2, width * 0.72, vary(canvas.rng, pick(canvas.rng, PAINT))
        half = [(0, 0.08), (0, 0.5), (0.14, 0.55), (0.24, 1.0)]
        glass = [(0.2, 0.56), (0.28, 0.92)]
        canvas.box(left + width * 0.05, foot - h * 0.1, left + width * 0.95, foot + 1, (30, 30, 32), depth)
        for corners, colour in ((half, paint), (glass, GLASS[0])):
            whole = corners + [(1 - along, up) for along, up in reversed(corners)]
            canvas.polygon([(left + width * along, foot - h * up) for along, up in whole], colour, depth)
        lamp_colour = pick(canvas.rng, [(210, 40, 36), (235, 235, 220)])
        for along in (0.12, 0.88):
            canvas.oval(left + width * along, foot - h * 0.35, width * 0.09, h * 0.08, lamp_colour, depth)
            canvas.glow(left + width * along, foot - h * 0.35, width * 0.3, lamp_colour)


def person(canvas: Canvas, x: float, foot: float, height: float, depth: float = 0.0) -> None:
    """Draw someone standing."""
    coat = vary(canvas.rng, pick(canvas.rng, [(50, 60, 90), (120, 50, 50), (60, 60, 60), (170, 150, 120)]))
    for side in (-1, 1):
        canvas.box(x + side * height * 0.01, foot - height * 0.45, x + side * height * 0.1, foot, (42, 44, 54), depth)
    canvas.box(x - height * 0.14, foot - height * 0.84, x + height * 0.14, foot - height * 0.42, coat, depth)
    canvas.oval(x, foot - height * 0.92, height * 0.08, height * 0.09, (190, 150, 125), depth)


def lamp(canvas: Canvas, x: float, foot: float, height: float, depth: float = 0.0, side: int = 1) -> None:
    """Draw a street lamp that leans over to a side."""
    head, top = x + side * height * 0.18, foot - height
    canvas.line([(x, foot), (x, top), (head, top - height * 0.03)], IRON, height * 0.025, depth)
    canvas.oval(head, top - height * 0.02, max(1.5, height * 0.045), max(1, height * 0.025), (220, 220, 205), depth)
    canvas.glow(head, top - height * 0.02, max(4, height * 0.11), (255, 225, 160))


def wires(canvas: Canvas) -> None:
    """Draw sagging wires across the sky, at times with a pole close by."""
    rng, y = canvas.rng, canvas.rng.uniform(0.1, 0.4) * HEIGHT
    along = np.linspace(0, 1, 14)
    for _ in range(rng.integers(1, 5)):
        y += rng.uniform(3, 7)
        sagging = y + rng.uniform(-12, 12) * along + 4 * rng.uniform(3, 14) * along * (1 - along)
        canvas.line(list(zip(WIDTH * along, sagging, strict=True)), (38, 38, 40), 1, 0.1)
    if rng.random() < 0.5:
        x = rng.uniform(0.1, 0.9) * WIDTH
        canvas.line([(x, y - 14), (x, HEIGHT)], (60, 52, 46), rng.uniform(3, 6), 0.1)


def pane_colour(canvas: Canvas, share_lit: float) -> tuple[np.ndarray, bool]:
    """Return a window's colour and whether it is lit from within."""
    lit = canvas.light.is_dark and canvas.rng.random() < share_lit
    return vary(canvas.rng, pick(canvas.rng, LAMPLIGHT if lit else GLASS), 7), lit
