"""The framework's settings before and during training: threads, determinism, memory, devices, streams.

Call `start` before anything imports Keras; nothing here loads a framework on import.
"""

import contextlib
import gc
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np

NOT_NEEDED = ("sklearn", "matplotlib", "IPython")  # Keras imports them if they are installed: 1.1 of 2.9 s
FAST_BFLOAT16 = ("amx_bf16", "avx512_bf16")  # processor flags


def start(seed: int, threads: int = 0) -> None:
    """Load the framework, quiet, deterministic and with `threads` threads (0: its own choice).

    The same seed, threads, machine and versions give the same bytes.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        start_tensorflow(threads)
    with loading():
        import keras
    keras.utils.set_random_seed(seed)


def start_tensorflow(threads: int) -> None:
    """Fix TensorFlow's threads, kernels and GPU memory before its first operation."""
    with loading():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(min(threads, 2))  # 1.16 times as fast as 1 in training
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)  # TensorFlow takes the whole card otherwise
    tf.config.experimental.enable_op_determinism()


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Import a framework quietly, without what it does not need, and without garbage collection."""
    with quiet(), hidden(NOT_NEEDED), uncollected():
        yield


@contextlib.contextmanager
def hidden(names: tuple[str, ...]) -> Iterator[None]:
    """Make modules look as if they were not installed, so that an optional import of them takes no time."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # what Python takes for "not to be found"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Exempt all that is loaded inside from garbage collection, now and later; this saves 0.7 of 2.5 s."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what native code writes to standard error; show it if the block fails.

    TensorFlow announces oneDNN from C++ before any of its settings can silence it.
    """
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(real, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)


def gpus() -> list[str]:
    """Return the names of the GPUs that this process may use, as its framework calls them."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return [device.name for device in tf.config.list_logical_devices("GPU")]
    return [name for name in keras.distribution.list_devices() if name.startswith(("gpu", "cuda"))]


@contextlib.contextmanager
def parallel(devices: Sequence[str]) -> Iterator[None]:
    """Spread every batch of the models that are built inside over several devices, which share one set of weights.

    With one device, or none, nothing is spread. Sums of gradients may differ from one device's in their last digits.
    """
    import keras

    if len(devices) < 2:
        yield
    elif keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.distribute.MirroredStrategy(devices).scope():
            yield
    else:
        keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
        try:
            yield
        finally:
            keras.distribution.set_distribution(None)


def streamed(batches: "keras.utils.PyDataset") -> Any:
    """Return batches as `fit` and `evaluate` read them without waiting at their end.

    Keras would let tf.data tune the reading. The tuning thread doubles its sleep from 10 ms on and only then notices
    that it is to end: a training of 6.5 s then takes 10.2 s (TensorFlow 2.21). Other frameworks read batches as they
    are.

    Args:
        batches: a `keras.utils.PyDataset`; without a length it has no end.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        return batches
    import tensorflow as tf

    n = batches.num_batches

    def each() -> Iterator[tuple["np.ndarray", ...]]:
        return (batches[index] for index in (itertools.count() if n is None else range(n)))

    signature = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0])
    stream = tf.data.Dataset.from_generator(each, output_signature=signature)
    length = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY if n is None else n)
    untuned = tf.data.Options()
    untuned.autotune.enabled = False
    return stream.apply(length).prefetch(2).with_options(untuned)


def device_name() -> str:
    """Return what the network runs on, in words, such as `CPU: Intel(R) Xeon(R) Processor, 2 threads`."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            details = [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]
            return f"GPU: {', '.join(details)}"
        threads = tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count()
        return f"CPU: {processor_name()}, {threads} threads"
    import jax

    kinds = [device.device_kind for device in jax.devices()]
    return f"{jax.default_backend().upper()}: {', '.join(kinds)}"


def processor_name() -> str:
    """Return the processor's name as Linux gives it, or `unknown`."""
    return cpu_field("model name") or "unknown"


def cpu_field(field: str) -> str:
    """Return a field of the first processor in /proc/cpuinfo, or nothing where there is no such file."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), "")


def multiplies_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 in hardware."""
    return any(flag in cpu_field("flags").split() for flag in FAST_BFLOAT16)


def on_gpu() -> bool:
    """Return whether the framework computes on a GPU."""
    return bool(gpus())
