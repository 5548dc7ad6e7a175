"""All folds' predictions of a run in; pooled and calibrated predictions and the tables that judge them out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.evaluation import Evaluation
from graft.errors import run_script
from graft.judging import evaluation
from graft.judging.outcomes import classes_of
from graft.storage.files import write_json, write_table


def main(argv: list[str] | None = None) -> None:
    """Pool, calibrate, judge, compare, write."""
    arguments = parse_arguments(argv)
    settings = parse(Evaluation, json.loads(arguments.settings), "evaluation")
    rows, calibrators = evaluation.calibrated(evaluation.pool(arguments.predictions), settings)
    answers = evaluation.answers_by_stage_and_role(rows)
    judged = evaluation.evaluation_table(arguments.run, answers, settings)
    compared = evaluation.significance_table(arguments.run, answers, settings)

    write_table(evaluation.published_predictions(rows), arguments.pooled)
    write_table(judged, arguments.evaluation)
    write_table(evaluation.per_class_table(arguments.run, answers, settings.confidence), arguments.per_class)
    write_json(evaluation.calibration_record(classes_of(rows), calibrators, settings), arguments.calibration)
    write_table(compared, arguments.significance)

    for row in judged[judged["fold"] == "all"].itertuples():
        print(
            f"evaluate: {row.run}, {row.stage}, {row.role}: {row.correct} of {row.n} right,"
            f" accuracy {row.accuracy:.3f} ({row.accuracy_low:.3f} to {row.accuracy_high:.3f}), {row.verdict}"
        )
        if row.chose_n:
            print(
                f"evaluate: {row.run}, {row.stage}: {row.chose_accuracy:.3f} on the {row.chose_n} photos that chose,"
                f" {row.accuracy:.3f} on those that judged: optimism {row.optimism:+.3f}"
            )
    for row in compared.itertuples():
        print(f"evaluate: {row.run}, {row.role}, head against finetuned: {row.verdict}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument(
        "--predictions", required=True, type=Path, nargs="+", help="every fold{fold}/{stage}/predictions.csv of the run"
    )
    parser.add_argument("--settings", default="{}", help="JSON of Evaluation")
    parser.add_argument("--pooled", required=True, type=Path, help="CSV to write: all predictions, calibrated")
    parser.add_argument("--evaluation", required=True, type=Path, help="CSV to write: a row per stage, role and fold")
    parser.add_argument("--per-class", required=True, type=Path, help="CSV to write: a row per stage, role and class")
    parser.add_argument("--calibration", required=True, type=Path, help="JSON to write: temperatures and thresholds")
    parser.add_argument("--significance", required=True, type=Path, help="CSV to write: finetuned against head")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
