"""Ask a saved model about new photos: files, folders, patterns, or `-` for paths on standard input.

    python workflow/commands/classify.py results/runs/lesson/model.keras photos/ 'more/*.jpg'

A line a photo: path, answer, the answer's probability; or "not sure" where that lies below the bound that the run set
(evaluation.unsure_below), or "unlike the training photos", and behind it the class that it would have answered. A
model of several labels a photo gives each label that reaches its threshold, most probable first, or "none". Files that
cannot be read are named on standard error and make exit code 1.

For many photos, --output writes a table with a row for each file, read or not. The same command goes on where one was
stopped:

    python workflow/commands/classify.py results/runs/lesson/model.keras photos/ --output scores.csv
"""

import argparse
import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.network.model_file import load_model, pictures_of, read_facts
from graft.predicting import score_tables, scoring
from graft.predicting.classify import annotate, classify, find_photos, load_classifier
from graft.predicting.decoding import workers_for
from graft.predicting.likeness import read_likeness
from graft.predicting.verdicts import LabelVerdict, Verdict
from graft.storage.files import atomic, sha256_of


def main(argv: list[str] | None = None) -> None:
    """Find the photos, load the model, say what it sees."""
    arguments = parse_arguments(argv)
    read_facts(arguments.model)  # a mistake ends here, before a framework loads
    if arguments.output:
        score_tables.check_output(arguments.output)
    paths = find_photos(arguments.photos, arguments.list)
    if not paths:
        raise UserError(f"no photos in {', '.join(map(str, [*arguments.photos, *arguments.list])) or 'nothing'}")

    from graft.machine import runtime

    runtime.start(seed=0, threads=arguments.threads)
    if arguments.output:
        score_many(paths, arguments)
    else:
        tell_each(paths, arguments)


def score_many(paths: list[str], arguments: argparse.Namespace) -> None:
    """Write a table with a row for each photo, telling how far it is; go on with what an earlier command left."""
    from graft.network.features_of import with_features
    from graft.network.forms import in_prediction_form

    model, facts = load_model(arguments.model)
    model, likeness = in_prediction_form(model), read_likeness(arguments.model) if facts.get("unlike") else None
    model = with_features(model) if likeness else model
    paths = list(dict.fromkeys(paths))
    part = arguments.output.with_name(f"{arguments.output.name}.part")
    lines = scoring.Lines(part, {"model": sha256_of(arguments.model)})
    workers = workers_for(len(paths), arguments.workers)
    try:
        rows = scoring.score(model, facts, paths, workers, lines, likeness)
        read, unread = score_tables.write_scores(rows, facts["classes"], arguments.output)
    except KeyboardInterrupt:
        print("\nclassify: stopped; the same command goes on from here", file=sys.stderr)
        raise
    part.unlink()
    print(f"classify: {arguments.output}: {read:,} photos")
    if unread:
        raise UserError(f"{unread:,} of {len(paths):,} files could not be read: column fault says why")


def tell_each(paths: list[str], arguments: argparse.Namespace) -> None:
    """Print a line a photo, and write what else was asked for."""
    model, facts, likeness = load_classifier(arguments.model)
    verdicts = []
    for verdict in classify(model, facts, paths, workers_for(len(paths), arguments.workers), likeness=likeness):
        verdicts.append(verdict)
        tell(verdict)
    read = [verdict for verdict in verdicts if not verdict.fault]
    if arguments.csv:
        write_csv(read, facts["classes"], arguments.csv)
    if arguments.json:
        write_json(verdicts, facts["classes"], arguments.json)
    if arguments.pictures:
        taken: set[str] = set()
        for verdict in read:
            annotate(verdict, arguments.pictures, taken, pictures_of(facts))
    if len(read) < len(verdicts):
        raise UserError(f"{len(verdicts) - len(read)} of {len(verdicts)} files could not be read")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model.keras of a run")
    parser.add_argument("photos", nargs="*", help="files, folders, patterns in quotes, or -")
    parser.add_argument("--list", type=Path, nargs="+", default=[], help="text files with the path of a photo a line")
    parser.add_argument(
        "--output",
        type=Path,
        help="for many photos: the table to write, .csv, .jsonl or .parquet, instead of the lines",
    )
    parser.add_argument(
        "--csv", type=Path, help="also write a table: path, predicted, its probability, sure, unlike, and each class's"
    )
    parser.add_argument("--json", type=Path, help="also write the same as JSON, with the files that could not be read")
    parser.add_argument("--pictures", type=Path, help="also write a copy of each photo, with its verdict, here")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="processor threads (default: all)")
    parser.add_argument(
        "--workers", type=int, help="processes that read photos; default: the cores but one, none for a few photos"
    )
    arguments = parser.parse_args(argv)
    if arguments.output and (arguments.csv or arguments.json or arguments.pictures):
        parser.error("--output is all that is written: leave out --csv, --json and --pictures")
    return arguments


def tell(verdict: Verdict) -> None:
    """Print one photo's line at once, so that a pipe gets it."""
    if verdict.fault:
        print(f"{verdict.path}: {verdict.fault}", file=sys.stderr, flush=True)
    elif isinstance(verdict, LabelVerdict):
        print(f"{verdict.path}  {verdict.answer}", flush=True)
    else:
        answer = f"{verdict.doubt}  {verdict.label}  " if verdict.doubt else f"{verdict.label}  "
        print(f"{verdict.path}  {answer}{verdict.probability:.2f}", flush=True)


def write_csv(verdicts: list[Verdict], classes: list[str], path: Path) -> None:
    """Write the verdicts as a table."""
    several = any(isinstance(verdict, LabelVerdict) for verdict in verdicts)
    answer = ["path", "predicted"]
    with atomic(path) as part, open(part, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        header = score_tables.columns_of(classes)[:-1]  # without the faults
        table.writerow([*answer, *header[len(score_tables.FIRST) :]] if several else header)
        for verdict in verdicts:
            if several:
                table.writerow([verdict.path, verdict.label, *(f"{value:.9g}" for value in verdict.probabilities)])
                continue
            row = score_tables.flattened(scoring.row_of(verdict), classes)
            table.writerow([score_tables.cell_of(value) for value in row.values()][:-1])


def write_json(verdicts: list[Verdict], classes: list[str], path: Path) -> None:
    """Write the verdicts and the faults as a list."""
    rows = [
        {"path": verdict.path, "fault": verdict.fault}
        if verdict.fault
        else {
            "path": verdict.path,
            **answer_of(verdict),
            "probabilities": dict(zip(classes, verdict.probabilities, strict=True)),
        }
        for verdict in verdicts
    ]
    with atomic(path) as part:
        part.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def answer_of(verdict: Verdict) -> dict[str, Any]:
    """Return the class and how sure it is, or the list of labels."""
    if isinstance(verdict, LabelVerdict):
        return {"predicted": list(verdict.labels)}
    unlike = None if verdict.distance is None else verdict.unlike
    answer = {"predicted": verdict.label, "probability": verdict.probability, "sure": verdict.sure}
    return answer | {"unlike": unlike, "distance": verdict.distance}


if __name__ == "__main__":
    run_script(main)
