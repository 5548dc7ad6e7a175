"""The network that is exported: raw pixels in; calibrated probabilities and distances from the training photos out."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from graft.network.features_of import with_features
from graft.predicting.likeness import Likeness

INPUT, OUTPUT, DISTANCE = "pixels", "probabilities", "distance"  # what every export calls its input and its outputs
NAME = "graft"
RANKS = {OUTPUT: 2, DISTANCE: 1}  # by which they are told apart where a format gives no names


def answering(
    model: keras.Model, temperature: float, likeness: Likeness | None = None, several_labels: bool = False
) -> keras.Model:
    """Return a model from raw pixels to calibrated probabilities, float32, (n, n_classes), and distances, (n,).

    Whole numbers as input leave no doubt whether a pixel goes to 1 or to 255.

    Args:
        model: a saved model, from pixels (n, size, size, 3), RGB, 0 to 255, to logits (n, 1) or (n, n_classes).
        temperature: what its logits are divided by.
        likeness: what tells strangers; without it there are no distances.
        several_labels: each logit is a label's own, and so is its probability: they need not sum to 1.

    Returns: the model; its pixels are uint8.
    """
    model = with_plain_layers(model)
    hold_constants(model)
    pixels = keras.Input(model.input_shape[1:], dtype="uint8", name=INPUT)
    if several_labels:
        of_labels = calibrated_labels(model(ops.cast(pixels, "float32"), training=False), temperature)
        return keras.Model(pixels, of_labels, name=NAME)
    if likeness is None:
        return keras.Model(
            pixels, calibrated(model(ops.cast(pixels, "float32"), training=False), temperature), name=NAME
        )
    logits, features = with_features(model)(ops.cast(pixels, "float32"), training=False)
    outputs = [calibrated(logits, temperature), distances(features, likeness)]
    return keras.Model(pixels, outputs, name=NAME)


def distances(features: keras.KerasTensor, likeness: Likeness) -> keras.KerasTensor:
    """Return what `Likeness.distances` returns, (n,), as part of a network."""
    length = ops.sqrt(ops.sum(ops.square(features), axis=1, keepdims=True))
    z = features / ops.maximum(length, 1e-12)
    along = ops.sum(ops.square(ops.matmul(z, likeness.directions.astype(np.float32))), axis=1)
    of_classes = ops.matmul(z, likeness.slopes.astype(np.float32)) + likeness.offsets
    return 1 - along + ops.min(of_classes, axis=1)


def calibrated(logits: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    """Return the probabilities of classes, (n, n_classes), as part of a network."""
    scores = layers.Rescaling(1 / temperature, dtype="float32", name="temperature")(logits)
    if logits.shape[-1] > 1:
        return layers.Softmax(dtype="float32", name=OUTPUT)(scores)
    against = layers.Rescaling(-1.0, dtype="float32", name="against")(scores)
    both = [layers.Activation("sigmoid", dtype="float32")(each) for each in (against, scores)]
    return layers.Concatenate(dtype="float32", name=OUTPUT)(both)


def calibrated_labels(logits: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    """Return each label's own probability, (n, n_labels), as part of a network."""
    scores = layers.Rescaling(1 / temperature, dtype="float32", name="temperature")(logits)
    return layers.Activation("sigmoid", dtype="float32", name=OUTPUT)(scores)


def with_plain_layers(model: keras.Model) -> keras.Model:
    """Return the model with other layers, which compute the same, where converters stumble: ConvNeXt has both.

    A convolution of one channel a group becomes a depthwise one, since Keras has XLA compile the first on a processor,
    and no converter looks into that. GELU is written with erf: TensorFlow's own has erfc, which ONNX lacks.
    """
    if not any(is_depthwise(layer) or is_gelu(layer) for layer in layers_in(model)):
        return model

    def clone(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if is_gelu(layer):
            return layers.Activation(gelu, name=layer.name, dtype=config["dtype"])
        if not is_depthwise(layer):
            return type(layer).from_config(config)
        kept = ("name", "dtype", "kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias")
        return layers.DepthwiseConv2D(**{key: config[key] for key in kept})

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    for new, old in zip(
        copy.weights, model.weights, strict=True
    ):  # a kernel (y, x, 1, channels) is (y, x, channels, 1)
        new.assign(ops.reshape(old, new.shape))
    return copy


def gelu(x: keras.KerasTensor) -> keras.KerasTensor:
    """Return the Gaussian error linear unit. Source: Hendrycks & Gimpel, 2016, section 2."""
    return 0.5 * x * (1 + ops.erf(x / 2**0.5))


def is_gelu(layer: keras.Layer) -> bool:
    """Return whether a layer is Keras's own GELU, in full."""
    return isinstance(layer, layers.Activation) and layer.activation is keras.activations.gelu


def is_depthwise(layer: keras.Layer) -> bool:
    """Return whether a layer is a convolution whose every channel is a group of its own."""
    return type(layer) is layers.Conv2D and 1 < layer.groups == layer.filters == layer.input.shape[-1]


def layers_in(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model and of the models inside it."""
    for layer in model.layers:
        yield from layers_in(layer) if isinstance(layer, keras.Model) else (layer,)


def hold_constants(model: keras.Model) -> None:
    """Make means and variances of normalising layers constants of the graph.

    Keras keeps them as tensors outside of it, of which tf2onnx makes more inputs of the file: EfficientNet and ConvNeXt
    have such layers.
    """
    for layer in layers_in(model):
        if isinstance(layer, layers.Normalization):
            layer.mean, layer.variance = (ops.convert_to_numpy(held) for held in (layer.mean, layer.variance))


def facts_of_export(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what travels in an export: the facts of the model file, less the temperature, which is inside the graph.

    Args:
        facts: of the published model: classes, size, threshold (of several labels: thresholds), unsure_below, and what
            else it carries.
        name: of the export.

    >>> facts_of_export({"classes": ["a", "b"], "size": 32, "temperature": 2.0}, "onnx")["temperature_inside"]
    2.0
    """
    kept = {key: value for key, value in facts.items() if key != "temperature"}
    size, several = facts["size"], facts.get("output") == "sigmoid"
    if facts.get("unlike"):
        kept[DISTANCE] = f"{DISTANCE}: beyond unlike.threshold a photo is unlike the training photos, float32, (n,)"
    of = "label" if several else "class"
    if several:
        kept["several_labels"] = True
    return kept | {
        "export": name,
        "input": f"{INPUT}: RGB photos, uint8, 0 to 255, (n, {size}, {size}, 3)",
        "output": f"{OUTPUT}: calibrated, one a {of}, float32, (n, {len(facts['classes'])})",
        "temperature_inside": facts.get("temperature") or 1.0,
    }
