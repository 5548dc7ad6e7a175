"""A run on real photos with real weights, exported to every format, and asked again without TensorFlow."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from graft.config.export import FORMATS, PRECISIONS, Export
from graft.exporting import packages
from places import SHARED
from project import Project

pytestmark = [pytest.mark.shared, pytest.mark.slow]
EVERY = [Export(format=name, precision=precision) for name in FORMATS for precision in PRECISIONS[name]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory, keras_home):
    """Return a project whose run was exported in every way."""
    if lacking := sorted({name for export in EVERY for name in packages.missing(export)}):
        pytest.skip(f"{', '.join(lacking)} not installed: make exports-setup")
    source = {"archive": str(SHARED / "data" / "urban-and-rural-photos.zip")}
    experiment = {
        "dataset": "photos",
        "recipe": "probe",
        "backbone": {"name": "MobileNet", "alpha": 0.25},
        "exports": [export.model_dump(include={"format", "precision"}) for export in EVERY],
    }
    configuration = {"runs": ["mine"], "datasets": {"photos": {"source": source}}, "experiments": {"mine": experiment}}
    project = Project(tmp_path_factory.mktemp("exported"), configuration, {"KERAS_HOME": str(keras_home)})
    project.said = project.run("--", "results/runs/mine/exports.csv")
    return project


def test_every_judged_photo_is_answered_as_the_model_answers_it(exported):
    table = exported.table("runs/mine/exports.csv").set_index("export")
    print(table.T.to_string())
    assert list(table.index) == [export.name for export in EVERY]
    assert (table["photos"] == 20).all()
    exact = [name for name in table.index if "-" not in name]
    assert (table.loc[exact, "flipped"] == 0).all()
    assert (table.loc[exact, "largest_difference"] < 1e-4).all()
    assert (table["accuracy"] >= 0.85).all()


def test_the_predictor_gives_every_judged_photo_the_verdict_of_the_run(exported, tmp_path):
    run = exported.folder / "results" / "runs" / "mine"
    predictions = exported.table("runs/mine/predictions.csv")
    judged = predictions[predictions["role"] == "val"]
    photos = exported.folder / "results" / "data" / "photos" / "images"
    command = [sys.executable, "-I", str(run / "exports/onnx/predict.py"), "-", "--csv", str(tmp_path / "said.csv")]
    listed = "\n".join(str(photos / path) for path in judged["path"])
    done = subprocess.run(command, input=listed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = pd.read_csv(tmp_path / "said.csv")
    assert said["predicted"].tolist() == judged["predicted"].tolist()
    assert said["sure"].tolist() == judged["sure"].tolist()
    for name in ("rural", "urban"):
        assert np.allclose(said[f"probability_{name}"], judged[f"calibrated_{name}"], atol=1e-5)
