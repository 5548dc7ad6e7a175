"""Made-up results of training, as files of the real layout: what evaluation is tested on without training anything."""

from pathlib import Path

import numpy as np
import pandas as pd

from graft.files import write_table


def made_predictions(
    n: int = 20,
    classes: tuple[str, ...] = ("rural", "urban"),
    fold: int = 0,
    role: str = "val",
    skill: float = 2.0,
    seed: int = 0,
    logit: bool = False,
    photos: list[str] | None = None,
) -> pd.DataFrame:
    """Return predictions of `n` photos, true classes in turn, by a model that is better the higher its `skill`."""
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
            "predicted": [classes[answer] for answer in probabilities.argmax(axis=1)],
        }
    )
    if logit:
        table["logit"] = logits[:, 1] - logits[:, 0]
    for name, column in zip(classes, probabilities.T, strict=True):
        table[f"probability_{name}"] = column
    return table


def predictions_of(
    labels: list[int], probabilities: list[list[float]], classes: tuple[str, ...] = ("a", "b"), **columns: object
) -> pd.DataFrame:
    """Return a table of predictions from numbers written out by hand; a row without a stated role is `val` of fold 0."""
    chances = np.array(probabilities, dtype=float)
    table = pd.DataFrame(
        {
            "path": [f"{index}.jpg" for index in range(len(labels))],
            "label": [classes[label] for label in labels],
            "fold": 0,
            "role": "val",
            "predicted": [classes[answer] for answer in chances.argmax(axis=1)],
        }
    ).assign(**columns)
    return table.assign(**{f"probability_{name}": chances[:, place] for place, name in enumerate(classes)})


def write_predictions(results: Path, run: str, stage: str, table: pd.DataFrame) -> list[Path]:
    """Write each fold's rows where `predict` would, and return the paths."""
    paths = []
    for fold, rows in table.groupby("fold"):
        paths.append(results / "runs" / run / f"fold{fold}" / stage / "predictions.csv")
        write_table(rows, paths[-1])
    return paths
