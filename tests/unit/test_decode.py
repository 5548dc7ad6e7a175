"""Pictures of every kind and condition, read once."""

import random

import numpy as np
import pytest
from photo_files import encoded, huge_png, photo, picture
from PIL import Image

from graft.config.dataset import Ingest
from graft.data.decode import look
from graft.data.pictures import upright_rgb


def looked(tmp_path, data, name="1.png", **settings):
    path = tmp_path / "file"
    path.write_bytes(data)
    return look(path, name, Ingest(**settings))


def kinds(tmp_path, data, name="1.png", **settings):
    return [kind for kind, _ in looked(tmp_path, data, name, **settings).faults]


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [
        ("JPEG", "jpg"),
        ("JPEG", "JPEG"),
        ("PNG", "png"),
        ("WEBP", "webp"),
        ("BMP", "bmp"),
        ("TIFF", "tif"),
        ("AVIF", "avif"),
    ],
)
def test_every_common_format_is_read(kind, suffix, tmp_path):
    found = looked(tmp_path, photo(0, kind), f"1.{suffix}")
    assert (found.faults, found.width, found.height) == ([], 48, 32)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"", "1.jpg", ["empty"]),
        (b"<!DOCTYPE html>", "1.jpg", ["not_an_image"]),
        (b"label,path\n", "labels.csv", ["not_an_image"]),
        (photo(0)[:40], "1.png", ["undecodable"]),
        (b"\0\0\0\x18ftypheic" + bytes(300), "1.heic", ["undecodable"]),
        (photo(0, "JPEG")[:-200], "1.jpg", ["truncated"]),
        (photo(0, "JPEG"), "1.png", ["misnamed"]),
        (photo(0, "JPEG"), "1", []),
        (encoded(picture(0).convert("L")), "1.png", ["converted"]),
        (encoded(picture(0).quantize(16)), "1.png", ["converted"]),
        (encoded(picture(0).convert("RGBA")), "1.png", ["converted"]),
        (encoded(picture(0).convert("CMYK"), "JPEG"), "1.jpg", ["converted"]),
        (encoded(Image.fromarray(np.full((32, 32), 40000, np.uint16))), "1.png", ["converted"]),
        (encoded(picture(0), "WEBP", save_all=True, append_images=[picture(1)]), "1.webp", ["animated"]),
        (encoded(picture(0, 15, 100)), "1.png", ["too_small"]),
        (encoded(picture(0, 20, 201)), "1.png", ["extreme_aspect"]),
        (encoded(picture(0, 20, 200)), "1.png", []),
        (huge_png(60_000, 60_000), "1.png", ["too_large"]),
    ],
)
def test_every_oddity_has_its_name(data, name, expected, tmp_path):
    assert kinds(tmp_path, data, name) == expected


def test_a_phone_s_photo_is_measured_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    found = looked(tmp_path, encoded(picture(0), "JPEG", exif=exif), "1.jpg")
    assert found.faults == [("rotated", "EXIF orientation 6")]
    assert (found.width, found.height) == (32, 48)


def test_a_file_larger_than_the_limit_is_not_even_read(tmp_path):
    found = looked(tmp_path, bytes(2_000_000), limits={"file_mb": 1})
    assert (found.faults[0][0], found.sha256) == ("too_large", "")


def test_the_same_picture_hashes_alike_however_it_is_stored(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down, and told so
    files = [photo(0), photo(0, "JPEG", quality=60), encoded(picture(0).resize((200, 133)), "WEBP")]
    files.append(encoded(picture(0).rotate(180), "JPEG", exif=exif))
    hashes = [looked(tmp_path, data, "1").phash for data in files]
    assert max((hashes[0] ^ other).bit_count() for other in hashes) <= 6
    assert (hashes[0] ^ looked(tmp_path, photo(1)).phash).bit_count() > 16


def test_transparency_lies_on_white_and_16_bits_keep_their_upper_eight(tmp_path):
    path = tmp_path / "1.png"
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(path)
    assert upright_rgb(path).getpixel((0, 0)) == (255, 255, 255)
    Image.fromarray(np.full((20, 20), 128 * 257, np.uint16)).save(path)
    assert upright_rgb(path).getpixel((0, 0)) == (128, 128, 128)


@pytest.mark.parametrize(
    ("brightest", "bits"),
    [(255, 8), (256, 10), (1000, 10), (4095, 12), (4096, 14), (16383, 14), (20000, 16), (65535, 16)],
)
def test_deep_grey_is_scaled_by_the_fewest_bits_that_hold_it(brightest, bits, tmp_path):
    path = tmp_path / "1.png"
    Image.fromarray(np.array([[0, brightest // 2], [brightest, brightest]], np.uint16)).save(path)
    white = 2**bits - 1
    assert upright_rgb(path).getpixel((0, 1))[0] == round(255 * brightest / white)


def test_a_depth_that_the_file_states_is_believed(tmp_path):
    path = tmp_path / "1.tif"
    Image.fromarray(np.full((20, 20), 1000, np.uint16)).save(path, tiffinfo={0x0119: 4095})
    assert upright_rgb(path).getpixel((0, 0))[0] == round(255 * 1000 / 4095)


def test_an_orientation_is_applied_once_even_to_a_transparent_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for image in (picture(0), picture(0).convert("RGBA")):
        image.save(tmp_path / "1.png", exif=exif)
        turned = upright_rgb(tmp_path / "1.png")
        assert turned.size == (32, 48)
        assert np.array_equal(np.asarray(turned), np.rot90(np.asarray(picture(0)), -1))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF"])
def test_no_mutation_of_a_picture_crashes(kind, tmp_path):
    chance, original = random.Random(0), photo(0, kind)
    for _ in range(150):
        data = bytearray(original)
        for _ in range(chance.choice([1, 2, 10, 50])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(1, len(data)) :]
        found = looked(tmp_path, bytes(data), "1.jpg")
        assert (found.phash is None) == any(
            kind in ("undecodable", "not_an_image", "too_large") for kind, _ in found.faults
        )
        assert "\n" not in "".join(detail for _, detail in found.faults)
