"""Rootstock: its shape, its blocks, and weights that come back from a small file."""

import keras
import numpy as np
import pytest

from graft.errors import UserError
from graft.network.blocks import block_names
from graft.network.folding import foldable
from graft.network.rootstock import build_rootstock, load_rootstock_weights, save_rootstock_weights

BLOCKS = ["stem", "block_1", "block_2", "block_3"]


@pytest.fixture(scope="module")
def rootstock() -> keras.Model:
    """Return a network whose every weight has moved from where it starts."""
    keras.utils.set_random_seed(1)
    model = build_rootstock(32)
    rng = np.random.default_rng(1)
    model.set_weights([value + rng.uniform(0, 0.1, value.shape) for value in model.get_weights()])
    return model


def photos(n: int, size: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, (n, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize(("size", "side"), [(32, 2), (96, 6), (100, 7)])
def test_each_of_four_steps_halves_the_side(size, side):
    assert build_rootstock(size).output_shape == (None, side, side, 128)


def test_its_blocks_are_found_in_order(rootstock):
    assert list(dict.fromkeys(block_names(rootstock))) == BLOCKS


def test_every_normalisation_can_be_folded(rootstock):
    norms = [layer.name for layer in rootstock.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert len(norms) == 10
    assert set(foldable(rootstock)) == set(norms)


def test_saved_weights_come_back_but_for_float16(rootstock, tmp_path):
    save_rootstock_weights(rootstock, tmp_path / "rootstock.npz")
    taken = build_rootstock(32)
    load_rootstock_weights(taken, tmp_path / "rootstock.npz")
    for ours, theirs in zip(rootstock.get_weights(), taken.get_weights(), strict=True):
        assert theirs.dtype == np.float32
        assert np.array_equal(ours.astype(np.float16), theirs)
    before, after = (np.asarray(model(photos(4, 32))) for model in (rootstock, taken))
    assert np.abs(before - after).max() < 2e-3 * np.abs(before).max()


def test_equal_weights_make_equal_files_below_a_megabyte_and_a_half(rootstock, tmp_path):
    for name in ("a.npz", "b.npz"):
        save_rootstock_weights(rootstock, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz").stat().st_size < 1_500_000


def test_weights_serve_any_size_of_photo(rootstock, tmp_path):
    save_rootstock_weights(rootstock, tmp_path / "rootstock.npz")
    larger = build_rootstock(96)
    load_rootstock_weights(larger, tmp_path / "rootstock.npz")
    assert larger(photos(1, 96)).shape == (1, 6, 6, 128)


def test_weights_of_another_network_are_refused(tmp_path):
    np.savez_compressed(tmp_path / "other.npz", **{"stem_conv/kernel": np.zeros((3, 3, 3, 8), np.float16)})
    with pytest.raises(UserError, match=r"other\.npz does not hold the weights of this Rootstock"):
        load_rootstock_weights(build_rootstock(32), tmp_path / "other.npz")
