"""Draws the tables and photos of a made-up run, of any size, as the stages before the figures would leave them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from graft.storage.files import write_table

NAMES_OF_ANY_SCRIPT = [
    "rural", "urban", "Ελλάδα", "Москва", "naïve café", "a_class_whose_name_goes_on_and_on_until_it_ends_at_last",
    "$5_bills$", "العربية", "עברית",
]  # fmt: skip


def class_names(count: int) -> list[str]:
    """Nine awkward names, then plain ones."""
    return [*NAMES_OF_ANY_SCRIPT, *(f"species_{number:02d}_of_bird" for number in range(count))][:count]


def predictions(classes: list[str], photos: int, folds: int = 1, stages=("head", "finetuned"), role="val", seed=0):
    """Return a table such as runs/{run}/predictions.csv: about 85% right after the head, 92% at the end."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(len(classes), size=photos)
    tables = []
    for number, stage in enumerate(stages):
        logits = draw.normal(size=(photos, len(classes)))
        logits[np.arange(photos), truth] += 1.4 + 0.5 * number + 0.5 * np.log(len(classes))
        probability = softmax(1.6 * logits)
        guess = probability.argmax(axis=1)
        table = pd.DataFrame(
            {
                "stage": stage,
                "path": [f"{role}/{classes[label]}/photo_{index:05d}.jpg" for index, label in enumerate(truth)],
                "label": [classes[label] for label in truth],
                "fold": np.arange(photos) % folds,
                "role": role,
                "predicted": [classes[label] for label in guess],
            }
        )
        for kind, values in (("probability", probability), ("calibrated", softmax(logits))):
            table[[f"{kind}_{name}" for name in classes]] = values
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def history(epochs: int, start: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """Return a table such as history.csv, rising from `start`."""
    draw = np.random.default_rng(seed)
    rise = 1 - (1 - start) * np.exp(-np.arange(epochs) / 4)
    accuracy = np.clip(rise - 0.03 + draw.normal(0, 0.02, epochs), 0, 1)
    return pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "loss": 1.2 * (1 - rise) + 0.1,
            "accuracy": rise,
            "val_loss": 1.3 * (1 - accuracy) + 0.15,
            "val_accuracy": accuracy,
            "learning_rate": 0.001,
        }
    )


def comparison(runs: int, stages=("head", "finetuned"), seed: int = 0) -> pd.DataFrame:
    """Return a table such as comparison.csv: a row for every run and stage."""
    draw = np.random.default_rng(seed)
    rows = []
    for run in range(runs):
        for number, stage in enumerate(stages):
            accuracy = float(np.clip(draw.uniform(0.7, 0.95) + 0.03 * number, 0, 1))
            half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 92)
            rows.append(
                {
                    "run": f"run_{run}" if run else "lesson",
                    "kind": "run",
                    "stage": stage,
                    "role": "val",
                    "n": 92,
                    "accuracy": accuracy,
                    "accuracy_low": accuracy - half,
                    "accuracy_high": min(1, accuracy + half),
                    "baseline": 0.5,
                    "seconds": float(draw.uniform(10, 600)) * (1 + 3 * number),
                }
            )
    return pd.DataFrame(rows)


def write_photos(paths, images: Path, seed: int = 0) -> None:
    """Write a small JPEG of coloured noise for each path, wide and tall ones by turns."""
    draw = np.random.default_rng(seed)
    for number, path in enumerate(paths):
        (images / path).parent.mkdir(parents=True, exist_ok=True)
        height, width = ((6, 8), (8, 6), (4, 12))[number % 3]
        pixels = draw.integers(0, 255, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((16 * width, 16 * height), Image.Resampling.BICUBIC).save(images / path)


def features(table: pd.DataFrame, classes: list[str], size: int = 64, seed: int = 0) -> np.ndarray:
    """Return (1 view, n_photos, size) features, a cloud around a centre for each class."""
    draw = np.random.default_rng(seed)
    centres = draw.normal(0, 1.2, (len(classes), size))
    labels = table.drop_duplicates("path")["label"].map(classes.index).to_numpy()
    return (centres[labels] + draw.normal(size=(len(labels), size))).astype(np.float32)[None]


def write_run(folder: Path, n_classes: int, photos: int, folds: int = 1, stages=("head", "finetuned")) -> Path:
    """Write all that the figures of one run read below `folder`, and return `folder`."""
    classes = class_names(n_classes)
    table = predictions(classes, photos, folds, stages)
    write_table(table, folder / "predictions.csv")
    np.save(folder / "features.npy", features(table, classes))
    write_table(table.drop_duplicates("path")[["path", "label"]], folder / "manifest.csv")
    write_photos(table["path"].unique()[:400], folder / "images")
    for fold in range(folds):
        for number, stage in enumerate(stages):
            rows = history((12, 8)[number] - fold, 0.5 + 0.3 * number, seed=fold)
            write_table(rows, folder / f"fold{fold}" / stage / "history.csv")
    write_table(comparison(6), folder / "comparison.csv")
    (folder / "classes.json").write_text(json.dumps(classes), encoding="utf-8")
    return folder
