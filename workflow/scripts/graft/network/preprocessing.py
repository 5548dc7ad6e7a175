"""From raw pixels to what each backbone was trained on, as operations inside the model."""

import keras
from keras import layers

CAFFE_MEANS = [103.939, 116.779, 123.68]  # ImageNet's blue, green, red means, of 0-255
TORCH_MEANS, TORCH_DEVIATIONS = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # red, green, blue, of 0-1

MODES = {
    "caffe": ("VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152"),
    "tf": (
        "ResNet50V2",
        "ResNet101V2",
        "ResNet152V2",
        "Xception",
        "InceptionV3",
        "InceptionResNetV2",
        "MobileNet",
        "MobileNetV2",
        "NASNetMobile",
        "NASNetLarge",
        "Rootstock",
    ),
    "torch": ("DenseNet121", "DenseNet169", "DenseNet201"),
}


def mode_of(backbone: str) -> str:
    """Return how a backbone's photos are preprocessed: caffe, tf, torch, or `none` (inside the network).

    >>> mode_of("ResNet50"), mode_of("EfficientNetB0")
    ('caffe', 'none')
    """
    return next((mode for mode, names in MODES.items() if backbone in names), "none")


def preprocess(pixels: keras.KerasTensor, mode: str) -> keras.KerasTensor:
    """Return `pixels` (n, height, width, 3), RGB from 0 to 255, as a backbone of that mode takes them.

    Only layers of Keras itself, so that a saved model loads without this project.
    Source: keras.applications.imagenet_utils.preprocess_input.
    """
    if mode == "caffe":
        bgr = layers.Concatenate(name="to_bgr")([pixels[..., 2:3], pixels[..., 1:2], pixels[..., 0:1]])
        return layers.Rescaling(1.0, [-mean for mean in CAFFE_MEANS], name="preprocess")(bgr)
    if mode == "tf":
        return layers.Rescaling(1 / 127.5, -1.0, name="preprocess")(pixels)
    if mode == "torch":
        scale = [1 / (255 * deviation) for deviation in TORCH_DEVIATIONS]
        offset = [-mean / deviation for mean, deviation in zip(TORCH_MEANS, TORCH_DEVIATIONS, strict=True)]
        return layers.Rescaling(scale, offset, name="preprocess")(pixels)
    if mode == "samplewise_center":  # the first lesson's training photos: each minus its own mean
        return pixels - keras.ops.mean(pixels, axis=(1, 2, 3), keepdims=True)
    return pixels


def modes(backbone: str, preprocessing: str) -> tuple[str, str]:
    """Return the modes of training and of prediction; they differ only where the lesson's did."""
    if preprocessing == "as_published":
        return "samplewise_center", "caffe"
    return mode_of(backbone), mode_of(backbone)
