"""Convolutions of single pixels that learn faster in bfloat16: the gradient of their kernel is one matrix product.

oneDNN's own kernel for that gradient reaches a fifth of the speed of the forward pass: it took 245 of the 510 ms of a
training step (ResNet50, batch 8, TensorFlow 2.21, two cores with AMX), the product takes 70. The sums are the same, to
rounding. float32 gains nothing; other backends, and GPUs, need none of it.
"""

import keras
from keras import layers

from graft import runtime

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


class PointwiseConv2D(layers.Conv2D):
    """A convolution with a kernel of one pixel, without groups."""

    def convolution_op(self, inputs, kernel):
        """Return the convolution of (n, height, width, channels) with (1, 1, channels, filters)."""
        padding = self.padding.upper()

        @tf.custom_gradient
        def convolve(pixels, weights):
            def gradients(upstream):
                seen = pixels if self.strides == (1, 1) else pixels[:, :: self.strides[0], :: self.strides[1]]
                rows, upstream_rows = (tf.reshape(each, (-1, each.shape[-1])) for each in (seen, upstream))
                of_weights = tf.reshape(tf.matmul(rows, upstream_rows, transpose_a=True), weights.shape)
                of_pixels = tf.nn.conv2d_transpose(upstream, weights, tf.shape(pixels), self.strides, padding)
                return of_pixels, of_weights

            return tf.nn.conv2d(pixels, weights, self.strides, padding), gradients

        return convolve(inputs, tf.convert_to_tensor(keras.ops.convert_to_tensor(kernel)))  # a variable is no tensor


def trainable_class(layer: keras.Layer) -> type[keras.Layer]:
    """Return the class that a copy of a layer has when it trains in bfloat16."""
    quick = keras.backend.backend() == "tensorflow" and not runtime.on_gpu()
    if quick and type(layer) is layers.Conv2D and layer.kernel_size == (1, 1) and layer.groups == 1:
        return PointwiseConv2D
    return type(layer)
