"""A convolution and the batch normalisation after it computed as one, while both keep their weights and train.

With fixed statistics a normalisation is a factor and an offset for each channel. Applied to the kernel they cost next
to nothing; applied to the images, as Keras does, they read and write all of them once more. Values and gradients are
the same, to rounding.
"""

from collections.abc import Callable

import keras
from keras import layers, ops

from graft.network.folding import foldable


class AbsorbedBatchNormalization(layers.BatchNormalization):
    """A batch normalisation that the convolution before it computes; it only keeps its own weights."""

    def call(
        self, inputs: keras.KerasTensor, training: bool | None = None, mask: keras.KerasTensor | None = None
    ) -> keras.KerasTensor:
        """Return what the convolution has normalised already."""
        return inputs

    def factor_and_offset(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Return what it multiplies each channel by, and what it then adds: two of (n_channels,)."""
        factor = 1 / ops.sqrt(self.moving_variance + self.epsilon)
        factor = factor * self.gamma if self.scale else factor
        offset = -self.moving_mean * factor
        return factor, offset + self.beta if self.center else offset


class MergedConv2D(layers.Conv2D):
    """A convolution and its normalisation."""

    norm: Callable[[], AbsorbedBatchNormalization]  # a function, since Keras would track a layer as part of this one

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the normalised convolution of (n, height, width, channels)."""
        factor, offset = self.norm().factor_and_offset()
        outputs = self.convolution_op(inputs, self.kernel * factor)
        return ops.add(outputs, with_bias(self, factor, offset))  # TensorFlow's bias_add, which `+` is not


class MergedDepthwiseConv2D(layers.DepthwiseConv2D):
    """A depthwise convolution and its normalisation."""

    norm: Callable[[], AbsorbedBatchNormalization]

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the normalised convolution of (n, height, width, channels)."""
        factor, offset = self.norm().factor_and_offset()
        kernel = self.kernel * ops.reshape(factor, self.kernel.shape[2:])
        outputs = ops.depthwise_conv(inputs, kernel, self.strides, self.padding, self.data_format, self.dilation_rate)
        return ops.add(outputs, with_bias(self, factor, offset))


def with_bias(convolution: keras.Layer, factor: keras.KerasTensor, offset: keras.KerasTensor) -> keras.KerasTensor:
    """Return a normalisation's offset with the convolution's own bias in it."""
    return offset + convolution.bias * factor if convolution.use_bias else offset


MERGED: dict[type[keras.Layer], type[keras.Layer]] = {
    layers.Conv2D: MergedConv2D,
    layers.DepthwiseConv2D: MergedDepthwiseConv2D,
}


def merged_layers(backbone: keras.Model) -> dict[str, keras.Layer]:
    """Return, by name, the layers of a float32 copy that stand for a convolution and its normalisation."""
    made: dict[str, keras.Layer] = {}
    for norm_name, convolution in foldable(backbone).items():
        if type(convolution) in MERGED and convolution.data_format == "channels_last":
            norm = AbsorbedBatchNormalization.from_config(backbone.get_layer(norm_name).get_config())
            norm.build(convolution.output.shape)
            merged = MERGED[type(convolution)].from_config(convolution.get_config())
            merged.norm = lambda norm=norm: norm
            made |= {norm_name: norm, convolution.name: merged}
    return made
