"""One photo of a class: a scene drawn, then photographed, both from one seed."""

from collections.abc import Sequence

import numpy as np

from graft.sample import rural, urban
from graft.sample.camera import photograph
from graft.sample.canvas import Canvas

SCENES = {"rural": rural.SCENES, "urban": urban.SCENES}  # classes, in natural order
WIDTH, HEIGHT = 128, 96  # of a photo, in pixels


def draw_scene(label: str, seed: Sequence[int]) -> np.ndarray:
    """Return a photo of a class, (96, 128, 3), uint8; equal seeds draw equal photos.

    Raises: KeyError if `label` is neither "rural" nor "urban".

    >>> draw_scene("rural", [1, 2]).shape
    (96, 128, 3)
    """
    rng = np.random.default_rng(seed)
    scenes = SCENES[label]
    draw = list(scenes)[rng.choice(len(scenes), p=list(scenes.values()))]
    canvas = Canvas(rng)
    draw(canvas)
    return photograph(rng, canvas.finish(), WIDTH, HEIGHT)
