"""Pictures of other kinds: their shape, their depth, their pages, and those that are refused."""

import importlib
import io
import re

import numpy as np
import pytest
from photo_files import encoded, photo, picture, raw_tiff, two_classes, write_files, zipped
from PIL import Image

import ingest_dataset
from graft.config.base import parse
from graft.config.dataset import Ingest, Pictures
from graft.config.keys import pictures_key
from graft.data.contact_sheet import GAP_PX, HEAD_PX, TEXT_PX, TILE_PX, TITLE_PX
from graft.data.decode import look
from graft.data.pictures import squared, upright_rgb
from graft.data.pixels import square
from graft.data.refusal import Refused
from graft.errors import UserError
from graft.figures.photos import thumbnail
from graft.network.model_file import pictures_of
from graft.predicting.decoding import open_square
from graft.reporting.provenance import FIT
from graft.storage.files import read_table, sha256_of


def grey_of(array, kind="TIFF", **pictures):
    """Return the grey levels of a deep picture as the pipeline sees it."""
    data = encoded(Image.fromarray(array), kind)
    return np.asarray(upright_rgb(io.BytesIO(data), pictures=Pictures(**pictures)))[..., 0]


def fault(tmp_path, data, name="1.tif", **pictures):
    """Return the gravest fault of a file."""
    (tmp_path / "file").write_bytes(data)
    return look(tmp_path / "file", name, Ingest(), Pictures(**pictures)).faults[:1]


# ------------------------------------------------------------------------------------------------------- fit


@pytest.fixture
def wide():
    """Return a picture twice as wide as high: a black, a white, a white and a black square, side by side."""
    image = Image.new("RGB", (80, 40), "black")
    image.paste("white", (20, 0, 60, 40))
    return image


@pytest.mark.parametrize(
    ("fit", "top", "middle"),
    [
        ("squash", [0, 255, 255, 0], [0, 255, 255, 0]),  # every quarter of the width is a quarter of the square
        ("pad", [0, 0, 0, 0], [0, 255, 255, 0]),  # black above; the whole width across the middle
        ("crop", [255, 255, 255, 255], [255, 255, 255, 255]),  # the two squares in the middle
    ],
)
def test_a_photo_becomes_a_square_as_fit_says(wide, fit, top, middle):
    grey = np.asarray(squared(wide, 8, fit))[..., 0]
    columns = [1, 3, 4, 6]  # inside each quarter
    assert grey.shape == (8, 8)
    assert grey[0, columns].tolist() == pytest.approx(top, abs=40)
    assert grey[4, columns].tolist() == pytest.approx(middle, abs=40)


@pytest.mark.parametrize("fit", ["squash", "pad", "crop"])
def test_a_photo_is_classified_from_the_pixels_that_were_packed(fit, tmp_path):
    path = tmp_path / "1.jpg"
    path.write_bytes(encoded(picture(0, 700, 300), "JPEG"))
    facts = {"pictures": Pictures(fit=fit).model_dump(mode="json")}  # as train_head writes them
    packed = square(str(path), sha256_of(path), 48, Pictures(fit=fit))
    assert np.array_equal(open_square(str(path), 48, pictures_of(facts)), packed)


def test_a_model_of_an_earlier_version_squeezes():
    assert pictures_of({"size": 32}) == Pictures(fit="squash", window="full", page=1)


def test_files_of_pixels_are_named_for_what_is_not_usual():
    every = [Pictures(), Pictures(fit="pad"), Pictures(fit="crop"), Pictures(window="percentile")]
    every += [Pictures(window=(0, 10)), Pictures(window=(0, 11)), Pictures(page=2), Pictures(fit="pad", page=2)]
    assert pictures_key(every[0]) == ""
    assert len({pictures_key(one) for one in every}) == len(every)
    assert all(re.fullmatch(FIT, pictures_key(one)) for one in every)  # so that a run's costs have its packing


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"fit": "stretch"}, "datasets.photos.fit is 'stretch'; choose from crop, pad, squash"),
        ({"window": "percent"}, "datasets.photos.window: 'percent' is none of full, percentile and"),
        ({"window": [3, 2]}, r"datasets.photos.window: \[3, 2\] is none of full, percentile and"),
        ({"window": [0, float("nan")]}, "two numbers of which low is less"),
        ({"window": [0, 1, 2]}, "two numbers of which low is less"),
        ({"page": 0}, "datasets.photos.page is 0"),
    ],
)
def test_an_impossible_setting_is_one_sentence(settings, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        parse(Pictures, settings, "datasets.photos")
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("datasets.photos") == 1


# ---------------------------------------------------------------------------------------------------- window

RAMP = np.arange(0, 4096, 1, dtype=np.uint16).reshape(64, 64)  # of a 12-bit camera


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("full", [0, 128, 255]),  # 4095 is white
        ("percentile", [0, 128, 255]),
        ([1024, 3071], [0, 128, 255]),
        ([0, 65535], [0, 8, 16]),  # as if all 16 bits were used: nearly black
        ([2048, 2049], [0, 0, 255]),
    ],
)
def test_a_12_bit_picture_is_seen_through_its_window(window, expected):
    grey = grey_of(RAMP, window=window)
    assert grey.ravel()[[0, 2048, 4095]].tolist() == pytest.approx(expected, abs=1)


