"""The tables of a run: what is pooled, what is counted once, and what is said about it."""

import json
import math

import numpy as np
import pandas as pd
import pytest

import evaluate
from graft.config.evaluation import Evaluation
from graft.errors import UserError
from graft.judging import evaluation
from graft.storage.files import read_table, sha256_of
from made_runs import made_predictions, predictions_of, write_predictions, write_run

CERTAIN = [[0.9, 0.1], [0.1, 0.9]]  # what a model says that answers class 0, class 1


def judged(labels, answers, settings=None, stage="head", **columns):
    """Return evaluation.csv's rows for labels and answers of two classes."""
    rows = predictions_of(labels, [CERTAIN[answer] for answer in answers], **columns).assign(stage=stage)
    return table_of(rows, settings or Evaluation())


def table_of(rows, settings):
    """Return evaluation.csv's rows for predictions."""
    return evaluation.evaluation_table(
        "r", evaluation.answers_by_stage_and_role(evaluation.calibrated(rows, settings)[0]), settings
    )


def pooled(table):
    return table[table["fold"] == "all"].iloc[0]


def test_a_row_counts_what_is_right():
    row = pooled(judged([0, 0, 1, 1], [0, 1, 1, 1]))
    assert (row["n"], row["photos"], row["correct"], row["accuracy"], row["baseline"]) == (4, 4, 3, 0.75, 0.5)
    assert row["brier"] == pytest.approx((3 * 0.1**2 + 0.9**2) / 4)


def test_folds_have_rows_of_their_own_and_one_together():
    table = judged([0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 0, 0], fold=[0, 0, 1, 1, 2, 2], role="test")
    assert list(table["fold"]) == ["all", "0", "1", "2"]
    assert list(table["correct"]) == [4, 2, 1, 1]
    assert list(table["n"]) == [6, 2, 2, 2]


def test_repeats_do_not_narrow_the_interval():
    once = pooled(judged([0, 1] * 10, [0, 1] * 9 + [1, 0]))
    repeats = {"fold": np.repeat([0, 1, 2], 20), "path": [f"{index}.jpg" for index in range(20)] * 3}
    thrice = pooled(judged([0, 1] * 30, ([0, 1] * 9 + [1, 0]) * 3, **repeats))
    assert thrice["n"] == 60
    assert thrice["photos"] == 20
    assert thrice["accuracy_low"] == pytest.approx(once["accuracy_low"])
    assert thrice["accuracy_high"] == pytest.approx(once["accuracy_high"])
    assert "20 photos were judged 3 times each" in thrice["note"]


@pytest.mark.parametrize(("chose", "said"), [(1, True), (0, False)])
def test_the_table_says_when_its_photos_also_chose(chose, said):
    row = pooled(judged([0, 1], [0, 1], chose=chose))
    assert ("these photos also chose" in row["note"]) == said
    assert row["selected_on"] == ("these photos" if said else "")


def test_optimism_is_the_accuracy_on_the_photos_that_chose_beyond_that_on_those_that_judged():
    chose = predictions_of([0, 1, 0, 1], [CERTAIN[answer] for answer in (0, 1, 0, 1)], role="inner", chose=1)
    judging = predictions_of([0, 1, 0, 1], [CERTAIN[answer] for answer in (0, 1, 1, 1)], path=list("abcd"))
    rows = pd.concat([chose, judging], ignore_index=True).assign(stage="head")
    table = table_of(rows, Evaluation())
    both = table[table["fold"] == "all"].set_index("role")
    assert tuple(both.loc["val", ["chose_n", "chose_accuracy", "optimism"]]) == (4, 1.0, 0.25)
    assert math.isnan(both.loc["inner", "optimism"])
    assert "other photos judge" in both.loc["inner", "note"]
    assert both.loc["val", "note"] == ""


def test_training_photos_are_called_that():
    assert "trained on these photos" in pooled(judged([0, 1], [0, 1], role="train"))["note"]


