"""What a file is, whatever it is: damaged, rotated, transparent, deep, or no picture at all."""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import imagehash
from PIL import Image

from graft.config.dataset import SQUASHED, Ingest, Pictures
from graft.data.layout import EXTENSIONS
from graft.data.pictures import (
    Refused,
    drops_channel,
    has_deep_colours,
    lenient,
    magic_kind,
    opened,
    orientation_of,
    to_rgb,
    turn_to,
    upright,
)

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


def look(path: Path, name: str, settings: Ingest, pictures: Pictures = SQUASHED) -> Look:
    """Read and decode a file once; nothing that its bytes hold raises.

    Args:
        path: the file.
        name: what it is called in its archive, for its extension.
        settings: the limits that it is held against.
        pictures: which page counts, and which values are black and white.
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
        with warnings.catch_warnings(action="ignore"), opened(path) as image:
            look_at(image, PurePosixPath(name).suffix.lower(), start, settings, pictures, found)
    except Exception as error:  # a decoder raises almost anything on hostile bytes: all of it means the same here
        found.faults.insert(0, refusal(error, start, name))
    return found


def look_at(image: Image.Image, suffix: str, start: bytes, settings: Ingest, pictures: Pictures, found: Look) -> None:
    """Fill in what an opened image shows, and decode it to the end."""
    if is_too_large(image, settings, found):
        return
    turn_to(image, pictures.page)
    if is_too_large(image, settings, found):  # a page may be of another size
        return
    width, height = image.size
    orientation = orientation_of(image)
    found.width, found.height = (height, width) if orientation >= 5 else (width, height)
    found.faults += oddities(image, suffix, start, orientation, pictures.page)
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
    grey = upright(to_rgb(image, pictures)).convert("L") if image.mode != "L" else upright(image)
    found.blank = max(grey.histogram()) / (grey.width * grey.height)
    found.phash = int(str(imagehash.phash(grey)), 16)
    found.thumbnail = grey.resize((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BOX).tobytes()
    found.picture = grey.resize((PICTURE_PX, PICTURE_PX), Image.Resampling.BOX).tobytes()


def is_too_large(image: Image.Image, settings: Ingest, found: Look) -> bool:
    """Return whether an image has more pixels than are decoded, and blame it if so."""
    width, height = image.size
    if width * height <= settings.limits.pixels:
        return False
    found.faults.append(("too_large", f"{width} x {height} pixels, more than limits.pixels"))
    return True


def oddities(image: Image.Image, suffix: str, start: bytes, orientation: int, page: int) -> Iterator[tuple[str, str]]:
    """Yield what is unusual about an image that may well be fine."""
    kind = "JPEG" if image.format == "MPO" else image.format  # a phone's JPEG with a second picture behind it
    if getattr(image, "is_animated", False) and image.format != "MPO":
        yield "animated", f"several frames or pages, of which {'the first' if page == 1 else f'number {page}'} counts"
    named = EXTENSIONS.get(suffix)
    if suffix and named != kind:
        yield "misnamed", f"{kind} content, named {suffix}"
    deep = has_deep_colours(image, start)
    if image.mode != "RGB" or deep or "transparency" in image.info:
        yield "converted", f"{'16-bit ' if deep and image.mode == 'RGB' else ''}{image.mode} to 8-bit RGB"
    if drops_channel(image):
        yield "converted", "four channels, of which the last is left out"
    if orientation != 1:
        yield "rotated", f"EXIF orientation {orientation}"


def refusal(error: Exception, start: bytes, name: str) -> tuple[str, str]:
    """Say why a file is no usable image: damaged, of a kind Pillow does not read, or something else altogether."""
    kind = magic_kind(start)
    if isinstance(error, Refused):
        return "undecodable", str(error)
    if kind:
        return "undecodable", f"damaged {kind}: {' '.join(str(error).split())[:120] or type(error).__name__}"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    web = text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<svg"))
    suffix = PurePosixPath(name).suffix.lower()
    what = "a web page or XML" if web else "no known image"
    return "not_an_image", f"{what}, named {suffix}" if suffix in EXTENSIONS else what
