"""The photos whose labels are likeliest to be wrong, each with its label and the class that the probe suggests."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from graft.config.dataset import SQUASHED, Pictures
from graft.figures.names import class_labels, photo_label
from graft.figures.photos import Tile, thumbnail, tiled

PHOTOS, ACROSS = 40, 8
NOTE = (
    "the likeliest first   ·   above: the suggested class and its probability, by a probe that did not see the photo; "
    "beneath: the label and its own"
)


def draw(issues: pd.DataFrame, images: Path, dataset: str, pictures: Pictures = SQUASHED) -> Figure:
    """Return the first suspects of label_issues.csv, or, where nothing is suspect, the least sure labels.

    Args:
        issues: label_issues.csv.
        images: what its paths are relative to.
        dataset: its name, for the title.
        pictures: which page is shown, and which values are black and white.
    """
    suspects = issues[issues["suspect"] == 1]
    shown = (suspects if len(suspects) else issues).head(PHOTOS)
    classes = sorted(set(issues["label"]) | set(issues["suggested"]))
    names = dict(zip(classes, class_labels(classes, 20), strict=True))
    tiles = [
        Tile(
            photo=thumbnail(images / row["path"], pictures=pictures),
            lines=(
                f"{names[row['suggested']]} {row['probability']:.2f}",
                f"label: {names[row['label']]} {row['self_confidence']:.2f}",
                photo_label(row["path"]),
            ),
        )
        for row in shown.to_dict("records")
    ]
    return tiled(f"{dataset}: {told(len(suspects), len(shown), len(issues))}", tiles, ACROSS, note=NOTE)


def told(n_suspects: int, n_shown: int, n_photos: int) -> str:
    """Say what is shown.

    >>> told(58, 40, 600), told(1, 1, 600), told(0, 40, 600)
    ('40 of 58 suspect labels in 600 photos', '1 suspect label in 600 photos', 'no suspect label in 600 photos')
    """
    labels = f"suspect label{'' if n_suspects in (0, 1) else 's'} in {n_photos:,} photos"
    if not n_suspects:
        return f"no {labels}"
    return f"{n_shown} of {n_suspects:,} {labels}" if n_shown < n_suspects else f"{n_suspects} {labels}"
