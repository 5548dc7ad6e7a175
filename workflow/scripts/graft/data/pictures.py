"""One way to open a picture for every stage: the page asked for, upright, 8-bit RGB, and made a square."""

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from graft.config.dataset import SQUASHED, Pictures
from graft.data.depth import eight_bit, is_deep

logging.getLogger("PIL").setLevel(logging.CRITICAL)  # the audit says what is wrong with a file
Image.MAX_IMAGE_PIXELS = None  # the audit has a limit of its own, which a user can set
FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "PPM", "HEIF", "DICOM"]
OPTIONAL = "pip install --require-hashes -r envs/requirements-pictures.txt"
MAGIC = {
    b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF",
}  # fmt: skip
BRANDS = {b"avif": "AVIF", b"avis": "AVIF"} | dict.fromkeys(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"heif"), "HEIF"
)
DICOM_AT = 128  # bytes before its signature
ORIENTATION = 0x0112
BITS_PER_SAMPLE, SAMPLES_PER_PIXEL, EXTRA_SAMPLES = 0x0102, 0x0115, 0x0152
PAD_COLOUR = "black"


class Refused(Exception):
    """A picture that is no damaged one, but that cannot be taken; the text says why, and names no patient."""


def magic_kind(start: bytes) -> str | None:
    """Return the format that a file's first bytes promise, or None.

    >>> magic_kind(b"RIFF1234WEBP"), magic_kind(bytes(128) + b"DICM")
    ('WEBP', 'DICOM')
    """
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp":
        return BRANDS.get(start[8:12])
    if start[DICOM_AT : DICOM_AT + 4] == b"DICM":
        return "DICOM"
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)


# ------------------------------------------------------------------------------- formats of the optional install


def open_heif(stream: BinaryIO, name: str = "") -> Image.Image:
    """Return a phone's HEIC picture, opened by pillow-heif."""
    return installed("pillow_heif", "HEIC, which pillow-heif reads").HeifImageFile(stream, name)


def open_dicom(stream: BinaryIO, name: str = "") -> Image.Image:
    """Return a DICOM picture, opened by pydicom.

    Raises: SyntaxError, as Pillow wants it, if the stream is none.
    """
    stream.seek(DICOM_AT)
    if stream.read(4) != b"DICM":
        raise SyntaxError("not a DICOM file")
    stream.seek(0)
    installed("pydicom", "DICOM, which pydicom reads")
    from graft.data.dicom import DicomImage

    return DicomImage(stream, name)


