"""A run's predictions and models in; the tables that judge it, its published model, provenance and card out."""

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd

from graft import paths
from graft.config.base import parse
from graft.config.evaluation import Evaluation
from graft.config.provenance import RunRecord
from graft.errors import run_script
from graft.judging import evaluation, multilabel, strangers
from graft.judging.graded import titles
from graft.judging.multilabel_calibration import calibrate
from graft.judging.multilabel_outcomes import has_sets, is_table_of_sets
from graft.judging.outcomes import classes_of, judging_role
from graft.network.model_file import publish
from graft.predicting.likeness import MEMBER
from graft.predicting.run_features import read_features
from graft.reporting import model_card, multilabel_card, multilabel_summary, provenance
from graft.storage import seals
from graft.storage.files import atomic, read_json, write_json, write_table


def main(argv: list[str] | None = None) -> None:
    """Judge, publish, record, describe."""
    arguments = parse_arguments(argv)
    record = parse(RunRecord, json.loads(arguments.record), "record")
    settings = parse(Evaluation, json.loads(arguments.settings), "evaluation")
    tables = judge(record.run, settings, arguments)
    calibration = read_json(in_folder(arguments, paths.CALIBRATION))
    views = {"test_views": record.test_views.model_dump(mode="json")} if record.test_views else {}
    unlike, members = strangers_of(record.run, tables[0], settings, arguments)
    facts = views | {"unlike": unlike}
    publish(record.run, arguments.models, calibration, in_folder(arguments, paths.MODEL), facts, members)
    made_from = recorded(record, arguments)
    if is_table_of_sets(tables[0]):
        text = multilabel_card.card(made_from, *tables, calibration)
    else:
        text = model_card.card(made_from, *tables, calibration, unlike=unlike)
    with atomic(in_folder(arguments, paths.MODEL_CARD), sealed=True) as part:
        part.write_text(text, encoding="utf-8")
    for shard in arguments.predictions if len(arguments.predictions) > 1 else []:
        seals.remove(shard)  # as Snakemake removes the shard, which no other job reads


def in_folder(arguments: argparse.Namespace, pattern: str) -> Path:
    """Return where a file of the run is written."""
    return arguments.output / Path(pattern).name


