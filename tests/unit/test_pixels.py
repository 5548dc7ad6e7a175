"""Packed pixels: every photo once, upright, in the manifest's order."""

import errno
import hashlib
import os
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from photo_files import encoded, photo, picture, write_files
from PIL import Image

import pack_images
from graft.data.shards import join
from graft.errors import UserError
from graft.storage.files import sha256_of, write_table
from places import ROOT


@pytest.fixture
def packed(tmp_path):
    """Return a function that packs photos, {path: bytes}, and returns the array."""

    def run(files, size=16, shard=None, sha256=None, without=None):
        write_files(tmp_path / "images", files)
        digests = [sha256 or sha256_of(tmp_path / "images" / name) for name in files]
        write_table(pd.DataFrame({"path": list(files), "sha256": digests}), tmp_path / "manifest.csv")
        if without:
            (tmp_path / "images" / without).unlink()
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


def test_a_photo_that_was_exchanged_for_another_good_one_is_named(packed):
    with pytest.raises(UserError, match=r"1.jpg has changed since it was checked; run ingest_dataset again"):
        packed({"1.jpg": photo(0, "JPEG")}, sha256=hashlib.sha256(photo(1, "JPEG")).hexdigest())


def test_a_photo_that_is_gone_is_named(packed, tmp_path):
    with pytest.raises(UserError, match=r"1.jpg is gone since it was checked; run ingest_dataset again"):
        packed({"0.jpg": photo(0, "JPEG"), "1.jpg": photo(1, "JPEG")}, without="1.jpg")


def full_disk(descriptor, start, length):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_pixels_that_the_disk_has_no_room_for_are_refused_before_any_photo_is_decoded(packed, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "posix_fallocate", full_disk)
    sentence = (
        r"/pixels.npy needs 0.1 MB, and its disk \(/.*\) has [\d.,]+ MB free; make room there, or raise the quota"
    )
    with pytest.raises(UserError, match=sentence):
        packed({f"{seed}.png": photo(seed) for seed in range(100)})
    assert not [path for path in tmp_path.iterdir() if "pixels" in path.name]


def test_shards_that_the_disk_has_no_room_to_join_are_told(monkeypatch, tmp_path):
    np.save(tmp_path / "1.npy", np.zeros((1000, 1000), np.uint8))
    monkeypatch.setattr(os, "posix_fallocate", full_disk)
    with pytest.raises(UserError, match=r"joined.npy needs 1.0 MB, and its disk"):
        join([tmp_path / "1.npy"], tmp_path / "joined.npy", axis=0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is told in another way")
def test_a_limit_on_the_length_of_files_is_told_too(tmp_path):
    """Where the limit is hit in mapped memory instead, the process dies of SIGBUS."""
    script = (
        "import resource; from pathlib import Path; from graft.storage.arrays import new_array; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)); new_array(Path('a.npy'), 'u1', (10**7,))"
    )
    place = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(ROOT / "workflow" / "scripts")}}
    done = subprocess.run([sys.executable, "-c", script], **place, capture_output=True, text=True, timeout=60)
    assert "UserError: a.npy needs 10.0 MB" in done.stderr


def test_a_disk_that_cannot_set_blocks_aside_is_used_all_the_same(packed, monkeypatch):
    def unsupported(descriptor, start, length):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    assert packed({"1.png": photo(1)}).shape == (1, 16, 16, 3)


def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_worker_that_is_killed_is_told_in_one_sentence(packed, monkeypatch):
    monkeypatch.setattr("graft.data.pixels.square", killed)
    with pytest.raises(UserError, match=r"a process that packs photos was killed, .* when memory runs out"):
        packed({"1.png": photo(1)})


def test_a_photo_that_was_kept_truncated_is_filled_up(packed):
    cut = encoded(picture(0, 200, 200), "JPEG", quality=95)
    (pixels,) = packed({"1.jpg": cut[: len(cut) // 2]})
    assert pixels[:4].std() > 10
    assert np.ptp(pixels[-2:]) < 10
