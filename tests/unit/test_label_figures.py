"""The feature map and Grad-CAM of several labels a photo: what is coloured, which examples, and whose heat."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from test_figures_drawing import collisions

from figures_data import class_names
from graft.config.figures import FeatureMap, GradCam
from graft.figures import drawing, label_gradcam, label_map
from graft.figures.drawing import Inputs
from graft.network.model_file import add_facts
from graft.storage.files import write_table


def table_of(sets, chances, classes=("car", "tree"), bar=0.5):
    """Return predictions of the last stage; `chances` has a row a photo and a column a label."""
    values = np.array(chances, float)
    answers = ["|".join(name for name, one in zip(classes, row, strict=True) if one >= bar) for row in values]
    rows = {"stage": "head", "path": [f"{n}.jpg" for n in range(len(sets))], "labels": sets, "fold": 0, "role": "val"}
    return pd.DataFrame(
        rows | {"predicted": answers} | {f"probability_{name}": values[:, place] for place, name in enumerate(classes)}
    )


def said(figure):
    return {text.get_text() for text in figure.findobj(Text)}


def test_a_map_is_coloured_by_the_most_frequent_combinations_of_labels():
    rng = np.random.default_rng(0)
    sets = ["car|tree"] * 6 + [""] * 4 + ["car"] * 2
    chances = [[0.9, 0.9]] * 6 + [[0.1, 0.1]] * 3 + [[0.9, 0.1]] * 3  # the tenth is given a car, and has none
    table = table_of(sets, chances)
    manifest = table[["path", "labels"]]
    figure = label_map.draw(rng.normal(size=(12, 8)), manifest, table, FeatureMap(), "mine")
    texts = said(figure)
    assert {"car, tree", "no label", "car"} <= texts
    assert any("validation mistake (1)" in text for text in texts)


def test_rare_combinations_are_grey_and_counted():
    kinds = label_map.combinations([f"{n:02}" for n in range(30) for _ in range(30 - n)])
    assert kinds.names == [f"{n:02}" for n in range(20)]
    assert kinds.title == "the 20 most frequent combinations; grey: 10 others"


def test_examples_go_by_the_most_probable_label_those_that_have_it_first():
    table = table_of(["car", "tree", "car|tree", ""], [[0.8, 0.1], [0.6, 0.5], [0.2, 0.9], [0.3, 0.4]])
    rows = label_gradcam.chosen(table, GradCam())
    # car is likeliest in 0 (has it) and 1 (has not); tree in 2 (has it) and 3 (has not, although nothing is answered)
    assert rows["path"].tolist() == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    pixels, maps = np.zeros((4, 8, 8, 3), np.uint8), np.ones((4, 2, 2))
    figure = label_gradcam.draw(rows, pixels, maps, "mine")
    assert {"car 0.80", "car 0.60", "tree 0.90", "tree 0.40", "truth: car, tree", "truth: none"} <= said(figure)
    assert [text.get_text() for text in figure.findobj(Text) if text.get_text() in "✓✗" and text.get_text()] == [
        *("✓", "✗", "✓", "✗")
    ]


def test_the_heat_is_that_of_the_most_probable_label(tmp_path, monkeypatch):
    table = table_of(["car", "tree"], [[0.2, 0.9], [0.7, 0.1]])
    write_table(table, tmp_path / "predictions.csv")
    write_table(table[["path", "labels"]], tmp_path / "manifest.csv")
    np.save(tmp_path / "pixels.npy", np.zeros((2, 8, 8, 3), np.uint8))
    add_facts(tmp_path / "model.keras", {"backbone": "MobileNet"})
    asked = []

    def maps(models, pixels, rows, answers):
        asked.extend(zip(rows["path"], answers, strict=True))
        return np.ones((len(rows), 2, 2))

    monkeypatch.setattr(drawing.gradcam, "maps_of_folds", maps)
    monkeypatch.setattr(drawing.runtime, "start", lambda **settings: None)
    files = (tmp_path / "predictions.csv", [], [tmp_path / "model.keras"], tmp_path, tmp_path / "pixels.npy")
    inputs = Inputs("mine", *files, tmp_path / "none", tmp_path / "manifest.csv")
    figure = drawing.DRAWN_OF_LABELS["gradcam"](inputs, drawing.Figures())
    assert dict(asked) == {"0.jpg": 1, "1.jpg": 0}
    assert "tree 0.90" in said(figure)


@pytest.mark.parametrize("n_labels", [3, 9, 40])
def test_no_text_runs_into_another(n_labels):
    rng = np.random.default_rng(0)
    classes = class_names(n_labels)
    truth, chances = rng.random((120, n_labels)) < 0.2, rng.random((120, n_labels))
    sets = ["|".join(name for name, has in zip(classes, row, strict=True) if has) for row in truth]
    table = table_of(sets, chances, classes, bar=0.8)
    features = rng.normal(size=(120, 16))
    assert collisions(label_map.draw(features, table[["path", "labels"]], table, FeatureMap(), "mine")) == []
    rows = label_gradcam.chosen(table, GradCam())
    pixels, maps = np.zeros((len(rows), 8, 8, 3), np.uint8), np.ones((len(rows), 2, 2))
    assert collisions(label_gradcam.draw(rows, pixels, maps, "mine")) == []
