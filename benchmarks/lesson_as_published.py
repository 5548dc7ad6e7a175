"""The first lesson as its text has it, as one script: what Graft's lesson is compared with.

    python benchmarks/lesson_as_published.py photos/                         # ResNet50, random weights
    python benchmarks/lesson_as_published.py photos/ --weights resnet50.h5

Legacy ImageDataGenerator, batches of 8, 20 epochs of 12 steps through the frozen backbone, then 10 of everything with
RMSprop at 0.00001; then every validation photo is predicted, one by one as the lesson does. Two departures, both so
that it does what its text says: the generators have no end, since Keras 3 ends an epoch after one pass over the photos
whatever `steps_per_epoch` says; and after the head, too, the validation photos are judged, on a clock of its own.
"""

import argparse
import functools
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
START = time.perf_counter()

import keras  # noqa: E402 - the clock runs before
import numpy as np  # noqa: E402
from keras.src.legacy.preprocessing.image import ImageDataGenerator  # noqa: E402 - tf.keras's, which Keras 3 left out

import timing  # noqa: E402

BATCH = 8
VALIDATION_STEPS = 4
MODES = {"ResNet50": "caffe", "VGG16": "caffe", "MobileNet": "tf", "MobileNetV2": "tf"}  # of preprocessing
AUGMENTATION = {
    "rotation_range": 10,
    "zoom_range": 0.1,
    "width_shift_range": 0.1,
    "height_shift_range": 0.1,
    "horizontal_flip": True,
}


def main() -> None:
    """Train both phases and tell their seconds and accuracies."""
    arguments = parsed()
    keras.utils.set_random_seed(arguments.seed)
    backbone, model = build(arguments)
    train, validation = generators(arguments)
    clock = {"start_s": time.perf_counter() - START}
    fit = {"steps_per_epoch": arguments.steps, "validation_data": validation, "verbose": 2}
    fit["validation_steps"] = VALIDATION_STEPS

    start = time.perf_counter()
    backbone.trainable = False
    compile_model(model)
    model.fit(train, epochs=arguments.epochs, **fit)
    clock["head_s"] = time.perf_counter() - start

    start = time.perf_counter()
    accuracy_head = judge(model, arguments)
    clock["judge_head_s"] = time.perf_counter() - start

    start = time.perf_counter()
    backbone.trainable = True
    compile_model(model, keras.optimizers.RMSprop(learning_rate=0.00001))
    model.fit(train, epochs=arguments.finetune_epochs, **fit)
    clock["finetune_s"] = time.perf_counter() - start

    start = time.perf_counter()
    accuracy = judge(model, arguments)
    clock["judge_s"] = time.perf_counter() - start
    timing.tell(**clock, accuracy_head=accuracy_head, accuracy_finetuned=accuracy)


def parsed() -> argparse.Namespace:
    """Return the command line's settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="photos: train/ and val/, a folder a class in each, two classes")
    parser.add_argument("--backbone", default="ResNet50", choices=MODES)
    parser.add_argument("--alpha", type=float, default=1.0, help="MobileNet's width")
    parser.add_argument("--size", type=int, default=224, help="pixels")
    parser.add_argument("--weights", type=Path, help="the backbone's, without its top; random by default")
    parser.add_argument("--preprocessing", choices=["as_published", "consistent"], default="as_published")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--finetune-epochs", type=int, default=10)
    parser.add_argument("--steps", type=int, default=12, help="an epoch")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def build(arguments: argparse.Namespace) -> tuple[keras.Model, keras.Model]:
    """Return the backbone, and the model that has it inside: pooling and one logit."""
    width = {"alpha": arguments.alpha} if arguments.backbone.startswith("MobileNet") else {}
    weights = str(arguments.weights) if arguments.weights else None
    shape = (arguments.size, arguments.size, 3)
    network = getattr(keras.applications, arguments.backbone)
    backbone = network(weights=weights, input_shape=shape, include_top=False, **width)
    inputs = keras.Input(shape)
    pooled = keras.layers.GlobalAveragePooling2D()(backbone(inputs, training=False))
    return backbone, keras.Model(inputs, keras.layers.Dense(1)(pooled))


def compile_model(model: keras.Model, optimizer: keras.Optimizer | str = "rmsprop") -> None:
    """Compile with the lesson's loss and metric; RMSprop is what Keras takes where none is named."""
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss, metrics=[keras.metrics.BinaryAccuracy()])


def generators(arguments: argparse.Namespace):
    """Return endless batches of augmented training and, as in the lesson, of augmented validation photos."""
    if arguments.preprocessing == "as_published":
        generator = ImageDataGenerator(samplewise_center=True, **AUGMENTATION)
    else:
        generator = ImageDataGenerator(preprocessing_function=preprocessing_of(arguments), **AUGMENTATION)
    size = (arguments.size, arguments.size)
    how = {"target_size": size, "color_mode": "rgb", "class_mode": "binary", "batch_size": BATCH}
    return [
        endless(generator.flow_from_directory(arguments.folder / role, seed=arguments.seed, **how))
        for role in ("train", "val")
    ]


def endless(iterator):
    """Yield the batches of a directory, pass after pass."""
    while True:
        yield next(iterator)


def preprocessing_of(arguments: argparse.Namespace):
    """Return how a photo is preprocessed: as published, what ResNet50 takes, whatever the backbone."""
    mode = "caffe" if arguments.preprocessing == "as_published" else MODES[arguments.backbone]
    return functools.partial(keras.applications.imagenet_utils.preprocess_input, mode=mode)


def judge(model: keras.Model, arguments: argparse.Namespace) -> float:
    """Return the share of the validation photos that are predicted right, each loaded and predicted by itself."""
    preprocess, right = preprocessing_of(arguments), []
    for truth, folder in enumerate(sorted(path for path in (arguments.folder / "val").iterdir() if path.is_dir())):
        for path in sorted(folder.iterdir()):
            photo = keras.utils.load_img(path, target_size=(arguments.size, arguments.size))
            pixels = preprocess(keras.utils.img_to_array(photo)[None])
            right.append((model.predict(pixels, verbose=0)[0, 0] > 0) == truth)
    return float(np.mean(right))


if __name__ == "__main__":
    main()
