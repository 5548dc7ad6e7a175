#!/usr/bin/env python3
"""Ask an exported model about photos: files, folders, or `-` for paths on standard input.

    python predict.py photos/

This file and the model.onnx beside it are all there is to it: Graft and TensorFlow are not needed, only NumPy, Pillow
and onnxruntime (`pip install --require-hashes -r requirements.txt`). A line a photo: path, answer, the answer's
calibrated probability; or "not sure" where that lies below the bound that the model carries, or "unlike the training
photos" where the photo lies too far from them, and behind it the class that it would have answered. Where a photo may
have several labels: each that reaches its own threshold, the most probable first, or "none". Files that cannot be read
are named on standard error and make exit code 1.
"""

# Graft copies this file beside each ONNX model, so it imports nothing of Graft's. What it does with a picture must be
# what graft/data/decode.py does, and its rules those of graft/predicting/: tests/unit/test_predictor.py compares.
import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None  # MOST_PIXELS is held against every picture instead, with a sentence of its own
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM"]
SUFFIXES = {  # which files of a folder are photos
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".ppm", ".pgm", ".pnm",
    ".heic", ".heif", ".dcm", ".dicom",
}  # fmt: skip
MOST_PIXELS = 178_956_970  # of a picture that is decoded
BATCH = 32  # photos that the model gets at once
MAX_SAMPLE_VALUE = 0x0119  # a TIFF tag: the largest value that a sample may have
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use
PERCENTILES = (0.5, 99.5)  # what the window `percentile` makes black and white
SAMPLES_PER_PIXEL, EXTRA_SAMPLES = 0x0115, 0x0152  # TIFF tags: how many channels, and which of them are transparency
FITS: dict[str, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {  # how a photo that is no square becomes one
    "squash": lambda image, size: image.resize(size, Image.Resampling.BILINEAR),
    "pad": lambda image, size: ImageOps.pad(image, size, Image.Resampling.BILINEAR, "black"),
    "crop": lambda image, size: ImageOps.fit(image, size, Image.Resampling.BILINEAR),
}
WAYS = {"fit": "squash", "window": "full", "page": 1}  # how a photo becomes the network's pixels, unless a model says


class Mistake(Exception):
    """Something that the user can mend; its message is one sentence."""


def main(argv: list[str] | None = None) -> int:
    """Say what the model sees in each photo; return the exit code."""
    arguments = parse_arguments(argv)
    try:
        paths = find_photos(arguments.photos)
        model = Model(arguments.model, arguments.threads)
        rows, unread = [], 0
        for path, answer in classify(model, paths):
            if isinstance(answer, str):
                print(f"{path}: {answer}", file=sys.stderr, flush=True)
                unread += 1
                continue
            print(f"{path}  {answer.words}", flush=True)
            rows.append([path, *answer.cells])
        if arguments.csv:
            write_csv(arguments.csv, model, rows)
        if unread:
            raise Mistake(f"{unread} of {len(paths)} files could not be read")
    except Mistake as mistake:
        print(f"predict: {mistake}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of a pipe left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", help="files, folders, or - for paths on standard input, one a line")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path(__file__).with_name("model.onnx"),
        help="default: model.onnx beside this file",
    )
    parser.add_argument(
        "--csv", help="also write a table: path, predicted, its probability, sure, unlike, and each class's"
    )
    parser.add_argument("--threads", type=int, default=0, help="processor threads (default: all)")
    return parser.parse_args(argv)


def find_photos(names: list[str]) -> list[str]:
    """Return the photos that files, folders and `-` stand for.

    Raises: Mistake if there are none.
    """
    found: list[str] = []
    for name in names:
        if name == "-":
            found += [line.rstrip("\n") for line in sys.stdin if line.strip()]
        elif Path(name).is_dir():
            found += sorted(str(path) for path in Path(name).rglob("*") if path.suffix.lower() in SUFFIXES)
        else:
            found.append(name)
    if not found:
        raise Mistake(f"there are no photos in {', '.join(names)}")
    return found


