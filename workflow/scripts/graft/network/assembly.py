"""The whole model: raw pixels, preprocessing, backbone, pooling, head."""

import keras

from graft.network.head import pool
from graft.network.preprocessing import preprocess


def embedder(backbone: keras.Model, mode: str, pooling: str) -> keras.Model:
    """Return the model from raw pixels (n, size, size, 3), RGB 0 to 255, to features (n, n_features).

    Fine-tuning needs `graft.network.forms` to keep the backbone in inference mode.
    """
    pixels = keras.Input(backbone.input_shape[1:], name="pixels")
    return keras.Model(pixels, pool(backbone(preprocess(pixels, mode), training=False), pooling), name="embedder")


def assemble(backbone: keras.Model, head: keras.Model, mode: str, pooling: str) -> keras.Model:
    """Return the model from raw pixels (n, size, size, 3), RGB 0 to 255, to logits."""
    features = embedder(backbone, mode, pooling)
    return keras.Model(features.input, head(features.output), name="graft")


def parts_of(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Return the backbone and the head of an assembled model."""
    nested = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return nested[0], nested[-1]


def pooling_of(model: keras.Model) -> str:
    """Return how an assembled model pools, read off its layers."""
    names = {layer.name for layer in model.layers}
    if "pool" in names:
        return "avg+max" if "pool_avg" in names else "flatten"
    return "max" if "pool_max" in names else "avg"
