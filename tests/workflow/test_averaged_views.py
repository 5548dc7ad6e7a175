"""Test-time views under Snakemake: tables, calibration and the published model all average."""

import csv
import subprocess
import sys

import pytest

from graft.network.model_file import read_facts
from places import ROOT
from project import COLOURS, Project, draw_photos, quick

ROWS = "runs/quick/predictions.csv"


@pytest.mark.slow  # a minute and more; tests that run each time meet most of it
def test_a_judged_photo_gets_the_same_answer_from_the_published_model(tmp_path):
    photos = draw_photos(tmp_path / "photos", COLOURS, 9)
    project = Project(tmp_path, quick({"source": {"folder": str(photos)}}, recipe="probe", override={}))
    project.run()
    plain = project.table(ROWS)
    project.set("experiments.quick.override", {"test_views": 3})
    trained = {"embed_images", "train_head"}
    assert project.rules_to_run() & (trained | {"embed_test_views", "predict"}) == {"embed_test_views", "predict"}
    project.run()
    averaged = project.table(ROWS).set_index("path")
    assert (averaged["probability_sky"].to_numpy() != plain["probability_sky"].to_numpy()).any()

    model = tmp_path / "results" / "runs" / "quick" / "model.keras"
    assert read_facts(model)["test_views"]["count"] == 3
    assert project.json("runs/quick/provenance.json")["test_views"]["count"] == 3
    assert "averaged over 3 views" in (model.parent / "MODEL_CARD.md").read_text()
    asked = [str(photos / path) for path in averaged.index]
    command = [sys.executable, ROOT / "workflow" / "commands" / "classify.py", model, *asked]
    subprocess.run([*command, "--csv", tmp_path / "answers.csv"], check=True, capture_output=True, timeout=300)
    with open(tmp_path / "answers.csv", newline="") as stream:
        answers = list(csv.DictReader(stream))
    for row, path in zip(answers, averaged.index, strict=True):
        assert row["predicted"] == averaged.loc[path, "predicted"]
        assert float(row["probability_sky"]) == pytest.approx(averaged.loc[path, "calibrated_sky"], abs=1e-5)