def test_percentiles_pass_over_a_hot_pixel():
    values = np.linspace(100, 200, 64 * 64).reshape(64, 64)
    values[0, 0] = 65535
    assert grey_of(values.astype(np.uint16), window="full").max(initial=0, where=values < 300) <= 1
    stretched = grey_of(values.astype(np.uint16), window="percentile")
    assert stretched.min() == 0
    assert abs(int(stretched[32, 0]) - 128) <= 2


def test_a_window_leaves_pictures_of_8_bits_as_they_are():
    grey = np.arange(100, 164, dtype=np.uint8).reshape(8, 8)
    assert np.array_equal(grey_of(grey, "PNG", window="percentile"), grey)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0.5, 1], [0, 128, 255]),
        ([-1, 0, 1], [0, 128, 255]),  # negative values are no error: the lowest is black
        ([-1000, 0, 3000], [0, 64, 255]),
        ([0, 0.5, np.nan], [0, 128, 0]),  # no value is black
        ([0, 1, np.inf], [0, 255, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
    ],
)
def test_fractions_are_shades_too(values, expected):
    grey = grey_of(np.tile(np.array(values, np.float32), (20, 1)))
    assert grey[0].tolist() == pytest.approx(expected, abs=1)


def test_deep_pictures_of_equal_look_hash_alike(tmp_path):
    grey = np.asarray(picture(0).convert("L"))
    hashes = []
    for number, deep in enumerate((grey, grey.astype(np.uint16) * 16, grey.astype(np.float32) / 255)):
        path = tmp_path / f"{number}.tif"
        Image.fromarray(deep).save(path)
        hashes.append(look(path, path.name, Ingest()).phash)
    assert max((hashes[0] ^ other).bit_count() for other in hashes) <= 2


def test_colours_of_16_bits_are_said_to_lose_the_lower_eight(tmp_path):
    pixels = np.full((32, 32, 3), 40000, np.uint16)
    assert fault(tmp_path, raw_tiff(pixels, photometric=2)) == [("converted", "16-bit RGB to 8-bit RGB")]


def test_figures_show_a_deep_picture_as_the_network_sees_it(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "1.tif")
    shown = thumbnail(tmp_path / "1.tif", 64)
    assert shown[..., 0].mean() == pytest.approx(127, abs=2)


# ------------------------------------------------------------------------------------------- pages, channels


@pytest.fixture
def stack():
    """Return a TIFF of three pages: red, green and blue."""
    first, *others = (Image.new("RGB", (40, 30), colour) for colour in ("#c80000", "#00c800", "#0000c8"))
    return encoded(first, "TIFF", save_all=True, append_images=others)


@pytest.mark.parametrize(("page", "colour"), [(1, (200, 0, 0)), (2, (0, 200, 0)), (3, (0, 0, 200))])
def test_a_page_of_a_stack_counts(stack, page, colour, tmp_path):
    assert upright_rgb(io.BytesIO(stack), pictures=Pictures(page=page)).getpixel((5, 5)) == colour
    counts = "the first" if page == 1 else f"number {page}"
    assert fault(tmp_path, stack, page=page) == [("animated", f"several frames or pages, of which {counts} counts")]


def test_a_page_that_is_not_there_is_said(stack, tmp_path):
    assert fault(tmp_path, stack, page=4) == [("undecodable", "it has 3 pages, and datasets.NAME.page is 4")]
    assert fault(tmp_path, photo(0, "JPEG"), "1.jpg", page=2) == [
        ("undecodable", "it has 1 page, and datasets.NAME.page is 2")
    ]


@pytest.mark.parametrize(
    ("channels", "photometric", "extra"), [(2, 1, ()), (2, 1, (0,)), (3, 1, ()), (5, 2, (0, 0)), (5, 1, ()), (7, 1, ())]
)
def test_several_channels_are_refused_in_a_sentence(channels, photometric, extra, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, channels), dtype=np.uint8)
    told = f"it has {channels} channels that make no grey or RGB picture; save those that count as one"
    assert fault(tmp_path, raw_tiff(pixels, photometric, extra)) == [("undecodable", told)]


