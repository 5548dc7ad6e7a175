"""Pretraining of Rootstock: its pictures, its rate, and what it hands on."""

import keras
import numpy as np

from graft.network.rootstock import build_rootstock
from graft.sample.textures import TEXTURES, draw_texture
from graft.training.pretraining import SIZE, batches, pretrain, warm_up_and_cosine


def textures(n: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % len(TEXTURES)
    return np.stack([draw_texture(label, np.random.default_rng(label), SIZE) for label in labels]), labels


def test_batches_follow_from_the_seed():
    drawn = textures(25)
    first, again, other = (next(batches(*drawn, n_cells=6, seed=seed)) for seed in (1, 1, 2))
    assert first[0].shape == (32, SIZE, SIZE, 3)
    assert first[1].shape == (32, 6, 6, len(TEXTURES))
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert first[0].min() < -0.5
    assert first[0].max() > 0.5


def test_the_rate_rises_for_a_tenth_of_the_steps_then_falls_to_nothing():
    rate = warm_up_and_cosine(100)
    assert [round(float(rate(step)), 5) for step in (0, 5, 10, 55, 100)] == [0, 0.001, 0.002, 0.001, 0]


def test_pretraining_returns_the_network_without_its_answers():
    rootstock = pretrain(*textures(64), epochs=1, seed=1, verbose=0)
    assert rootstock.output_shape == (None, 6, 6, 128)
    keras.utils.set_random_seed(1)
    start = build_rootstock(SIZE)
    moved = [np.abs(a - b).max() > 0 for a, b in zip(rootstock.get_weights(), start.get_weights(), strict=True)]
    assert np.mean(moved) > 0.9