def installed(package: str, what: str):
    """Return an optional package.

    Raises: Refused if it is not installed; it says how to install it.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise Refused(f"{what}; install it: {OPTIONAL}") from None


Image.register_open("HEIF", open_heif, lambda start: magic_kind(start) == "HEIF")
Image.register_open("DICOM", open_dicom)


# ----------------------------------------------------------------------------------------------------- opening


@contextlib.contextmanager
def opened(path: str | Path | BinaryIO) -> Iterator[Image.Image]:
    """Open a picture at its first page; nothing is decoded yet.

    Raises: Refused if it has more channels than red, green, blue and transparency; what Pillow raises if it is none.
    """
    try:
        image = Image.open(path, formats=FORMATS)
    except (Image.UnidentifiedImageError, SyntaxError):
        refuse_channels(path)
        raise
    with image:
        refuse_unnamed_channels(image)
        yield image


def turn_to(image: Image.Image, page: int) -> None:
    """Turn to a page of a picture, counted from 1.

    Raises: Refused if it has no such page.
    """
    if page == 1:
        return
    n_pages = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)  # MPO: a JPEG with another behind it
    if page > n_pages:
        raise Refused(f"it has {n_pages} page{'' if n_pages == 1 else 's'}, and datasets.NAME.page is {page}")
    image.seek(page - 1)


def refuse_channels(path: str | Path | BinaryIO) -> None:
    """Say so where a picture that cannot be opened is a TIFF of several channels.

    Raises: Refused if it is.
    """
    n_channels = 1
    with contextlib.suppress(Exception), contextlib.ExitStack() as files:  # other faults are told by Pillow
        stream = files.enter_context(open(path, "rb")) if isinstance(path, str | Path) else path
        stream.seek(0)
        directory = TiffImagePlugin.ImageFileDirectory_v2(stream.read(8))
        stream.seek(directory.next)
        directory.load(stream)
        n_channels = directory.get(SAMPLES_PER_PIXEL, 1)
    if n_channels > 1:
        raise Refused(several_channels(n_channels))


def refuse_unnamed_channels(image: Image.Image) -> None:
    """Refuse a TIFF of which Pillow would drop channels in silence: more than four, or a grey one with another.

    Raises: Refused for these. A fourth one may be what a photo editor left; the audit says that it is left out.
    """
    if image.format == "TIFF":
        n_channels = image.tag_v2.get(SAMPLES_PER_PIXEL, 1)
        if n_channels > 4 or (n_channels == 2 and not has_alpha(image)):
            raise Refused(several_channels(n_channels))


def has_alpha(image: Image.Image) -> bool:
    """Return whether a TIFF says that its last channel is transparency."""
    return set(image.tag_v2.get(EXTRA_SAMPLES, ())) <= {1, 2} and EXTRA_SAMPLES in image.tag_v2


def drops_channel(image: Image.Image) -> bool:
    """Return whether a TIFF has a fourth channel beside red, green and blue that is no transparency."""
    return image.format == "TIFF" and image.mode == "RGB" and image.tag_v2.get(SAMPLES_PER_PIXEL, 1) == 4


def has_deep_colours(image: Image.Image, start: bytes) -> bool:
    """Return whether a picture has colours of 16 bits, of which Pillow reads the upper eight.

    Args:
        image: opened.
        start: the first bytes of its file.
    """
    if image.format == "PNG":
        return start[24:25] == b"\x10"
    return image.format == "TIFF" and image.mode.startswith("RGB") and max(image.tag_v2.get(BITS_PER_SAMPLE, (8,))) > 8


def several_channels(count: int) -> str:
    """Return why a picture of several channels is not taken."""
    return f"it has {count} channels that make no grey or RGB picture; save those that count as one"


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


def to_rgb(image: Image.Image, pictures: Pictures = SQUASHED) -> Image.Image:
    """Return an image as 8-bit RGB: what is transparent lies on white, and deep grey is seen through the window.

    >>> to_rgb(Image.new("RGBA", (1, 1), (0, 0, 0, 0))).getpixel((0, 0))
    (255, 255, 255)
    """
    exif = image.info.get("exif")
    if is_deep(image):
        image = eight_bit(image, pictures.window)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if exif:
        image.info.setdefault("exif", exif)  # the orientation must survive the conversion
    return image


def pixels_in(path: str | Path) -> int:
    """Return width times height of a picture, from its header alone."""
    with opened(path) as image:
        return image.width * image.height


def upright_rgb(
    path: str | Path | BinaryIO,
    at_least_px: int | None = None,
    truncated: bool = False,
    pictures: Pictures = SQUASHED,
) -> Image.Image:
    """Return a photo as the whole pipeline sees it: 8-bit RGB, upright.

    Args:
        path: the file, or a stream of its bytes.
        at_least_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size if both sides stay this long.
        truncated: fill what a cut file lacks with grey, instead of raising OSError.
        pictures: which page counts, and which values are black and white.
    """
    with opened(path) as image:
        turn_to(image, pictures.page)
        if at_least_px:
            image.draft("RGB", (at_least_px, at_least_px))
        with lenient() if truncated else contextlib.nullcontext():
            image.load()
        return upright(to_rgb(image, pictures))


@contextlib.contextmanager
def lenient() -> Iterator[None]:
    """Let Pillow fill what a truncated file lacks."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


# ------------------------------------------------------------------------------------------------ to a square


def squared(image: Image.Image, size: int, fit: str) -> Image.Image:
    """Return a photo as a square of `size` pixels a side, with Pillow's antialiased bilinear filter.

    squash squeezes it, as Keras's `target_size` does; pad shrinks it whole and fills the rest with black; crop keeps
    the middle, as far as the shorter side goes. Keras's default, the nearest pixel, would alias.

    >>> wide = Image.new("RGB", (40, 20), "white")
    >>> [squared(wide, 20, fit).getpixel((10, 1))[0] for fit in ("squash", "pad", "crop")]
    [255, 0, 255]
    """
    return FITS[fit](image, (size, size))


def squash(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a photo squeezed to a size."""
    return image.resize(size, Image.Resampling.BILINEAR)


def pad(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a whole photo in the middle of a size."""
    return ImageOps.pad(image, size, Image.Resampling.BILINEAR, PAD_COLOUR)


def crop(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return the middle of a photo."""
    return ImageOps.fit(image, size, Image.Resampling.BILINEAR)


FITS: dict[str, Callable[[Image.Image, tuple[int, int]], Image.Image]] = {"squash": squash, "pad": pad, "crop": crop}
