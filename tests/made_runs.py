"""Made-up results of training, as files of the real layout: what evaluation is tested on without training anything."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import evaluate
from graft import paths
from graft.judging.outcomes import classes_of
from graft.network.model_file import add_facts, place_of
from graft.paths import below
from graft.storage.files import write_table

EXPORTED = {  # a row of exports.csv
    "run": "mine",
    "export": "onnx",
    "runtime": "onnxruntime 1.32.0",
    "photos": 20,
    "accuracy": 0.95,
    "model_accuracy": 0.9,
    "flipped": 1,
    "largest_difference": 0.000234,
    "worst_photo": "private/7.jpg",
    "worst_class": "urban",
    "tolerance": 0.001,
    "calibration_photos": 0,
    "megabytes": 0.91,
    "model_megabytes": 2.17,
    "ms_batch_1": 1.23,
    "ms_batch_32": 20.0,
    "keras_ms_batch_1": 9.0,
    "keras_ms_batch_32": 55.0,
    "threads": 2,
}


def made_predictions(
    n: int = 20,
    classes: tuple[str, ...] = ("rural", "urban"),
    fold: int = 0,
    role: str = "val",
    skill: float = 2.0,
    seed: int = 0,
    logit: bool = False,
    photos: list[str] | None = None,
    chose: bool = False,
) -> pd.DataFrame:
    """Return predictions of `n` photos, true classes in turn, by a model that is better the higher its `skill`.

    `chose` says that the photos took part in choosing, as those of the role `inner` always do.
    """
    rng = np.random.default_rng([seed, fold])
    labels = np.arange(n) % len(classes)
    logits = rng.normal(size=(n, len(classes)))
    logits[np.arange(n), labels] += skill
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "path": photos or [f"{role}/{classes[label]}/{index}.jpg" for index, label in enumerate(labels)],
            "label": [classes[label] for label in labels],
            "fold": fold,
            "role": role,
            "group": np.arange(n),
            "chose": int(chose or role == "inner"),
            "predicted": [classes[answer] for answer in probabilities.argmax(axis=1)],
        }
    )
    if logit:
        table["logit"] = logits[:, 1] - logits[:, 0]
    names = [f"probability_{name}" for name in classes]
    return pd.concat([table, pd.DataFrame(probabilities, columns=names)], axis=1)


def predictions_of(
    labels: list[int], probabilities: list[list[float]], classes: tuple[str, ...] = ("a", "b"), **columns: object
) -> pd.DataFrame:
    """Return predictions from numbers written out by hand; without a stated role they are `val` of fold 0."""
    chances = np.array(probabilities, dtype=float)
    table = pd.DataFrame(
        {
            "path": [f"{index}.jpg" for index in range(len(labels))],
            "label": [classes[label] for label in labels],
            "fold": 0,
            "role": "val",
            "group": np.arange(len(labels)),
            "chose": 0,
            "predicted": [classes[answer] for answer in chances.argmax(axis=1)],
        }
    ).assign(**columns)
    return table.assign(**{f"probability_{name}": chances[:, place] for place, name in enumerate(classes)})


def write_predictions(results: Path, run: str, stages: dict[str, pd.DataFrame]) -> Path:
    """Write all stages' rows where `predict` would, and return the path."""
    path = below(results, paths.RAW_PREDICTIONS, run=run)
    write_table(pd.concat([table.assign(stage=stage) for stage, table in stages.items()]), path)
    return path


def write_models(results: Path, run: str, stages: dict[str, pd.DataFrame], classes: list[str]) -> list[Path]:
    """Write a stub of a model for each stage and fold, that holds Graft's facts alone."""
    written = []
    for stage, table in stages.items():
        for fold in sorted(set(table["fold"])):
            path = below(results, paths.MODEL_OF_STAGE, run=run, fold=fold, stage=stage)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            add_facts(path, {"classes": classes, "size": 96, "backbone": "MobileNet"} | place_of(path))
            written.append(path)
    return written


def write_run(
    results: Path,
    run: str,
    stages: dict[str, pd.DataFrame],
    experiment: dict[str, object] | None = None,
    seed: int = 0,
    seconds: float = 1.5,
) -> Path:
    """Write all that the stages before `compare_runs` leave of a run, models as stubs; return the run's folder.

    Args:
        stages: predictions by stage.
        experiment: settings that differ from a lesson's on the data set `drawn`; `name` is the experiment's own.
        seconds: of each training job.
    """
    settings = {"dataset": "drawn", "recipe": "lesson", "backbone": {"name": "MobileNet", "size": 96}} | (
        experiment or {}
    )
    name = settings.pop("name", run)
    backbone = settings["backbone"] | {"weights": "imagenet"}
    folder = results / "runs" / run
    predictions = write_predictions(results, run, stages)
    models = write_models(results, run, stages, classes_of(next(iter(stages.values()))))
    for path in models:
        place = place_of(path)
        rule = {"head": "train_head", "finetuned": "fine_tune"}[place["stage"]]
        write_benchmark(results / "benchmarks" / rule / f"{run}-fold{place['fold']}.tsv", seconds, 700.0)
    write_benchmark(results / "benchmarks" / "embed_images" / "drawn-features.tsv", 2.0, 900.0)
    data = results / "data" / "drawn"
    table = next(iter(stages.values()))
    write_table(table[["path", "label"]].drop_duplicates("path"), data / "manifest.csv")
    write_table(table[["path", "label", "fold", "role"]], data / "split.csv")
    config = {
        "runs": [run],
        "datasets": {"drawn": {"source": {"sample": "scenes"}, "split": {"method": "folders"}}},
        "experiments": {name: settings | {"backbone": backbone, "seed": seed}},
    }
    record = {
        "run": run,
        "experiment": name,
        "seed": seed,
        "dataset": "drawn",
        "features": "features",
        "config": config,
    }
    evaluate.main(
        [
            *("--record", json.dumps(record), "--predictions", str(predictions), "--models", *map(str, models)),
            *("--manifest", f"{data}/manifest.csv", "--split", f"{data}/split.csv"),
            *("--benchmarks", f"{results}/benchmarks", "--output", str(folder)),
        ]
    )
    return folder


def write_benchmark(path: Path, seconds: float, memory_mb: float) -> None:
    """Write a benchmark file as Snakemake does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\tmax_vms\n{seconds}\t0:00:01\t{memory_mb}\t-\n")
