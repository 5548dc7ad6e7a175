"""From pixels to logits and probabilities: the predictions of a saved model as a table."""

import keras
import numpy as np
import pandas as pd

from graft import tables
from graft.config.averaging import AveragedViews
from graft.machine.progress import Progress
from graft.predicting.averaging import averaged_outputs

BATCH = 32  # photos a forward pass, always: a short batch is filled up, so that one compiled graph serves all


def predict_logits(
    model: keras.Model, pixels: np.ndarray, rows: np.ndarray, tag: str, views: AveragedViews | None = None
) -> np.ndarray:
    """Return the logits of some photos, (n_rows, 1) or (n_rows, n_classes), float32; see `predict_outputs`."""
    return predict_outputs(model, pixels, rows, tag, views)[0]


def predict_outputs(
    model: keras.Model, pixels: np.ndarray, rows: np.ndarray, tag: str, views: AveragedViews | None = None
) -> list[np.ndarray]:
    """Return what a model says of some photos: each of its outputs, (n_rows, ...), float32.

    Args:
        model: raw pixels to logits, and perhaps more.
        pixels: (n_photos, size, size, 3), uint8; may lie on disk.
        rows: (n_rows,), int; which of them.
        tag: for the lines of progress.
        views: average the logits over these views of each photo; None: the photo as it is, alone.
    """
    found = [np.zeros((len(rows), *output.shape[1:]), np.float32) for output in model.outputs]
    progress = Progress(tag, len(rows), "photos")
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        images = np.zeros((BATCH, *pixels.shape[1:]), np.float32)
        images[: len(part)] = pixels[part]
        answers = averaged_outputs(model.predict_on_batch, images, views)
        for output, answer in zip(found, answers, strict=True):
            output[start : start + len(part)] = answer[: len(part)]
        progress.advance(len(part))
    return found


def class_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return the probability of each class, (n, n_classes), float64; rows sum to 1.

    One logit is that of the second class.

    >>> class_probabilities(np.array([[0.0]])).tolist()
    [[0.5, 0.5]]
    """
    scores = logits.astype(np.float64) / temperature
    if scores.shape[1] == 1:
        scores = np.hstack([np.zeros_like(scores), scores])
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    return scores / scores.sum(axis=1, keepdims=True)


def predictions_table(split: pd.DataFrame, logits: np.ndarray, classes: list[str], stage: str) -> pd.DataFrame:
    """Return the rows of raw_predictions.csv that one model answers.

    Args:
        split: path, label, fold, role, group, and `chose`, whether the photo took part in choosing; one row a photo.
        logits: (n_photos, 1) or (n_photos, n_classes).
        classes: names, in the order of the logits.
        stage: the model's.
    """
    probabilities = class_probabilities(logits)
    table = split[["path", "label", "fold", "role", "group", "chose"]].reset_index(drop=True)
    table.insert(0, "stage", stage)
    table["predicted"] = np.array(classes, object)[probabilities.argmax(axis=1)]
    if logits.shape[1] == 1:
        table["logit"] = logits[:, 0]
    columns = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
    return tables.RawPredictions.checked(pd.concat([table, columns], axis=1))
