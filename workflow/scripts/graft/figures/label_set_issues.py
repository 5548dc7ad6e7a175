"""The photos whose sets of labels are likeliest to be wrong, each with what is doubted and what is suggested."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from graft.config.dataset import SQUASHED, Pictures
from graft.data.label_sets import parted
from graft.figures.label_issues import ACROSS, PHOTOS
from graft.figures.names import clean, photo_label, shorten
from graft.figures.photos import Tile, thumbnail, tiled

WIDTH = 30  # columns of a line below a photo
NOTE = (
    "the likeliest first   ·   +: seems to be there and is not in the table   ·   −: seems not to be there   ·   "
    "by a probe that did not see the photo"
)


def draw(issues: pd.DataFrame, images: Path, dataset: str, pictures: Pictures = SQUASHED) -> Figure:
    """Return the first suspects of label_issues.csv, or, where nothing is suspect, the least sure photos.

    Args:
        issues: label_issues.csv of photos that may have several labels.
        images: what its paths are relative to.
        dataset: its name, for the title.
        pictures: which page is shown, and which values are black and white.
    """
    suspects = issues[issues["suspect"] == 1]
    shown = (suspects if len(suspects) else issues).head(PHOTOS)
    tiles = [
        Tile(
            photo=thumbnail(images / row["path"], pictures=pictures),
            lines=(
                shorten(doubts_in_words(row), WIDTH - 4),
                shorten(f"table: {in_words(row['label'])}", WIDTH + 2),
                photo_label(row["path"]),
            ),
        )
        for row in shown.to_dict("records")
    ]
    return tiled(f"{dataset}: {told(len(suspects), len(shown), len(issues))}", tiles, ACROSS, note=NOTE)


def doubts_in_words(row: Mapping[Any, Any]) -> str:
    """Return what is doubted, or the label that is least sure.

    >>> doubts_in_words({"doubted": "+car|-tree"})
    '+car, −tree'
    >>> doubts_in_words({"doubted": "", "least_sure": "tree", "self_confidence": 0.61})
    'least sure: tree 0.61'
    """
    if row["doubted"]:
        signs = (one.replace("-", "−", 1) if one[0] == "-" else one for one in parted(str(row["doubted"])))
        return ", ".join(clean(one) for one in signs)
    return f"least sure: {clean(str(row['least_sure']))} {row['self_confidence']:.2f}"


def in_words(text: str) -> str:
    """Return a set of labels as a phrase.

    >>> in_words("car|tree"), in_words("")
    ('car, tree', 'none')
    """
    return ", ".join(clean(one) for one in parted(text)) or "none"


def told(n_suspects: int, n_shown: int, n_photos: int) -> str:
    """Say what is shown.

    >>> told(58, 40, 600), told(0, 40, 600)
    ('40 of 58 photos with a suspect label, of 600', 'no suspect label in 600 photos')
    """
    if not n_suspects:
        return f"no suspect label in {n_photos:,} photos"
    several = "" if n_suspects == 1 else "s"
    among = f"{n_shown} of {n_suspects:,}" if n_shown < n_suspects else f"{n_suspects}"
    return f"{among} photo{several} with a suspect label, of {n_photos:,}"
