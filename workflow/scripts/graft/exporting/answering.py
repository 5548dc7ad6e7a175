"""The network that is exported: raw pixels in, the calibrated probabilities of the model's own decision out."""

from typing import Any

import keras
from keras import layers, ops

INPUT, OUTPUT = "pixels", "probabilities"  # what every export calls its one input and its one output


def answering(model: keras.Model, temperature: float) -> keras.Model:
    """Return a model from raw pixels to calibrated probabilities, float32, (n, n_classes).

    Whole numbers as input leave no doubt whether a pixel goes to 1 or to 255.

    Args:
        model: a saved model, from pixels (n, size, size, 3), RGB, 0 to 255, to logits (n, 1) or (n, n_classes).
        temperature: what its logits are divided by.

    Returns: the model; its pixels are uint8.
    """
    hold_constants(model)
    pixels = keras.Input(model.input_shape[1:], dtype="uint8", name=INPUT)
    logits = model(ops.cast(pixels, "float32"), training=False)
    scores = layers.Rescaling(1 / temperature, dtype="float32", name="temperature")(logits)
    if model.output_shape[-1] > 1:
        return keras.Model(pixels, layers.Softmax(dtype="float32", name=OUTPUT)(scores), name="graft")
    against = layers.Rescaling(-1.0, dtype="float32", name="against")(scores)
    both = [layers.Activation("sigmoid", dtype="float32")(each) for each in (against, scores)]
    return keras.Model(pixels, layers.Concatenate(dtype="float32", name=OUTPUT)(both), name="graft")


def hold_constants(model: keras.Model) -> None:
    """Make means and variances of normalising layers constants of the graph.

    Keras keeps them as tensors outside of it, of which tf2onnx makes more inputs of the file: EfficientNet and ConvNeXt
    have such layers.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            hold_constants(layer)
        elif isinstance(layer, layers.Normalization):
            layer.mean, layer.variance = (ops.convert_to_numpy(held) for held in (layer.mean, layer.variance))


def facts_of_export(facts: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what travels in an export: the facts of the model file, less the temperature, which is inside the graph.

    Args:
        facts: of the published model: classes, size, threshold, unsure_below, and what else it carries.
        name: of the export.

    >>> facts_of_export({"classes": ["a", "b"], "size": 32, "temperature": 2.0}, "onnx")["temperature_inside"]
    2.0
    """
    kept = {key: value for key, value in facts.items() if key != "temperature"}
    size = facts["size"]
    return kept | {
        "export": name,
        "input": f"{INPUT}: RGB photos, uint8, 0 to 255, (n, {size}, {size}, 3)",
        "output": f"{OUTPUT}: calibrated, float32, (n, {len(facts['classes'])})",
        "temperature_inside": facts.get("temperature") or 1.0,
    }
