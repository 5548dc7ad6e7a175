"""The arithmetic of a network's layers: float32, or bfloat16 where that is faster."""

import keras
from keras import layers

from graft.machine import runtime
from graft.network.hub import every_layer


def policy_of(precision: str, backbone: keras.Model) -> str:
    """Return a Keras dtype policy for `float32`, `bfloat16` or `auto`. Weights stay float32 in each.

    `auto` is bfloat16 on a GPU, and on a processor that multiplies it in hardware unless the backbone has
    convolutions by channel or group: there a processor's bfloat16 is slower (MobileNet 0.25 in training: 126 images/s,
    not 187), and rounds most (its features are off by 11%).
    """
    if precision == "auto":
        fast = runtime.on_gpu() or (runtime.multiplies_bfloat16() and not has_channel_groups(backbone))
        precision = "bfloat16" if fast else "float32"
    return "mixed_bfloat16" if precision == "bfloat16" else "float32"


def has_channel_groups(backbone: keras.Model) -> bool:
    """Return whether any convolution looks at each channel, or group of channels, alone."""
    alone = layers.DepthwiseConv2D | layers.SeparableConv2D
    every = every_layer(backbone)
    return any(isinstance(layer, alone) or getattr(layer, "groups", 1) not in (1, None) for layer in every)
