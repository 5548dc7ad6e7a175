"""Several labels a photo under Snakemake: the experiment of config/several_labels.yaml shows that it works."""

import os
import subprocess
import sys

import pytest
import yaml

from places import ROOT
from project import Project

MARGIN = 0.25  # by which the probe's mean average precision beats that of answering how frequent each label is


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the experiment, run to its end: the probe, the same untrained, and the fine-tuned network."""
    configuration = yaml.safe_load((ROOT / "config" / "several_labels.yaml").read_text())
    configuration["runs"] = ["contents", "contents_untrained", "contents_finetuned"]
    configuration["experiments"]["contents_finetuned"]["override"]["finetune"] = {"epochs": 2}
    project = Project(tmp_path_factory.mktemp("several"), configuration)
    project.said = project.run()
    return project


def judged(project, run):
    table = project.table(f"runs/{run}/evaluation.csv")
    return table[(table["fold"] == "all") & (table["role"] == "val")].iloc[-1]


def test_the_probe_beats_the_frequencies_of_the_labels_by_a_margin(built):
    row = judged(built, "contents")
    assert row["mean_average_precision_low"] > row["baseline"] + MARGIN
    assert row["verdict"].startswith("better than answering the labels' frequencies")
    assert row["macro_f1"] > row["baseline_macro_f1"]
    assert row["log_loss"] < row["baseline_log_loss"]
    assert row["calibrated_on"] == "the training photos, by cross-validation of the probe"


def test_what_the_network_learnt_elsewhere_helps(built):
    pairs = built.table("comparison_significance.csv").set_index(["first", "second"])
    assert pairs.loc[("contents", "contents_untrained"), "verdict"].startswith("contents is better")


def test_the_fine_tuned_network_has_thresholds_of_photos_that_do_not_judge(built):
    row = judged(built, "contents_finetuned")
    assert row["stage"] == "finetuned"
    assert row["calibrated_on"] == "the inner part of the training photos"
    assert row["selected_on"] == ""


def test_the_report_and_every_figure_are_there(built):
    assert (built.folder / "results" / "report.html").is_file()
    for run in ("contents", "contents_finetuned"):
        assert built.json(f"runs/{run}/figures/failed.json") == {}
    assert "Nothing to be done" in built.run()


def test_new_photos_get_any_number_of_labels(built, tmp_path):
    model = built.folder / "results/runs/contents/model.keras"
    photos = sorted((built.folder / "results/data/contents/images/val").iterdir())[:12]
    command = [sys.executable, str(ROOT / "workflow/commands/classify.py"), str(model), *map(str, photos)]
    command += ["--csv", str(tmp_path / "answers.csv"), "--json", str(tmp_path / "answers.json")]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
    rows = [line.split(",") for line in (tmp_path / "answers.csv").read_text().splitlines()]
    assert rows[0] == ["path", "predicted", "probability_car", "probability_tree", "probability_water"]
    table = built.table("runs/contents/predictions.csv").set_index("path")
    published = [table.loc[f"val/{photo.name}", "predicted"] for photo in photos]
    assert [row[1] for row in rows[1:]] == published
    assert len({len(one.split("|")) if one else 0 for one in published}) > 1  # not all have one label
    assert len(said.splitlines()) == 12
