"""What ships in workflow/resources: Rootstock's weights tell drawn scenes apart better than random ones."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from graft.config.backbone import SHIPPED_WEIGHTS, Backbone
from graft.network.assembly import embedder
from graft.network.backbones import fetch_backbone
from graft.network.rootstock import build_rootstock, load_rootstock_weights
from graft.sample.scenes import SCENES, draw_scene
from graft.training.probe import fit_probe
from places import ROOT

SIZE, N_TRAIN, N_VAL = 96, 30, 30  # pixels; scenes per class
SEED = 9001  # of these scenes: neither the demo's nor the benchmark's


@pytest.fixture(scope="module")
def scenes() -> tuple[np.ndarray, np.ndarray]:
    """Return photos (120, SIZE, SIZE, 3), the classes taking turns, and their classes."""
    numbers = [(row, i) for i in range(N_TRAIN + N_VAL) for row in range(len(SCENES))]
    photos = [Image.fromarray(draw_scene(list(SCENES)[row], [SEED, row, i])).resize((SIZE, SIZE)) for row, i in numbers]
    return np.stack(photos).astype(np.float32), np.array([row for row, _ in numbers])


def network(weights: str) -> keras.Model:
    """Return Rootstock with the weights that ship (`textures`) or random ones (`none`)."""
    keras.utils.set_random_seed(1)
    return fetch_backbone(Backbone(name="Rootstock", weights=weights, size=SIZE))


def probed(backbone: keras.Model, scenes: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the accuracy on the later half of the scenes of a probe that learned from the earlier."""
    photos, classes = scenes
    features = embedder(backbone, "tf", "avg").predict(photos, verbose=0)
    known = 2 * N_TRAIN
    kernel, bias, *_ = fit_probe(features[None, :known], classes[:known], np.ones(known), seed=0)
    return float(((features[known:] @ kernel + bias).argmax(1) == classes[known:]).mean())


def test_one_small_file_of_weights_ships():
    assert SHIPPED_WEIGHTS.stat().st_size < 1_500_000


def test_shipped_weights_transfer_and_random_ones_do_so_less(scenes):
    pretrained, random = probed(network("textures"), scenes), probed(network("none"), scenes)
    assert pretrained >= 0.8
    assert pretrained >= random + 0.05


@pytest.mark.slow
def test_the_rule_still_gives_weights_as_good_as_those_shipped(scenes, tmp_path):
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", tmp_path]
    subprocess.run([*command, "--cores", "2", "pretrain_rootstock"], check=True)
    remade = build_rootstock(SIZE)
    load_rootstock_weights(remade, tmp_path / "results" / "rootstock" / "rootstock.npz")
    assert probed(remade, scenes) >= probed(network("textures"), scenes) - 0.05
