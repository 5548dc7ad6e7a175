"""Urban scenes: a skyline, a street, a row of fronts, a park in town, a wall close by."""

import itertools

import numpy as np

from graft.sample.canvas import HEIGHT, WIDTH, Canvas
from graft.sample.facades import facade, houses, roof_clutter, windows
from graft.sample.light import Colour, pick, vary
from graft.sample.props import (
    GRASS,
    STONE,
    WALLS,
    bushes,
    car_from_behind,
    car_from_side,
    grass,
    lamp,
    person,
    tree,
    wires,
)


def skyline(canvas: Canvas) -> None:
    """Draw layers of towers beyond water, a meadow or roofs."""
    rng, horizon = canvas.rng, canvas.horizon
    for layer in range(rng.integers(2, 4)):
        heights = (HEIGHT * (0.10 + 0.04 * layer), HEIGHT * (0.42 - 0.04 * layer))
        widths = (10 + 4 * layer, 26 + 9 * layer)
        houses(canvas, horizon + 2, heights, widths, 6.0 + layer, 0.9 - 0.3 * layer, 6.0 * (layer > 0))
    foreground = rng.random()
    if foreground < 0.4:
        canvas.ground((90, 110, 120), 0.05)
        canvas.water(horizon, HEIGHT)
    elif foreground < 0.7:
        canvas.ground(vary(rng, pick(rng, GRASS), 8), 0.35)
        bushes(canvas, 0, WIDTH, horizon + 3, 6, 0.5)
        for _ in range(rng.integers(0, 5)):
            tree(canvas, rng.uniform(0, WIDTH), horizon + rng.uniform(4, 40), rng.uniform(22, 50))
    else:
        canvas.ground(vary(rng, pick(rng, STONE), 6), 0.15)
        houses(canvas, HEIGHT * rng.uniform(0.86, 1.02), (20, 65), (30, 62), 9, 0.1, 8)
    if rng.random() < 0.25:
        wires(canvas)


def street(canvas: Canvas) -> None:
    """Draw a street between two walls of houses, in perspective: x = centre + X / z, y = horizon + Y / z."""
    rng = canvas.rng
    horizon, centre = canvas.horizon, WIDTH * rng.uniform(0.25, 0.75)
    half, eye = rng.uniform(62, 105), rng.uniform(46, 64)  # of the street's width; height of the eye
    asphalt = vary(rng, pick(rng, STONE), 8)
    canvas.ground(asphalt, 0.16)
    for x in np.arange(centre - 40, centre + 40, 12):
        facade(canvas, x, horizon - rng.uniform(8, 34), x + 12, horizon + 2, 5, 0.9)
    for side in (-1, 1):
        kerb = [(centre + side * half * near * 4, horizon + eye * 4) for near in (0.62, 1.0)]
        canvas.polygon([(centre, horizon), *kerb], asphalt * 1.28, 0.1)
    for z in np.arange(0.4, 5, 0.5):
        dash = [(centre + x / far, horizon + eye / far) for far, x in ((z, -2), (z, 2), (z + 0.25, 2), (z + 0.25, -2))]
        canvas.polygon(dash, (220, 215, 205), 0.15)
    for side in (-1, 1):
        side_of_street(canvas, centre, side * half, eye)
    traffic(canvas, centre, half, eye)
    if rng.random() < 0.3:
        wires(canvas)


def side_of_street(canvas: Canvas, centre: float, wall_x: float, eye: float) -> None:
    """Draw the houses of one side, the farthest first."""
    rng, horizon = canvas.rng, canvas.horizon
    lowest = rng.uniform(70, 230)
    ends = np.cumsum([rng.uniform(0.35, 0.6), *rng.uniform(0.4, 1.1, 9)])
    for near, far in reversed(list(itertools.pairwise(ends))):
        height, depth = lowest * rng.uniform(0.55, 1.3), min(1.0, (near - ends[0]) / 6)
        sunny = 1.08 if np.sign(wall_x) == canvas.light.sun else 0.74
        wall = vary(rng, pick(rng, WALLS)) * sunny * rng.uniform(0.92, 1.06)

        def place(
            along: float, up: float, near: float = near, far: float = far, height: float = height
        ) -> tuple[float, float]:
            z = near + along * (far - near)
            return centre + wall_x / z, horizon + (eye - up * (eye + height)) / z

        end = centre + 2.2 * wall_x / near
        canvas.polygon([place(0, 0), place(0, 1), (end, place(0, 1)[1]), (end, place(0, 0)[1])], wall * 0.8, depth)
        canvas.polygon([place(0, 0), place(0, 1), place(1, 1), place(1, 0)], wall, depth)
        n_across, n_up = max(1, int((far - near) / rng.uniform(0.16, 0.3))), max(2, int((height + eye) / 30))
        windows(canvas, place, n_across, n_up, depth, wall, shops=True)


