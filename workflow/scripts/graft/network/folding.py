"""Batch normalisation merged into the convolution before it: the same function while its statistics are frozen.

Source: Jacob et al., "Quantization and Training of Neural Networks", CVPR 2018, section 3.2.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from keras import layers


def fold_batch_norm(backbone: keras.Model) -> keras.Model:
    """Return a backbone that computes the same, without the batch normalisations that directly follow a convolution.

    Others (before a convolution, after a sum) stay, and are frozen.
    """
    pairs = foldable(backbone)
    convolutions = {convolution.name for convolution in pairs.values()}

    def clone(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer.name in convolutions:
            config["use_bias"] = True
        made = type(layer).from_config(config)
        made.name = layer.name  # a few of KerasHub's backbones do not describe theirs
        return made

    def call(layer: keras.Layer, *arguments: Any, **options: Any) -> keras.KerasTensor:
        return arguments[0] if layer.name in pairs else layer(*arguments, **options)

    folded = keras.models.clone_model(backbone, clone_function=clone, call_function=call)
    copy_weights(backbone, folded, pairs)
    return folded


def foldable(backbone: keras.Model) -> dict[str, keras.Layer]:
    """Return, by a batch normalisation's name, the convolution before it, if nothing else uses that one's output."""
    config = backbone.get_config()  # what a .keras file says of the network: which layer reads which
    sources = {layer["name"]: list(layers_read(layer["inbound_nodes"])) for layer in config["layers"]}
    given = keras.tree.flatten(config["output_layers"])[
        ::3
    ]  # each: the layer, which of its calls, which of its outputs
    n_readers = Counter([*itertools.chain.from_iterable(sources.values()), *given])
    pairs = {}
    for layer in backbone.layers:
        if not isinstance(layer, layers.BatchNormalization):
            continue
        source = backbone.get_layer(sources[layer.name][0])
        plain = getattr(source, "activation", None) in (None, keras.activations.linear)
        if isinstance(source, layers.Conv2D | layers.DepthwiseConv2D) and plain and n_readers[source.name] == 1:
            pairs[layer.name] = source
    return pairs


def layers_read(part: Any) -> Iterator[str]:
    """Yield the layer that gave each tensor in a part of a layer's configuration, such as its `inbound_nodes`."""
    if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
        yield part["config"]["keras_history"][0]
    elif isinstance(part, dict | list | tuple):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from layers_read(inner)


def copy_weights(backbone: keras.Model, folded: keras.Model, pairs: dict[str, keras.Layer]) -> None:
    """Give the clone the backbone's weights, scaled and shifted where a normalisation was merged."""
    norm_of = {convolution.name: backbone.get_layer(norm) for norm, convolution in pairs.items()}
    for layer in backbone.layers:
        if layer.name in norm_of:
            folded.get_layer(layer.name).set_weights(merged_weights(layer, norm_of[layer.name]))
        elif layer.name not in pairs and layer.weights:
            folded.get_layer(layer.name).set_weights(layer.get_weights())


def merged_weights(convolution: keras.Layer, norm: layers.BatchNormalization) -> list[np.ndarray]:
    """Return the kernel and bias of a convolution that does what it and the normalisation did."""
    kernel, *bias = (weight.astype(np.float64) for weight in convolution.get_weights())
    named = {weight.name: keras.ops.convert_to_numpy(weight).astype(np.float64) for weight in norm.weights}
    factor = named.get("gamma", 1.0) / np.sqrt(named["moving_variance"] + norm.epsilon)
    offset = named.get("beta", 0.0) - named["moving_mean"] * factor + (bias[0] * factor if bias else 0.0)
    if isinstance(convolution, layers.DepthwiseConv2D):  # (height, width, channels, multiplier)
        return [kernel * factor.reshape(kernel.shape[2:]), offset]
    return [kernel * factor, offset]
