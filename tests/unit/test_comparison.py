"""Runs side by side: which settings are shown, which photos count, what it cost, which differences are real."""

import math

import pandas as pd
import pytest
from scipy.stats import t

import compare_runs
from graft.config.evaluation import Evaluation
from graft.judging import comparison
from graft.storage.files import read_table
from made_runs import made_predictions, predictions_of, write_run

FAST = Evaluation(bootstrap_resamples=199)


def results_of(tmp_path, **runs):
    """Write runs by name, keywords of `write_run` each, and read them back."""
    return [comparison.read_result(write_run(tmp_path, name, **values)) for name, values in runs.items()]


def stages(skill=2.0, seed=0, n=20, **columns):
    return {
        "head": made_predictions(n, skill=skill, seed=seed, **columns),
        "finetuned": made_predictions(n, skill=skill + 1, seed=seed, **columns),
    }


def test_a_run_has_a_row_for_each_stage(tmp_path):
    table = comparison.comparison_table(results_of(tmp_path, lesson={"stages": stages()}))
    assert list(table["stage"]) == ["head", "finetuned"]
    assert list(table["n"]) == [20, 20]
    assert (table["accuracy_low"] < table["accuracy"]).all()


def test_seconds_count_all_folds_and_what_was_shared_up_to_the_stage(tmp_path):
    folds = {stage: pd.concat([made_predictions(4, fold=fold, role="test") for fold in range(3)])
             for stage in ("head", "finetuned")}  # fmt: skip
    table = comparison.comparison_table(results_of(tmp_path, lesson={"stages": folds, "seconds": 10.0}))
    assert list(table["seconds"]) == [2 + 3 * 10, 2 + 6 * 10]  # 2 s of features, then 10 s a fold and stage
    assert list(table["peak_memory_mb"]) == [900, 900]


def test_only_settings_that_differ_have_a_column(tmp_path):
    table = comparison.comparison_table(
        results_of(
            tmp_path,
            one={"stages": stages(), "experiment": {"backbone": {"name": "MobileNet", "size": 96}}},
            two={"stages": stages(), "experiment": {"backbone": {"name": "MobileNet", "size": 128}}},
        )
    )
    assert list(table["backbone.size"]) == [96, 96, 128, 128]
    assert not {"backbone.name", "recipe"} & set(table.columns)


def test_a_run_without_fine_tuning_stands_beside_one_with(tmp_path):
    plain = {"override": {"finetune": None, "frozen": {"epochs": 5}}}
    tuned = {"override": {"finetune": {"epochs": 10}, "frozen": {"epochs": 5}}}
    table = comparison.comparison_table(
        results_of(
            tmp_path,
            plain={"stages": {"head": stages()["head"]}, "experiment": plain},
            tuned={"stages": stages(), "experiment": tuned},
        )
    )
    assert list(table["finetune"]) == ["no", "yes", "yes"]
    assert not [name for name in table if name.startswith(("finetune.", "frozen."))]


def test_what_differs_within_a_section_that_one_run_lacks_is_shown():
    differing = comparison.differing_settings([{"a": None}, {"a.b": 1, "a.c": 3}, {"a.b": 2, "a.c": 3}])
    assert differing == [{"a": "no", "a.b": None}, {"a": "yes", "a.b": 1}, {"a": "yes", "a.b": 2}]


def test_test_photos_judge_where_there_are_any(tmp_path):
    both = {stage: pd.concat([rows, made_predictions(30, role="test")]) for stage, rows in stages().items()}
    (result,) = results_of(tmp_path, lesson={"stages": both})
    assert set(comparison.comparison_table([result])["role"]) == {"test"}
    assert set(result.judged["role"]) == {"test"}
    assert len(result.judged) == 30


def test_a_run_that_predicted_its_training_photos_alone_is_judged_by_them(tmp_path):
    rows = made_predictions(20, role="train")
    table = comparison.comparison_table(results_of(tmp_path, lesson={"stages": {"head": rows}}))
    assert list(table["role"]) == ["train"]
    assert "trained on these photos" in table["note"].iloc[0]


def test_seeds_of_an_experiment_have_a_row_with_students_interval(tmp_path):
    runs = {
        f"lesson-seed{seed}": {"stages": stages(seed=seed, skill=1), "experiment": {"name": "lesson"}, "seed": seed}
        for seed in range(3)
    }
    table = comparison.comparison_table(results_of(tmp_path, **runs))
    means = table[table["kind"] == "seeds"].set_index("stage")
    values = table[(table["kind"] == "run") & (table["stage"] == "head")]["accuracy"]
    mean = values.sum() / 3
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / 2 / 3)
    half = t.ppf(0.975, 2) * spread
    assert list(means["run"]) == ["lesson", "lesson"]
    assert means.loc["head", "seeds"] == 3
    assert means.loc["head", "accuracy"] == pytest.approx(mean)
    assert means.loc["head", "accuracy_low"] == pytest.approx(max(0, mean - half))
    assert "over seeds, not over photos" in means.loc["head", "note"]


