"""Cached features and labels in; label_issues.csv, every photo, the likeliest wrong labels first, and a figure out."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from graft.config.base import parse
from graft.config.dataset import Pictures, Split
from graft.config.figures import Figures
from graft.data.label_sets import COLUMN, multi_hot
from graft.data.split import groups_of
from graft.data.unlabelled import is_unlabelled
from graft.data.wording import abbreviated
from graft.errors import UserError, run_script
from graft.figures import label_issues as figure
from graft.figures import label_set_issues as figure_of_sets
from graft.figures import style
from graft.judging import label_set_issues
from graft.judging.label_issues import issues_table
from graft.judging.multilabel_outcomes import has_sets
from graft.storage.arrays import open_array
from graft.storage.files import read_json, read_table, write_table
from graft.training.out_of_fold import labels_out_of_fold, out_of_fold


def main(argv: list[str] | None = None) -> None:
    """Ask the probe about every photo, out of fold, and list what contradicts its label."""
    arguments = parse_arguments(argv)
    settings = parse(Split, json.loads(arguments.settings), "split")
    manifest, classes = read_table(arguments.manifest), read_json(arguments.classes)
    features = open_array(arguments.features)[0]
    if len(features) != len(manifest):
        raise UserError(f"{arguments.features} has {len(features)} photos, {arguments.manifest} {len(manifest)}")
    features, manifest = of_labelled(features, manifest)
    several = has_sets(manifest)
    issues_of = issues_of_sets if several else issues_of_labels
    try:
        issues = issues_of(np.asarray(features), manifest, classes, settings)
    except ValueError as error:
        raise UserError(f"{arguments.dataset}: {error}; a label can be judged by other photos only") from None
    pictures = parse(Pictures, json.loads(arguments.pictures), "pictures")
    draw = figure_of_sets.draw if several else figure.draw
    drawn = draw(issues, arguments.images, arguments.dataset, pictures)
    style.save(drawn, [arguments.figure], Figures().dpi)
    write_table(issues, arguments.output, sealed=False)  # a user's to edit: no stage reads it
    told = story_of_sets(issues) if several else story(issues)
    print(told, f"find_label_issues: {arguments.output} lists every photo; {ADVICE}", sep="\n")


def issues_of_labels(features: np.ndarray, manifest: pd.DataFrame, classes: list[str], settings: Split) -> pd.DataFrame:
    """Return label_issues.csv of photos of one label each."""
    codes = manifest["label"].map(classes.index).to_numpy()
    probabilities = out_of_fold(features, codes, groups_of(manifest, settings.group_by), settings.seed)
    return issues_table(manifest["path"].tolist(), classes, codes, probabilities)


def issues_of_sets(features: np.ndarray, manifest: pd.DataFrame, classes: list[str], settings: Split) -> pd.DataFrame:
    """Return label_issues.csv of photos that may have several labels."""
    truth = multi_hot(manifest[COLUMN], classes)
    probabilities = labels_out_of_fold(features, truth, groups_of(manifest, settings.group_by), settings.seed)
    return label_set_issues.issues_table(manifest["path"].tolist(), classes, truth > 0, probabilities)


def of_labelled(features: np.ndarray, manifest: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the features and the rows of the photos that have a label."""
    known = ~is_unlabelled(manifest).to_numpy()
    return (features, manifest) if known.all() else (features[known], manifest[known].reset_index(drop=True))


ADVICE = "to mend labels, save its rows with the right label, or `drop` as action, as source.labels.corrections"


def story(issues: pd.DataFrame) -> str:
    """Return how many labels are suspect, and the first of them."""
    suspects = issues[issues["suspect"] == 1]
    named = [f"{row.path} ({row.label}, looks like {row.suggested})" for row in suspects.head(4).itertuples()]
    first = f": {abbreviated([*named, *suspects['path'][4:]])}" if len(suspects) else ""
    return f"find_label_issues: {len(suspects)} of {len(issues):,} labels are suspect{first}"


def story_of_sets(issues: pd.DataFrame) -> str:
    """Return how many photos have a suspect label, or seem to lack one, and the first of them."""
    suspects = issues[issues["suspect"] == 1]
    named = [f"{row.path} ({str(row.doubted).replace('|', ', ')})" for row in suspects.head(4).itertuples()]
    first = f": {abbreviated([*named, *suspects['path'][4:]])}" if len(suspects) else ""
    return f"find_label_issues: {len(suspects)} of {len(issues):,} photos have a suspect label{first}"


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="the data set's name")
    parser.add_argument("--features", required=True, type=Path, help="the .npy file of embed_images")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv")
    parser.add_argument("--classes", required=True, type=Path, help="classes.json")
    parser.add_argument("--images", required=True, type=Path, help="what the photos' paths are relative to")
    parser.add_argument("--settings", default="{}", help="JSON of the split: its group_by and seed are used")
    parser.add_argument("--pictures", default="{}", help="JSON of Pictures: how the photos are shown")
    parser.add_argument("--output", required=True, type=Path, help="label_issues.csv, to be written")
    parser.add_argument("--figure", required=True, type=Path, help="the .png file to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
