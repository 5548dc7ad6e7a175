"""Baselines that classify by colours or a thumbnail alone, written as networks without weights.

They take the place of a backbone, so that the same head, folds and tests judge both. Only layers and operations of
Keras itself, so that a saved model loads without this project.
"""

import itertools

import keras
from keras import layers, ops

BINS = 16  # of a channel's 256 values
SIDE = 16  # pixels of the thumbnail


def build_baseline(name: str, size: int) -> keras.Model:
    """Return the network from raw pixels (size, size, 3), RGB 0 to 255, to features (n_features,).

    Args:
        name: `ColourHistogram`: for every bin the fraction of pixels in it, red, green, blue (48 features);
            `Pixels16`: the photo averaged to 16 x 16 pixels, 0 to 1 (768 features).
        size: side of the photo in pixels.
    """
    pixels = keras.Input((size, size, 3), name="baseline_pixels")
    features = {"ColourHistogram": colour_histogram, "Pixels16": thumbnail}[name](pixels)
    return keras.Model(pixels, features, name=name.lower())


def colour_histogram(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return the fractions of pixels per bin, (n, 3 * BINS): bins include their lower edge; the outer two are open.

    A fraction is a difference of two: the pixels from the bin's lower edge on less those from its upper edge on.
    """
    width = 256 // BINS
    from_edge = [ops.mean(ops.cast(pixels >= width * edge, "float32"), axis=(1, 2)) for edge in range(1, BINS)]
    fractions = [1.0 - from_edge[0]]
    fractions += [low - high for low, high in itertools.pairwise(from_edge)]
    stacked = ops.stack([*fractions, from_edge[-1]], axis=-1)  # (n, 3, BINS)
    return layers.Flatten(name="fractions")(stacked)


def thumbnail(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return the pixels averaged over SIDE x SIDE areas, (n, 3 * SIDE * SIDE)."""
    scaled = layers.Rescaling(1 / 255, name="scaled")(pixels)
    return layers.Flatten(name="thumbnail")(layers.AdaptiveAveragePooling2D(SIDE, name="averaged")(scaled))
