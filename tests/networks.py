"""Networks for tests: random, but alive."""

import keras
import numpy as np


def lively(backbone: keras.Model) -> keras.Model:
    """Return a random backbone whose signal does not die out on its way up: He's initialisation in every kernel."""
    rng = np.random.default_rng(0)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            shape = layer.get_weights()[0].shape
            fan_in = shape[0] * shape[1] * (1 if isinstance(layer, keras.layers.DepthwiseConv2D) else shape[2])
            layer.set_weights([rng.normal(0, (2 / fan_in) ** 0.5, shape)])
    return backbone
