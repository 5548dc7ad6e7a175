"""Baselines: fractions and averages worked by hand, and saved models of nothing but Keras."""

import json
import re
import zipfile

import keras
import numpy as np
import pytest

import fetch_weights
from graft.config.backbone import BASELINES, Backbone
from graft.network.assembly import assemble
from graft.network.backbones import load_backbone
from graft.network.baselines import build_baseline


def features_of(name: str, photos: np.ndarray) -> np.ndarray:
    return np.asarray(build_baseline(name, photos.shape[1])(photos.astype(np.float32)))


def test_a_histogram_counts_each_channel_by_itself():
    photo = np.zeros((1, 32, 32, 3))
    photo[0, :8, :, 0] = 255  # a quarter of the reds in the last bin, the others in the first
    photo[..., 1] = 16  # all greens at the lower edge of the second bin
    photo[0, :16, :, 2] = 15.9  # all blues in the first bin
    wanted = np.zeros((3, 16))
    wanted[0, 0], wanted[0, 15], wanted[1, 1], wanted[2, 0] = 0.75, 0.25, 1, 1
    assert np.allclose(features_of("ColourHistogram", photo)[0].reshape(3, 16), wanted, atol=1e-6)


def test_a_histogram_is_that_of_numpy():
    photos = np.random.default_rng(1).integers(0, 256, (2, 40, 40, 3))
    counts = [[np.histogram(photo[..., channel], 16, (0, 256))[0] for channel in range(3)] for photo in photos]
    assert np.allclose(features_of("ColourHistogram", photos), np.reshape(counts, (2, 48)) / 40**2, atol=1e-6)


def test_a_thumbnail_averages_squares():
    photos = np.random.default_rng(2).integers(0, 256, (2, 48, 48, 3))
    squares = photos.reshape(2, 16, 3, 16, 3, 3).mean((2, 4)).reshape(2, 768) / 255
    assert np.allclose(features_of("Pixels16", photos), squares, atol=1e-6)


def test_a_thumbnail_of_a_size_that_16_does_not_divide_keeps_a_plain_colour():
    assert np.allclose(features_of("Pixels16", np.full((1, 50, 50, 3), 51)), 0.2, atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_a_saved_model_is_made_of_keras_alone(name, tmp_path):
    baseline = build_baseline(name, 32)
    features = keras.Input(baseline.output_shape[1:])
    head = keras.Model(features, keras.layers.Dense(2, name="logits")(features), name="head")
    model = assemble(baseline, head, "none", "avg")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        modules = set(re.findall(r'"module": "(\w+)', archive.read("config.json").decode()))
    assert modules == {"keras"}
    photos = np.random.default_rng(3).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.allclose(np.asarray(loaded(photos)), np.asarray(model(photos)), atol=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_a_network_without_weights_has_a_weights_file_like_any_other(name, tmp_path):
    spec = Backbone(name=name, size=32)
    fetch_weights.main(["--settings", spec.model_dump_json(), "--output", str(tmp_path / "none.weights.h5")])
    assert (tmp_path / "none.weights.h5").is_file()
    assert load_backbone(spec, tmp_path / "none.weights.h5").count_params() == 0
    assert json.loads(spec.model_dump_json())["weights"] == "none"