def traffic(canvas: Canvas, centre: float, half: float, eye: float) -> None:
    """Draw what stands and drives in a street, the farthest first."""
    rng = canvas.rng
    places = []
    for side in (-1, 1):
        if rng.random() < 0.6:
            places += [(z, side, "lamp") for z in np.arange(rng.uniform(0.6, 1), 4, rng.uniform(0.7, 1.2))]
        if rng.random() < 0.4:
            places += [(z, side, "tree") for z in np.arange(rng.uniform(0.7, 1.2), 4, rng.uniform(0.5, 1))]
        places += [(z, side, "parked") for z in np.arange(rng.uniform(0.7, 1.2), 4, 0.42) if rng.random() < 0.5]
        places += [(rng.uniform(0.8, 3), side, "driving") for _ in range(rng.integers(0, 3))]
        places += [(rng.uniform(0.8, 3), side, "person") for _ in range(rng.integers(0, 4))]
    for z, side, what in sorted(places, reverse=True):
        foot, depth = canvas.horizon + eye / z, min(1, z / 6)
        x = {"lamp": 0.7, "tree": 0.78, "parked": 0.55, "driving": 0.25, "person": rng.uniform(0.7, 0.92)}[what]
        x = centre + side * half * x / z
        if what == "lamp":
            lamp(canvas, x, foot, eye * 2.1 / z, depth, -side)
        elif what == "tree":
            tree(canvas, x, foot, eye * 1.9 / z, depth)
        elif what == "person":
            person(canvas, x, foot, eye * 0.62 / z, depth)
        else:
            car_from_behind(canvas, x, foot, 25 / z, depth)


def fronts(canvas: Canvas) -> None:
    """Draw a row of house fronts over shops, with a pavement and passing cars."""
    rng = canvas.rng
    foot = HEIGHT * rng.uniform(0.66, 0.84)
    if rng.random() < 0.6:
        houses(canvas, foot, (HEIGHT * 0.3, HEIGHT * 0.6), (24, 50), 7, 0.6, 10)
    x, tallest, pane = -rng.uniform(0, 40), HEIGHT * rng.uniform(0.28, 0.62), rng.uniform(10, 16)
    while x < WIDTH:
        width, height = rng.uniform(40, 95), tallest * rng.uniform(0.75, 1.2)
        wall = facade(canvas, x, foot - height, x + width, foot - pane * 1.5, pane, 0.08)
        shopfront(canvas, x, x + width, foot, pane * 1.5, wall)
        if rng.random() < 0.3:
            roof = [(x - 2, foot - height), (x + 5, foot - height - 14)]
            roof += [(x + width - 5, foot - height - 14), (x + width + 2, foot - height)]
            canvas.polygon(roof, vary(rng, (96, 72, 64), 12), 0.1)
        else:
            roof_clutter(canvas, x, x + width, foot - height, 0.1)
        x += width + (rng.uniform(3, 10) if rng.random() < 0.15 else 0)
    pavement(canvas, foot)


def shopfront(canvas: Canvas, left: float, right: float, foot: float, height: float, wall: Colour) -> None:
    """Draw the ground floor of a front: wide windows."""
    canvas.box(left, foot - height, right, foot, np.asarray(wall) * 0.72, 0.08)

    def place(along: float, up: float) -> tuple[float, float]:
        return left + along * (right - left), foot - up * height

    windows(canvas, place, max(1, int((right - left) / 18)), 1, 0.08, wall, shops=True)


