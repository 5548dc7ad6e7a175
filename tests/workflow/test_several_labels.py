"""Several labels a photo under Snakemake: the experiment of config/several_labels.yaml shows that it works."""

import os
import subprocess
import sys

import numpy as np
import pytest
import yaml
from PIL import Image

from places import ROOT
from project import COLOURS, Project, quick

MARGIN = 0.25  # by which the probe's mean average precision beats that of answering how frequent each label is


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Return the experiment, run to its end: the probe, the same untrained, and the fine-tuned network."""
    configuration = yaml.safe_load((ROOT / "config" / "several_labels.yaml").read_text())
    configuration["runs"] = ["contents", "contents_untrained", "contents_finetuned"]
    configuration["experiments"]["contents_finetuned"]["override"]["finetune"] = {"epochs": 2}
    configuration["experiments"]["contents"]["exports"] = ["saved_model"]  # the one that needs no packages of its own
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


def test_an_export_gives_every_judged_photo_the_same_labels(built):
    [row] = built.table("runs/contents/exports.csv").to_dict("records")
    assert (row["photos"], row["flipped"]) == (200, 0)
    assert row["accuracy"] == row["model_accuracy"] == judged(built, "contents")["right_sets"] / 200
    facts = built.json("runs/contents/exports/saved_model/graft.json")
    assert (
        facts["thresholds"]
        == built.json("runs/contents/calibration.json")["stages"]["head"]["folds"]["0"]["thresholds"]
    )


def test_labels_that_may_be_wrong_are_listed_on_request(built):
    said = built.run("--nolock", "results/data/contents/label_issues.csv")
    assert "photos have a suspect label" in said
    table = built.table("data/contents/label_issues.csv")
    assert len(table) == len(built.table("data/contents/manifest.csv"))
    assert table["self_confidence"].is_monotonic_increasing


def striped(folder, n=36):
    """Draw photos with a stripe of colour for each label that they have, and write the table; every eighth has none."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    rows = [",".join(["id", *COLOURS, "patient"])]
    for number in range(n):
        has = [bool(number % 8 >> place & 1) for place in range(3)]
        clouds = rng.normal(128, 40, (6, 6, 3)).repeat(8, 0).repeat(8, 1)  # else photos of the same labels look alike
        pixels = (clouds + rng.normal(0, 12, clouds.shape)).reshape(3, 16, 48, 3)
        for place, colour in enumerate(COLOURS.values()):
            pixels[place] += (np.array(colour) - 128) * has[place]
        blocks = np.clip(pixels.reshape(48, 48, 3), 0, 255).astype(np.uint8)
        Image.fromarray(blocks).save(folder / f"{number}.png")
        rows.append(",".join([str(number), *(str(int(one)) for one in has), f"p{number // 2}"]))
    (folder.parent / "flags.csv").write_text("\n".join(rows))


@pytest.mark.slow  # a minute and more; tests that run each time meet most of it
def test_folds_seeds_and_both_phases_of_the_lesson_work_with_a_column_a_label(tmp_path):
    striped(tmp_path / "photos")
    labels = {"table": "flags.csv", "columns": "all", "group": "patient"}
    source = {"source": {"folder": "photos", "labels": labels}, "split": {"method": "kfold", "k": 2}}
    project = Project(tmp_path, quick(source, seeds=2, predict=["train", "val"]))
    project.set("experiments.quick.override.head.output", "sigmoid")
    project.set("experiments.quick.override.class_weights", "balanced")
    said = project.run()
    assert "labels: brick" in said
    split = project.table("data/photos/split.csv")
    assert (split.groupby(["fold", "group"])["role"].nunique() == 1).all()
    assert split["group"].nunique() == 18
    evaluation = project.table("runs/quick-seed1/evaluation.csv")
    assert set(evaluation["stage"]) == {"head", "finetuned"}
    assert set(evaluation["fold"].astype(str)) == {"all", "0", "1"}
    judged = evaluation[(evaluation["role"] == "val") & (evaluation["fold"] == "all")].iloc[0]
    assert (judged["n"], judged["groups"], judged["n_labels"]) == (36, 18, 3)
    comparison = project.table("comparison.csv")
    assert comparison["kind"].tolist() == ["run"] * 4 + ["seeds"] * 2
    assert (project.folder / "results" / "report.html").is_file()
