"""One way to open a picture, whatever it is: damaged, rotated, transparent, 16-bit, or no picture at all."""

import contextlib
import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import imagehash
import numpy as np
from PIL import Image, ImageFile, ImageOps

from graft.config.dataset import Ingest
from graft.data.layout import EXTENSIONS

Image.MAX_IMAGE_PIXELS = None  # the audit has a limit of its own, which a user can set
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM"]
MAGIC = {
    b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
}  # fmt: skip
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF", b"heif": "HEIF"}
ORIENTATION = 0x0112
MAX_SAMPLE_VALUE = 0x0119
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use
HASHED_PX = 128  # a JPEG is decoded at the smallest scale of its own that is not below this
THUMBNAIL_PX = 16
PICTURE_PX = 64


@dataclass(slots=True)
class Look:
    """What one file is, found by reading it once.

    `faults` are (kind, detail) pairs, gravest first; `blank` is the share of the commonest grey level; `thumbnail` is
    THUMBNAIL_PX x THUMBNAIL_PX grey levels and `picture` PICTURE_PX x PICTURE_PX; these and the hash are None where the
    file cannot be decoded.
    """

    sha256: str
    n_bytes: int
    faults: list[tuple[str, str]]
    width: int = 0
    height: int = 0
    blank: float = 0.0
    phash: int | None = None
    thumbnail: bytes | None = None
    picture: bytes | None = None


def look(path: Path, name: str, settings: Ingest) -> Look:
    """Read and decode a file once; nothing that its bytes hold raises.

    Args:
        path: the file.
        name: what it is called in its archive, for its extension.
        settings: the limits that it is held against.
    """
    try:
        size = path.stat().st_size
        if size == 0:
            return Look(hashlib.sha256().hexdigest(), 0, [("empty", "0 bytes")])
        if size > settings.limits.file_mb * 1e6:
            return Look("", size, [("too_large", f"{size / 1e6:.0f} MB, more than limits.file_mb")])
        with open(path, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            start = bytes(stream.seek(0) or stream.read(512))
    except OSError as error:
        return Look("", 0, [("undecodable", f"cannot be read: {error.strerror or error}")])
    found = Look(sha256, size, [])
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as image:
            look_at(image, PurePosixPath(name).suffix.lower(), start, settings, found)
    except Exception as error:  # a decoder raises almost anything on hostile bytes: all of it means the same here
        found.faults.insert(0, refusal(error, start, name))
    return found


def look_at(image: Image.Image, suffix: str, start: bytes, settings: Ingest, found: Look) -> None:
    """Fill in what an opened image shows, and decode it to the end."""
    width, height = image.size
    if width * height > settings.limits.pixels:
        found.faults.append(("too_large", f"{width} x {height} pixels, more than limits.pixels"))
        return
    orientation = orientation_of(image)
    found.width, found.height = (height, width) if orientation >= 5 else (width, height)
    found.faults += oddities(image, suffix, start, orientation)
    short, long = sorted((width, height))
    if short < settings.min_side:
        found.faults.append(("too_small", f"{found.width} x {found.height} pixels"))
    if long > settings.max_aspect * short:
        found.faults.append(("extreme_aspect", f"{found.width} x {found.height} pixels"))
    image.draft("L", (HASHED_PX, HASHED_PX))  # entropy-decodes the whole JPEG, so that a cut is still found
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        found.faults.insert(0, ("truncated", "the file ends before the picture does"))
        with lenient():
            image.load()
    grey = upright(to_rgb(image)).convert("L") if image.mode != "L" else upright(image)
    found.blank = max(grey.histogram()) / (grey.width * grey.height)
    found.phash = int(str(imagehash.phash(grey)), 16)
    found.thumbnail = grey.resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX).tobytes()
    found.picture = grey.resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX).tobytes()


def oddities(image: Image.Image, suffix: str, start: bytes, orientation: int) -> Iterator[tuple[str, str]]:
    """Yield what is unusual about an image that may well be fine."""
    kind = "JPEG" if image.format == "MPO" else image.format  # a phone's JPEG with a second picture behind it
    if getattr(image, "is_animated", False) and image.format != "MPO":
        yield "animated", "several frames or pages, of which the first counts"
    named = EXTENSIONS.get(suffix)
    if suffix and named != kind:
        yield "misnamed", f"{kind} content, named {suffix}"
    deep = image.format == "PNG" and start[24:25] == b"\x10"
    if image.mode != "RGB" or deep or "transparency" in image.info:
        yield "converted", f"{'16-bit ' if deep and image.mode == 'RGB' else ''}{image.mode} to 8-bit RGB"
    if orientation != 1:
        yield "rotated", f"EXIF orientation {orientation}"


