"""The pictures of the report's first page: how every run compares, and for each run what it missed and how it learnt.

Pictures of one run show at a time, those of the most accurate first. It is done with HTML's own `details`, since
Snakemake's report runs no script of a page that it shows.
"""

import base64
import io
from collections.abc import Mapping
from html import escape
from pathlib import Path

from PIL import Image

from graft.figures.report_copy import COLOURS, inches_of

INCH = 120  # pixels that an inch of a figure keeps: its text, of 8 points, is then 13 pixels high
LEAST_INCH = 95  # pixels of an inch below which its text cannot be read; a wider figure scrolls in a box of its own
COLUMN = 960  # pixels that the page has for a picture in a wide window
MOST = 1500  # pixels of a very wide figure; the full one is in the report beside it
OF_PHOTOS = ("mistakes",)  # pictures that the few colours of a small PNG would spoil
PICTURES = {
    "mistakes": "Its surest mistakes, or its least sure answers",
    "confusion_matrix": "Which class is taken for which",
    "learning_curves": "How it learnt",
}


def pictures(
    results: Path,
    runs: list[str],
    best: str,
    titles: Mapping[str, str] = PICTURES,
    headline: str = "Accuracy",
) -> str:
    """Return the pictures as HTML: the comparison of several runs, then each run's, of which one run's are open."""
    several = len(runs) > 1
    compared = [picture(results / "comparison.png", f"{headline} of every run")] if several else []
    heading = "<h2>Pictures: choose a run</h2>" if several else ""
    shown = [of_a_run(results / "runs" / run / "figures", run, titles, opened=run == best) for run in runs]
    return "\n".join([*compared, heading, *shown])


def of_a_run(folder: Path, run: str, titles: Mapping[str, str], opened: bool) -> str:
    """Return a run's pictures, one below the other."""
    shown = "".join(picture(folder / f"{name}.png", f"{title}: {run}") for name, title in titles.items())
    state = " open" if opened else ""
    return f'<details name="graft-pictures"{state}><summary>{escape(run)}</summary>{shown}</details>'


def picture(path: Path, title: str) -> str:
    """Return a picture and its title, made small, in the page itself: as PNG or WebP, whichever is shorter.

    It is never shown so small that its text cannot be read: where the window is narrower, it scrolls in its own box.
    """
    with Image.open(path) as image:
        inches = inches_of(image)
        small = image.convert("RGB")
    small.thumbnail((min(MOST, round(INCH * inches)), 4 * MOST))
    least = round(LEAST_INCH * inches)
    least = small.width if least > COLUMN else min(least, small.width)
    kinds = ("webp",) if path.stem in OF_PHOTOS else ("png", "webp")
    kind, data = min((encoded(small, kind) for kind in kinds), key=lambda one: len(one[1]))
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><div class="scroll">'
        f'<img alt="{escape(title)}" style="min-width: {least}px" src="{source}"></div></figure>'
    )


def encoded(image: Image.Image, kind: str) -> tuple[str, bytes]:
    """Return a format's name and the bytes of an image in it; a PNG has few colours, which are enough for drawings."""
    stream = io.BytesIO()
    if kind == "png":
        image.quantize(COLOURS).save(stream, kind, optimize=True)
    else:
        image.save(stream, kind, quality=75)
    return kind, stream.getvalue()