def test_a_fold_of_one_class_has_all_numbers_but_the_roc_area(recwarn):
    row = pooled(judged([1, 1, 1], [1, 1, 0]))
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert math.isnan(row["roc_auc"])
    assert "one class only" in row["note"]
    assert not recwarn.list


@pytest.mark.parametrize(
    ("labels", "answers", "says"),
    [
        ([0, 1] * 10, [0, 1] * 10, "better than always answering a (0.500)"),
        ([0, 1] * 10, [1, 0] * 10, "worse than always answering a (0.500)"),
        ([0, 1] * 2, [0, 1, 0, 0], "not distinguishable from always answering a (0.500)"),
        ([1, 1, 0], [1, 1, 1], "not distinguishable from always answering b (0.667)"),
    ],
)
def test_the_verdict_compares_with_the_majority_class(labels, answers, says):
    assert pooled(judged(labels, answers))["verdict"] == says


def test_not_sure_gives_accuracy_and_coverage():
    labels = [0, 1] * 20
    chances = [CERTAIN[label] for label in labels]
    chances[0] = chances[1] = [0.5, 0.5]
    rows = predictions_of(labels, chances).assign(stage="head")
    settings = Evaluation(unsure_below=0.6)
    row = pooled(table_of(rows, settings))
    assert row["coverage"] == pytest.approx(38 / 40)
    assert row["sure_accuracy"] == 1
    assert row["accuracy"] == pytest.approx(39 / 40)  # from 0.5 up it answers b, which is right once


def test_nobody_sure_is_a_coverage_of_0():
    settings = Evaluation(unsure_below=0.9)
    row = pooled(table_of(predictions_of([0, 1], [[0.5, 0.5]] * 2).assign(stage="head"), settings))
    assert row["coverage"] == 0
    assert math.isnan(row["sure_accuracy"])


def test_the_headline_is_of_the_published_decision_and_the_likeliest_class_stands_beside_it():
    # The photos that chose show that urban starts at 0.3: answering from there up is right on all test photos.
    validation = made_scores([0.1, 0.2, 0.35, 0.4], [0, 0, 1, 1], "val").assign(chose=1)
    test = made_scores([0.15, 0.2, 0.36, 0.45], [0, 0, 1, 1], "test")
    settings = Evaluation(threshold_photos=2)
    rows, calibrators = evaluation.calibrated(pd.concat([validation, test], ignore_index=True), settings)
    table = evaluation.evaluation_table("r", evaluation.answers_by_stage_and_role(rows), settings)
    row = table[(table["role"] == "test") & (table["fold"] == "all")].iloc[0]
    assert row["accuracy"] == row["balanced_accuracy"] == 1.0
    assert row["argmax_accuracy"] == 0.5
    assert row["calibrated_on"] == "the validation photos"
    record = evaluation.calibration_record(["a", "b"], calibrators, settings)
    assert record["stages"]["head"]["folds"]["0"]["threshold"] == row["threshold"]


def made_scores(scores: list[float], labels: list[int], role: str) -> pd.DataFrame:
    table = predictions_of(labels, [[1 - score, score] for score in scores], role=role, stage="head")
    return table.assign(path=role + table["path"])


def test_per_class_pools_the_folds():
    rows = predictions_of([0, 1, 0, 1], [CERTAIN[answer] for answer in (0, 1, 1, 1)], fold=[0, 0, 1, 1], stage="head")
    table = evaluation.per_class_table("r", evaluation.answers_by_stage_and_role(rows), 0.95)
    assert list(table["class"]) == ["a", "b"]
    assert list(table["recall"]) == [0.5, 1.0]


def test_a_run_without_fine_tuning_has_an_empty_significance_table():
    rows = predictions_of([0, 1], CERTAIN).assign(stage="head")
    table = evaluation.significance_table("r", evaluation.answers_by_stage_and_role(rows), Evaluation())
    assert table.empty
    assert {"first", "second", "p_value", "verdict"} <= set(table.columns)


