"""Layers that learn faster in bfloat16 on a processor, and from exact sums.

What TensorFlow (2.21) does poorly, in a training step of ResNet50, batch 8, on two cores with AMX:

* the gradient of a kernel of one pixel takes 245 of 510 ms, at a fifth of the forward pass's speed; as one matrix
  product it takes 70.
* the gradient of a kernel of 3 x 3 on small images takes 20 ms more than the product with every pixel's neighbours.
* the gradient of a bias is summed in bfloat16, which loses what is small against the sum: over 25,000 pixels of noise
  the error is as large as the sum itself. A product with ones sums in float32, in half the time.
* the gradient of a sum looks at the shapes of what was added. With two readers, what a convolution gives is no longer
  added and rectified in the convolution's own kernel: another 20 ms.

float32 gains next to nothing. `graft.network.fast_path` says where they are taken: on TensorFlow alone.
"""

import functools
from collections.abc import Callable

import keras
from keras import layers

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

SMALL = 14 * 14  # pixels of an image up to which a product with all neighbourhoods is faster

# From the gradient of an output to those of both inputs.
Gradients = Callable[[keras.KerasTensor], tuple[keras.KerasTensor, keras.KerasTensor]]


class ProductConv2D(layers.Conv2D):
    """A convolution, without groups or dilation, whose gradients are matrix products where that is faster."""

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return the convolution of (n, height, width, channels), its bias added and its activation applied."""
        outputs = convolved(inputs, tensor(self.kernel), self.strides, self.padding.upper())
        if self.use_bias:
            outputs = biased(outputs, tensor(self.bias))
        return outputs if self.activation is None else self.activation(outputs)


def convolved(
    pixels: keras.KerasTensor, kernel: keras.KerasTensor, strides: tuple[int, int], padding: str
) -> keras.KerasTensor:
    """Return the convolution of (n, height, width, channels) with (rows, columns, channels, filters)."""

    @tf.custom_gradient
    def convolve(pixels: keras.KerasTensor, kernel: keras.KerasTensor) -> tuple[keras.KerasTensor, Gradients]:
        def gradients(upstream: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            of_pixels = tf.nn.conv2d_transpose(upstream, kernel, tf.shape(pixels), strides, padding)
            return of_pixels, kernel_gradient(pixels, kernel, upstream, strides, padding)

        return tf.nn.conv2d(pixels, kernel, strides, padding), gradients

    return convolve(pixels, kernel)


def kernel_gradient(
    pixels: keras.KerasTensor,
    kernel: keras.KerasTensor,
    upstream: keras.KerasTensor,
    strides: tuple[int, int],
    padding: str,
) -> keras.KerasTensor:
    """Return the gradient of a kernel, of its shape, given that of what came out of the convolution."""
    if tuple(kernel.shape[:2]) == (1, 1):
        seen = pixels if strides == (1, 1) else tf.nn.avg_pool2d(pixels, 1, strides, "VALID")  # fast skipping of pixels
    elif (tuple(kernel.shape[:2]), strides, padding) == ((3, 3), (1, 1), "SAME") and is_small(pixels):
        seen = neighbourhoods(pixels)
    else:
        return tf.raw_ops.Conv2DBackpropFilter(
            input=pixels, filter_sizes=kernel.shape, out_backprop=upstream, strides=[1, *strides, 1], padding=padding
        )
    return tf.reshape(tf.matmul(in_rows(seen), in_rows(upstream), transpose_a=True), kernel.shape)


def is_small(pixels: keras.KerasTensor) -> bool:
    """Return whether images, (n, height, width, channels), are known to have few pixels."""
    height, width = pixels.shape[1:3]
    return bool(height and width and height * width <= SMALL)


def neighbourhoods(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return each pixel's 3 x 3 neighbours in its place: (n, height, width, 9 x channels)."""
    height, width = pixels.shape[1:3]
    framed = tf.pad(pixels, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf.concat([framed[:, y : y + height, x : x + width] for y in range(3) for x in range(3)], axis=-1)


def biased(outputs: keras.KerasTensor, bias: keras.KerasTensor) -> keras.KerasTensor:
    """Return (n, height, width, channels) with (channels,) added."""

    @tf.custom_gradient
    def add(outputs: keras.KerasTensor, bias: keras.KerasTensor) -> tuple[keras.KerasTensor, Gradients]:
        def gradients(upstream: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            rows = in_rows(upstream)
            ones = tf.ones((1, tf.shape(rows)[0]), rows.dtype)
            return upstream, tf.reshape(tf.matmul(ones, rows), bias.shape)

        return tf.nn.bias_add(outputs, bias), gradients

    return add(outputs, bias)


def in_rows(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Return (n, height, width, channels) as (n x height x width, channels)."""
    return tf.reshape(pixels, (-1, pixels.shape[-1]))


def tensor(weight: keras.Variable) -> keras.KerasTensor:
    """Return a weight's value in the layer's dtype; custom gradients take no variables."""
    return tf.convert_to_tensor(keras.ops.convert_to_tensor(weight))


class ResidualAdd(layers.Add):
    """The sum of tensors of one shape, whose gradient does not look at their shapes."""

    def _merge_function(self, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
        return functools.reduce(added, inputs)


def added(one: keras.KerasTensor, other: keras.KerasTensor) -> keras.KerasTensor:
    """Return the sum of two tensors of one shape."""

    @tf.custom_gradient
    def add(one: keras.KerasTensor, other: keras.KerasTensor) -> tuple[keras.KerasTensor, Gradients]:
        return one + other, lambda upstream: (upstream, upstream)

    return add(one, other)


def trainable_class(layer: keras.Layer) -> type[keras.Layer]:
    """Return the class that a copy of a layer has when it trains in bfloat16 on the fast path."""
    if type(layer) is layers.Add and len({each.shape for each in layer.input}) == 1:
        return ResidualAdd
    if type(layer) is not layers.Conv2D:
        return type(layer)
    plain = layer.groups == 1 and set(layer.dilation_rate) == {1} and layer.data_format == "channels_last"
    return ProductConv2D if plain else type(layer)
