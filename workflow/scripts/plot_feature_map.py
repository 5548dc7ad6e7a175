"""Draw the photos in the space of the frozen backbone's features: features and predictions.csv in, a figure out."""

import argparse

from matplotlib.figure import Figure

from graft.config.figures import Figures
from graft.errors import run_script
from graft.figures import feature_map
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    plot(parser_of(__doc__, ("run", "predictions", "features", "manifest")).parse_args(argv), draw)


def draw(given: argparse.Namespace, settings: Figures) -> Figure:
    """Return the map of the clean features: those without augmentation."""
    features = feature_map.clean_features(given.features)
    manifest, predictions = read_table(given.manifest), read_table(given.predictions)
    return feature_map.draw(features, manifest, predictions, settings.feature_map, given.run)


if __name__ == "__main__":
    run_script(main)