def test_pooling_reads_folds_in_numeric_order_and_heads_first(tmp_path):
    rows = pd.concat([made_predictions(2, fold=fold) for fold in (10, 2)])
    table = evaluation.pool([write_predictions(tmp_path, "r", {"finetuned": rows, "head": rows})])
    assert list(dict.fromkeys(zip(table["stage"], table["fold"], strict=True))) == [
        ("head", 2), ("head", 10), ("finetuned", 2), ("finetuned", 10),
    ]  # fmt: skip


def test_files_of_different_classes_are_refused(tmp_path):
    files = [write_predictions(tmp_path, "r", {"head": made_predictions(2)})]
    files += [write_predictions(tmp_path, "s", {"head": made_predictions(2, classes=("rural", "sea"))})]
    with pytest.raises(UserError, match="has other classes"):
        evaluation.pool(files)


def test_shards_of_predictions_give_the_table_of_one_job(tmp_path):
    stages = {"head": made_predictions(6), "finetuned": made_predictions(6, seed=1)}
    whole = evaluation.pool([write_predictions(tmp_path, "r", stages)])
    parts = [{stage: table.iloc[rows] for stage, table in stages.items()} for rows in (slice(4), slice(4, 6), slice(0))]
    shards = [write_predictions(tmp_path, f"part{number}", part) for number, part in enumerate(parts)]
    assert evaluation.pool(shards).equals(whole)


RECORD = {"run": "r", "experiment": "r", "seed": 0, "dataset": "d", "features": "f", "config": {}}


def run_files(folder):
    return {path.name: sha256_of(path) for path in folder.iterdir() if path.suffix in (".csv", ".json")}


@pytest.mark.parametrize("classes", [("rural", "urban"), tuple(f"class {index}" for index in range(40))])
def test_the_same_predictions_give_the_same_bytes(tmp_path, classes):
    tables = {"head": made_predictions(80, classes), "finetuned": made_predictions(80, classes, seed=1, skill=3)}
    first, second = (run_files(write_run(tmp_path / name, "r", tables)) for name in ("one", "two"))
    changing = {"provenance.json"}  # it has the time
    assert {name: digest for name, digest in first.items() if name not in changing} == {
        name: digest for name, digest in second.items() if name not in changing
    }


def test_a_class_may_have_the_name_of_a_column_or_a_number(tmp_path):
    classes = ("on", "007", "NA", "label", "log_loss", "a,b")
    folder = write_run(tmp_path, "r", {"head": made_predictions(60, classes, skill=4)})
    assert list(read_table(folder / "per_class.csv")["class"]) == list(classes)
    predictions = read_table(folder / "predictions.csv")
    assert [name for name in predictions if name.startswith("calibrated_")] == [
        f"calibrated_{name}" for name in classes
    ]
    calibrated = predictions[[f"calibrated_{name}" for name in classes]]
    assert calibrated.to_numpy(float).sum(axis=1) == pytest.approx(np.ones(60))


def test_the_program_writes_every_table(tmp_path, capsys):
    tables = {"head": made_predictions(20, logit=True), "finetuned": made_predictions(20, skill=3, logit=True)}
    folder = write_run(tmp_path, "lesson", tables)
    assert "lesson, head, val: 19 of 20 right, accuracy 0.950 (0.764 to 0.991)" in capsys.readouterr().out
    record = json.loads((folder / "calibration.json").read_text())
    assert record["positive_class"] == "urban"
    assert set(record["stages"]) == {"head", "finetuned"}
    assert list(read_table(folder / "predictions.csv").columns)[:9] == [
        "stage", "path", "label", "fold", "role", "group", "chose", "predicted", "logit",
    ]  # fmt: skip
    assert read_table(folder / "significance.csv").loc[0, "second"] == "finetuned"


def test_a_setting_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"evaluation\.treshold is not a setting; did you mean 'threshold'"):
        evaluate.main(
            [
                *("--record", json.dumps(RECORD), "--predictions", "x", "--models", "x", "--manifest", "x"),
                *("--split", "x", "--benchmarks", "x", "--output", str(tmp_path)),
                *("--settings", '{"treshold": "half"}'),
            ]
        )
