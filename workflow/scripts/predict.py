"""A run's models and the packed pixels in; what each model says of each photo out, and the published one's features."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import PredictSettings
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Predict with the models of all folds and stages, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="whose predictions to write, and who chooses, as JSON")
    parser.add_argument("--models", required=True, type=Path, nargs="+", help="every fold{fold}/{stage}/model.keras")
    parser.add_argument("--predictions", required=True, type=Path, help="the raw_predictions.csv to write")
    parser.add_argument("--features", required=True, type=Path, help="the features.npz to write")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the pixels")
    parser.add_argument("--split", required=True, type=Path, help="split.csv")
    parser.add_argument("--views", nargs="*", type=Path, default=[], help="features of test-time views, if cached")
    parser.add_argument("--shard", default="1-of-1", help="i-of-n: the i-th of n parts of every fold's photos only")
    parser.add_argument("--tag", required=True, help="the run, for the lines of progress")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(PredictSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=arguments.threads)
        predict(settings, arguments)


def predict(settings: PredictSettings, arguments: argparse.Namespace) -> None:
    """Ask each model about the photos of its fold: of the wanted roles, and those that choose."""
    from graft.predicting.run_features import write_features
    from graft.predicting.runs import predict_run
    from graft.storage.arrays import open_array
    from graft.storage.files import read_table, write_table

    table, described, features = predict_run(
        models=arguments.models,
        pixels=open_array(arguments.pixels),
        paths=read_table(arguments.manifest)["path"],
        split=read_table(arguments.split),
        settings=settings,
        shard=arguments.shard,
        tag=f"predict: {arguments.tag}",
        viewed=open_array(arguments.views[0]) if arguments.views else None,
    )
    write_features(described, features, arguments.features)
    write_table(table, arguments.predictions)


if __name__ == "__main__":
    run_script(main)
