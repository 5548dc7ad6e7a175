"""A model that tells, beside its logits, the features that its head gets."""

from typing import Any

import keras
from keras import layers

from graft.network.assembly import parts_of


def with_features(model: keras.Model) -> keras.Model:
    """Return a model from raw pixels to logits, and to features (n, n_features); layers and weights are the model's.

    A head that gets every place of the feature map has very many features: they are its mean over all places then.
    """
    _, head = parts_of(model)
    caught: dict[str, keras.KerasTensor] = {}

    def call(layer: keras.Layer, *arguments: Any, **options: Any) -> keras.KerasTensor:
        if isinstance(layer, layers.Flatten):
            caught["features"] = layers.GlobalAveragePooling2D(name="pool_of_features")(arguments[0])
        if layer is head:
            caught.setdefault("features", arguments[0])
        return layer(*arguments, **options)

    copy = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(copy.input, [copy.output, caught["features"]], name=model.name)
