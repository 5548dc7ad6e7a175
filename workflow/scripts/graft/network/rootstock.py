"""Rootstock: a small plain residual network, pretrained on drawn textures, whose weights travel with the project.

It lets the demo transfer something real without a download. Plain convolutions, since depthwise ones learn far more
slowly on a processor; batch normalisation with a momentum of 0.9, which settles in the few hundred steps of training.
Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016 (basic blocks).
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from graft.errors import UserError
from graft.storage.files import atomic

STEM, WIDTHS = 24, (32, 64, 128)  # channels; every step halves the side
MOMENTUM = 0.9


def build_rootstock(size: int) -> keras.Model:
    """Return the network from pixels (size, size, 3) in -1 to 1 to its last feature map (size/16, size/16, 128)."""
    pixels = keras.Input((size, size, 3), name="rootstock_pixels")
    x = layers.Conv2D(STEM, 5, strides=2, padding="same", use_bias=False, name="stem_conv")(pixels)
    x = layers.ReLU(name="stem_relu")(normalised(x, "stem_norm"))
    for number, width in enumerate(WIDTHS, start=1):
        x = residual_block(x, width, f"block_{number}")
    return keras.Model(pixels, x, name="rootstock")


def residual_block(x: keras.KerasTensor, width: int, name: str) -> keras.KerasTensor:
    """Return half the side and `width` channels: two 3x3 convolutions, and past them one of 1x1."""
    past = layers.Conv2D(width, 1, strides=2, padding="same", use_bias=False, name=f"{name}_conv_past")(x)
    past = normalised(past, f"{name}_norm_past")
    x = layers.Conv2D(width, 3, strides=2, padding="same", use_bias=False, name=f"{name}_conv_a")(x)
    x = layers.ReLU(name=f"{name}_relu_a")(normalised(x, f"{name}_norm_a"))
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"{name}_conv_b")(x)
    x = layers.Add(name=f"{name}_add")([normalised(x, f"{name}_norm_b"), past])
    return layers.ReLU(name=f"{name}_relu")(x)


def normalised(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Return `x` batch-normalised."""
    return layers.BatchNormalization(momentum=MOMENTUM, name=name)(x)


def save_rootstock_weights(model: keras.Model, path: str | Path) -> None:
    """Write the weights to an `.npz`, in float16: half the size, and the features move by two thousandths at most."""
    with atomic(path) as part:
        arrays = {weight.path: value.astype(np.float16) for weight, value in pairs_of(model)}
        np.savez_compressed(part, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes an array for allow_pickle


def load_rootstock_weights(model: keras.Model, path: str | Path) -> None:
    """Give the model the weights of `save_rootstock_weights`, in float32.

    Raises: UserError if the file holds another network's.
    """
    with np.load(path) as stored:
        wanted = {weight.path: value.shape for weight, value in pairs_of(model)}
        if {name: stored[name].shape for name in stored.files} != wanted:
            raise UserError(
                f"{path} does not hold the weights of this Rootstock; make it anew: rule pretrain_rootstock"
            )
        model.set_weights([stored[name].astype(np.float32) for name in wanted])


def pairs_of(model: keras.Model) -> list[tuple[keras.Variable, np.ndarray]]:
    """Return every weight with its value."""
    return list(zip(model.weights, model.get_weights(), strict=True))
