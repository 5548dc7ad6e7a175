"""A transformer cut in two before its last block, so that Grad-CAM can read its patches' tokens as a feature map.

The class token alone decides what many transformers say, and behind the last block no patch has a say in it any more;
the tokens that enter that block do. Only what is called here loads a framework.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def split_at_tokens(model: "keras.Model") -> tuple["keras.Model", "keras.Model"]:
    """Return the model up to its last block and the model from there to the logits.

    Between them go the tokens, first, and whatever else the last block takes, such as positions.
    """
    import keras

    from graft.network.blocks import block_names
    from graft.network.hub import opened

    taken: list[keras.KerasTensor] = []
    network = opened(model)
    names = block_names(network)
    last = network.layers[names.index(names[-1])]

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        if layer is last:
            given = keras.tree.flatten((arguments, options))
            taken.extend(tensor for tensor in given if isinstance(tensor, keras.KerasTensor))
        return layer(*arguments, **options)

    network = keras.models.clone_model(network, clone_function=lambda layer: layer, call_function=call)
    lower, upper = keras.Model(network.input, taken), keras.Model(taken, network.output)
    upper.input_spec = None  # SigLIP announces a token more than it makes (KerasHub 0.32)
    return lower, upper


def as_maps(values: Any, tokens: dict[str, int]) -> np.ndarray:
    """Return what tokens (n, n_tokens, channels) hold as feature maps (n, side, side, channels).

    Args:
        values: of every token, alone or before whatever else the last block takes.
        tokens: `prefix`, how many stand before those of the patches; `side`, how many patches stand in a row.

    >>> as_maps(np.arange(5.0).reshape(1, 5, 1), {"prefix": 1, "side": 2})[..., 0].tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """
    side = tokens["side"]
    of_tokens = np.asarray(values[0] if isinstance(values, list | tuple) else values, np.float32)
    return of_tokens[:, tokens["prefix"] :].reshape(len(of_tokens), side, side, -1)