class Model:
    """An exported model: pixels in, calibrated probabilities out, and what it says of itself."""

    def __init__(self, path: str | Path, threads: int = 0):
        """Load a model.

        Args:
            path: model.onnx, as Graft exports it.
            threads: of the processor; 0: all.

        Raises: Mistake if it is none of Graft's, or needs a newer predict.py.
        """
        try:
            import onnxruntime
        except ImportError:
            raise Mistake("onnxruntime is not installed: pip install --require-hashes -r requirements.txt") from None
        if not Path(path).is_file():
            raise Mistake(f"{path} does not exist; name the model with --model")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors alone
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            self.facts: dict[str, Any] = json.loads(self.session.get_modelmeta().custom_metadata_map["graft"])
        except Exception as error:  # onnxruntime raises classes of its own, and a damaged file any of them
            raise Mistake(f"{path} is no ONNX model of Graft's, or was cut ({type(error).__name__})") from None
        self.classes: list[str] = self.facts["classes"]
        self.size: int = self.facts["size"]
        self.ways: dict[str, Any] = WAYS | self.facts.get("pictures", {})
        if unknown := (set(self.ways) - set(WAYS)) or ({self.ways["fit"]} - set(FITS)):
            names = ", ".join(sorted(unknown))
            raise Mistake(f"{path} prepares photos in a way that this predict.py does not know ({names}); take its own")

        outputs = [output.name for output in self.session.get_outputs()]
        self.tells_strangers = "distance" in outputs and bool(self.facts.get("unlike"))
        self.several_labels = bool(self.facts.get("several_labels"))

    def ask(self, pixels: np.ndarray) -> list[tuple[np.ndarray, float | None]]:
        """Return each photo's calibrated probabilities, (n_classes,), and its distance from the training photos.

        The distance is None where the model has none. Pixels are (n, size, size, 3), uint8, RGB.
        """
        wanted = ["probabilities", "distance"] if self.tells_strangers else ["probabilities"]
        chances, *distances = self.session.run(wanted, {"pixels": pixels})
        far: list[float | None] = distances[0].tolist() if distances else [None] * len(chances)
        return list(zip(chances.astype(np.float64), far, strict=True))


@dataclass(frozen=True)
class Answer:
    """What a model says of one photo: in words, and as cells of a row."""

    words: str
    cells: list[Any]


def classify(model: Model, paths: list[str]) -> Iterator[tuple[str, Answer | str]]:
    """Yield each path with its answer; or why it could not be read."""
    for start in range(0, len(paths), BATCH):
        part = paths[start : start + BATCH]
        opened = [open_square(path, model.size, model.ways) for path in part]
        pixels = [one for one in opened if isinstance(one, np.ndarray)]
        rows = iter(model.ask(np.stack(pixels)) if pixels else [])
        for path, one in zip(part, opened, strict=True):
            if isinstance(one, str):
                yield path, one
            else:
                chances, distance = next(rows)
                yield path, labels_of(model, chances) if model.several_labels else class_of(model, chances, distance)


def class_of(model: Model, chances: np.ndarray, distance: float | None) -> Answer:
    """Return the one class that a model gives a photo, and its doubts."""
    answer, sure = decide(chances, model.facts.get("threshold"), model.facts.get("unsure_below") or 0.0)
    unlike = None if distance is None else distance > model.facts["unlike"]["threshold"]
    doubt = "unlike the training photos  " if unlike else "" if sure else "not sure  "
    name, chance = model.classes[answer], float(chances[answer])
    flags = [int(sure), "" if unlike is None else int(unlike)]
    return Answer(f"{doubt}{name}  {chance:.2f}", [name, chance, *flags, distance, *chances.tolist()])


def labels_of(model: Model, chances: np.ndarray) -> Answer:
    """Return the labels that a model gives a photo: those whose probability reaches their own threshold."""
    given = decide_labels(chances, model.facts.get("thresholds"))
    first = [place for place in np.argsort(-chances, kind="stable") if given[place]]
    words = ", ".join(f"{model.classes[place]} {chances[place]:.2f}" for place in first) or "none"
    names = "|".join(name for name, answered in zip(model.classes, given, strict=True) if answered)
    return Answer(words, [names, *chances.tolist()])


def decide_labels(chances: np.ndarray, thresholds: list[float] | None) -> list[bool]:
    """Return which labels one photo's probabilities, (n_labels,), answer."""
    return (chances >= np.array(thresholds or 0.5)).tolist()


def decide(chances: np.ndarray, threshold: float | None, unsure_below: float) -> tuple[int, bool]:
    """Return which class one photo's probabilities, (n_classes,), answer, and whether that is sure."""
    answer = int(chances.argmax()) if threshold is None or len(chances) != 2 else int(chances[1] >= threshold)
    return answer, bool(chances[answer] >= unsure_below)


