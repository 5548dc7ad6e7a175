"""Keras's optimisers with TensorFlow's own kernels for the step, which read and write each weight once.

Keras composes a step of elementwise operations, and on a processor each of them reads and writes all weights: for
ResNet50's 24 million weights RMSprop took 295 of the 734 ms of a training step, the kernel takes 25. The arithmetic is
the same, to rounding. Other backends compile the step as one operation and do not need this; `graft.network.fast_path`
decides where the kernels are used. Only this module, `graft.network.convolution` and `graft.machine.runtime` depend on
TensorFlow.
"""

from typing import Any

import keras

from graft.network.fast_path import is_taken

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


class OnePassSGD(keras.optimizers.SGD):
    """Keras's SGD, without Nesterov's momentum."""

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Move a weight."""
        target, rate = handle(variable), keras.ops.cast(learning_rate, variable.dtype)
        if not self.momentum:
            tf.raw_ops.ResourceApplyGradientDescent(var=target, alpha=rate, delta=gradient)
            return
        slot = handle(self.momentums[self._get_variable_index(variable)])
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=target, accum=slot, lr=rate, grad=gradient, momentum=self.momentum, use_nesterov=self.nesterov
        )


class OnePassRMSprop(keras.optimizers.RMSprop):
    """Keras's RMSprop, not centred; the kernel keeps a momentum even where it is 0."""

    def build(self, variables: list[keras.Variable]) -> None:
        """Create the optimiser's variables for each weight."""
        built = self.built
        super().build(variables)
        if not built and not self.momentum:
            self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Move a weight."""
        place = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyRMSProp(
            var=handle(variable),
            ms=handle(self._velocities[place]),
            mom=handle(self._momentums[place]),
            lr=keras.ops.cast(learning_rate, variable.dtype),
            rho=self.rho,
            momentum=self.momentum,
            epsilon=self.epsilon,
            grad=gradient,
        )


class OnePassAdam(keras.optimizers.Adam):
    """Keras's Adam, without AMSGrad."""

    def update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, learning_rate: keras.KerasTensor
    ) -> None:
        """Move a weight."""
        place = self._get_variable_index(variable)
        step = keras.ops.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=handle(variable),
            m=handle(self._momentums[place]),
            v=handle(self._velocities[place]),
            beta1_power=keras.ops.power(keras.ops.cast(self.beta_1, variable.dtype), step),
            beta2_power=keras.ops.power(keras.ops.cast(self.beta_2, variable.dtype), step),
            lr=keras.ops.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class OnePassAdamW(OnePassAdam, keras.optimizers.AdamW):
    """Keras's AdamW: the decay is applied before the step, by Keras."""


KERAS = {
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
}
ONE_PASS = {"sgd": OnePassSGD, "rmsprop": OnePassRMSprop, "adam": OnePassAdam, "adamw": OnePassAdamW}


def optimizer_class(name: str, fast: bool) -> type[keras.Optimizer]:
    """Return the class of an optimiser: in one pass, where that is wanted and helps, or Keras's own."""
    return (ONE_PASS if is_taken("one_pass", fast) else KERAS)[name]


def handle(variable: Any) -> Any:
    """Return TensorFlow's handle of a weight, which Keras gives as its own variable or as TensorFlow's."""
    return (variable.value if isinstance(variable, keras.Variable) else variable).handle
