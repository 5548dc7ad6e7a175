"""A run's published model in; one export of it, and what it says of every judged photo in its own runtime, out."""

import argparse
import json
import shutil
from pathlib import Path

from graft.config.base import parse
from graft.config.export import Export
from graft.errors import UserError, run_script
from graft.exporting import packages, predictor

WITHOUT_DISTANCE = ("litert-int8",)  # it computes everything in eight bits, in which the length of features may be 0


def main(argv: list[str] | None = None) -> None:
    """Write the export, prove it, time it beside Keras."""
    arguments = parse_arguments(argv)
    export = parse(Export, json.loads(arguments.settings), "export")
    packages.check_installed(export, arguments.run)

    from graft.machine import gpus, runtime

    with gpus.lease(0):  # an export is made, and timed, on the processor
        runtime.start(seed=0, threads=arguments.threads)
        make(export, arguments)


def make(export: Export, arguments: argparse.Namespace) -> None:
    """Write the folder of the export, and its row of exports.csv, if the export says what the model says."""
    import numpy as np
    import pandas as pd

    from graft.exporting import proof, runtimes, writing
    from graft.exporting.answering import DISTANCE, answering, facts_of_export
    from graft.network.model_file import load_model
    from graft.predicting.likeness import read_likeness
    from graft.storage import seals
    from graft.storage.arrays import open_array
    from graft.storage.files import atomic, read_table, sha256_of, write_table

    model, published = load_model(arguments.model)
    if export.name in WITHOUT_DISTANCE:
        published |= {"unlike": None}
    facts = facts_of_export(published, export.name) | {"model_sha256": sha256_of(arguments.model)}
    judged = proof.judged_photos(read_table(arguments.predictions), published["stage"], published["fold"])
    pixels, places = open_array(arguments.pixels), pd.Index(read_table(arguments.manifest)["path"])
    rows = places.get_indexer(judged["path"])
    measured = proof.calibration_rows(read_table(arguments.split), published["fold"], export.calibration_photos)
    measured = measured if export.precision == "int8" else []
    if export.precision == "int8" and not measured:
        raise UserError(f"the export {export.name} of {arguments.run} measures ranges on training photos; it has none")

    batches = {n: np.resize(pixels[rows[:32]], (n, *pixels.shape[1:])) for n in (1, 32)}
    keras_ms = {n: proof.milliseconds(model.predict_on_batch, batch) for n, batch in batches.items()}
    with atomic(arguments.output) as folder:
        folder.mkdir()
        likeness = read_likeness(arguments.model) if facts.get("unlike") else None
        whole_model = answering(model, facts["temperature_inside"], likeness, bool(facts.get("several_labels")))
        path = writing.write(whole_model, export, facts, pixels[np.sort(places.get_indexer(measured))], folder)
        ask = runtimes.opened(export, path, arguments.threads)
        found = proof.compared(judged, proof.answers(ask, pixels, rows), facts)
        proof.check(found, export, arguments.run)
        if likeness:
            apart = proof.answers(runtimes.opened(export, path, arguments.threads, DISTANCE), pixels, rows)
            expected = proof.answers(lambda batch: whole_model.predict_on_batch(batch)[1], pixels, rows)
            found["unlike_flipped"] = proof.unlike_flipped(apart, expected, facts)
        row = {
            "run": arguments.run,
            "export": export.name,
            "runtime": packages.runtime_of(export),
            **{key: value for key, value in found.items() if key not in ("worst_before", "worst_after")},
            "tolerance": export.largest_difference,
            "calibration_photos": len(measured),
            "megabytes": proof.megabytes(path),
            "model_megabytes": proof.megabytes(arguments.model),
            **{f"ms_batch_{n}": proof.milliseconds(ask, batch) for n, batch in batches.items()},
            **{f"keras_ms_batch_{n}": keras_ms[n] for n in batches},
            "threads": arguments.threads,
        }
        if export.format == "onnx":
            shutil.copyfile(predictor.__file__, folder / "predict.py")
            shutil.copyfile(arguments.requirements, folder / "requirements.txt")
        for file in [file for file in folder.rglob("*") if file.is_file()]:
            seals.write(file, seals.digest_of(file))
        shutil.rmtree(arguments.output, ignore_errors=True)  # an older one, only now that there is a newer
    write_table(pd.DataFrame([row]), arguments.table)
    print(
        f"export_model: {arguments.run}, {export.name}: {row['flipped']} of {row['photos']} answers flipped, largest"
        f" difference of a probability {row['largest_difference']:.2g} (tolerance {row['tolerance']:g}),"
        f" {row['megabytes']:.2f} MB, {row['ms_batch_1']:.1f} ms a photo alone and {row['ms_batch_32']:.0f} ms for 32;"
        f" Keras {keras_ms[1]:.1f} and {keras_ms[32]:.0f} ms; {arguments.threads} threads"
    )


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="its name")
    parser.add_argument("--settings", required=True, help="JSON of Export")
    parser.add_argument("--model", required=True, type=Path, help="the run's published model.keras")
    parser.add_argument("--predictions", required=True, type=Path, help="the run's predictions.csv")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the pixels")
    parser.add_argument("--split", required=True, type=Path, help="split.csv: which photos trained")
    parser.add_argument("--requirements", required=True, type=Path, help="the lock that travels with predict.py")
    parser.add_argument("--output", required=True, type=Path, help="the folder to write")
    parser.add_argument("--table", required=True, type=Path, help="the export's row, as CSV, to write")
    parser.add_argument("--threads", default=2, type=int, help="processor threads, of Keras and of the runtime")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
