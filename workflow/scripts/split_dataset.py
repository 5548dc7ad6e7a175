"""A manifest in; split.csv out, a row for each photo and fold: path, label, fold, role."""

import argparse
import json
from pathlib import Path

import pandas as pd

from graft.config.base import parse
from graft.config.dataset import Split
from graft.data.label_sets import COLUMN
from graft.data.multilabel_split import multilabel_split
from graft.data.split import ROLES, resolved, split
from graft.errors import run_script
from graft.storage.files import read_table, write_table


def main(argv: list[str] | None = None) -> None:
    """Split the photos and say how many have which role."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv")
    parser.add_argument("--settings", default="{}", help="method, shares, folds, groups and seed, as JSON")
    parser.add_argument("--output", required=True, type=Path, help="split.csv, to be written")
    arguments = parser.parse_args(argv)
    settings = parse(Split, json.loads(arguments.settings), "split")

    manifest = read_table(arguments.manifest)
    table = multilabel_split(manifest, settings) if COLUMN in manifest else split(manifest, settings)
    write_table(table, arguments.output)
    print(f"split_dataset: {resolved(settings, manifest)}, seed {settings.seed}: {story(table)}")


def story(table: pd.DataFrame) -> str:
    """Return how many photos have which role, in the first fold and, if there are more, in all."""
    first = table[table["fold"] == 0]
    counts = [f"{(first['role'] == role).sum():,} {role}" for role in ROLES if role in set(first["role"])]
    n_folds = table["fold"].nunique()
    return ", ".join(counts) + (f" in the first of {n_folds} folds" if n_folds > 1 else "")


if __name__ == "__main__":
    run_script(main)
