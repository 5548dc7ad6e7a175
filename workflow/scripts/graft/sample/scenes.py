"""One photo of a class: a scene drawn, then photographed, both from one seed."""

from collections.abc import Sequence

import numpy as np

from graft.sample import rural, urban
from graft.sample.camera import photograph, photograph_things
from graft.sample.canvas import THINGS, Canvas

SCENES = {"rural": rural.SCENES, "urban": urban.SCENES}  # classes, in natural order
WIDTH, HEIGHT = 128, 96  # of a photo, in pixels
SEEN = 0.005  # share of a photo's pixels that a thing must take to be seen: 61 of them, such as a car of 10 x 6


def draw_scene(label: str, seed: Sequence[int]) -> np.ndarray:
    """Return a photo of a class, (96, 128, 3), uint8; equal seeds draw equal photos.

    Raises: KeyError if `label` is neither "rural" nor "urban".

    >>> draw_scene("rural", [1, 2]).shape
    (96, 128, 3)
    """
    rng = np.random.default_rng(seed)
    return photograph(rng, drawn(rng, label).finish(), WIDTH, HEIGHT)


def draw_contents(label: str, seed: Sequence[int]) -> tuple[np.ndarray, list[str]]:
    """Return the same photo as `draw_scene`, and what can be seen in it: those of `THINGS` that are in front somewhere.

    >>> draw_contents("urban", [0, 0, 1, 0])[1]
    ['car']
    """
    rng = np.random.default_rng(seed)
    canvas = drawn(rng, label, watched=True)
    assert canvas.things is not None, "the canvas is watched"
    photo, things = photograph_things(rng, canvas.finish(), canvas.things, WIDTH, HEIGHT)
    return photo, [name for place, name in enumerate(THINGS, 1) if np.mean(things == place) >= SEEN]


def drawn(rng: np.random.Generator, label: str, watched: bool = False) -> Canvas:
    """Return a scene of a class; a `watched` one knows where its things are."""
    scenes = SCENES[label]
    draw = list(scenes)[rng.choice(len(scenes), p=list(scenes.values()))]
    canvas = Canvas(rng, watched)
    draw(canvas)
    return canvas
