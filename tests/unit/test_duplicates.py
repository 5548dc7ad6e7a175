"""Copies and lookalikes."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from photo_files import picture
from PIL import Image, ImageEnhance

from graft.config.dataset import Ingest
from graft.data import duplicates
from graft.data.decode import look
from graft.data.duplicates import close_hashes, joined, near_links, same_bytes


def looks(images, tmp_path):
    found = []
    for number, image in enumerate(images):
        path = tmp_path / f"{number}.png"
        image.save(path)
        found.append(look(path, path.name, Ingest()))
    return found


def pairs(images, tmp_path, distance=10):
    found = looks(images, tmp_path)
    return near_links([one.phash for one in found], [one.thumbnail for one in found], distance)


def saved_anew(image):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=40)
    return Image.open(stream)


@pytest.mark.parametrize(
    "change",
    [
        saved_anew,
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: ImageEnhance.Brightness(image).enhance(1.2),
        lambda image: image.convert("L"),
        lambda image: image.crop((2, 2, image.width - 2, image.height - 2)),
    ],
)
def test_a_photo_that_was_changed_a_little_is_found(change, tmp_path):
    image = picture(0, 240, 160)
    assert pairs([image, picture(1, 240, 160), change(image)], tmp_path) == [(0, 2)]


def test_different_photos_are_not_paired(tmp_path):
    assert pairs([picture(seed, 96, 64) for seed in range(60)], tmp_path) == []


def test_flat_pictures_are_not_paired_for_their_noise(tmp_path):
    assert pairs([Image.new("RGB", (64, 64), colour) for colour in ("white", "snow", "black")], tmp_path) == []


def test_distance_0_looks_for_nothing(tmp_path):
    assert pairs([picture(0), saved_anew(picture(0))], tmp_path, distance=0) == []


def every_pair(bits, distance):
    """Return what `close_hashes` must find, by comparing all hashes with all."""
    close = np.bitwise_count(bits[:, None] ^ bits) <= distance
    return [(int(row), int(column)) for row, column in np.argwhere(close) if row < column]


@given(
    st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.sets(st.integers(0, 63), max_size=17)), max_size=30),
    st.integers(0, 16),
)
def test_no_pair_of_close_hashes_is_missed_and_none_is_made_up(hashes, changes, distance):
    changed = [hashes[one % len(hashes)] ^ sum(1 << bit for bit in flipped) for one, flipped in changes]
    bits = np.array(hashes + changed, np.uint64)
    assert list(close_hashes(bits, distance)) == every_pair(bits, distance)


@pytest.mark.parametrize("distance", [0, 1, 2, 3, 4, 9, 10, 16])
@pytest.mark.parametrize("limits", [{}, {"ROWS": 7}, {"ROOM": 50}])
def test_close_hashes_are_found_however_the_work_is_cut(distance, limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(duplicates, name, value)
    chance = np.random.default_rng(distance)
    bits = chance.integers(0, 2**64, 40, dtype=np.uint64)[chance.integers(0, 40, 300)]
    for _ in range(8):
        bits ^= np.uint64(1) << chance.integers(0, 64, 300, dtype=np.uint64)
    assert list(close_hashes(bits, distance)) == every_pair(bits, distance)


def test_thousands_of_equal_hashes_take_little_memory_at_once(monkeypatch):
    monkeypatch.setattr(duplicates, "ROOM", 5000)
    pairs = close_hashes(np.zeros(2000, np.uint64), 10)
    assert [next(pairs) for _ in range(3)] == [(0, 1), (0, 2), (0, 3)]


def test_the_work_grows_far_less_than_the_number_of_pairs():
    """Of 2**16 values of a block, a hash looks into those near its own: 137 of them hold a 478th of all hashes."""
    bits = np.random.default_rng(0).integers(0, 2**64, 4000, dtype=np.uint64)
    table = duplicates.BlockTable((bits & np.uint64(0xFFFF)).astype(np.uint16), 2)
    _, counts = table.places(0, len(bits))
    assert table.flips.size == 1 + 16 + 120
    assert counts.sum() < len(bits) ** 2 / 300


def test_groups_join_through_common_members():
    assert joined(6, [(4, 5), (0, 1), (1, 4)]) == [0, 0, 2, 3, 0, 0]
    assert same_bytes(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4]]


def test_many_copies_of_one_picture_take_as_many_links_not_pairs():
    thumbnail = bytes(range(256))
    hashes = [0b111 & number for number in range(3000)]  # eight hashes, all within three bits
    links = near_links(hashes, [thumbnail] * 3000, 10)
    assert len(links) == 2999
    assert set(joined(3000, links)) == {0}
