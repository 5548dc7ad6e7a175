"""Marks that carry the meaning of a figure: right or wrong, a doubted label, heat, words where there is no picture."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from PIL import Image

import figures_data as made
from graft.config.figures import OF_A_RUN, FeatureMap, Figures, GradCam, Mistakes
from graft.errors import UserError
from graft.figures import feature_map, gradcam, mistakes, photos
from graft.figures.drawing import DRAWN, Inputs, draw_all
from graft.network.model_file import add_facts


def table_of(labels, predicted, sure):
    """Return predictions of classes x and y; `sure` is the probability of the answer."""
    second = [p if answer == "y" else 1 - p for answer, p in zip(predicted, sure, strict=True)]
    paths = [f"{number}.jpg" for number in range(len(labels))]
    values = {"stage": "head", "path": paths, "label": list(labels), "fold": 0, "role": "val"}
    probabilities = {"probability_x": 1 - np.array(second), "probability_y": second}
    return pd.DataFrame(values | {"predicted": list(predicted)} | probabilities)


def texts(figure):
    return [one.get_text() for one in figure.findobj(Text)]


def test_right_and_wrong_differ_by_mark_and_line_not_only_by_colour():
    photo = np.zeros((4, 4, 3), np.uint8)
    figure = photos.tiled("t", [photos.Tile(photo, ("a",), True), photos.Tile(photo, ("b",), False)], columns=2)
    solid, dashed = (axes.patches[0].get_linestyle() for axes in figure.axes)
    assert solid != dashed
    assert [axes.texts[0].get_text() for axes in figure.axes] == ["✓", "✗"]


def test_a_doubted_label_is_badged_and_a_hesitant_mistake_is_not():
    rows = table_of("xxyy", "xxxx", [0.8, 0.8, 0.95, 0.55])
    assert texts(mistakes.draw(rows, Path(), Mistakes(), "r")).count(mistakes.BADGE) == 1


def test_a_run_without_mistakes_says_so():
    assert any(
        "no mistake in 2" in text
        for text in texts(mistakes.draw(table_of("xy", "xy", [0.9, 0.6]), Path(), Mistakes(), "r"))
    )


def test_features_of_other_photos_are_refused():
    table = made.predictions(["x", "y"], 5)
    with pytest.raises(UserError, match="features of 4 photos, but the manifest has 5"):
        feature_map.draw(np.zeros((4, 3)), table.drop_duplicates("path"), table, FeatureMap(), "r")


def test_a_backbone_without_a_feature_map_is_told_in_words():
    rows = gradcam.chosen(table_of("xy", "xy", [0.9, 0.9]), GradCam())
    assert any("no feature map" in text for text in texts(gradcam.draw(rows, np.zeros((2, 8, 8, 3)), None, "r")))


def test_heat_lies_where_the_answers_channel_does():
    keras = pytest.importorskip("keras")
    from keras import layers

    stem = keras.Input((8, 8, 3))
    backbone = keras.Model(stem, layers.AveragePooling2D(4)(layers.Conv2D(2, 1, use_bias=False, name="c")(stem)))
    features = keras.Input((2,))
    head = keras.Model(features, layers.Dense(1, use_bias=False, name="d")(features))
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, head(layers.GlobalAveragePooling2D(name="pool_avg")(backbone(pixels))))
    backbone.get_layer("c").set_weights([np.array([[[[1, 0], [0, 1], [0, 0]]]], np.float32)])  # red, green
    head.get_layer("d").set_weights([np.array([[1.0], [-1.0]], np.float32)])  # red speaks for the second class
    photo = np.zeros((1, 8, 8, 3), np.uint8)
    photo[0, :4, :4, 0] = 200  # red at the top left
    photo[0, 4:, 4:, 1] = 200  # green at the bottom right
    parts = gradcam.split_at_feature_map(model)
    assert gradcam.heat_of(*parts, photo, np.array([1]))[0].tolist() == [[1, 0], [0, 0]]
    assert gradcam.heat_of(*parts, photo, np.array([0]))[0].tolist() == [[0, 0], [0, 1]]


@pytest.fixture
def inputs(tmp_path) -> Inputs:
    """Where the results of a made-up run lie; its backbone is a baseline, which needs no framework."""
    folder = made.write_run(tmp_path / "runs" / "lesson", n_classes=2, photos=8)
    model = folder / "fold0" / "finetuned" / "model.keras"
    add_facts(model, {"backbone": "Pixels16"})
    np.save(folder / "pixels.npy", np.zeros((8, 16, 16, 3), np.uint8))
    histories = [folder / "fold0" / stage / "history.csv" for stage in ("head", "finetuned")]
    tables = {name: folder / f"{name}.csv" for name in ("predictions", "manifest")}
    arrays = {name: folder / f"{name}.npy" for name in ("pixels", "features")}
    return Inputs("lesson", histories=histories, models=[model], images=folder / "images", **tables, **arrays)


def whole_size(copy: Path) -> int:
    """Return the bytes of the figure that a copy was made from."""
    return (copy.parents[1] / f"{copy.stem}.png").stat().st_size


def test_every_figure_is_written_in_every_format_asked_for(inputs, tmp_path):
    files = [tmp_path / "out" / f"{name}{suffix}" for name in OF_A_RUN for suffix in (".png", ".svg")]
    copies = [tmp_path / "out" / "report" / name for name in ("mistakes.jpg", "confusion_matrix.png")]
    assert draw_all(inputs, Figures(dpi=60), files, copies) == {}
    assert all(file.stat().st_size > 500 for file in files)
    for copy in copies:
        with Image.open(copy) as small, Image.open(copy.parents[1] / f"{copy.stem}.png") as whole:
            assert small.size == whole.size
        assert copy.stat().st_size < whole_size(copy)


@pytest.mark.parametrize("name", ["mistakes", "gradcam"])
def test_a_figure_that_fails_leaves_the_others_and_is_named(inputs, tmp_path, monkeypatch, name, capfd):
    def broken(*_):
        raise ZeroDivisionError("by hand")

    monkeypatch.setitem(DRAWN, name, broken)
    files = [tmp_path / "out" / f"{figure}.png" for figure in OF_A_RUN]
    assert draw_all(inputs, Figures(dpi=60), files, []) == {name: "ZeroDivisionError: by hand"}
    assert all(file.is_file() for file in files)  # a note stands in its place
    assert "Traceback" in capfd.readouterr().err
