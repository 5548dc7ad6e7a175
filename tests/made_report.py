"""A finished job of any number of runs and classes, made up but for its report, which the workflow itself makes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image
from test_figures_drawing import DRAWN
from test_summary import job

from figures_data import class_names, write_photos
from graft import paths
from graft.figures.report_copy import save_for_report
from graft.figures.style import save
from graft.paths import below
from graft.storage.files import write_table
from made_runs import made_predictions
from places import ROOT

STAGES = ("head", "finetuned")
OF_PHOTOS = ("prediction_grid", "mistakes", "gradcam")  # figures that the report has as JPEG
BACKBONES = ("MobileNet", "ResNet50", "EfficientNetB0", "ConvNeXtTiny", "DenseNet121")


def make_report(folder: Path, n_runs: int, n_classes: int, photos: int) -> Path:
    """Build a finished job in a folder, and return the report that the workflow makes of it.

    Tables, verdicts and figures are made by the code that makes them of real runs, from predictions that are made up.
    The figures of all runs are those of the first, since drawing takes longest.
    """
    results, classes = folder / "results", class_names(n_classes)
    backbones = [{"name": BACKBONES[number % len(BACKBONES)], "size": 96} for number in range(n_runs)]
    runs = {f"{backbone['name']}_seed_{number}": backbone for number, backbone in enumerate(backbones)}
    answers = {run: answers_of(number, classes, photos) for number, run in enumerate(runs)}
    job(results, **{run: {"stages": answers[run], "experiment": {"backbone": runs[run]}} for run in runs})
    first, *others = runs
    draw_figures(results, first, classes, answers[first], folder / "images")
    for run in others:
        shutil.copytree(results / "runs" / first / "figures", results / "runs" / run / "figures")
    write_audit(results / "data" / "drawn")
    experiments = {run: {"dataset": "drawn", "recipe": "lesson", "backbone": runs[run]} for run in runs}
    return reported(folder, experiments)


def answers_of(number: int, classes: list[str], photos: int) -> dict[str, pd.DataFrame]:
    """Return a run's predictions by stage; the higher its number, the better it is."""
    skill = 1 + np.log(len(classes)) / 2 + 0.03 * number
    return {
        stage: made_predictions(photos, tuple(classes), skill=skill + 0.5 * later, seed=number)
        for later, stage in enumerate(STAGES)
    }


def draw_figures(results: Path, run: str, classes: list[str], answers: dict[str, pd.DataFrame], images: Path) -> None:
    """Draw a run's figures, and the copies of them that the report holds."""
    table = pd.concat([rows.assign(stage=stage) for stage, rows in answers.items()], ignore_index=True)
    table = table.assign(**{f"calibrated_{name}": table[f"probability_{name}"] for name in classes})
    write_photos(table["path"].unique()[:400], images)
    for name, draw in DRAWN.items():
        figure = below(results, paths.FIGURE, run=run, figure=name, format="png")
        copy = below(results, paths.REPORT_FIGURE, run=run, figure=name, format="jpg" if name in OF_PHOTOS else "png")
        copy.parent.mkdir(parents=True, exist_ok=True)
        save(draw(classes, table, 1, STAGES, images), [figure], dpi=150)
        save_for_report(figure, copy)
    below(results, paths.FAILED_FIGURES, run=run).write_text("{}")


def write_audit(data: Path) -> None:
    """Write what the report shows of the photos."""
    write_table(pd.DataFrame({"path": ["a.jpg"], "verdict": ["kept"]}), data / "audit.csv")
    Image.radial_gradient("L").resize((1200, 800)).save(data / "audit.png")


def reported(folder: Path, experiments: dict) -> Path:
    """Let the workflow make what is left, the figures of all runs and the first page, and then its report."""
    data = {"drawn": {"source": {"sample": {"name": "scenes"}}}}
    settings = {"runs": list(experiments), "datasets": data, "experiments": experiments}
    (folder / "job.yaml").write_text(yaml.safe_dump(settings))
    for path in (folder / "results").rglob("*"):
        os.utime(path, (1e9, 1e9))  # nothing is older than what it is made from
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "1"]
    done = subprocess.run([*command, "--configfile", "job.yaml"], cwd=folder, capture_output=True, text=True)
    report = folder / "results" / "report.html"
    assert report.is_file(), done.stdout + done.stderr
    return report
