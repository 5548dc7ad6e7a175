"""Two networks that answer together, as one model: their features side by side under one head."""

import keras
import numpy as np

from graft.network.assembly import assemble, parts_of, pooling_of
from graft.network.forms import copied

BEFORE, AFTER = "_before", "_after"  # what the names of their layers end in


def side_by_side(first: keras.Model, second: keras.Model, share: float, mode: str) -> keras.Model:
    """Return one model whose logits are the mean of two models' logits.

    Its backbone is both backbones on the same photo, their last feature maps joined along the channels; its head's
    kernel is both kernels, one below the other. So what takes an assembled model takes this one.

    Args:
        first: raw pixels to logits; its head is one dense layer on features that were pooled over all places.
        second: the same, of the same size and classes.
        share: of the second model's logits; the rest are the first's.
        mode: how both preprocess.
    """
    (one, head), (two, other) = parts_of(first), parts_of(second)
    pixels = keras.Input(one.input_shape[1:], name="images")
    maps = [
        copied(part, "float32", False, pixels=pixels, end=end).output for part, end in ((one, BEFORE), (two, AFTER))
    ]
    backbone = keras.Model(pixels, keras.layers.Concatenate(name="side_by_side")(maps), name=f"{one.name}_twice")
    pooling = pooling_of(first)
    kernels, biases = zip(*(part.get_layer("logits").get_weights() for part in (head, other)), strict=True)
    return assemble(backbone, dense(*joined(kernels, biases, share, len(pooling.split("+")))), mode, pooling)


def joined(
    kernels: tuple[np.ndarray, np.ndarray], biases: tuple[np.ndarray, np.ndarray], share: float, pools: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel and the bias that give the mean of two dense layers' logits.

    Features that were pooled in two ways lie as averages of both networks, then largest values of both.

    >>> kernel, bias = joined((np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])), (np.zeros(1), np.ones(1)), 0.5, 2)
    >>> kernel.ravel().tolist(), bias.tolist()
    ([0.5, 1.5, 1.0, 2.0], [0.5])
    """
    weighed = [np.split(part * kernel, pools) for part, kernel in zip((1 - share, share), kernels, strict=True)]
    kernel = np.concatenate([rows for pool in zip(*weighed, strict=True) for rows in pool])
    return kernel, (1 - share) * biases[0] + share * biases[1]


def dense(kernel: np.ndarray, bias: np.ndarray) -> keras.Model:
    """Return a head of one dense layer with these weights."""
    features = keras.Input((kernel.shape[0],), name="features")
    logits = keras.layers.Dense(kernel.shape[1], dtype="float32", name="logits")
    head = keras.Model(features, logits(features), name="head")
    logits.set_weights([kernel, bias])
    return head
