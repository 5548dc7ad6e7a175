"""How long a network looks at a photo, on the processor and on a GPU, measured."""

import resource
import statistics
import sys
import time
from pathlib import Path

import keras
import numpy as np

from graft.config.model_table import Timing
from graft.network.assembly import embedder
from graft.network.backbones import build_backbone, load_backbone
from graft.network.cost import cost_of
from graft.network.preprocessing import mode_of

BATCHES = (1, 32)
LONGEST = 20.0  # seconds that one batch size is repeated for, once it was repeated `FEWEST` times
FEWEST = 3


def time_network(settings: Timing, gpus: list[str], weights: Path | None = None) -> dict[str, object]:
    """Return what a network costs: counted from its layers, and measured from raw pixels to pooled features.

    Weights are random: they change nothing of it.

    Args:
        settings: which network, and how often to repeat.
        gpus: the framework's names of the GPUs that it may use; the first is timed.
        weights: of a KerasHub backbone, the file that describes it.

    Returns: counts, `cpu_ms_1` and `cpu_ms_32`, milliseconds a photo in batches of 1 and 32, the same for `gpu_`
        (absent without one), and the peak memory of this process in MB after the processor's batches of 32.
    """
    found: dict[str, object] = {}
    with keras.device("cpu:0"):
        model, cost = built(settings, weights)
        found |= {"name": settings.backbone.name, "size": settings.backbone.size} | cost
        found |= measured("cpu", model, settings)
    found["peak_memory_mb"] = peak_memory_mb()
    if gpus:
        with keras.device("gpu:0"):
            model, _ = built(settings, weights)
            found |= measured("gpu", model, settings)
    return found


def built(settings: Timing, weights: Path | None) -> tuple[keras.Model, dict[str, int]]:
    """Return the model from raw pixels to features, and its counts."""
    backbone = load_backbone(settings.backbone, weights) if weights else build_backbone(settings.backbone)
    return embedder(backbone, mode_of(settings.backbone.name), "avg"), cost_of(backbone).as_row()


def measured(device: str, model: keras.Model, settings: Timing) -> dict[str, float]:
    """Return the milliseconds a photo, by batch size, as `DEVICE_ms_SIZE`."""
    size = settings.backbone.size
    rng = np.random.default_rng(0)
    return {
        f"{device}_ms_{batch}": milliseconds(
            model, rng.integers(0, 256, (batch, size, size, 3)).astype(np.float32), settings.repeats
        )
        for batch in BATCHES
    }


def milliseconds(model: keras.Model, photos: np.ndarray, repeats: int) -> float:
    """Return the median milliseconds that a model takes for a photo of a batch, after two batches to warm up."""
    for _ in range(2):
        model.predict_on_batch(photos)
    seconds: list[float] = []
    while len(seconds) < repeats and (len(seconds) < FEWEST or sum(seconds) < LONGEST):
        began = time.perf_counter()
        model.predict_on_batch(photos)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds) / len(photos)


def peak_memory_mb() -> float:
    """Return the most memory that this process has held, in MB; what Python and Keras take is in it."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6