@pytest.mark.parametrize(
    ("channels", "photometric", "extra", "told"),
    [
        (1, 1, (), "L to 8-bit RGB"),
        (2, 1, (2,), "LA to 8-bit RGB"),
        (4, 2, (2,), "RGBA to 8-bit RGB"),
        (4, 2, (0,), "four channels, of which the last is left out"),
    ],
)
def test_grey_transparent_and_fourth_channels_are_taken(channels, photometric, extra, told, tmp_path):
    pixels = np.full((32, 32, channels), 200, np.uint8)
    assert fault(tmp_path, raw_tiff(pixels, photometric, extra)) == [("converted", told)]


# --------------------------------------------------------------------------------- formats of the optional install


@pytest.mark.parametrize(
    ("package", "data", "told"),
    [
        ("pillow_heif", b"\0\0\0\x18ftypheic" + bytes(300), "HEIC, which pillow-heif reads"),
        ("pydicom", bytes(128) + b"DICM" + bytes(300), "DICOM, which pydicom reads"),
    ],
)
def test_a_format_that_needs_a_package_says_how_to_install_it(package, data, told, tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    told += "; install it: pip install --require-hashes -r envs/requirements-pictures.txt"
    assert fault(tmp_path, data, "1") == [("undecodable", told)]
    (tmp_path / "1").write_bytes(data)
    assert open_square(str(tmp_path / "1"), 32) == told


# ------------------------------------------------------------------------------------------------- the whole audit


@pytest.mark.parametrize("fit", ["squash", "pad", "crop"])
def test_the_contact_sheet_shows_kept_photos_as_the_network_sees_them(fit, tmp_path):
    files = two_classes() | {"cats/0.png": encoded(picture(0, 120, 40))}
    photos = write_files(tmp_path / "photos", files)
    settings = f'{{"fit": "{fit}"}}'
    ingest_dataset.main(["--photos", str(photos), "--output", str(tmp_path / "out"), "--pictures", settings])
    box = (GAP_PX, TITLE_PX + HEAD_PX, GAP_PX + TILE_PX, TITLE_PX + HEAD_PX + TILE_PX)
    first = np.asarray(Image.open(tmp_path / "out" / "audit.png").crop(box))
    expected = np.asarray(squared(picture(0, 120, 40), TILE_PX, fit))
    assert np.array_equal(first[1:-1, 1:-1], expected[1:-1, 1:-1])  # but for the frame


def test_the_contact_sheet_shows_a_flagged_deep_picture_through_its_window(tmp_path):
    grey = np.asarray(picture(9).convert("L"))
    files = two_classes() | {"cats/deep.tif": encoded(Image.fromarray(grey.astype(np.uint16) * 16), "TIFF")}
    photos = write_files(tmp_path / "photos", files)
    ingest_dataset.main(["--photos", str(photos), "--output", str(tmp_path / "out")])
    top = TITLE_PX + 2 * HEAD_PX + TILE_PX + TEXT_PX + GAP_PX  # the second row
    box = (GAP_PX + TILE_PX // 2 - 24, top + TILE_PX // 2 - 16, GAP_PX + TILE_PX // 2 + 24, top + TILE_PX // 2 + 16)
    shown = np.asarray(Image.open(tmp_path / "out" / "audit.png").crop(box))[..., 0]
    assert np.abs(shown.astype(int) - grey).max() <= 1


def test_pictures_that_cannot_be_taken_cost_themselves_alone(tmp_path):
    stack = encoded(picture(50), "TIFF", save_all=True, append_images=[picture(51)])
    five = raw_tiff(np.zeros((32, 32, 5), np.uint8))
    archive = tmp_path / "photos.zip"
    archive.write_bytes(zipped(two_classes() | {"cats/stack.tif": stack, "dogs/five.tif": five}))
    ingest_dataset.main(["--photos", str(archive), "--output", str(tmp_path / "out")])
    audit = read_table(tmp_path / "out" / "audit.csv").set_index("path")
    assert audit["outcome"].value_counts().to_dict() == {"kept": 8, "warned": 1, "dropped": 1}
    assert "5 channels" in audit["detail"]["dogs/five.tif"]
    assert audit["outcome"]["cats/stack.tif"] == "warned"


def test_a_refused_picture_raises_its_sentence():
    with pytest.raises(Refused, match="2 channels"):
        upright_rgb(io.BytesIO(raw_tiff(np.zeros((32, 32, 2), np.uint8))))
