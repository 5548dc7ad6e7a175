"""No figure clips a label, lets two run into each other, or depends on anything but its input."""

import itertools
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from figures_data import class_names, features, history, predictions, write_photos
from figures_data import comparison as comparison_of
from graft.config.figures import Figures
from graft.figures import (
    comparison,
    confusion,
    cost,
    feature_map,
    gradcam,
    learning_curves,
    mistakes,
    prediction_grid,
    reliability,
    roc_pr,
    style,
)  # fmt: skip

SCRIPTS = Path(style.__file__).parents[2]
SETTINGS = Figures()
# classes, photos, folds, stages
SIZES = {
    "2 classes": (2, 20, 1, ("head", "finetuned")),
    "9 classes": (9, 300, 3, ("head", "finetuned")),
    "40 classes": (40, 4000, 5, ("head", "finetuned")),
    "60 classes": (60, 600, 1, ("head", "finetuned")),  # more than a figure can name
    "1 photo": (2, 1, 1, ("head",)),
    "4,000 photos": (2, 4000, 1, ("head", "finetuned")),
}
RUN = "a-run-with-a-long-name_v2.1"


@pytest.fixture(scope="module", params=SIZES, ids=list(SIZES))
def run(request, tmp_path_factory):
    """A made-up run: its classes, tables, and photos of those that the grids show."""
    n_classes, photos, folds, stages = SIZES[request.param]
    classes = class_names(n_classes)
    table = predictions(classes, photos, folds, stages)
    images = tmp_path_factory.mktemp("images")
    write_photos(table["path"].unique()[:20], images)
    return classes, table, folds, stages, images


def grad_cam(classes, table):
    rows = gradcam.chosen(table, SETTINGS.gradcam)
    draw = np.random.default_rng(0)
    blocks = draw.integers(0, 255, (len(rows), 6, 6, 3), dtype=np.uint8)
    pixels = np.stack([Image.fromarray(one).resize((96, 96), Image.Resampling.BICUBIC) for one in blocks])
    return gradcam.draw(rows, pixels, draw.random((len(rows), 7, 7)), RUN)


def map_of_features(classes, table):
    manifest = table.drop_duplicates("path")[["path", "label"]].reset_index(drop=True)
    return feature_map.draw(features(table, classes)[0], manifest, table, SETTINGS.feature_map, RUN)


def curves(folds, stages):
    histories = {
        (fold, stage): history(9 - fold + 20 * number, seed=fold)
        for fold in range(folds)
        for number, stage in enumerate(stages)
    }
    return learning_curves.draw(histories, RUN)


DRAWN = {
    "learning_curves": lambda classes, table, folds, stages, images: curves(folds, stages),
    "prediction_grid": lambda classes, table, folds, stages, images: prediction_grid.draw(
        table, images, SETTINGS.prediction_grid, RUN
    ),
    "confusion_matrix": lambda classes, table, folds, stages, images: confusion.draw(table, RUN),
    "roc_pr": lambda classes, table, folds, stages, images: roc_pr.draw(table, RUN),
    "reliability": lambda classes, table, folds, stages, images: reliability.draw(table, SETTINGS.reliability, RUN),
    "mistakes": lambda classes, table, folds, stages, images: mistakes.draw(table, images, SETTINGS.mistakes, RUN),
    "feature_map": lambda classes, table, folds, stages, images: map_of_features(classes, table),
    "gradcam": lambda classes, table, folds, stages, images: grad_cam(classes, table),
}


def shown_texts(figure) -> list[Text]:
    """Return the texts that a reader sees: tick labels within the axes' limits, and whatever is not a tick label."""
    ticks = {id(label) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis) for tick in ticks_of(axis)
             for label in (tick.label1, tick.label2)}  # fmt: skip
    within = {id(tick.label1) for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
              for tick in axis._update_ticks()}  # fmt: skip
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    hidden = {id(text) for axes in figure.axes if not axes.axison for axis in (axes.xaxis, axes.yaxis)
              for text in axis.findobj(Text)}  # fmt: skip
    return [text for text in texts if id(text) not in hidden and (id(text) not in ticks or id(text) in within)]


