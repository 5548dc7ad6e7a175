"""What a sweep will take, before it runs: runs, jobs, what they share, and an estimate of time and disk.

Snakemake reads this module each time it starts, so it loads nothing that is slow to load.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from graft.config import hub
from graft.config.backbone import BASELINES, Backbone
from graft.config.keys import backbone_key, features_key
from graft.config.resolution import Job, Run
from graft.data.layout import is_junk
from graft.data.preflight import listing

NETWORKS = Path(__file__).resolve().parents[3] / "resources" / "networks.csv"
# Multiply-adds a second on two cores with AVX-512, from docs/speed.md: ResNet50 (33 photos/s embedded in float32)
# and MobileNet 0.25 (187 a second in training, three times the work of looking at them).
RATE, DEPTHWISE_RATE = 120e9, 23e9
TRAINING = 3  # times the work of looking at a photo: forward, then backward to the inputs and to the weights
START_SECONDS = 4.0  # of a job that loads Keras
HUB_FEATURES = 1000  # of a preset of KerasHub: 384 to 1,792
ASSUMED_PHOTOS = 1000  # where a dataset has not arrived yet
TRAIN_SHARE = 0.8


@dataclass(frozen=True)
class Known:
    """What is known of a backbone without building it, at its own size."""

    photo_seconds: float
    parameters: int
    features: int


def plan_lines(job: Job, sweep: str, results: Path) -> list[str]:
    """Return what is said of a sweep before it runs, line by line."""
    runs = job.runs_of_sweep(sweep)
    heads = sum(len(job.folds(run.name)) for run in runs)
    tuned = sum(len(job.folds(run.name)) for run in runs if run.recipe.finetune)
    features = {(run.experiment.dataset, features_key(run.embedding)) for run in runs}
    weights = {backbone_key(run.experiment.backbone) for run in runs}
    sizes = {(run.experiment.dataset, run.experiment.backbone.size) for run in runs}
    table = job.config.model_table
    timed = f"; timing {counted(len(weights), 'network')} comes on top" if table and table.sweep == sweep else ""
    return [
        f"graft: sweep {sweep}: {counted(len(runs), 'run')}: {shortened([run.name for run in runs])}",
        f"graft: sweep {sweep}: {counted(heads, 'head')} to train, {counted(tuned, 'network')} to fine-tune; shared: "
        f"{counted(len(sizes), 'set')} of pixels, {counted(len(weights), 'file')} of weights, "
        f"{counted(len(features), 'set')} of features",
        f"graft: sweep {sweep}: {estimate(job, runs, results)}{timed}",
    ]


def counted(n: int, noun: str) -> str:
    """Return a number and its noun.

    >>> counted(1, "run"), counted(2000, "run")
    ('1 run', '2,000 runs')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def shortened(names: list[str], most: int = 8) -> str:
    """Return names as a list that fits a terminal.

    >>> shortened(["a", "b", "c"], 2)
    'a, ..., c'
    """
    return ", ".join(names if len(names) <= most else [*names[: most - 1], "...", names[-1]])


def estimate(job: Job, runs: list[Run], results: Path) -> str:
    """Say how long a sweep takes and how much it writes, if none of it is there yet."""
    unknown = sorted({run.experiment.backbone.name for run in runs if known(run.experiment.backbone) is None})
    if unknown:
        return f"no estimate of time and disk: what {', '.join(unknown)} costs is not known"
    photos = {name: photos_of(job, name, results) for name in {run.experiment.dataset for run in runs}}
    n = {name: count or ASSUMED_PHOTOS for name, count in photos.items()}
    seconds, size = shared_cost(runs, n), shared_size(runs, n)
    for run in runs:
        folds = len(job.folds(run.name))
        seconds += folds * run_seconds(run, n[run.experiment.dataset])
        size += 4 * cost_of(run.experiment.backbone).parameters * (folds * len(run.stages) + 1)
    missing = [name for name, count in photos.items() if count is None]
    of = f"if {', '.join(missing)} has {ASSUMED_PHOTOS:,} photos" if missing else f"for {sum(n.values()):,} photos"
    return (
        f"from nothing, about {duration(seconds)} on two processor cores {of}, and {volume(size)} of disk; "
        "downloads come on top, a GPU takes a fraction, and what is there already is not made again"
    )


def shared_cost(runs: list[Run], photos: dict[str, int]) -> float:
    """Return the seconds of what runs share: their features."""
    unique = {(run.experiment.dataset, features_key(run.embedding)): run for run in runs}
    return sum(
        START_SECONDS + looks(run, photos[run.experiment.dataset]) * cost_of(run.experiment.backbone).photo_seconds
        for run in unique.values()
    )


