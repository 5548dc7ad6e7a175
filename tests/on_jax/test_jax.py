"""KERAS_BACKEND=jax, on a processor: a head trains, a network is fine-tuned, a saved model says the same again."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from places import ROOT

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jax") is None, reason="JAX is not installed here: make test-jax"
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Return the folder in which one process trained and another predicted again."""
    folder = tmp_path_factory.mktemp("on_jax")
    for words in ([], ["--again"]):
        said = on_jax(*words, str(folder))
        assert "backend: jax, device: CPU" in said
    return folder


def on_jax(*words: str) -> str:
    """Run the program beside this file on JAX, on the processor, and return what it printed."""
    paths = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "PYTHONPATH": os.pathsep.join(paths),
    }
    command = [sys.executable, str(Path(__file__).with_name("train_on_jax.py")), *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def test_the_head_learns_on_cached_features(trained):
    history = pd.read_csv(trained / "head.csv")
    assert len(history) == 4
    assert history.loss.iloc[-1] < history.loss.iloc[0]
    assert history.val_loss.notna().all()


def test_fine_tuning_moves_what_the_network_says(trained):
    assert np.isfinite(pd.read_csv(trained / "finetuned.csv").loss).all()
    head, tuned = (np.load(trained / f"{stage}.npy") for stage in ("head", "finetuned"))
    assert head.shape == tuned.shape == (12, 1)
    assert np.abs(head - tuned).max() > 1e-3


@pytest.mark.parametrize("stage", ["head", "finetuned"])
def test_a_saved_model_says_the_same_in_another_process(trained, stage):
    assert np.array_equal(np.load(trained / f"{stage}.npy"), np.load(trained / f"{stage}-again.npy"))
