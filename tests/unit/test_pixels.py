"""Packed pixels: every photo once, upright, in the manifest's order."""

import numpy as np
import pandas as pd
import pytest
from photo_files import encoded, photo, picture, write_files
from PIL import Image

import pack_images
from graft.data.shards import join
from graft.errors import UserError
from graft.files import sha256_of, write_table


@pytest.fixture
def packed(tmp_path):
    """Return a function that packs photos, {path: bytes}, and returns the array."""

    def run(files, size=16, shard=None, sha256=None):
        write_files(tmp_path / "images", files)
        digests = [sha256 or sha256_of(tmp_path / "images" / name) for name in files]
        write_table(pd.DataFrame({"path": list(files), "sha256": digests}), tmp_path / "manifest.csv")
        output = tmp_path / "pixels.npy"
        arguments = ["--manifest", tmp_path / "manifest.csv", "--images", tmp_path / "images", "--output", output]
        arguments += ["--size", size, "--workers", 2, *(["--shard", shard] if shard else [])]
        pack_images.main([str(one) for one in arguments])
        assert [path.name for path in tmp_path.glob("*.npy")] == ["pixels.npy"]
        return np.load(output, mmap_mode="r")

    return run


def test_rows_stand_in_the_order_of_the_manifest(packed):
    colours = {
        f"{value:03}.png": encoded(Image.new("RGB", (20, 30), (value, 0, 255 - value))) for value in range(200, 0, -1)
    }
    pixels = packed(colours)
    assert (pixels.shape, pixels.dtype) == ((200, 16, 16, 3), np.uint8)
    assert pixels[:, 8, 8, 0].tolist() == list(range(200, 0, -1))


def test_photos_are_squeezed_not_cropped(packed):
    halves = Image.new("RGB", (400, 50), "black")
    halves.paste("white", (200, 0, 400, 50))
    (pixels,) = packed({"1.png": encoded(halves)})
    assert pixels[:, :7].max() == 0
    assert pixels[:, 9:].min() == 255


def test_fine_stripes_become_grey_instead_of_aliasing(packed):
    stripes = np.zeros((320, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    (pixels,) = packed({"1.png": encoded(Image.fromarray(stripes))})
    assert abs(pixels.astype(int) - 128).max() < 6


def test_a_large_jpeg_decoded_small_looks_as_if_decoded_whole(packed):
    large = picture(0, 1600, 1200)
    (from_jpeg, from_png) = packed({"1.jpg": encoded(large, "JPEG", quality=95), "2.png": encoded(large)})
    assert abs(from_jpeg.astype(int) - from_png).mean() < 2


@pytest.mark.parametrize("count", [2, 3, 5])  # 70 photos are 3 batches: of 5 shards, 2 are empty
def test_shards_joined_have_the_bytes_of_one_job(count, packed, tmp_path):
    files = {f"{seed}.png": photo(seed) for seed in range(70)}
    packed(files)
    output, one_job = tmp_path / "pixels.npy", (tmp_path / "pixels.npy").read_bytes()
    shards = []
    for number in range(1, count + 1):
        packed(files, shard=f"{number}-of-{count}")
        shards.append(output.replace(tmp_path / f"shard-{number}"))
    join(shards, output, axis=0)
    assert output.read_bytes() == one_job


def test_a_photo_that_changed_since_it_was_checked_is_named(packed):
    with pytest.raises(UserError, match=r"1.jpg has changed since it was checked; run ingest_dataset again"):
        packed({"1.jpg": photo(0, "JPEG")[:-100]}, sha256="0" * 64)


def test_a_photo_that_was_kept_truncated_is_filled_up(packed):
    cut = encoded(picture(0, 200, 200), "JPEG", quality=95)
    (pixels,) = packed({"1.jpg": cut[: len(cut) // 2]})
    assert pixels[:4].std() > 10
    assert np.ptp(pixels[-2:]) < 10