def refusal(error: Exception, start: bytes, name: str) -> tuple[str, str]:
    """Say why a file is no usable image: damaged, of a kind Pillow does not read, or something else altogether."""
    kind = magic_kind(start)
    if kind == "HEIF":
        return "undecodable", "HEIC, which Pillow does not read; convert it to JPEG"
    if kind:
        return "undecodable", f"damaged {kind}: {' '.join(str(error).split())[:120] or type(error).__name__}"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    web = text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<svg"))
    suffix = PurePosixPath(name).suffix.lower()
    what = "a web page or XML" if web else "no known image"
    return "not_an_image", f"{what}, named {suffix}" if suffix in EXTENSIONS else what


def magic_kind(start: bytes) -> str | None:
    """Return the format that a file's first bytes promise, or None.

    >>> magic_kind(b"RIFF1234WEBP")
    'WEBP'
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return BRANDS.get(start[8:12])
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)


def orientation_of(image: Image.Image) -> int:
    """Return the EXIF orientation from 1 (upright) to 8; 1 where it is absent or broken."""
    try:
        value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a broken EXIF block does not spoil the picture
        return 1
    return value if value in range(2, 9) else 1


def upright(image: Image.Image) -> Image.Image:
    """Return the image turned as its EXIF orientation says."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # as above
        return image


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image as 8-bit RGB; what is transparent lies on white, and 16 bits keep their upper eight.

    >>> to_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    exif = image.info.get("exif")
    if image.mode.startswith(("I", "F")):
        image = eight_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if exif:
        image.info.setdefault("exif", exif)  # the orientation must survive the conversion
    return image


def eight_bit(image: Image.Image) -> Image.Image:
    """Return a 16-bit, 32-bit or floating-point grey image as 8 bits.

    The image's depth decides what is white: what the file says of its depth, else the fewest bits of 8, 10, 12, 14 and
    16 that hold its brightest value, and for deeper ones that value itself. Divided as if it used all 16 bits, a 12-bit
    picture of a camera or a scanner would become nearly black. Where a file says nothing, a dim 16-bit picture is
    brightened by a power of two, as its own; TIFF's BitsPerSample does not tell, since it is 16 for 12-bit data too.

    >>> eight_bit(Image.fromarray(np.array([[0, 65535]], np.uint16))).getpixel((1, 0))
    255
    >>> eight_bit(Image.fromarray(np.array([[0, 4095]], np.uint16))).getpixel((1, 0))
    255
    """
    values = np.nan_to_num(np.asarray(image, np.float64))
    white = white_of(image, float(values.max(initial=0)))
    return Image.fromarray(np.clip(np.rint(values * (255 / white)), 0, 255).astype(np.uint8))


def white_of(image: Image.Image, top: float) -> float:
    """Return the value of white in a deep grey image whose brightest value is `top`."""
    stated = stated_white(image)
    if stated >= max(top, 1):
        return stated
    if image.mode == "F" and 0 < top <= 1:
        return 1.0
    return next((2.0**bits - 1 for bits in DEPTHS if top <= 2**bits - 1), top)


def stated_white(image: Image.Image) -> float:
    """Return TIFF's MaxSampleValue, the largest value that its samples may have, or 0 where there is none."""
    try:
        value = image.tag_v2.get(MAX_SAMPLE_VALUE, 0)
        return float(value[0] if isinstance(value, tuple) else value)
    except (AttributeError, TypeError, ValueError, IndexError):
        return 0.0


def pixels_in(path: str | Path) -> int:
    """Return width times height of a picture, from its header alone."""
    with Image.open(path, formats=FORMATS) as image:
        return image.width * image.height


def upright_rgb(path: str | Path | BinaryIO, at_least_px: int | None = None, truncated: bool = False) -> Image.Image:
    """Return a photo as the whole pipeline sees it: 8-bit RGB, upright.

    Args:
        path: the file, or a stream of its bytes.
        at_least_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size if both sides stay this long.
        truncated: fill what a cut file lacks with grey, instead of raising OSError.
    """
    with Image.open(path, formats=FORMATS) as image:
        if at_least_px:
            image.draft("RGB", (at_least_px, at_least_px))
        with lenient() if truncated else contextlib.nullcontext():
            image.load()
        return upright(to_rgb(image))


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Let Pillow fill what a truncated file lacks."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
