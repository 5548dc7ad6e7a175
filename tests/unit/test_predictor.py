"""The predictor that travels with an exported model: alone, and the same as the chain in every pixel and verdict."""

import ast
import io
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from photo_files import encoded, huge_png, photo, picture
from PIL import Image

from graft.config.dataset import Limits, Pictures
from graft.data import depth, layout, pictures
from graft.exporting import predictor
from graft.predicting import decision, decoding


def with_orientation(value: int, image: Image.Image | None = None, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = value
    return encoded(image or picture(0), kind, exif=exif)


def transparent_palette() -> bytes:
    image = picture(0).quantize(16)
    image.info["transparency"] = 3
    return encoded(image, "PNG", transparency=3)


def deep(brightest: int) -> Image.Image:
    return Image.fromarray(np.linspace(0, brightest, 48 * 32).reshape(32, 48).astype(np.uint16))


def tiff_of_stated_depth() -> bytes:
    stream = io.BytesIO()
    deep(1000).save(stream, "TIFF", tiffinfo={0x0119: 4095})
    return stream.getvalue()


PICTURES = {
    **{f"orientation-{value}": with_orientation(value) for value in range(1, 10)},
    "orientation-of-a-transparent-png": with_orientation(6, picture(0).convert("RGBA"), "PNG"),
    **{kind: photo(0, kind) for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM")},
    "a-large-jpeg-that-is-decoded-smaller": photo(0, "JPEG", (1600, 900)),
    "palette": encoded(picture(0).quantize(16)),
    "transparent-palette": transparent_palette(),
    "transparent": encoded(Image.merge("RGBA", (*picture(0).split(), picture(1).convert("L")))),
    "grey-and-transparent": encoded(Image.merge("LA", (picture(0).convert("L"), picture(1).convert("L")))),
    "cmyk": encoded(picture(0).convert("CMYK"), "JPEG"),
    "black-and-white": encoded(picture(0).convert("1")),
    **{f"16-bit-up-to-{top}": encoded(deep(top)) for top in (255, 1000, 4095, 65535)},
    "tiff-of-stated-depth": tiff_of_stated_depth(),
    "float": encoded(Image.fromarray(np.linspace(0, 1, 48 * 32).reshape(32, 48).astype(np.float32)), "TIFF"),
    "animated": encoded(picture(0), "WEBP", save_all=True, append_images=[picture(1)]),
    "cut": photo(0, "JPEG")[:-200],
    "huge": huge_png(60_000, 60_000),
    "a-web-page": b"<!DOCTYPE html>",
    "empty": b"",
}


def assert_same(path: Path, size: int, **ways) -> None:
    settings = Pictures(**ways)
    ours = decoding.open_square(str(path), size, settings)
    carried = predictor.WAYS | settings.model_dump(mode="json")  # as they travel in a model's facts
    theirs = predictor.open_square(str(path), size, carried)
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, np.ndarray):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_becomes_the_pixels_that_it_becomes_in_the_chain(name, tmp_path):
    (tmp_path / "photo").write_bytes(PICTURES[name])
    for size in (32, 224):
        assert_same(tmp_path / "photo", size)


@pytest.mark.parametrize(
    "ways",
    [
        *({"fit": fit} for fit in ("squash", "pad", "crop")),
        *({"window": window} for window in ("full", "percentile", [1000, 3000], [-5, 0.5])),
        {"page": 2},
        {"fit": "crop", "window": "percentile", "page": 2},
    ],
    ids=str,
)
def test_fit_window_and_page_are_those_of_the_chain(ways, tmp_path):
    negative = Image.fromarray(np.linspace(-100, 900, 48 * 32).reshape(32, 48).astype(np.float32))
    holes = Image.fromarray(np.where(np.eye(32, 48), np.nan, 5).astype(np.float32))
    pages = encoded(deep(4095), "TIFF", save_all=True, append_images=[deep(200), deep(60000)])
    others = {"negative": encoded(negative, "TIFF"), "holes": encoded(holes, "TIFF"), "pages": pages}
    for name, data in (PICTURES | others).items():
        (tmp_path / name).write_bytes(data)
        assert_same(tmp_path / name, 40, **ways)


def test_damaged_pictures_fare_as_they_do_in_the_chain(tmp_path):
    chance = random.Random(0)
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "GIF"):
        for _ in range(20):
            data = bytearray(photo(0, kind))
            for _ in range(chance.choice([1, 5, 30])):
                data[chance.randrange(len(data))] = chance.randrange(256)
            (tmp_path / "photo").write_bytes(bytes(data))
            assert_same(tmp_path / "photo", 32)


