"""All figures of a run in one process: what each is drawn from, and a note in the place of one that fails."""

import multiprocessing
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from graft import disk
from graft.config.backbone import BASELINES
from graft.config.dataset import SQUASHED, Pictures
from graft.config.figures import OF_A_MULTILABEL_RUN, OF_A_RUN, Figures
from graft.errors import UserError
from graft.figures import (
    co_occurrence,
    confusion,
    feature_map,
    gradcam,
    label_curves,
    label_gradcam,
    label_map,
    label_photos,
    label_reliability,
    learning_curves,
    mistakes,
    prediction_grid,
    reliability,
    report_copy,
    roc_pr,
    style,
)
from graft.judging.multilabel_outcomes import has_sets, label_outcomes_of
from graft.judging.outcomes import outcomes_of
from graft.machine import gpus, runtime
from graft.network.model_file import pictures_of, read_facts
from graft.storage.arrays import open_array
from graft.storage.files import read_table

NEEDS_NETWORK = "gradcam"  # every other figure is drawn from tables, photos and cached features


@dataclass(frozen=True)
class Inputs:
    """Where the results lie that a run's figures show; tables are read once, by the first figure that needs them.

    Attributes:
        run: its name, for the titles.
        predictions: the run's pooled predictions.csv.
        histories: every fold's and stage's history.csv.
        models: the last stage's model.keras, fold by fold.
        images: the folder that the photos' paths are relative to.
        pixels: the packed photos.
        features: the cached features.
        manifest: manifest.csv, the order of the rows of pixels and features.
        threads: for the network; 0: all.
        gpus: how many to use, if there are any.
    """

    run: str
    predictions: Path
    histories: list[Path]
    models: list[Path]
    images: Path
    pixels: Path
    features: Path
    manifest: Path
    threads: int = 0
    gpus: int = 0

    @cached_property
    def answers(self) -> pd.DataFrame:
        """Return what predictions.csv holds."""
        return read_table(self.predictions)

    @cached_property
    def pictures(self) -> Pictures:
        """Return which page of a photo its models saw, and which values were black and white."""
        return pictures_of(read_facts(self.models[0])) if self.models else SQUASHED


def draw_learning_curves(inputs: Inputs, settings: Figures) -> Figure:
    """Return loss and accuracy over epochs."""
    return learning_curves.draw(learning_curves.read_histories(map(str, inputs.histories)), inputs.run)


def draw_feature_map(inputs: Inputs, settings: Figures) -> Figure:
    """Return the map of the features of photos as they are, without augmentation."""
    features = feature_map.clean_features(inputs.features)
    draw = label_map.draw if has_sets(inputs.answers) else feature_map.draw
    return draw(features, read_table(inputs.manifest), inputs.answers, settings.feature_map, inputs.run)


def draw_gradcam(inputs: Inputs, settings: Figures) -> Figure:
    """Ask each fold's model where it looked in that fold's examples, and return the figure."""
    several = has_sets(inputs.answers)
    figure = label_gradcam if several else gradcam
    rows = figure.chosen(inputs.answers, settings.gradcam)
    pixels = open_array(inputs.pixels)[gradcam.places_of(rows, read_table(inputs.manifest))]
    if read_facts(inputs.models[0])["backbone"] in BASELINES:  # known without loading a framework
        return figure.draw(rows, pixels, None, inputs.run)
    with gpus.lease(inputs.gpus):
        runtime.start(seed=0, threads=inputs.threads)
        answers = label_gradcam.likeliest(label_outcomes_of(rows)) if several else outcomes_of(rows).predicted
        maps = gradcam.maps_of_folds(inputs.models, pixels, rows, answers)
    return figure.draw(rows, pixels, maps, inputs.run)


DRAWN: dict[str, Callable[[Inputs, Figures], Figure]] = {
    "learning_curves": draw_learning_curves,
    "prediction_grid": lambda at, settings: prediction_grid.draw(
        at.answers, at.images, settings.prediction_grid, at.run, at.pictures
    ),
    "confusion_matrix": lambda at, settings: confusion.draw(at.answers, at.run),
    "roc_pr": lambda at, settings: roc_pr.draw(at.answers, at.run),
    "reliability": lambda at, settings: reliability.draw(at.answers, settings.reliability, at.run),
    "mistakes": lambda at, settings: mistakes.draw(at.answers, at.images, settings.mistakes, at.run, at.pictures),
    "feature_map": draw_feature_map,
    "gradcam": draw_gradcam,
}
DRAWN_OF_LABELS: dict[str, Callable[[Inputs, Figures], Figure]] = {
    "learning_curves": draw_learning_curves,
    "prediction_grid": lambda at, settings: label_photos.draw_sample(
        at.answers, at.images, settings.prediction_grid, at.run, at.pictures
    ),
    "label_curves": lambda at, settings: label_curves.draw(at.answers, at.run),
    "co_occurrence": lambda at, settings: co_occurrence.draw(at.answers, at.run),
    "reliability": lambda at, settings: label_reliability.draw(at.answers, settings.reliability, at.run),
    "mistakes": lambda at, settings: label_photos.draw_mistakes(
        at.answers, at.images, settings.mistakes, at.run, at.pictures
    ),
    "feature_map": draw_feature_map,
    "gradcam": draw_gradcam,
}


def draw_all(inputs: Inputs, settings: Figures, files: list[Path], copies: list[Path]) -> dict[str, str]:
    """Draw every figure of a run; return why some could not be drawn, by their names.

    Those that need no network are drawn by a second process, while this one loads the framework.

    Args:
        inputs: where the results lie.
        settings: what a user set about figures.
        files: what to write, named FIGURE.png, .svg or .pdf.
        copies: smaller ones of the PNG files for the report, named FIGURE.png or .jpg.

    Raises: UserError if an input is not as it was written, or a disk is full.
    """
    several = has_sets(inputs.answers)  # read before any other process starts, which then has it too
    plain = [name for name in (OF_A_MULTILABEL_RUN if several else OF_A_RUN) if name != NEEDS_NETWORK]
    with multiprocessing.get_context("fork").Pool(1) as beside:
        others = beside.apply_async(draw_each, (inputs, settings, files, copies, plain))
        failed = draw_each(inputs, settings, files, copies, [NEEDS_NETWORK])
        return others.get() | failed


def draw_each(
    inputs: Inputs,
    settings: Figures,
    files: list[Path],
    copies: list[Path],
    names: list[str],
) -> dict[str, str]:
    """Draw some figures one after the other; return why some could not be drawn."""
    drawn = DRAWN_OF_LABELS if has_sets(inputs.answers) else DRAWN
    failed = {}
    for name in names:
        try:
            figure = drawn[name](inputs, settings)
        except Exception as error:
            if isinstance(error, UserError) or disk.is_full(error):
                raise
            traceback.print_exc()
            failed[name] = " ".join(f"{type(error).__name__}: {error}".split())
            figure = style.message_figure(
                f"{inputs.run}: {name.replace('_', ' ')}", f"could not be drawn:\n{failed[name][:200]}"
            )
        written = [path for path in files if path.stem == name]
        style.save(figure, written, settings.dpi)
        for copy in (path for path in copies if path.stem == name):
            report_copy.save_for_report(next(path for path in written if path.suffix == ".png"), copy)
    return failed
