"""Photos without a label: what a run's last models say of them, which nobody can judge."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from graft import tables
from graft.config.averaging import AveragedViews
from graft.network.forms import in_prediction_form
from graft.network.model_file import load_model, place_of
from graft.predicting.decision import decide
from graft.predicting.predictions import class_probabilities, predict_logits


def predict_unlabelled(
    models: list[Path],
    pixels: np.ndarray,
    manifest: pd.DataFrame,
    rows: np.ndarray,
    calibration: dict[str, Any],
    fast_path: bool,
    tag: str,
    views: AveragedViews | None = None,
) -> pd.DataFrame:
    """Return the rows of unlabelled_predictions.csv.

    Each model's probabilities are calibrated as the run's calibration says. Of several folds, the mean of probabilities
    and of thresholds counts.

    Args:
        models: model.keras of the last stage, fold by fold, in the folders that name these.
        pixels: (n_photos, size, size, 3), uint8; may lie on disk.
        manifest: its rows are in the order of the pixels.
        rows: (n,), int; the places of the photos without a label.
        calibration: what calibration.json holds.
        fast_path: as in the configuration.
        tag: for the lines of progress.
        views: average over these views of each photo; None: the photo as it is, alone.
    """
    classes = calibration["classes"]
    total, fitted = np.zeros((len(rows), len(classes))), []
    for path in models if len(rows) else []:
        place = place_of(path)
        fitted.append(calibration["stages"][place["stage"]]["folds"][str(place["fold"])])
        model, _ = load_model(path)
        form = in_prediction_form(model) if fast_path else model
        logits = predict_logits(form, pixels, rows, f"{tag}, fold {place['fold']}, {place['stage']}", views)
        total += class_probabilities(logits, fitted[-1]["temperature"])
        del model, form
        keras.backend.clear_session()  # the memory of one network at a time
    return answered(manifest["path"].to_numpy()[rows], total / max(1, len(fitted)), classes, fitted)


def answered(
    paths: np.ndarray, probabilities: np.ndarray, classes: list[str], fitted: list[dict[str, Any]]
) -> pd.DataFrame:
    """Return probabilities with the answers that they make.

    Args:
        paths: (n,), str.
        probabilities: (n, n_classes), float; calibrated.
        classes: names.
        fitted: each fold's part of calibration.json.

    >>> one = {"threshold": 0.7, "unsure_below": 0.0}
    >>> answered(np.array(["a.jpg"]), np.array([[0.4, 0.6]]), ["cat", "dog"], [one])["predicted"].tolist()
    ['cat']
    """
    thresholds = [one["threshold"] for one in fitted if one["threshold"] is not None]
    threshold = float(np.mean(thresholds)) if thresholds else None
    unsure_below = fitted[0]["unsure_below"] if fitted else 0.0
    answers, sure = decide(probabilities, threshold, unsure_below)
    table = pd.DataFrame({"path": paths, "predicted": np.array(classes, object)[answers]})
    table[[f"calibrated_{name}" for name in classes]] = probabilities
    return tables.UnlabelledPredictions.checked(table.assign(sure=sure.astype(int)))