def test_a_missing_file_and_a_folder_are_named_as_in_the_chain(tmp_path):
    for path in (tmp_path / "no.jpg", tmp_path):
        assert predictor.open_square(str(path), 32) == decoding.open_square(str(path), 32)


def test_the_lists_of_formats_and_limits_are_those_of_the_chain():
    assert [*predictor.FORMATS, "HEIF", "DICOM"] == pictures.FORMATS  # these two need packages of their own
    assert predictor.DEPTHS == depth.DEPTHS
    assert predictor.PERCENTILES == depth.PERCENTILES
    assert predictor.MAX_SAMPLE_VALUE == depth.MAX_SAMPLE_VALUE
    assert set(predictor.FITS) == set(pictures.FITS)
    assert Pictures().model_dump(mode="json") == predictor.WAYS
    assert set(layout.EXTENSIONS) == predictor.SUFFIXES
    assert Limits().pixels == predictor.MOST_PIXELS


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("threshold", [None, 0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("unsure_below", [0.0, 0.5, 0.75])
def test_it_decides_as_the_chain_does_also_on_the_threshold_itself(n_classes, threshold, unsure_below):
    steps = np.linspace(0, 1, 5)  # 0.25, 0.5 and 0.75 are exact in binary, so they meet the thresholds
    rows = np.stack([1 - steps, steps] if n_classes == 2 else [1 - steps, steps / 2, steps / 2], axis=1)
    answers, sure = decision.decide(rows, threshold, unsure_below)
    found = [predictor.decide(row, threshold, unsure_below) for row in rows]
    assert found == list(zip(answers.tolist(), sure.tolist(), strict=True))


def test_it_imports_nothing_but_numpy_pillow_and_onnxruntime():
    tree = ast.parse(Path(predictor.__file__).read_text())
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    others = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
    assert others == {"numpy", "PIL", "onnxruntime"}


def said(capsys, *arguments: str) -> str:
    """Return the one sentence that the predictor ends with, having failed."""
    assert predictor.main(list(arguments)) == 1
    [sentence] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("predict: ")]
    return sentence


def test_an_empty_folder_is_one_sentence(tmp_path, capsys):
    assert said(capsys, str(tmp_path)) == f"predict: there are no photos in {tmp_path}"


def test_a_missing_onnxruntime_is_one_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    (tmp_path / "1.png").write_bytes(photo(0))
    assert "onnxruntime is not installed: pip install" in said(capsys, str(tmp_path))


def test_a_missing_or_broken_model_is_one_sentence(tmp_path, capsys):
    pytest.importorskip("onnxruntime", reason="needs make exports-setup")
    (tmp_path / "1.png").write_bytes(photo(0))
    (tmp_path / "cut.onnx").write_bytes(b"\x08\x07\x12")
    model = tmp_path / "no.onnx"
    assert f"{model} does not exist" in said(capsys, str(tmp_path), "--model", str(model))
    model = tmp_path / "cut.onnx"
    assert "is no ONNX model of Graft's, or was cut" in said(capsys, str(tmp_path), "--model", str(model))


def test_help_is_there_without_any_package_but_numpy_and_pillow():
    done = subprocess.run([sys.executable, predictor.__file__, "--help"], capture_output=True, text=True, check=True)
    assert "python predict.py photos/" in done.stdout