def ticks_of(axis):
    return [*axis.majorTicks, *axis.minorTicks]


def boxes_of(figure) -> list[tuple[str, object]]:
    """Return each text that a reader sees, and where it lies, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [
        (text.get_text(), text.get_window_extent(renderer))
        for text in shown_texts(figure)
        if text.get_rotation() % 90 == 0  # a slanted label's box is wider than the label
    ]


def collisions(figure) -> list[tuple[str, str]]:
    """Return the pairs of texts that overlap by more than two pixels both ways."""
    found = []
    for (one, a), (other, b) in itertools.combinations(boxes_of(figure), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > 2 and high > 2:
            found.append((one, other))
    return found


@pytest.mark.parametrize("figure", DRAWN)
def test_no_text_is_clipped_or_runs_into_another(run, figure):
    drawn = DRAWN[figure](*run)
    boxes = boxes_of(drawn)
    saved = drawn.get_tightbbox(FigureCanvasAgg(drawn).get_renderer()).padded(0.1)  # in inches, as savefig cuts it
    outside = [
        text for text, box in boxes
        if box.x0 < saved.x0 * drawn.dpi or box.x1 > saved.x1 * drawn.dpi
        or box.y0 < saved.y0 * drawn.dpi or box.y1 > saved.y1 * drawn.dpi
    ]  # fmt: skip
    assert boxes
    assert not outside
    assert not collisions(drawn)


@pytest.mark.parametrize("runs", [1, 6, 40])
@pytest.mark.parametrize("stages", [("head",), ("head", "finetuned")])
def test_comparisons_of_any_size_keep_their_labels_apart(runs, stages):
    table = comparison_of(runs, stages)
    for module in (comparison, cost):
        assert not collisions(module.draw(table)), module.__name__


def test_seeds_without_an_interval_and_runs_without_seconds_are_drawn():
    table = comparison_of(2)
    means = table.iloc[:2].assign(run="both", kind="seeds", accuracy_low=np.nan, accuracy_high=np.nan)
    table = pd.concat([table, means], ignore_index=True).assign(seconds=np.nan)
    labels = [text.get_text() for text in comparison.draw(table).findobj(Text)]
    assert "head, mean over seeds" in labels
    assert cost.draw(table) is not None


def test_two_texts_in_one_place_are_found():
    figure = style.canvas(4, 3)
    figure.text(0.5, 0.5, "over")
    figure.text(0.5, 0.5, "under")
    assert collisions(figure) == [("over", "under")]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_equal_input_gives_equal_bytes(tmp_path, suffix):
    table = predictions(class_names(9), 100)
    for name in ("one", "two"):
        style.save(confusion.draw(table, RUN), [tmp_path / f"{name}{suffix}"], dpi=60)
    one, two = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("one", "two"))
    assert one == two
    assert str(date.today().year).encode() not in one or suffix != ".pdf"  # a PDF would name its day


def test_a_png_names_no_program_that_wrote_it(tmp_path):
    style.save(style.canvas(1, 1), [tmp_path / "empty.png"], dpi=50)
    assert Image.open(tmp_path / "empty.png").text == {}


def test_dollar_signs_are_text(tmp_path):
    figure = style.canvas(2, 1, ["$5_bills$"])
    figure.text(0, 0, "$5_bills$ \\frac{")
    style.save(figure, [tmp_path / "dollars.png"], dpi=50)  # as mathematics it would not parse
    assert (tmp_path / "dollars.png").stat().st_size > 0


def test_only_grad_cam_loads_a_framework_and_nothing_else_loads_a_slow_library():
    scripts = ["draw_figures", "report_runs"]
    slow = ("tensorflow", "keras", "jax", "torch", "sklearn", "scipy", "matplotlib.pyplot")
    code = "import importlib, sys\n"
    code += f"for name in {scripts}: importlib.import_module(name)\n"
    code += f"print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
