"""Smaller copies of figures for the report, which holds every one of them inside its one file."""

from pathlib import Path

from PIL import Image

from graft.storage.files import atomic

COLOURS = 64  # of a drawn figure, whose areas are even: a PNG a quarter as large that looks the same
QUALITY = 65  # of a figure of photos, as JPEG
INCH = 100  # pixels that an inch of it keeps: its text, of 8 points, is then 11 pixels high


def save_for_report(picture: Path, copy: Path) -> None:
    """Write the copy of a figure that the report shows.

    Args:
        picture: the figure as PNG.
        copy: what to write: .jpg for a figure of photos, .png for a drawn one.
    """
    with Image.open(picture) as image:
        inches = inches_of(image)
        plain = image.convert("RGB")
    with atomic(copy) as part:
        if copy.suffix == ".png":
            plain.quantize(COLOURS).save(part, "png", optimize=True)
        else:
            plain.thumbnail((round(INCH * inches), plain.height))
            plain.save(part, "jpeg", quality=QUALITY, optimize=True)


def inches_of(image: Image.Image) -> float:
    """Return how many inches wide a figure was drawn; as wide as its pixels need where it does not say."""
    return float(image.width / image.info.get("dpi", (INCH, INCH))[0])