def open_square(path: str, size: int, ways: dict[str, Any] = WAYS) -> np.ndarray | str:
    """Return a photo as (size, size, 3), uint8, RGB; or the reason why it cannot be read."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if reason := refusal(image, ways["page"]):
                return reason
            image.draft("RGB", (2 * size, 2 * size))  # a large JPEG at 1/2, 1/4 or 1/8, never below twice the size
            image.load()
            photo = upright(to_rgb(image, ways["window"]))
    except FileNotFoundError:
        return "no such file"
    except IsADirectoryError:
        return "a folder, not a file"
    except Exception as error:  # a decoder raises almost anything on damaged bytes
        return f"no readable picture ({type(error).__name__})"
    return np.asarray(FITS[ways["fit"]](photo, (size, size)))


def refusal(image: Image.Image, page: int) -> str:
    """Return why a picture is not taken, before it is decoded; or turn it to its page, and return nothing."""
    if (reason := too_large(image)) or (reason := odd_channels(image)):
        return reason
    if page == 1:
        return ""
    n_pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a JPEG with another behind it
    if page > n_pages:
        return f"it has {n_pages} page{'' if n_pages == 1 else 's'}, and the model looks at page {page}"
    image.seek(page - 1)
    return too_large(image)  # a page may be of another size


def too_large(image: Image.Image) -> str:
    """Return that a picture has more pixels than are decoded, or nothing."""
    n_pixels = image.width * image.height
    return f"{n_pixels:,} pixels, more than the {MOST_PIXELS:,} that are read" if n_pixels > MOST_PIXELS else ""


def odd_channels(image: Image.Image) -> str:
    """Return that Pillow would drop channels of a TIFF in silence, or nothing."""
    if image.format != "TIFF":
        return ""
    n_channels = tags_of(image).get(SAMPLES_PER_PIXEL, 1)
    alpha = EXTRA_SAMPLES in tags_of(image) and set(tags_of(image)[EXTRA_SAMPLES]) <= {1, 2}
    if n_channels > 4 or (n_channels == 2 and not alpha):
        return f"it has {n_channels} channels that make no grey or RGB picture; save those that count as one"
    return ""


def upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its EXIF orientation says; a broken EXIF block does not spoil the picture."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:
        return image


def to_rgb(image: Image.Image, window: str | list[float]) -> Image.Image:
    """Return an image as 8-bit RGB: what is transparent lies on white, and deep grey is seen through the window."""
    exif = image.info.get("exif")
    if image.mode.startswith(("I", "F")):
        image = eight_bit(image, window)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if exif:
        image.info.setdefault("exif", exif)  # the orientation must survive the conversion
    return image


def eight_bit(image: Image.Image, window: str | list[float]) -> Image.Image:
    """Return a 16-bit, 32-bit or floating-point grey image as 8 bits."""
    values = np.asarray(image, np.float64)
    low, high = shades_of(image, values[np.isfinite(values)], window)
    grey = np.clip(np.nan_to_num((values - low) * (255 / max(high - low, 1e-300)), nan=0.0), 0, 255)
    return Image.fromarray(np.rint(grey).astype(np.uint8))


def shades_of(image: Image.Image, values: np.ndarray, window: str | list[float]) -> tuple[float, float]:
    """Return the values of black and white for a deep grey image with these finite values."""
    if not len(values):
        return 0.0, 1.0
    lowest, highest = float(values.min()), float(values.max())
    if window == "percentile":
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
        return (low, high) if low < high else (lowest, highest)
    if not isinstance(window, str):
        return window[0], window[1]
    return (lowest, highest) if lowest < 0 else (0.0, white_of(image, highest))


def tags_of(image: Any) -> Mapping[int, Any]:
    """Return the tags of a TIFF, which Pillow gives no other kind of image."""
    return image.tag_v2


def white_of(image: Image.Image, top: float) -> float:
    """Return the value of white in a deep grey image whose brightest value is `top`."""
    stated = stated_white(image)
    if stated >= max(top, 1):
        return stated
    if image.mode == "F" and 0 < top <= 1:
        return 1.0
    return next((2.0**bits - 1 for bits in DEPTHS if top <= 2**bits - 1), top)


def stated_white(image: Image.Image) -> float:
    """Return what a TIFF says its largest value is, or 0 where it says nothing."""
    try:
        value = tags_of(image).get(MAX_SAMPLE_VALUE, 0)
        return float(value[0] if isinstance(value, tuple) else value)
    except (AttributeError, TypeError, ValueError, IndexError):
        return 0.0


def write_csv(path: str, model: Model, rows: list[list[Any]]) -> None:
    """Write the answers as a table, whole or not at all."""
    part = Path(path).with_name(f".part-{os.getpid()}-{Path(path).name}")
    try:
        with open(part, "w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream, lineterminator="\n")
            of_a_class = [] if model.several_labels else ["probability", "sure", "unlike", "distance"]
            table.writerow(["path", "predicted", *of_a_class, *(f"probability_{name}" for name in model.classes)])
            for row in rows:
                table.writerow([f"{cell:.9g}" if isinstance(cell, float) else cell for cell in row])
        part.replace(path)
    except OSError as error:
        raise Mistake(f"{path} cannot be written ({error.strerror})") from None
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
