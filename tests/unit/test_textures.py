"""Textures to pretrain on, and collages of them."""

import itertools

import numpy as np
import pytest

from graft.sample.textures import TEXTURES, collages, draw_texture, draw_textures, patches, shares

N = len(TEXTURES)


def flat(values, size: int = 32) -> np.ndarray:
    """Return textures of one grey each."""
    return np.broadcast_to(np.array(values, np.uint8)[:, None, None, None], (len(values), size, size, 3))


@pytest.mark.parametrize("number", range(N), ids=[texture.__name__ for texture in TEXTURES])
def test_a_texture_follows_from_its_seed_alone(number):
    first, again, other = (draw_texture(number, np.random.default_rng(seed), 48) for seed in (1, 1, 2))
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_two_textures_are_alike_under_one_seed():
    drawn = [draw_texture(number, np.random.default_rng(3), 48).astype(float) for number in range(N)]
    assert min(np.abs(a - b).mean() for a, b in itertools.combinations(drawn, 2)) > 1


def test_any_number_of_processes_draws_the_same_textures():
    alone, labels = draw_textures(1, 32, seed=4, processes=1)
    together, _ = draw_textures(1, 32, seed=4, processes=2)
    assert labels.tolist() == list(range(N))
    assert np.array_equal(alone, together)


def test_a_collage_of_one_class_shows_one_class():
    _, classes = collages(np.random.default_rng(5), flat([10] * 20), np.full(20, 7))
    assert classes.shape == (20, 32, 32)
    assert set(classes.ravel()) == {7}


def test_most_collages_show_two_textures_or_more():
    _, classes = collages(np.random.default_rng(6), flat([10] * 200), np.arange(200) % N)
    counts = [len(np.unique(one)) for one in classes]
    assert set(counts) <= {1, 2, 3, 4, 5}
    assert np.median(counts) >= 2


def test_what_a_collage_shows_is_where_it_says():
    textures = flat([0, 250])  # black is class 0, white class 1; a tone keeps their order
    photos, classes = collages(np.random.default_rng(7), textures[[0, 1] * 20], np.array([0, 1] * 20))
    both = [(photo, one) for photo, one in zip(photos, classes, strict=True) if 0.2 < one.mean() < 0.8]
    assert len(both) > 10
    assert all(photo[one == 1].mean() > photo[one == 0].mean() for photo, one in both)


def test_patches_are_neither_specks_nor_everything():
    areas = patches(np.random.default_rng(8), 400, 32).mean((1, 2))
    assert areas.min() > 0.01
    assert areas.max() < 0.7


def test_shares_are_fractions_of_a_cell():
    classes = np.zeros((1, 4, 4), int)
    classes[0, 0, 0] = 3  # one of the first cell's four pixels
    classes[0, 2:, 2:] = 5  # the whole last cell
    found = shares(classes, 2)
    assert found.shape == (1, 2, 2, N)
    assert found[0, 0, 0, [0, 3]].tolist() == [0.75, 0.25]
    assert found[0, 1, 1, 5] == 1
    assert found.sum(-1).tolist() == [[[1, 1], [1, 1]]]


def test_collages_are_between_black_and_white():
    photos, _ = collages(np.random.default_rng(9), flat([0, 255, 120, 60]), np.array([0, 1, 2, 3]))
    assert photos.shape == (4, 32, 32, 3)
    assert photos.min() >= 0
    assert photos.max() <= 1
