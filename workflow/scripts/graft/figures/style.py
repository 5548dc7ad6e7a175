"""How every figure looks, and how it is written so that equal input has equal bytes."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import matplotlib

matplotlib.use("Agg")

from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from graft.figures.names import families_for
from graft.storage.files import atomic

# A font of a rarer script often has one weight; the log need not say so of every figure.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

STYLE = Path(__file__).with_name("graft.mplstyle")
LOOK = matplotlib.rc_params_from_file(STYLE, use_default_template=False)
PALETTE = [to_hex(colour) for colour in LOOK["axes.prop_cycle"].by_key()["color"]]

RIGHT, WRONG = "#0072B2", "#D55E00"
STAGE_COLOURS = {"head": "#0072B2", "finetuned": "#D55E00"}
STAGE_MARKERS = {"head": "o", "finetuned": "s"}
ROLE_NAMES = {"val": "validation", "test": "test", "train": "training", "inner": "inner"}
STAGE_NAMES = {"head": "head", "finetuned": "fine-tuned"}
MARKERS = "osD^vPX"

# matplotlib's version and the date, which it would write into a file, by format.
SILENT = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def canvas(
    width: float, height: float, texts: Iterable[str] = (), layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """Return an empty figure, width and height in inches, in fonts that hold the characters of `texts`."""
    matplotlib.rcParams.update(LOOK)
    matplotlib.rcParams["font.family"] = families_for(texts)
    return Figure(figsize=(width, height), layout=layout)


def save(figure: Figure, paths: Iterable[str | Path], dpi: int) -> None:
    """Write a figure whole to each path, in the format of its suffix, with no date and no version in it."""
    for path in map(Path, paths):
        with atomic(path) as part:
            figure.savefig(part, dpi=dpi, metadata=SILENT[path.suffix])


def message_figure(title: str, text: str) -> Figure:
    """Return a figure that says why there is no picture."""
    figure = canvas(6, 1.6, [title, text])
    figure.suptitle(title, x=0.01, ha="left")
    figure.text(0.5, 0.4, text, ha="center", va="center", size=10, wrap=True)
    return figure


def class_look(index: int) -> dict[str, Any]:
    """Return a colour and a marker for a class: 56 pairs, so that 40 classes need not rely on colour.

    >>> class_look(0), class_look(8)
    ({'color': '#0072b2', 'marker': 'o'}, {'color': '#0072b2', 'marker': 'D'})
    """
    return {"color": PALETTE[index % 8], "marker": MARKERS[(index + index // 8) % len(MARKERS)]}


def photos(count: int, role: str = "") -> str:
    """Say how many photos there are, and what they are for.

    >>> photos(1), photos(4000, "val")
    ('1 photo', '4,000 validation photos')
    """
    kind = f"{ROLE_NAMES[role]} " if role else ""
    return f"{count:,} {kind}photo{'' if count == 1 else 's'}"
