"""Ask a saved model about new photos: files, folders, patterns, or `-` for paths on standard input.

    python workflow/commands/classify.py results/runs/lesson/model.keras photos/ 'more/*.jpg'

A line a photo: path, answer, the answer's probability; or "not sure" where that lies below the bound that the run set
(evaluation.unsure_below), and behind it the class that it would have answered. A model of several labels a photo gives
each label that reaches its threshold, most probable first, or "none". Files that cannot be read are named on
standard error and make exit code 1.
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
from graft.network.model_file import load_model, read_facts
from graft.predicting.classify import annotate, classify, find_photos, pictures_of
from graft.predicting.verdicts import LabelVerdict, Verdict
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Find the photos, load the model, say what it sees."""
    arguments = parse_arguments(argv)
    facts = read_facts(arguments.model)
    paths = find_photos(arguments.photos)
    if not paths:
        raise UserError(f"no photos in {', '.join(arguments.photos)}")

    from graft.machine import runtime

    runtime.start(seed=0, threads=arguments.threads)
    model, _ = load_model(arguments.model)
    verdicts = []
    for verdict in classify(model, facts, paths):
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
    parser.add_argument("photos", nargs="+", help="files, folders, patterns in quotes, or -")
    parser.add_argument(
        "--csv", type=Path, help="also write a table: path, predicted, its probability, sure, and each class's"
    )
    parser.add_argument("--json", type=Path, help="also write the same as JSON, with the files that could not be read")
    parser.add_argument("--pictures", type=Path, help="also write a copy of each photo, with its verdict, here")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="processor threads (default: all)")
    return parser.parse_args(argv)


def tell(verdict: Verdict) -> None:
    """Print one photo's line at once, so that a pipe gets it."""
    if verdict.fault:
        print(f"{verdict.path}: {verdict.fault}", file=sys.stderr, flush=True)
    elif isinstance(verdict, LabelVerdict):
        print(f"{verdict.path}  {verdict.answer}", flush=True)
    else:
        answer = f"{verdict.label}  " if verdict.sure else f"not sure  {verdict.label}  "
        print(f"{verdict.path}  {answer}{verdict.probability:.2f}", flush=True)


def write_csv(verdicts: list[Verdict], classes: list[str], path: Path) -> None:
    """Write the verdicts as a table."""
    several = any(isinstance(verdict, LabelVerdict) for verdict in verdicts)
    answer = ["path", "predicted"] if several else ["path", "predicted", "probability", "sure"]
    with atomic(path) as part, open(part, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow([*answer, *(f"probability_{name}" for name in classes)])
        for verdict in verdicts:
            if several:
                table.writerow([verdict.path, verdict.label, *(f"{value:.9g}" for value in verdict.probabilities)])
                continue
            chances = [f"{value:.9g}" for value in (verdict.probability, *verdict.probabilities)]
            table.writerow([verdict.path, verdict.label, chances[0], int(verdict.sure), *chances[1:]])


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
    return {"predicted": verdict.label, "probability": verdict.probability, "sure": verdict.sure}


if __name__ == "__main__":
    run_script(main)
