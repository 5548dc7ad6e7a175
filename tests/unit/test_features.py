"""Cached features: in shards as in one job."""

import numpy as np
import pandas as pd
import pytest

from graft.config.backbone import Backbone
from graft.config.experiment import EmbedSettings, Views
from graft.config.recipe import Augmentation
from graft.data.shards import join, rows_of_shard
from graft.network.backbones import build_backbone
from graft.training.features import batches, embed_photos
from networks import lively

SPEC = Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)
N_PHOTOS = 100
TRAINED = [row for row in range(N_PHOTOS) if row % 3]  # 66 photos; their first batch ends at row 47


@pytest.fixture(scope="module")
def embed(tmp_path_factory):
    """Return a function that writes the features of some rows, of 100 photos with two views of every trained one."""
    folder = tmp_path_factory.mktemp("features")
    pixels = np.random.default_rng(0).integers(0, 256, (N_PHOTOS, 32, 32, 3), np.uint8)
    np.save(folder / "pixels.npy", pixels)
    lively(build_backbone(SPEC)).save_weights(folder / "w.weights.h5")
    paths = [f"{row}.png" for row in range(N_PHOTOS)]
    roles = ["train" if row in TRAINED else "val" for row in range(N_PHOTOS)]
    split = pd.DataFrame({"path": paths, "label": "a", "fold": 0, "role": roles})
    turned = Augmentation(rotation=10, horizontal_flip=True)

    def run(name, rows=None, n_views=2):
        views = Views(augmentation=turned, count=n_views, phase=None, choosing=None, seed=0)
        settings = EmbedSettings(
            backbone=SPEC, pooling="avg", preprocessing="consistent", views=views, precision="float32"
        )
        embed_photos(settings, folder / "w.weights.h5", folder / "pixels.npy", split, paths, folder / name, rows)
        return folder / name

    return run


@pytest.mark.parametrize("count", [2, 3, 5])  # 100 photos are 4 batches: of 5 shards, 1 is empty
def test_shards_joined_have_the_bytes_of_one_job(embed, count, tmp_path):
    names = [f"{number}-of-{count}" for number in range(1, count + 1)]
    shards = [embed(f"{name}.npy", rows_of_shard(name, N_PHOTOS)) for name in names]
    assert join(shards, tmp_path / "joined.npy", axis=1) == (3, N_PHOTOS, 256)
    assert (tmp_path / "joined.npy").read_bytes() == embed("whole.npy").read_bytes()


def test_photos_that_are_not_trained_on_have_no_views(embed):
    features = np.load(embed("whole.npy"))
    assert np.flatnonzero(features[1].any(axis=1)).tolist() == TRAINED
    assert features[0].any(axis=1).all()


def test_a_batch_that_reaches_over_a_boundary_is_whole_in_both_shards():
    first, second = (batches(np.array(TRAINED), rows) for rows in (range(0, 32), range(32, 64)))
    assert [len(batch) for batch in first] == [32]
    assert [TRAINED[batch[0]] for batch in second] == [1, 49]
    assert np.array_equal(first[0], second[0])


def test_a_view_lies_at_its_photo_and_number_whatever_its_batch(embed):
    two, one = np.load(embed("whole.npy")), np.load(embed("one.npy", n_views=1))  # in other batches
    assert np.allclose(two[:2], one, rtol=0, atol=1e-5)
    assert not np.isclose(two[1, TRAINED], two[2, TRAINED], rtol=0, atol=1e-5).all(axis=1).any()


def test_features_without_views_need_no_split(embed, tmp_path):
    settings = EmbedSettings(backbone=SPEC, pooling="avg", preprocessing="consistent", views=None, precision="float32")
    folder = embed("whole.npy").parent
    paths = [f"{row}.png" for row in range(N_PHOTOS)]
    embed_photos(settings, folder / "w.weights.h5", folder / "pixels.npy", None, paths, tmp_path / "plain.npy")
    assert np.array_equal(np.load(tmp_path / "plain.npy")[0], np.load(folder / "whole.npy")[0])
