"""Smaller copies of figures for the report, which holds every one of them inside its one file."""

from pathlib import Path

from PIL import Image

from graft.storage.files import atomic

COLOURS = 256  # of a drawn figure, whose areas are even: a PNG a third as large that looks the same
QUALITY = 75  # of a figure of photos, as JPEG: a sixth of its PNG


def save_for_report(picture: Path, copy: Path) -> None:
    """Write the copy of a figure that the report shows.

    Args:
        picture: the figure as PNG.
        copy: what to write: .jpg for a figure of photos, .png for a drawn one.
    """
    with Image.open(picture) as image:
        plain = image.convert("RGB")
    with atomic(copy) as part:
        if copy.suffix == ".png":
            plain.quantize(COLOURS).save(part, "png", optimize=True)
        else:
            plain.save(part, "jpeg", quality=QUALITY, optimize=True)
