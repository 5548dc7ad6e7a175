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

WIDTH = 700  # pixels of a picture, which is shown a little smaller; the full one is in the report beside it
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
    """Return a run's pictures in two columns: its mistakes, and beside them the others."""
    mistakes, *others = (picture(folder / f"{name}.png", f"{title}: {run}") for name, title in titles.items())
    columns = f'<div class="pictures"><div>{mistakes}</div><div>{"".join(others)}</div></div>'
    state = " open" if opened else ""
    return f'<details name="graft-pictures"{state}><summary>{escape(run)}</summary>{columns}</details>'


def picture(path: Path, title: str) -> str:
    """Return a picture and its title, made small, in the page itself: as PNG or JPEG, whichever is shorter."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((WIDTH, 4 * WIDTH))
    kind, data = min((encoded(small, kind) for kind in ("png", "jpeg")), key=lambda one: len(one[1]))
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<figure><figcaption>{escape(title)}</figcaption><img alt="{escape(title)}" src="{source}"></figure>'


def encoded(image: Image.Image, kind: str) -> tuple[str, bytes]:
    """Return a format's name and the bytes of an image in it; a PNG has 256 colours, which are enough for drawings."""
    stream = io.BytesIO()
    if kind == "png":
        image.quantize(256).save(stream, kind, optimize=True)
    else:
        image.save(stream, kind, quality=70)
    return kind, stream.getvalue()
