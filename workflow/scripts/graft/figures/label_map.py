"""The photos of several labels in the space of the frozen backbone's features: coloured by which labels they have."""

from collections import Counter

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from graft.config.figures import FeatureMap
from graft.data.label_sets import COLUMN, parted
from graft.figures.feature_map import Kinds, check_features, few, mapped, marks, mistakes_phrase
from graft.figures.judged import judged, stages_of
from graft.figures.names import class_labels

NAMED = 20  # combinations of labels that have a colour: a column of the legend


def draw(
    features: np.ndarray, manifest: pd.DataFrame, predictions: pd.DataFrame, settings: FeatureMap, run: str
) -> Figure:
    """Return the map: a dot per photo in the colour of its combination of labels; ringed where a label is wrong."""
    check_features(features, manifest)
    stage = stages_of(predictions)[-1]
    kept = few(np.arange(len(manifest)), settings)
    table = manifest.iloc[kept]
    mark = marks(table["path"], judged(predictions, stage).rename(columns={COLUMN: "label"}))
    wrong = mistakes_phrase(mark == "wrong", stage, predictions)
    return mapped(
        np.asarray(features[kept], np.float32), combinations(table[COLUMN].tolist()), mark, wrong, settings, run
    )


def combinations(sets: list[str], named: int = NAMED) -> Kinds:
    """Return which combination of labels each photo has, the most frequent ones named.

    >>> found = combinations(["car|tree", "", "car|tree", "car"], named=2)
    >>> found.of_photo.tolist(), found.names, found.title
    ([0, 1, 0, 2], ['car, tree', 'no label'], 'the 2 most frequent combinations; grey: 1 other')
    """
    ranked = [text for text, _ in Counter(sets).most_common()]
    shown = ranked[:named]
    names = class_labels([", ".join(parted(text)) or "no label" for text in shown], 22)
    others = len(ranked) - len(shown)
    title = (
        f"the {len(shown)} most frequent combinations; grey: {others:,} other{'s' * (others > 1)}" if others else None
    )
    places = {text: place for place, text in enumerate(ranked)}
    return Kinds(np.array([places[text] for text in sets], int), list(range(len(shown))), names, title)
