"""Which parts of the fast path are taken, and the private names of Keras and TensorFlow that they stand on.

The fast path is Graft's own layers and optimiser steps in the place of Keras's: the same function, to rounding, in less
time. `fast_path: false` in the configuration turns it off. Otherwise a part is taken where it was measured to help,
which is TensorFlow on a processor (`benchmarks/train.py`); nobody has measured it on a GPU, and other frameworks
compile a step whole.

Private names may change with any release. Each is looked up before the first use of what needs it; where one is
missing, Keras's own way is taken, and one line says so.
"""

import functools
import importlib
from typing import Any

import keras

from graft.machine import runtime

# By what needs them: each name from the package down. `()` after a class stands for one of its kind, made for the look.
PRIVATE_NAMES = {
    "convolution": ("keras.layers.Add._merge_function", "tensorflow.raw_ops.Conv2DBackpropFilter"),
    "merging": ("keras.layers.Conv2D.convolution_op",),
    "one_pass": (
        "keras.Optimizer.update_step",
        "keras.Optimizer.add_optimizer_variables",
        "keras.Optimizer._get_variable_index",
        "keras.optimizers.SGD().momentums",
        "keras.optimizers.RMSprop()._velocities",
        "keras.optimizers.RMSprop()._momentums",
        "keras.optimizers.Adam()._velocities",
        "keras.optimizers.Adam()._momentums",
        "keras.Variable().value.handle",
        "tensorflow.raw_ops.ResourceApplyGradientDescent",
        "tensorflow.raw_ops.ResourceApplyKerasMomentum",
        "tensorflow.raw_ops.ResourceApplyRMSProp",
        "tensorflow.raw_ops.ResourceApplyAdam",
    ),
    "averages": ("keras.callbacks.SwapEMAWeights()._ema_weights_in_model",),
}
INSTEAD = {
    "convolution": "gradients of convolutions are TensorFlow's own, which takes longer in bfloat16",
    "merging": "batch normalisation is computed after the convolution, which takes longer",
    "one_pass": "an optimiser's step is Keras's own, which takes longer",
    "averages": "a training that averages its weights (optimizer.ema) keeps no state to go on from if it is killed",
}


def is_taken(part: str, wanted: bool) -> bool:
    """Return whether a part of the fast path takes the place of Keras's own.

    Args:
        part: `convolution`, `merging` or `one_pass`, the module that it is in.
        wanted: the configuration's `fast_path`.
    """
    return wanted and helps_here() and has_private_names(part)


def helps_here() -> bool:
    """Return whether the fast path was measured to help where this process computes: TensorFlow, on one processor."""
    if keras.backend.backend() != "tensorflow" or runtime.on_gpu():
        return False
    import tensorflow as tf

    return not tf.distribute.has_strategy()


@functools.cache
def has_private_names(part: str) -> bool:
    """Return whether every private name is there that a part stands on; if not, one line says what happens instead."""
    absent = [name for name in PRIVATE_NAMES[part] if not exists(name)]
    if absent:
        print(f"Keras {keras.__version__} as installed has no {', '.join(absent)}: {INSTEAD[part]}", flush=True)
    return not absent


def exists(name: str) -> bool:
    """Return whether a name of `PRIVATE_NAMES` leads to something.

    >>> exists("keras.layers.Add.call"), exists("keras.layers.Add.no_such_method")
    (True, False)
    """
    package, *steps = name.split(".")
    found: Any = importlib.import_module(package)
    for step in steps:
        found = getattr(found, step.removesuffix("()"), None)
        if found is None:
            return False
        if step.endswith("()"):
            found = one_of(found)
    return True


def one_of(kind: type) -> Any:
    """Return an object of a class: a weight, an optimiser that is built for one, or a callback."""
    if issubclass(kind, keras.Variable):
        return kind(0.0, name="looked_at")
    if issubclass(kind, keras.Optimizer):
        optimizer = kind(name="looked_at")  # named, so that Keras's numbering of optimisers stays as it was
        optimizer.build([keras.Variable(0.0, name="looked_at")])
        return optimizer
    return kind()
