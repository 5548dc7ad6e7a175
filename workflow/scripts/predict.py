"""A model and the packed pixels in, predictions.csv out: a probability for every photo and class."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import PredictSettings
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Predict the photos of one run, fold and stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="whose predictions to write, and who chooses, as JSON")
    parser.add_argument("--model", required=True, type=Path, help="model.keras of train_head or fine_tune")
    parser.add_argument("--predictions", required=True, type=Path, help="the predictions.csv to write")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the pixels")
    parser.add_argument("--split", required=True, type=Path, help="split.csv")
    parser.add_argument("--fold", required=True, type=int, help="which fold of the split")
    parser.add_argument("--tag", required=True, help="run, fold and stage, for the lines of progress")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(PredictSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=arguments.threads)
        predict(settings, arguments)


def predict(settings: PredictSettings, arguments: argparse.Namespace) -> None:
    """Ask the model about the photos of the wanted roles, and about those that choose."""
    import pandas as pd

    from graft.data.selection import photos_to_predict
    from graft.network.model_file import load_model
    from graft.predicting.predictions import predict_logits, predictions_table
    from graft.storage.arrays import open_array
    from graft.storage.files import read_table, write_table

    split = photos_to_predict(read_table(arguments.split), arguments.fold, settings)
    rows = pd.Index(read_table(arguments.manifest)["path"]).get_indexer(split.path)
    model, facts = load_model(arguments.model)
    tag = f"predict: {arguments.tag}"
    logits = predict_logits(model, open_array(arguments.pixels), rows, tag)
    table = predictions_table(split, logits, facts["classes"])
    write_table(table, arguments.predictions)
    print(f"{tag}: {int((table.label == table.predicted).sum())} of {len(table)} right", flush=True)


if __name__ == "__main__":
    run_script(main)
