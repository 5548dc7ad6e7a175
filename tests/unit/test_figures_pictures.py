"""Every figure that shows photos shows the page and the window that the model saw, and the others as ever."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import find_label_issues
from graft.config.dataset import Pictures
from graft.config.figures import Figures
from graft.figures import label_issues
from graft.figures.drawing import DRAWN, DRAWN_OF_LABELS, Inputs
from graft.judging.label_issues import COLUMNS
from graft.network.model_file import add_facts
from graft.storage.files import write_json, write_table

SEEN = Pictures(window=[1000, 1510], page=3)
NAMES = [f"{number}.tif" for number in range(6)]
RAMP = [0, 127, 255]  # 1000, 1254 and 1510 through the window


@pytest.fixture
def images(tmp_path):
    """Write stacks of three pages, 16 bits deep: two without light, and one of 12 bits with a ramp."""
    folder = tmp_path / "images"
    folder.mkdir()
    dark = Image.fromarray(np.zeros((2, 3), np.uint16))
    ramp = Image.fromarray(np.array([[1000, 1254, 1510]] * 2, np.uint16))
    for name in NAMES:
        dark.save(folder / name, save_all=True, append_images=[dark, ramp])
    return folder


def inputs_of(tmp_path, images, table, facts):
    """Write a made-up run of one stage whose model remembers some facts."""
    write_table(table, tmp_path / "predictions.csv")
    add_facts(tmp_path / "model.keras", {"backbone": "Pixels16", **facts})
    nothing = tmp_path / "none"
    models = [tmp_path / "model.keras"]
    return Inputs("deep", tmp_path / "predictions.csv", [], models, images, nothing, nothing, nothing)


def one_label():
    sure = [0.9, 0.2, 0.8, 0.7, 0.6, 0.3]
    rows = {"stage": "head", "path": NAMES, "label": list("xyxyxy"), "fold": 0, "role": "val"}
    rows |= {"predicted": ["x" if one >= 0.5 else "y" for one in sure], "probability_x": sure}
    return pd.DataFrame(rows | {"probability_y": 1 - np.array(sure)})


def several_labels():
    return one_label().rename(columns={"label": "labels"})


def shown(figure):
    """Return the photos that a figure shows."""
    return [np.asarray(image.get_array()) for axes in figure.axes for image in axes.images]


@pytest.mark.parametrize("name", ["prediction_grid", "mistakes"])
@pytest.mark.parametrize(("table", "drawn"), [(one_label, DRAWN), (several_labels, DRAWN_OF_LABELS)])
def test_a_run_s_figures_show_the_page_and_the_window_of_its_model(tmp_path, images, table, drawn, name):
    inputs = inputs_of(tmp_path, images, table(), {"pictures": SEEN.model_dump(mode="json")})
    photos = shown(drawn[name](inputs, Figures()))
    assert photos
    assert all(photo[0, :, 0].tolist() == RAMP for photo in photos)


@pytest.mark.parametrize("facts", [{}, {"pictures": Pictures().model_dump(mode="json")}])
def test_without_settings_the_first_page_is_shown_as_ever(tmp_path, images, facts):
    photos = shown(DRAWN["prediction_grid"](inputs_of(tmp_path, images, one_label(), facts), Figures()))
    assert all(not photo.any() for photo in photos)


def issues():
    rows = [(name, "x", "y", 1, 0.01, 0.02, 0.9, "") for name in NAMES]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_suspect_labels_are_shown_with_the_dataset_s_page_and_window(images):
    assert all(photo[0, :, 0].tolist() == RAMP for photo in shown(label_issues.draw(issues(), images, "deep", SEEN)))
    assert all(not photo.any() for photo in shown(label_issues.draw(issues(), images, "deep")))


def test_the_job_that_looks_for_wrong_labels_passes_them_on(tmp_path, images, monkeypatch):
    np.save(tmp_path / "features.npy", np.random.default_rng(0).normal(size=(1, 6, 4)).astype(np.float32))
    manifest = {"path": NAMES, "label": list("xyxyxy"), "sha256": NAMES, "source_split": ""}
    write_table(pd.DataFrame(manifest | {"duplicate_group": range(6)}), tmp_path / "manifest.csv")
    write_json(["x", "y"], tmp_path / "classes.json")
    found = []
    plain = label_issues.draw
    monkeypatch.setattr(label_issues, "draw", lambda *given: found.append(plain(*given)) or found[-1])
    files = {"features": "features.npy", "manifest": "manifest.csv", "classes": "classes.json", "images": "images"}
    files |= {"output": "label_issues.csv", "figure": "label_issues.png"}
    given = [word for key, name in files.items() for word in (f"--{key}", str(tmp_path / name))]
    find_label_issues.main(["--dataset", "deep", *given, "--pictures", SEEN.model_dump_json()])
    assert all(photo[0, :, 0].tolist() == RAMP for photo in shown(found[0]))
