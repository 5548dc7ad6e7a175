"""Memory: fine-tuning streams its photos from disk, so that its peak does not grow with their number."""

import subprocess
import sys

import numpy as np
import pytest

from places import ROOT

SIZE = 32
TRAIN = """
import resource, sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
from graft.machine import runtime
runtime.start(0, 2)
import numpy as np
from graft.config.backbone import Backbone
from graft.config.experiment import FineTuneSettings
from graft.config.recipe import Augmentation, FineTuning, Head
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.training.finetune import fine_tune
from graft.training.roles import Roles

pixels = np.load({pixels!r}, mmap_mode="r")
n = len(pixels)
roles = Roles(np.arange(n // 2), np.arange(n // 2, n), np.arange(n // 2, n), np.arange(n) % 2, ["a", "b"])
backbone = build_backbone(Backbone(name="Rootstock", size={size}))
model = assemble(backbone, build_head(Head(), backbone.output_shape[-1], 2, 0), "tf", "avg")
phase = FineTuning(epochs=1, batch_size=32, steps_per_epoch=20, batch_norm="folded")
settings = FineTuneSettings(preprocessing="consistent", label_smoothing=0, class_weights="none",
                            augmentation=Augmentation(rotation=10), finetune=phase, seed=0)
fine_tune(settings, model, ("tf", "tf"), pixels, roles, "test", Path({pixels!r} + ".state"))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(folder, n_photos: int) -> int:
    """Return the peak memory of a process that fine-tunes on half of the photos and validates on the other."""
    path = folder / f"{n_photos}.npy"
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(0, 256, (n_photos, SIZE, SIZE, 3), np.uint8))
    script = TRAIN.format(scripts=str(ROOT / "workflow" / "scripts"), pixels=str(path), size=SIZE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout.split()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in kilobytes on Linux only")
def test_fine_tuning_takes_no_more_memory_for_forty_times_the_photos(tmp_path):
    few, many = (peak_mb(tmp_path, n_photos) for n_photos in (800, 32_000))
    as_floats = (
        31_200 * SIZE * SIZE * 3 * 4 / 1024**2
    )  # 366 MB: what they would take in memory, as the network gets them
    assert many - few < as_floats / 3
