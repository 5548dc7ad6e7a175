"""Copies and lookalikes."""

import io

import numpy as np
import pytest
from photo_files import picture
from PIL import Image, ImageEnhance

from graft.config.dataset import Ingest
from graft.data import duplicates
from graft.data.decode import look
from graft.data.duplicates import close_hashes, connected_components, near_links, same_bytes


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


def test_blocks_of_the_distance_matrix_miss_no_pair(monkeypatch):
    monkeypatch.setattr(duplicates, "BLOCK", 256 * 700)
    chance = np.random.default_rng(0)
    bits = chance.integers(0, 2**63, 700, dtype=np.uint64)
    bits[650] = bits[3] ^ np.uint64(0b111)  # blocks 0 and 2 of 256 rows
    bits[300] = bits[299]
    assert list(close_hashes(bits, 3)) == [(3, 650), (299, 300)]
    assert list(close_hashes(bits, 2)) == [(299, 300)]


def test_groups_join_through_common_members():
    assert connected_components(6, [(4, 5), (0, 1), (1, 4)]) == [0, 0, 2, 3, 0, 0]
    assert same_bytes(["a", "b", "a", "c", "b"]) == [[0, 2], [1, 4]]


def test_many_copies_of_one_picture_take_as_many_links_not_pairs():
    thumbnail = bytes(range(256))
    hashes = [0b111 & number for number in range(3000)]  # eight hashes, all within three bits
    links = near_links(hashes, [thumbnail] * 3000, 10)
    assert len(links) == 2999
    assert set(connected_components(3000, links)) == {0}
