"""A run's last models and the packed pixels in; what they say of the photos without a label out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import UnlabelledSettings
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Predict with the last stage's model of every fold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--models", required=True, type=Path, nargs="+", help="the last stage's model.keras, each fold's"
    )
    parser.add_argument("--calibration", required=True, type=Path, help="the run's calibration.json")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the pixels")
    parser.add_argument("--predictions", required=True, type=Path, help="the unlabelled_predictions.csv to write")
    parser.add_argument("--settings", default="{}", help="fast_path and test_views, as JSON")
    parser.add_argument("--tag", required=True, help="the run, for the lines of progress")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(UnlabelledSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=arguments.threads)
        predict(settings, arguments)


def predict(settings: UnlabelledSettings, arguments: argparse.Namespace) -> None:
    """Ask each model about every photo that has no label."""
    import numpy as np

    from graft.data.unlabelled import is_unlabelled
    from graft.predicting.unlabelled import predict_unlabelled
    from graft.storage.arrays import open_array
    from graft.storage.files import read_json, read_table, write_table

    manifest = read_table(arguments.manifest)
    table = predict_unlabelled(
        models=arguments.models,
        pixels=open_array(arguments.pixels),
        manifest=manifest,
        rows=np.flatnonzero(is_unlabelled(manifest)),
        calibration=read_json(arguments.calibration),
        fast_path=settings.fast_path,
        tag=f"predict_unlabelled: {arguments.tag}",
        views=settings.test_views,
    )
    write_table(table, arguments.predictions)
    counts = ", ".join(f"{name} {count:,}" for name, count in table["predicted"].value_counts().head(10).items())
    answers = f": {counts}" if counts else ", since the photo set has none"
    print(f"predict_unlabelled: {arguments.tag}: {len(table):,} photos without a label{answers}")


if __name__ == "__main__":
    run_script(main)
