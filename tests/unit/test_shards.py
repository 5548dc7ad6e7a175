"""Shards: every photo in one of them, and joined to the bytes of the array that one job writes."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import join_shards
from graft.data.shards import BATCH, join, rows_of_shard
from graft.errors import UserError


def shards_of(n_photos: int, count: int) -> list[range]:
    return [rows_of_shard(f"{number}-of-{count}", n_photos) for number in range(1, count + 1)]


@given(n_photos=st.integers(0, 5000), count=st.integers(1, 1000))
def test_every_photo_is_in_one_shard_and_no_batch_in_two(n_photos, count):
    shards = shards_of(n_photos, count)
    assert [row for rows in shards for row in rows] == list(range(n_photos))
    assert all(rows.start % BATCH == 0 for rows in shards if rows)
    n_batches = [-(-len(rows) // BATCH) for rows in shards]
    assert max(n_batches) - min(n_batches) <= 1


@pytest.mark.parametrize("shard", ["3", "0-of-2", "3-of-2", "a-of-b", "1:2"])
def test_a_shard_that_is_none_is_refused(shard):
    with pytest.raises(UserError, match=f"--shard is '{shard}'; it takes i-of-n"):
        rows_of_shard(shard, 10)


@given(n_photos=st.integers(0, 400), count=st.integers(1, 20), axis=st.sampled_from([0, 1]))
def test_shards_are_joined_to_the_bytes_of_the_whole(n_photos, count, axis):
    shape = [3, 3, 2]
    shape[axis] = n_photos
    whole = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / f"{number}.npy" for number in range(count)]
        for path, rows in zip(paths, shards_of(n_photos, count), strict=True):
            np.save(path, whole.take(rows, axis))
        np.save(folder / "whole.npy", whole)
        join_shards.main(
            ["--shards", *map(str, paths), "--axis", str(axis), "--output", str(folder / "joined.npy")],
        )
        assert (folder / "joined.npy").read_bytes() == (folder / "whole.npy").read_bytes()


def test_arrays_that_are_no_shards_of_one_are_refused(tmp_path):
    np.save(tmp_path / "1.npy", np.zeros((2, 3)))
    np.save(tmp_path / "2.npy", np.zeros((2, 4)))
    with pytest.raises(ValueError, match="shards must agree in type, and in shape but for axis 0"):
        join([tmp_path / "1.npy", tmp_path / "2.npy"], tmp_path / "joined.npy", axis=0)
