"""A run's results and what they were made from in; provenance.json, enough to repeat the run, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.provenance import RunRecord
from graft.errors import run_script
from graft.reporting import provenance
from graft.storage.files import read_json, sha256_of, write_json


def main(argv: list[str] | None = None) -> None:
    """Gather settings, digests, versions and costs, and write them."""
    arguments = parse_arguments(argv)
    record = parse(RunRecord, json.loads(arguments.settings), "record")
    folder = arguments.evaluation.parent
    devices = {path.parent.name: read_json(path) for path in devices_of(arguments.models)}
    source = arguments.manifest.with_name("source.json")  # where the photos were downloaded
    costs = provenance.costs(arguments.benchmarks, record)
    write_json(
        {
            **record.model_dump(mode="json"),
            "recorded": provenance.now(),
            "data": provenance.data_record(record.dataset, arguments.manifest, arguments.split, source),
            "weights": {path.name: sha256_of(path) for path in arguments.weights},
            "models": provenance.file_digests(arguments.models, folder),
            "results": provenance.file_digests([*arguments.predictions, arguments.evaluation], folder),
            "code": provenance.code_record(),
            "packages": provenance.packages(),
            "machine": provenance.machine(),
            "devices": devices,
            "costs": costs,
        },
        arguments.output,
    )
    seconds = sum(part["seconds"] for part in costs.values())
    print(
        f"record_provenance: {record.run}, seed {record.seed}: {len(arguments.models)} models, {seconds:.1f} s in all"
    )


def devices_of(models: list[Path]) -> list[Path]:
    """Return the notes that training left beside its models of what it ran on."""
    return [path for model in models if (path := model.with_name("device.json")).is_file()]


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="JSON of RunRecord")
    parser.add_argument("--manifest", required=True, type=Path, help="the data set's manifest.csv")
    parser.add_argument("--split", required=True, type=Path, help="the data set's split.csv")
    parser.add_argument("--weights", default=[], type=Path, nargs="*", help="the pretrained weights, if there are any")
    parser.add_argument("--models", required=True, type=Path, nargs="+", help="every model.keras of the run")
    parser.add_argument("--predictions", required=True, type=Path, nargs="+", help="every predictions.csv of the run")
    parser.add_argument("--evaluation", required=True, type=Path, help="the run's evaluation.csv")
    parser.add_argument("--benchmarks", required=True, type=Path, help="the folder of benchmark files")
    parser.add_argument("--output", required=True, type=Path, help="JSON to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
