"""What the terminal shows at the end of a job."""

import pandas as pd
import pytest

import compare_runs
import print_results
from graft.errors import UserError
from made_runs import made_predictions, write_run


def job(results, **runs):
    """Write runs and their comparison."""
    for name, values in runs.items():
        write_run(results, name, **values)
    compare(results, *runs)


def compare(results, *runs):
    """Write the comparison of runs, with the exports of those that have any."""
    folders = [results / "runs" / run for run in runs]
    compare_runs.main(
        [
            *("--provenance", *(str(folder / "provenance.json") for folder in folders)),
            *("--exports", *map(str, results.glob("runs/*/exports.csv"))),
            *("--comparison", str(results / "comparison.csv")),
            *("--significance", str(results / "comparison_significance.csv")),
        ]
    )


def printed(results, capsys):
    capsys.readouterr()
    print_results.main(["--results", str(results)])
    return capsys.readouterr().out


def test_each_run_and_stage_has_a_line_with_its_interval(tmp_path, capsys):
    job(tmp_path, lesson={"stages": {"head": made_predictions(20), "finetuned": made_predictions(20, skill=3)}})
    lines = [line.split() for line in printed(tmp_path, capsys).splitlines()]
    assert ["lesson", "head", "20", "val", "19", "of", "20", "0.950", "0.764-0.991", "0.500"] in [
        line[:10] for line in lines
    ]
    assert ["lesson", "finetuned", "20", "val", "20", "of", "20", "1.000", "0.839-1.000", "0.500"] in [
        line[:10] for line in lines
    ]


def test_what_flatters_a_result_has_a_footnote(tmp_path, capsys):
    job(tmp_path, lesson={"stages": {"head": made_predictions(20, chose=True)}})
    text = printed(tmp_path, capsys)
    assert "0.950*" in text
    assert "* these photos also chose" in text


def test_only_the_photos_that_judge_are_shown(tmp_path, capsys):
    rows = pd.concat([made_predictions(20), made_predictions(30, role="test")])
    job(tmp_path, lesson={"stages": {"head": rows}})
    text = printed(tmp_path, capsys)
    assert "30 test" in text
    assert "20 val" not in text


def test_runs_of_an_earlier_job_are_not_shown(tmp_path, capsys):
    job(tmp_path, old={"stages": {"head": made_predictions(20)}})
    job(tmp_path, new={"stages": {"head": made_predictions(20)}})
    text = printed(tmp_path, capsys)
    assert "new" in text
    assert "old" not in text


def test_it_says_where_figures_and_report_lie(tmp_path, capsys):
    job(tmp_path, lesson={"stages": {"head": made_predictions(20)}})
    (tmp_path / "runs" / "lesson" / "figures").mkdir()
    (tmp_path / "runs" / "lesson" / "figures" / "roc.png").write_text("")
    (tmp_path / "report.html").write_text("")
    text = printed(tmp_path, capsys)
    assert f"Figures: {tmp_path}/runs/*/figures (1 files)" in text
    assert f"Report:  {tmp_path}/report.html" in text


def test_seeds_and_differences_are_told(tmp_path, capsys):
    seeds = {
        f"a-seed{seed}": {
            "stages": {"head": made_predictions(40, seed=seed)},
            "experiment": {"name": "a"},
            "seed": seed,
        }
        for seed in range(2)
    }
    job(tmp_path, **seeds, poor={"stages": {"head": made_predictions(40, skill=-1, seed=5)}})
    text = printed(tmp_path, capsys)
    assert "a, head, 2 seeds: accuracy" in text
    assert "a and poor: a is more accurate" in text


def test_an_empty_folder_is_not_an_error(tmp_path, capsys):
    assert "No run has been evaluated" in printed(tmp_path, capsys)


def test_a_folder_that_is_not_there_is_one(tmp_path):
    with pytest.raises(UserError, match="there is no folder"):
        print_results.main(["--results", str(tmp_path / "none")])
