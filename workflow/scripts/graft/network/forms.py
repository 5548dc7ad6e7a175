"""Three forms of one model: as it embeds photos, as it trains, and as it is saved.

In training the backbone stays in inference mode: batch normalisation uses its statistics and keeps them, and the
backbone's own dropout is off. `backbone(x, training=False)` alone does not see to that: Keras 3 hands fit's
`training=True` to every layer of a functional model, whatever the call asked for (tried with 3.15.1: the moving
averages of a nested model changed). So each layer is replaced by one that stays in inference mode.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from graft.network.assembly import assemble, parts_of, pooling_of
from graft.network.convolution import trainable_class
from graft.network.fast_path import is_taken
from graft.network.folding import fold_batch_norm
from graft.network.hub import closed_of, opened, settle
from graft.network.merging import merged_layers


class FixedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation by its moving statistics, in training too; scale and offset can still learn."""

    def call(
        self, inputs: keras.KerasTensor, training: bool | None = None, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """Normalise in inference mode, whatever the caller says."""
        return super().call(inputs, training=False, mask=mask)


def in_embedding_form(backbone: keras.Model, policy: str, fast: bool = True) -> keras.Model:
    """Return a backbone that computes the same features: in the dtype policy, and folded, unless `fast` is False.

    Folding is arithmetic on weights, and needs nothing private: it is done for every framework and device.
    """
    return copied(fold_batch_norm(backbone) if fast else backbone, policy, fixed=True)


def in_prediction_form(model: keras.Model) -> keras.Model:
    """Return a copy that gives the same logits, to rounding, faster: batch normalisation folded into convolutions."""
    backbone, _ = parts_of(model)
    folded = fold_batch_norm(backbone)
    return keras.models.clone_model(model, clone_function=lambda layer: folded if layer is backbone else layer)


def in_training_form(model: keras.Model, mode: str, policy: str, fast: bool = True) -> keras.Model:
    """Return a copy that trains: in the dtype policy, with the preprocessing of training, its statistics fixed.

    Weights and logits stay float32 in every policy. `fast` allows Graft's own layers where they help.
    """
    pooling = pooling_of(model)
    backbone, head = parts_of(model)
    if policy == "float32" and is_taken("merging", fast):
        backbone = copied(backbone, policy, fixed=True, made=merged_layers(backbone))
    elif policy != "float32" and is_taken("convolution", fast):
        backbone = copied(backbone, policy, fixed=True, class_of=trainable_class)
    else:
        backbone = copied(backbone, policy, fixed=True)
    backbone = opened(backbone)
    for layer in backbone.layers:
        if type(layer) is layers.BatchNormalization:  # KerasHub's own, which no copy could replace
            layer.__class__ = FixedBatchNormalization
    return assemble(backbone, copied(head, policy, fixed=False), mode, pooling)


def in_saved_form(plain: keras.Model, mode: str) -> keras.Model:
    """Return the model, of the same layers, with the preprocessing of prediction."""
    return assemble(*parts_of(plain), mode, pooling_of(plain))


def twin(model: keras.Model, mode: str) -> keras.Model:
    """Return a copy of a model in its saved form, with layers of its own, which training the model leaves alone."""
    backbone, head = (copied(part, "float32", fixed=False) for part in parts_of(model))
    return assemble(backbone, head, mode, pooling_of(model))


def take_weights(saved: keras.Model, trained: keras.Model) -> None:
    """Give a model in its saved form, float32, the weights of its trained copy."""
    for part, copy in zip(parts_of(saved), parts_of(trained), strict=True):
        part.set_weights(closed_of(copy).get_weights())
    settle(parts_of(saved)[0])


@contextlib.contextmanager
def default_policy(policy: str) -> Iterator[None]:
    """Make a dtype policy that of layers which ask for none, such as those inside of KerasHub's EfficientNet."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def copied(
    part: keras.Model,
    policy: str,
    fixed: bool,
    class_of: Callable[[keras.Layer], type[keras.Layer]] = type,
    made: Mapping[str, keras.Layer] = MappingProxyType({}),
    pixels: keras.KerasTensor | None = None,
    end: str = "",
) -> keras.Model:
    """Return a copy of a part, layer for layer.

    Args:
        part: backbone or head.
        policy: the copy's dtype policy.
        fixed: whether statistics keep still and dropout is left out.
        class_of: the class of a layer's copy.
        made: copies that are there already, by their names.
        pixels: what the copy is applied to; None: an input of its own.
        end: what is put at the end of each layer's name.
    """

    def clone(layer: keras.Layer) -> keras.Layer:
        if layer.name in made:
            return made[layer.name]
        config = layer.get_config()
        config["name"] += end
        if isinstance(layer, keras.Layer) and layer.name != "logits":  # a bare operation has no dtype of its own
            config["dtype"] = policy
        if fixed and isinstance(layer, layers.BatchNormalization):
            return FixedBatchNormalization.from_config(config)
        if isinstance(layer, keras.Model):
            with default_policy(policy):
                return type(layer).from_config(config)
        return class_of(layer).from_config(config)

    def call(layer: keras.Layer, *arguments: Any, **options: Any) -> keras.KerasTensor:
        return arguments[0] if fixed and isinstance(layer, layers.Dropout) else layer(*arguments, **options)

    copy = keras.models.clone_model(part, input_tensors=pixels, clone_function=clone, call_function=call)
    copy.set_weights(part.get_weights())
    return copy
