"""How photos become squares, through the real workflow: one setting, from packing to new photos."""

import numpy as np
import pandas as pd
import pytest

from graft.network.model_file import load_model, read_facts
from graft.predicting.classify import classify
from project import COLOURS, Project, draw_photos, quick

PREDICTIONS = "results/runs/quick/predictions.csv"


@pytest.fixture
def project(tmp_path):
    folder = draw_photos(tmp_path / "mine", COLOURS, 6)
    configuration = quick({"source": {"folder": str(folder)}, "fit": "crop"})
    configuration["experiments"]["quick"] |= {"recipe": "probe", "override": {}}
    return Project(tmp_path, configuration)


@pytest.mark.slow  # a minute and more; tests that run each time meet most of it
def test_a_fit_reaches_the_model_file_and_new_photos_and_another_fit_is_made_anew(project):
    project.run("--", PREDICTIONS)
    cropped = np.load(project.folder / "results/data/photos/pixels-32-crop.npy")
    model = project.folder / "results/runs/quick/fold0/head/model.keras"
    network, facts = load_model(model)
    assert facts["pictures"] == {"fit": "crop", "window": "full", "page": 1}

    table = project.table("runs/quick/predictions.csv").set_index("path")
    paths = [str(project.folder / "results/data/photos/images" / path) for path in table.index]
    expected = table[[f"probability_{name}" for name in facts["classes"]]].to_numpy()
    cropped_alike = [verdict.probabilities for verdict in classify(network, facts, paths)]
    squeezed = [verdict.probabilities for verdict in classify(network, facts | {"pictures": {}}, paths)]
    assert np.allclose(cropped_alike, expected, atol=1e-4)
    assert not np.allclose(squeezed, expected, atol=1e-4)

    project.set("datasets.photos.fit", "squash")
    assert {"pack_images", "embed_images", "train_head"} <= project.rules_to_run()
    project.run("--", PREDICTIONS)
    assert not np.array_equal(np.load(project.folder / "results/data/photos/pixels-32.npy"), cropped)
    assert read_facts(model)["pictures"]["fit"] == "squash"
    again = project.table("runs/quick/predictions.csv").set_index("path")
    with pytest.raises(AssertionError):
        pd.testing.assert_frame_equal(again, table)
