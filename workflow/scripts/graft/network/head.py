"""The head: from a vector of features to logits."""

import keras
from keras import layers

from graft.config.recipe import Head
from graft.errors import UserError


def build_head(head: Head, n_features: int, n_classes: int, seed: int) -> keras.Model:
    """Return the new layers, from (n, n_features) to logits (n, 1) or (n, n_classes).

    The softmax of the lessons is in the loss and in the predictions, where it is exact; the model ends in logits.

    Raises: UserError for one logit and more than two classes.
    """
    if head.output == "logit" and n_classes != 2:
        raise UserError(f"head.output is 'logit', which is for two classes, but there are {n_classes}; use 'softmax'")
    seeds = iter(range(seed * 1000 + 1, seed * 1000 + 1000))
    features = keras.Input((n_features,), name="features")
    x = features
    for index, width in enumerate(head.hidden):
        x = drop(x, head.dropout, next(seeds), f"dropout_{index}")
        kernel = keras.initializers.GlorotUniform(next(seeds))
        x = layers.Dense(width, activation="relu", kernel_initializer=kernel, name=f"hidden_{index}")(x)
    x = drop(x, head.dropout, next(seeds), "dropout")
    units = 1 if head.output == "logit" else n_classes
    kernel = initializer(head.kernel, next(seeds))
    logits = layers.Dense(units, kernel_initializer=kernel, dtype="float32", name="logits")(x)
    return keras.Model(features, logits, name="head")


def drop(x: keras.KerasTensor, rate: float, seed: int, name: str) -> keras.KerasTensor:
    """Return `x` with dropout, or as it is where the rate is 0."""
    return layers.Dropout(rate, seed=seed, name=name)(x) if rate else x


def initializer(kernel: str, seed: int) -> keras.Initializer:
    """Return a seeded Keras initialiser by its snake-case name."""
    if kernel == "zeros":
        return keras.initializers.Zeros()
    return {"glorot_uniform": keras.initializers.GlorotUniform, "random_uniform": keras.initializers.RandomUniform}[
        kernel
    ](seed=seed)


def pool(feature_map: keras.KerasTensor, pooling: str) -> keras.KerasTensor:
    """Return the last feature map (n, height, width, channels) as vectors; vectors stay as they are."""
    if len(feature_map.shape) == 2:
        return feature_map
    if pooling == "flatten":
        return layers.Flatten(name="pool")(feature_map)
    average = layers.GlobalAveragePooling2D(name="pool_avg")(feature_map) if "avg" in pooling else None
    largest = layers.GlobalMaxPooling2D(name="pool_max")(feature_map) if "max" in pooling else None
    if average is not None and largest is not None:
        return layers.Concatenate(name="pool")([average, largest])
    return average if average is not None else largest
