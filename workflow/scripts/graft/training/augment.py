"""Random views: for each photo and visit one affine map, drawn from the seed, applied in one interpolation.

A view depends on the seed, the photo and the visit alone, not on the batch it is computed in, so views that are
cached beforehand and views that are drawn during training are the same.
"""

import math

import keras
import numpy as np

from graft.config.averaging import AveragedViews
from graft.config.recipe import Augmentation


def draw_views(augmentation: Augmentation, photos: np.ndarray, visits: np.ndarray, seed: int, size: int) -> np.ndarray:
    """Return the maps of a batch of views, from a view's pixel coordinates to its photo's.

    Args:
        augmentation: the ranges, as in the lessons' ImageDataGenerator.
        photos: (n,), int; each photo's row in the manifest.
        visits: (n,), int; how often each photo was drawn before.
        seed: of all views.
        size: side of the square photos, in pixels.

    Returns: (n, 8), float32, as `keras.ops.image.affine_transform` takes them.
    """
    maps = [
        draw_map(augmentation, np.random.default_rng([seed, int(photo), int(visit)]), size)
        for photo, visit in zip(photos, visits, strict=True)
    ]
    return np.array(maps, np.float32).reshape(len(maps), 8)


def draw_map(augmentation: Augmentation, rng: np.random.Generator, size: int) -> np.ndarray:
    """Return one random map as eight numbers: rotation, shift, shear, zoom and flips about the centre."""
    angle = math.radians(rng.uniform(-1, 1) * augmentation.rotation)
    shift_x, shift_y = rng.uniform(-1, 1, 2) * augmentation.shift * size
    shear = math.radians(rng.uniform(-1, 1) * augmentation.shear)
    zoom_x, zoom_y = 1 + rng.uniform(-1, 1, 2) * augmentation.zoom
    mirrored, upside_down = rng.random(2) < 0.5
    turn = np.array([[math.cos(angle), -math.sin(angle), 0], [math.sin(angle), math.cos(angle), 0], [0, 0, 1]])
    move = np.array([[1, 0, shift_x], [0, 1, shift_y], [0, 0, 1]])
    slant = np.array([[math.cos(shear), 0, 0], [-math.sin(shear), 1, 0], [0, 0, 1]])
    flip_x = -1 if augmentation.horizontal_flip and mirrored else 1
    flip_y = -1 if augmentation.vertical_flip and upside_down else 1
    scale = np.diag([zoom_x * flip_x, zoom_y * flip_y, 1])
    centre = (size - 1) / 2
    to_centre = np.array([[1, 0, -centre], [0, 1, -centre], [0, 0, 1]])
    from_centre = np.array([[1, 0, centre], [0, 1, centre], [0, 0, 1]])
    return (from_centre @ turn @ move @ slant @ scale @ to_centre).ravel()[:8]


def maps_of(views: AveragedViews, size: int) -> np.ndarray:
    """Return the maps of the views beyond the first, (count - 1, 8), float32.

    Args:
        views: how many, and how they are drawn.
        size: side of the square photos, in pixels.
    """
    numbers = np.arange(1, views.count)
    return draw_views(views.augmentation, np.zeros_like(numbers), numbers, views.seed, size)


def apply_views(pixels: np.ndarray, maps: np.ndarray) -> keras.KerasTensor:
    """Return the views of a batch: bilinear, with the border's colour beyond the border.

    Args:
        pixels: (n, size, size, 3), uint8 or float.
        maps: (n, 8), of `draw_views`.

    Returns: (n, size, size, 3), float32, 0 to 255.
    """
    images = keras.ops.convert_to_tensor(pixels.astype(np.float32))
    return keras.ops.image.affine_transform(images, maps, interpolation="bilinear", fill_mode="nearest")