def pavement(canvas: Canvas, foot: float) -> None:
    """Draw the street before a row of fronts, with what passes there."""
    rng = canvas.rng
    asphalt = vary(rng, pick(rng, STONE), 8)
    canvas.ground(asphalt, 0.14, foot)
    canvas.box(0, foot, WIDTH, foot + rng.uniform(5, 9), asphalt * 1.3)
    for x in np.arange(rng.uniform(5, 50), WIDTH, rng.uniform(45, 90)):
        if rng.random() < 0.4:
            tree(canvas, x, foot + 5, rng.uniform(40, 80), 0.05)
        elif rng.random() < 0.5:
            lamp(canvas, x, foot + 6, rng.uniform(60, 95), 0, rng.choice([-1, 1]))
    for _ in range(rng.integers(0, 4)):
        person(canvas, rng.uniform(0, WIDTH), foot + 6, rng.uniform(17, 22))
    x = rng.uniform(-20, 80)
    while x < WIDTH:
        length = rng.uniform(44, 64)
        if rng.random() < 0.5:
            car_from_side(canvas, x, foot + rng.uniform(13, 18), length)
        x += length + rng.uniform(3, 40)
    if rng.random() < 0.3:
        wires(canvas)


def park(canvas: Canvas) -> None:
    """Draw lawn, path and trees under the houses around a park."""
    rng, horizon = canvas.rng, canvas.horizon
    houses(canvas, horizon + 3, (HEIGHT * 0.18, HEIGHT * 0.42), (26, 60), rng.uniform(7, 11), 0.3, 5)
    green = vary(rng, pick(rng, GRASS), 8)
    canvas.ground(green, 0.4)
    x0, x1 = rng.uniform(0.2, 0.8, 2) * WIDTH
    path = [(x0, horizon + 2), (x0 + 5, horizon + 2), (x1 + 60, HEIGHT), (x1 - 30, HEIGHT)]
    canvas.polygon(path, vary(rng, (176, 166, 150)), 0.1)
    grass(canvas, horizon + 8, rng.integers(0, 500), green, rng.uniform(4, 9))
    for far in sorted(rng.random(rng.integers(2, 7))):
        foot = horizon + 4 + far * 50
        tree(canvas, rng.uniform(0, WIDTH), foot, 26 + 60 * far, 0.3 * (1 - far))
    for _ in range(rng.integers(0, 4)):
        near = rng.uniform(0.2, 0.9)
        x, foot = rng.uniform(0, WIDTH), horizon + near * (HEIGHT - horizon)
        if rng.random() < 0.5:
            lamp(canvas, x, foot, 30 + 50 * near, 0.1)
        else:
            person(canvas, x, foot, 10 + 22 * near, 0.1)


def close_wall(canvas: Canvas) -> None:
    """Draw one big house that nearly fills the frame, seen a little from the side."""
    rng = canvas.rng
    top, foot = HEIGHT * rng.uniform(-0.1, 0.25), HEIGHT * rng.uniform(0.8, 1.1)
    corner, slope = WIDTH * rng.uniform(0.45, 0.95), rng.uniform(0, 0.3)
    wall, pane = vary(rng, pick(rng, WALLS)), rng.uniform(20, 34)
    houses(canvas, foot, (60, 110), (30, 60), 9, 0.35)
    for left, right, shade in ((corner - 1.1 * WIDTH, corner, 1.0), (corner, corner + 0.5 * WIDTH, 0.72)):

        def place(along: float, up: float, left: float = left, right: float = right) -> tuple[float, float]:
            x = left + along * (right - left)
            shrink = 1 - slope * abs(x - corner) / WIDTH
            return x, foot - 20 - (foot - top) * (up - 0.2) * shrink

        canvas.polygon([place(0, 0), place(0, 1), place(1, 1), place(1, 0)], wall * shade)
        n_across, n_up = int((right - left) / pane), int((foot - top) / (pane * 1.25))
        windows(canvas, place, max(1, n_across), max(2, n_up), 0.0, wall * shade, shops=rng.random() < 0.5)
    if foot < HEIGHT * 0.98:
        pavement(canvas, foot)
    if rng.random() < 0.4:
        tree(canvas, rng.uniform(0, WIDTH), HEIGHT * rng.uniform(0.95, 1.15), rng.uniform(70, 150), 0.0)


SCENES = {skyline: 0.24, street: 0.26, fronts: 0.22, park: 0.15, close_wall: 0.13}  # with their shares