def test_one_seed_of_several_is_a_run_like_others(tmp_path):
    table = comparison.comparison_table(
        results_of(tmp_path, **{"lesson-seed1": {"stages": stages(), "experiment": {"name": "lesson"}, "seed": 1}})
    )
    assert set(table["kind"]) == {"run"}


def test_every_two_runs_are_tested_and_corrected_for_their_number(tmp_path):
    runs = {name: {"stages": {"head": made_predictions(40, skill=skill, seed=seed)}}
            for seed, (name, skill) in enumerate({"good": 4.0, "fair": 1.0, "poor": 0.0}.items())}  # fmt: skip
    table = comparison.significance_table(results_of(tmp_path, **runs), FAST)
    assert list(zip(table["first"], table["second"], strict=True)) == [
        ("good", "fair"), ("good", "poor"), ("fair", "poor"),
    ]  # fmt: skip
    smallest, middle, largest = table.sort_values("p_value").itertuples()
    # Holm: the smallest of three times 3, the next times 2, the last as it is, each at least the one before.
    assert smallest.p_adjusted == pytest.approx(min(1, 3 * smallest.p_value))
    assert middle.p_adjusted == pytest.approx(min(1, max(smallest.p_adjusted, 2 * middle.p_value)))
    assert largest.p_adjusted == pytest.approx(min(1, max(middle.p_adjusted, largest.p_value)))
    assert table.set_index(["first", "second"]).loc[("good", "poor"), "verdict"].startswith("good is more accurate")


def test_the_verdict_follows_the_corrected_p_value(tmp_path):
    # One run misses 6 photos that two others have right: p = 2 / 2^6 = 0.031 twice, which three pairs make 0.094.
    sure, wrong = [0.9, 0.1], [0.1, 0.9]
    perfect = {"stages": {"head": predictions_of([0] * 20, [sure] * 20)}}
    flawed = {"stages": {"head": predictions_of([0] * 20, [sure] * 14 + [wrong] * 6)}}
    table = comparison.significance_table(results_of(tmp_path, a=perfect, b=perfect, c=flawed), FAST)
    assert list(table["p_value"]) == [1, 0.03125, 0.03125]
    assert list(table["p_adjusted"]) == [1, 0.09375, 0.09375]
    assert table["verdict"].str.startswith("not distinguishable from noise").all()


def test_seeds_are_one_contestant(tmp_path):
    runs = {
        f"lesson-seed{seed}": {"stages": stages(seed=seed), "experiment": {"name": "lesson"}, "seed": seed}
        for seed in range(3)
    }
    table = comparison.significance_table(results_of(tmp_path, **runs, other={"stages": stages()}), FAST)
    assert list(zip(table["first"], table["second"], table["n"], strict=True)) == [("lesson", "other", 20)]


def test_runs_on_different_photos_are_not_compared(tmp_path):
    # Two results folders, so that each data set has its own manifest.
    (one,) = results_of(tmp_path / "one", lesson={"stages": stages(n=20)})
    (two,) = results_of(tmp_path / "two", other={"stages": stages(n=22)})
    table = comparison.significance_table([one, two], FAST)
    assert table.empty
    assert "p_adjusted" in table


def test_a_last_stage_is_what_is_compared(tmp_path):
    (result,) = results_of(tmp_path, lesson={"stages": stages()})
    assert result.last_stage == "finetuned"
    assert set(result.judged["stage"]) == {"finetuned"}


def test_costs_that_nobody_noted_are_empty_not_0(tmp_path):
    (result,) = results_of(tmp_path, lesson={"stages": stages()})
    result.provenance["costs"].clear()
    assert comparison.comparison_table([result])[["seconds", "peak_memory_mb"]].isna().all(axis=None)


def test_the_program_writes_both_tables(tmp_path, capsys):
    folders = [write_run(tmp_path, name, stages(skill)) for name, skill in (("one", -2.0), ("two", 4.0))]
    out = [tmp_path / "comparison.csv", tmp_path / "comparison_significance.csv"]
    compare_runs.main(
        [
            *("--provenance", *(str(folder / "provenance.json") for folder in folders)),
            *("--comparison", str(out[0]), "--significance", str(out[1])),
        ]
    )
    assert "compare_runs: one against two: two is more accurate" in capsys.readouterr().out
    assert list(read_table(out[0])["run"]) == ["one", "one", "two", "two"]
    assert len(read_table(out[1])) == 1
