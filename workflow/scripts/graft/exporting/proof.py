"""Whether an export says what the model said: every judged photo again, and how fast."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graft.config.export import Export
from graft.data.label_sets import texts_of
from graft.errors import UserError
from graft.judging.multilabel_outcomes import has_sets
from graft.judging.outcomes import CALIBRATED, classes_of, judging_role
from graft.predicting.decision import decide
from graft.predicting.label_predictions import decide_labels

BATCH = 32  # photos asked at once, always: a short batch is filled up, so that no runtime prepares itself twice
SECONDS = 1.0  # that a speed is measured for, at least, and
CALLS = 5  # how often, at least

Ask = Callable[[np.ndarray], np.ndarray]  # pixels (n, size, size, 3), uint8, to probabilities (n, n_classes)


def judged_photos(predictions: pd.DataFrame, stage: str, fold: int) -> pd.DataFrame:
    """Return the rows of a run's predictions.csv that judged its published model.

    Under k-fold the published model is one fold's: the photos of the others trained it, and prove nothing.

    Raises: UserError if there are none.
    """
    rows = predictions[(predictions["stage"] == stage) & (predictions["fold"] == fold)]
    rows = rows[rows["role"] == judging_role(rows["role"])] if len(rows) else rows
    if rows.empty:
        raise UserError(f"predictions.csv has no photo that judged the {stage} of fold {fold}: predict anew")
    return rows.reset_index(drop=True)


def calibration_rows(split: pd.DataFrame, fold: int, n: int) -> list[str]:
    """Return the paths of n training photos of a fold, evenly spaced in the order of the split, so in every class."""
    paths = split.loc[(split["fold"] == fold) & (split["role"] == "train"), "path"].tolist()
    return [paths[place] for place in np.unique(np.linspace(0, len(paths) - 1, n).round().astype(int))] if paths else []


def answers(ask: Ask, pixels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return what an export says of some photos, (n_rows, n_classes), or (n_rows,) for distances, float64.

    Args:
        ask: pixels (BATCH, size, size, 3), uint8, to probabilities.
        pixels: (n_photos, size, size, 3), uint8; may lie on disk.
        rows: (n_rows,), int; which of them.
    """
    found = []
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        batch = np.zeros((BATCH, *pixels.shape[1:]), np.uint8)
        batch[: len(part)] = pixels[part]
        found.append(np.asarray(ask(batch), np.float64)[: len(part)])
    return np.concatenate(found)


def compared(judged: pd.DataFrame, said: np.ndarray, facts: dict[str, Any]) -> dict[str, Any]:
    """Return how an export's answers differ from the model's.

    Args:
        judged: of `judged_photos`: what the model said, calibrated.
        said: (n, n_classes); what the export said of the same photos.
        facts: classes, threshold and unsure_below, or, of several labels, thresholds, as the export carries them.

    Returns: photos, accuracy, accuracy of the model, answers that flipped (another class, or sure and not sure), the
        largest difference of a probability, and the photo and class that have it. Where photos have several labels, an
        answer is the whole set of them, and is right where every label is.
    """
    classes = classes_of(judged)
    before = judged[[CALIBRATED + name for name in classes]].to_numpy(float)
    truth = judged["labels" if has_sets(judged) else "label"].to_numpy()
    answered, flipped = answers_to_sets(judged, said, facts) if has_sets(judged) else one_each(judged, said, facts)
    apart = np.nan_to_num(np.abs(said - before), nan=np.inf)
    photo, which = divmod(int(apart.argmax()), apart.shape[1])
    return {
        "photos": len(judged),
        "accuracy": float(np.mean(answered == truth)),
        "model_accuracy": float(np.mean(judged["predicted"].to_numpy() == truth)),
        "flipped": int(flipped.sum()),
        "largest_difference": float(apart[photo, which]),
        "worst_photo": judged["path"].iat[photo],
        "worst_class": classes[which],
        "worst_before": float(before[photo, which]),
        "worst_after": float(said[photo, which]),
    }


def one_each(judged: pd.DataFrame, said: np.ndarray, facts: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes that an export answers, (n,), and which are other answers or doubts than the model's."""
    after, sure = decide(said, facts.get("threshold"), facts.get("unsure_below") or 0.0)
    answered = np.array(classes_of(judged), object)[after]
    return answered, (answered != judged["predicted"].to_numpy()) | (sure != judged["sure"].to_numpy(bool))


def answers_to_sets(judged: pd.DataFrame, said: np.ndarray, facts: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the sets of labels that an export answers, (n,), and which are other sets than the model's."""
    given = decide_labels(said, facts.get("thresholds") or 0.5)
    answered = np.array(texts_of(given, classes_of(judged)), object)
    return answered, answered != judged["predicted"].to_numpy()


def unlike_flipped(said: np.ndarray, before: np.ndarray, facts: dict[str, Any]) -> int:
    """Return how many photos are called unlike the training photos by an export and not by the model, or the reverse.

    >>> unlike_flipped(np.array([0.1, 0.3]), np.array([0.1, 0.2]), {"unlike": {"threshold": 0.25}})
    1
    """
    threshold = facts["unlike"]["threshold"]
    return int(((said > threshold) != (before > threshold)).sum())


def check(found: dict[str, Any], export: Export, run: str) -> None:
    """Refuse an export whose answers lie too far from the model's.

    Args:
        found: of `compared`.
        export: which format, precision and tolerance.
        run: whose it is.

    Raises: UserError that names the photo that differs most.
    """
    if found["largest_difference"] <= export.largest_difference:
        return
    raise UserError(
        f"the export {export.name} of {run} gives {found['worst_photo']} a probability of {found['worst_class']} of"
        f" {found['worst_after']:.4f}, and the model {found['worst_before']:.4f}: further apart than the export's"
        f" tolerance of {export.largest_difference:g}; {found['flipped']} of {found['photos']} answers flipped; take"
        " another precision, or raise its tolerance in the experiment's exports"
    )


def milliseconds(ask: Ask, pixels: np.ndarray, seconds: float = SECONDS, calls: int = CALLS) -> float:
    """Return the median time of a call, once it has run twice."""
    for _ in range(2):
        ask(pixels)
    times: list[float] = []
    while len(times) < calls or sum(times) < seconds:
        start = time.perf_counter()
        np.asarray(ask(pixels))
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def megabytes(path: Path) -> float:
    """Return the size of an export: its file, that file's weights beside it, or its folder."""
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file()]
    else:
        files = [file for file in (path, path.with_suffix(".bin")) if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6
