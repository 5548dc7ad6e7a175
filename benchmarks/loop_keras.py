"""The images a second of Keras alone: one process, one network, one loop, the same photos in memory again and again.

`train.py` and `gpu.py` start it. It needs Keras, its backend and NumPy, and no other part of Graft than the folding of
batch normalisation, which needs no more either.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

import timing

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))


def main() -> None:
    arguments = parsed(__doc__, forms=["lesson", "frozen", "folded"])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(arguments.threads, 2))  # as graft.machine.runtime
    if arguments.device == "gpu" and not any(name.startswith("gpu") for name in keras.distribution.list_devices()):
        raise SystemExit(f"Error: {keras.backend.backend()} finds no GPU; for the processor: --device cpu")
    keras.config.set_dtype_policy("mixed_bfloat16" if arguments.precision == "bfloat16" else "float32")
    backbone, model = build(arguments)
    run = fine_tuning(model, arguments) if arguments.task == "finetune" else embedding(model, arguments)
    speed = timing.images_per_second(run, arguments.batch, arguments.seconds)
    timing.tell(images_per_s=speed, gflop_per_image=forward_flops(backbone) / 1e9)


def parsed(text: str, forms: list[str]) -> argparse.Namespace:
    """Return the command line's settings, which all loops share."""
    parser = argparse.ArgumentParser(description=text)
    parser.add_argument("--task", choices=["finetune", "embed"], required=True)
    parser.add_argument("--backbone", choices=["ResNet50", "MobileNet"], required=True)
    parser.add_argument("--batch", type=int, required=True, help="photos a step")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--form", choices=forms, default=forms[0], help="what is done with batch normalisation")
    parser.add_argument("--size", type=int, default=224, help="pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long to measure, about")
    return parser.parse_args()


def build(arguments: argparse.Namespace):
    """Return the backbone, and the model with it inside: to one logit, or to features."""
    import keras

    shape = (arguments.size, arguments.size, 3)
    backbone = getattr(keras.applications, arguments.backbone)(include_top=False, weights=None, input_shape=shape)
    if arguments.form == "folded":
        from graft.network.folding import fold_batch_norm

        backbone = fold_batch_norm(backbone)
    if arguments.form == "frozen":
        for layer in backbone.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    pixels = keras.Input(shape)
    x = backbone(keras.layers.Rescaling(1 / 127.5, -1.0)(pixels), training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    if arguments.task == "finetune":
        x = keras.layers.Dense(1, dtype="float32")(x)
    return backbone, keras.Model(pixels, x)


def fine_tuning(model, arguments: argparse.Namespace):
    """Return the function that trains a number of steps, by Keras's fit."""
    import keras

    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.RMSprop(1e-5), loss=loss, metrics=[keras.metrics.BinaryAccuracy()])
    batch = photos(arguments), (np.arange(arguments.batch) % 2).astype(np.float32)[:, None]
    return until_last_step(
        lambda steps, watch: model.fit(again_and_again(*batch), steps_per_epoch=steps, epochs=1, verbose=0, **watch)
    )


def embedding(model, arguments: argparse.Namespace):
    """Return the function that embeds a number of batches, by Keras's predict."""
    batch = photos(arguments)
    return until_last_step(lambda steps, watch: model.predict(again_and_again(batch), steps=steps, verbose=0, **watch))


def until_last_step(run):
    """Return a function that does a number of steps and returns when the last was over, if the backend is TensorFlow.

    There the thread that reads the batches may sleep on for as long as all steps took: a cost of a whole training, not
    of a step. Other backends have no such thread, and may tell of a step before it is over.
    """
    import keras

    moments = []

    def note(step: int, logs: dict) -> None:
        moments.append(time.perf_counter())

    def until(steps: int) -> float | None:
        if keras.backend.backend() != "tensorflow":
            run(steps, {})
            return None
        run(steps, {"callbacks": [keras.callbacks.LambdaCallback(on_train_batch_end=note, on_predict_batch_end=note)]})
        return moments[-1]

    return until


def photos(arguments: argparse.Namespace) -> np.ndarray:
    """Return a batch of random pixels, (batch, size, size, 3), float32, 0 to 255."""
    shape = (arguments.batch, arguments.size, arguments.size, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)


def again_and_again(*batch):
    """Yield a batch without end."""
    while True:
        yield batch


def forward_flops(backbone) -> int:
    """Return the operations of a forward pass on one photo: two a multiplication, of convolutions and dense layers.

    What is left out (normalisation, activations, sums, pooling) is less than a hundredth of ResNet50's. Training takes
    three times as many: the gradients of a layer's inputs and of its weights cost what its forward pass does.
    """
    import keras

    total = 0
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D | keras.layers.Dense):
            places = int(np.prod(layer.output.shape[1:-1]))
            total += 2 * places * int(np.prod(layer.kernel.shape))
    return total


if __name__ == "__main__":
    main()