def shared_size(runs: list[Run], photos: dict[str, int]) -> float:
    """Return the bytes of what runs share: pixels, weights, features."""
    pixels = {(run.experiment.dataset, run.experiment.backbone.size) for run in runs}
    weights = {backbone_key(run.experiment.backbone): run.experiment.backbone for run in runs}
    features = {(run.experiment.dataset, features_key(run.embedding)): run for run in runs}
    size = sum(3.0 * side**2 * photos[dataset] for dataset, side in pixels)
    size += sum(4 * cost_of(backbone).parameters for backbone in weights.values())
    for run in features.values():
        n = photos[run.experiment.dataset]
        views = looks(run, n) / n if run.embedding.views else 1
        size += 4 * cost_of(run.experiment.backbone).features * n * views
    return size


def looks(run: Run, photos: int) -> float:
    """Return how many photos and views the features of a run are computed for."""
    if not run.embedding.views:
        return photos
    trained = TRAIN_SHARE * photos
    views = run.embedding.views.count or run.recipe.frozen.images_seen(int(trained)) / trained
    return photos + views * trained


def run_seconds(run: Run, photos: int) -> float:
    """Return the seconds of one fold of a run: jobs that start, fine-tuning, predictions."""
    one, stages = cost_of(run.experiment.backbone).photo_seconds, len(run.stages)
    tuned = run.recipe.finetune.images_seen(int(TRAIN_SHARE * photos)) * TRAINING if run.recipe.finetune else 0
    return 2 * stages * START_SECONDS + (tuned + stages * (1 - TRAIN_SHARE) * photos) * one


@cache
def known(backbone: Backbone) -> Known | None:
    """Return what is known of a backbone's cost, scaled to its size and width; None of a network not counted yet."""
    if backbone.name in BASELINES:
        return Known(1e-4, 0, 1000)
    if hub.is_hub(backbone.name):
        return known_preset(backbone)
    row = networks().get(backbone.name)
    if row is None:
        return None
    work = int(row["multiply_adds"]) * (backbone.size / int(row["size"])) ** 2 * backbone.alpha**2
    rate = DEPTHWISE_RATE if int(row["depthwise"]) else RATE
    parameters = int(int(row["parameters"]) * backbone.alpha**2)
    return Known(work / rate, parameters, int(int(row["features"]) * backbone.alpha))


def known_preset(backbone: Backbone) -> Known | None:
    """Return what a preset of KerasHub costs, roughly, from its parameters; None of a preset that is a user's own.

    Nearly every weight of a vision transformer is used once for each patch of 16 x 16 pixels, and those of the
    convolutional networks about as often.
    """
    preset = hub.presets().get(backbone.name.removeprefix(hub.PREFIX))
    if preset is None or backbone.weights != hub.PRESET:
        return None
    work = preset.parameters * (backbone.size / 16) ** 2
    return Known(work / RATE, preset.parameters, HUB_FEATURES)


def cost_of(backbone: Backbone) -> Known:
    """Return what is known of the cost of a backbone that `known` knows."""
    found = known(backbone)
    assert found is not None, backbone.name
    return found


@cache
def networks() -> dict[str, dict[str, str]]:
    """Return the rows of networks.csv by name."""
    with open(NETWORKS, newline="", encoding="utf-8") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def photos_of(job: Job, dataset: str, results: Path) -> int | None:
    """Return how many photos a dataset has, as far as that can be told before it is read; None if it cannot."""
    source, manifest = job.dataset(dataset).source, results / "data" / dataset / "manifest.csv"
    if manifest.is_file():
        with open(manifest, "rb") as stream:
            return max(1, sum(1 for _ in stream) - 1)
    if source.sample:
        return 2 * (source.sample.train + source.sample.val)
    if source.folder:
        return max(1, sum(not is_junk(name) for name, *_ in files_in(source.folder)))
    return None


def files_in(folder: str) -> Iterable[tuple[str, int, int]]:
    """Return the files below a user's folder."""
    return listing(Path(folder).expanduser())


def volume(size: float) -> str:
    """Return a number of bytes in the unit that says it best.

    >>> volume(4.2e7), volume(3.14e9)
    ('42 MB', '3.1 GB')
    """
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def duration(seconds: float) -> str:
    """Return a time in the unit that says it best.

    >>> duration(40), duration(600), duration(9000)
    ('40 s', '10 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