def judge(
    run: str, settings: Evaluation, arguments: argparse.Namespace
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write all tables; return those of stages, classes, and stage against stage."""
    pooled = evaluation.pool(arguments.predictions)
    if has_sets(pooled):
        return judge_sets(run, pooled, settings, arguments)
    rows, calibrators = evaluation.calibrated(pooled, settings)
    answers = evaluation.answers_by_stage_and_role(rows)
    judged = evaluation.evaluation_table(run, answers, settings)
    per_class = evaluation.per_class_table(run, answers, settings.confidence)
    compared = evaluation.significance_table(run, answers, settings)
    calibration = evaluation.calibration_record(classes_of(rows), calibrators, settings)
    write(arguments, evaluation.published_predictions(rows), judged, per_class, compared, calibration)
    announce(judged, compared)
    return judged, per_class, compared


def judge_sets(
    run: str, pooled: pd.DataFrame, settings: Evaluation, arguments: argparse.Namespace
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Write all tables of a run of several labels a photo; return those of stages, labels, and stage against stage."""
    rows, calibrators = calibrate(pooled, settings, multilabel.remembered_of(arguments.models))
    answers = multilabel.answers_by_stage_and_role(rows)
    judged = multilabel.evaluation_table(run, answers, settings)
    per_label = multilabel.per_label_table(run, answers, settings)
    compared = multilabel.significance_table(run, answers, settings)
    calibration = multilabel.calibration_record(classes_of(rows), calibrators)
    write(arguments, multilabel.published_predictions(rows), judged, per_label, compared, calibration)
    print(*(f"evaluate: {line}" for line in multilabel_summary.told(judged, compared)), sep="\n")
    return judged, per_label, compared


def write(
    arguments: argparse.Namespace,
    predictions: pd.DataFrame,
    judged: pd.DataFrame,
    per_class: pd.DataFrame,
    compared: pd.DataFrame,
    calibration: dict[str, object],
) -> None:
    """Write what was judged into the run's folder."""
    write_table(predictions, in_folder(arguments, paths.PREDICTIONS))
    write_table(judged, in_folder(arguments, paths.EVALUATION))
    write_table(per_class, in_folder(arguments, paths.PER_CLASS))
    write_table(compared, in_folder(arguments, paths.SIGNIFICANCE))
    write_json(calibration, in_folder(arguments, paths.CALIBRATION))


def strangers_of(
    run: str, judged: pd.DataFrame, settings: Evaluation, arguments: argparse.Namespace
) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
    """Return what the model file says, and holds, to tell photos unlike its training photos; None where it cannot."""
    if not arguments.features or not settings.unlike_rate or is_table_of_sets(judged):
        return None, {}
    rows, features = read_features(arguments.features)
    judging = judging_role(judged["role"])
    stranger = strangers.stranger_of(rows, features, judging, settings.unlike_rate)
    if stranger is None:
        print(f"evaluate: {run}: too few photos to tell others unlike them (evaluation.unlike_rate)")
        return None, {}
    own = (rows["role"] == judging).to_numpy()
    facts = stranger.facts(settings.unlike_rate, rows[own], stranger.likeness.distances(features[own]))
    print(f"evaluate: {run}: {strangers.in_words(facts)}")
    return facts, {MEMBER: stranger.likeness.to_bytes()}


def announce(judged: pd.DataFrame, compared: pd.DataFrame) -> None:
    """Print a line for each stage and role, and for each comparison."""
    for row in judged[judged["fold"] == "all"].itertuples():
        print(
            f"evaluate: {row.run}, {row.stage}, {row.role}: {row.correct} of {row.n} right,"
            f" accuracy {row.accuracy:.3f} ({row.accuracy_low:.3f} to {row.accuracy_high:.3f}), {row.verdict}"
        )
        if asked := titles(list(judged.columns)):
            found = ", ".join(
                f"{title[0].lower()}{title[1:]} {getattr(row, name):.4f}" for name, title in asked.items()
            )
            print(f"evaluate: {row.run}, {row.stage}, {row.role}: {found}")
        if row.chose_n:
            print(
                f"evaluate: {row.run}, {row.stage}: {row.chose_accuracy:.3f} on the {row.chose_n!s} photos that chose,"
                f" {row.accuracy:.3f} on those that judged: optimism {row.optimism:+.3f}"
            )
    for row in compared.itertuples():
        print(f"evaluate: {row.run}, {row.role}, head against finetuned: {row.verdict}")


def recorded(record: RunRecord, arguments: argparse.Namespace) -> dict[str, Any]:
    """Write provenance.json and return what it holds."""
    results = [in_folder(arguments, pattern) for pattern in (paths.PREDICTIONS, paths.EVALUATION)]
    made_from = provenance.record_of(
        record,
        manifest=arguments.manifest,
        split=arguments.split,
        weights=arguments.weights,
        models=arguments.models,
        results=results,
        benchmarks=arguments.benchmarks,
    )
    write_json(made_from, in_folder(arguments, paths.PROVENANCE))
    seconds = sum(part["seconds"] for part in made_from["costs"].values())
    print(f"evaluate: {record.run}, seed {record.seed}: {len(arguments.models)} models, {seconds:.1f} s in all")
    return made_from


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", required=True, help="what repeats the run: JSON of RunRecord")
    parser.add_argument("--settings", default="{}", help="how it is judged: JSON of Evaluation")
    parser.add_argument("--predictions", required=True, type=Path, nargs="+", help="raw_predictions.csv, or its shards")
    parser.add_argument("--features", default=[], type=Path, nargs="*", help="features.npz, or its shards")
    parser.add_argument("--models", required=True, type=Path, nargs="+", help="every model.keras of the run")
    parser.add_argument("--manifest", required=True, type=Path, help="the data set's manifest.csv")
    parser.add_argument("--split", required=True, type=Path, help="the data set's split.csv")
    parser.add_argument("--weights", default=[], type=Path, nargs="*", help="the pretrained weights, if there are any")
    parser.add_argument("--benchmarks", required=True, type=Path, help="the folder of benchmark files")
    parser.add_argument("--output", required=True, type=Path, help="the run's folder, where all results are written")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
