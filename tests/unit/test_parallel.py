"""Several devices share each batch, and find what one device finds: shown on processors that pretend to be several."""

import subprocess
import sys

import numpy as np

from places import ROOT

PROGRAM = """
import sys
sys.path[:0] = [{scripts!r}, {tests!r}]
import tensorflow as tf
n = int(sys.argv[1])
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * n)
tf.config.experimental.enable_op_determinism()
import keras, numpy as np, pandas as pd
from pathlib import Path
from graft.config.backbone import Backbone
from graft.config.experiment import FineTuneSettings
from graft.config.recipe import Augmentation, FineTuning, Head, Optimizer
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.training.finetune import fine_tune
from graft.training.roles import Roles
from networks import lively
keras.utils.set_random_seed(0)
backbone = lively(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)))
model = assemble(backbone, build_head(Head(output="logit"), 256, 2, 0), "tf", "avg")
phase = FineTuning(epochs=2, batch_size=8, batch_norm="folded", optimizer=Optimizer(name="sgd", learning_rate=1.0))
settings = FineTuneSettings(preprocessing="consistent", label_smoothing=0, class_weights="none",
                            augmentation=Augmentation(rotation=10), finetune=phase, seed=0)
codes = np.arange(20) % 2
roles = Roles(np.arange(14), np.arange(14, 20), np.arange(14, 20), codes, ["a", "b"])
pixels = np.random.default_rng(0).integers(0, 128, (20, 32, 32, 3)) + 100 * codes[:, None, None, None]
devices = [f"CPU:{{i}}" for i in range(n)]
state = Path(sys.argv[2])
tuned, history, _ = fine_tune(settings, model, ("tf", "tf"), pixels.astype(np.uint8), roles, "t", state, devices)
np.savez(sys.argv[2] + ".npz", *tuned.get_weights(), loss=history.loss, val_loss=history.val_loss)
"""


def test_two_devices_give_the_result_of_one(tmp_path):
    program = PROGRAM.format(scripts=str(ROOT / "workflow/scripts"), tests=str(ROOT / "tests"))
    results = []
    for n in (1, 2):
        command = [sys.executable, "-c", program, str(n), str(tmp_path / f"on{n}")]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        results.append(np.load(tmp_path / f"on{n}.npz"))
    one, two = results
    assert set(one.files) == set(two.files)
    for name in one.files:
        assert np.abs(one[name] - two[name]).max() <= 1e-4, name
    assert abs(one["loss"][1] - one["loss"][0]) > 0.01  # it did train
