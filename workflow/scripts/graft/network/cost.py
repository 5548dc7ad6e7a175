"""What a network costs, counted from its layers: weights, depth, multiply-adds of one photo."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import keras
import numpy as np
from keras import layers

from graft.network.hub import every_layer, held_in
from graft.network.precision import has_channel_groups


@dataclass(frozen=True)
class Cost:
    """A backbone's cost at the size that it was built for.

    Attributes:
        parameters: numbers in its weights, without a head.
        depth: layers with weights, as Keras's documentation counts depth.
        features: channels of its last feature map.
        multiply_adds: of one photo, in convolutions and dense layers; None for a KerasHub backbone, whose blocks do not
            tell how often their layers work.
        depthwise: whether some convolutions look at each channel, or group of channels, alone; such networks take
            longer than their multiply-adds say.
    """

    parameters: int
    depth: int
    features: int
    multiply_adds: int | None
    depthwise: bool

    def as_row(self) -> dict[str, int]:
        """Return the numbers that are known as a row of a table."""
        return {key: int(value) for key, value in asdict(self).items() if value is not None}


def cost_of(backbone: keras.Model) -> Cost:
    """Return a backbone's cost."""
    every = list(flat(backbone))
    opaque = any(held_in(layer) for layer in every_layer(backbone) if not isinstance(layer, keras.Model))
    return Cost(
        parameters=backbone.count_params(),
        depth=sum(bool(layer.weights) for layer in every),
        features=int(backbone.output_shape[-1]),
        multiply_adds=None if opaque else sum(map(multiply_adds, every)),
        depthwise=has_channel_groups(backbone),
    )


def flat(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield a model's layers, those of nested models and of layers that hold others one by one."""
    for layer in every_layer(model):
        if not held_in(layer):
            yield layer


def multiply_adds(layer: keras.Layer) -> int:
    """Return a layer's multiply-adds for one photo: every number of a kernel works once at each place of the output.

    >>> inputs = keras.Input((8, 8, 3))
    >>> multiply_adds(keras.Model(inputs, layers.Conv2D(4, 3, padding="same")(inputs)).layers[-1])
    6912
    """
    if not isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.SeparableConv2D | layers.Dense):
        return 0
    kernels = [weight for weight in layer.weights if len(weight.shape) >= 2]
    places = int(np.prod(layer.output.shape[1:-1], dtype=np.int64))
    return places * sum(int(np.prod(kernel.shape, dtype=np.int64)) for kernel in kernels)
