"""Labels as numbers, their weights, and the loss that goes with a head."""

from typing import Any

import keras
import numpy as np

from graft.config.base import nearest
from graft.errors import UserError


def encode(labels: list[str], classes: list[str]) -> np.ndarray:
    """Return each label's place in `classes`, (n,), int.

    >>> encode(["urban", "rural"], ["rural", "urban"]).tolist()
    [1, 0]
    """
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[label] for label in labels], int)


def targets_of(codes: np.ndarray, n_logits: int) -> np.ndarray:
    """Return what the loss compares with: (n, 1) for one logit, one-hot (n, n_logits) for more; float32.

    Codes of several labels, (n, n_logits), are what the loss compares with already.
    """
    if codes.ndim == 2:
        return codes
    if n_logits == 1:
        return codes[:, None].astype(np.float32)
    return np.eye(n_logits, dtype=np.float32)[codes]


def sample_weights(codes: np.ndarray, classes: list[str], class_weights: Any) -> np.ndarray:
    """Return each photo's weight in the loss, (n,), float32.

    Args:
        codes: (n,), int; places in `classes`. Of several labels, (n, n_labels): then each photo weighs 1, and
            `label_weights` says what weighs more.
        classes: the class names.
        class_weights: `none`; `balanced`, as scikit-learn's: n / (n_classes x count); or a weight for each class.

    Raises: UserError if a weight names no class.
    """
    if class_weights == "none" or codes.ndim == 2:
        return np.ones(len(codes), np.float32)
    if class_weights == "balanced":
        counts = np.bincount(codes, minlength=len(classes))
        return (len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[codes].astype(np.float32)
    for name in class_weights:
        if name not in classes:
            raise UserError(f"class_weights has {name!r}, which is no class{nearest(name, classes)}")
    return np.array([class_weights.get(name, 1.0) for name in classes], np.float32)[codes]


def loss_and_metric(n_logits: int, label_smoothing: float) -> tuple[keras.Loss, keras.Metric]:
    """Return cross-entropy from logits and accuracy, categorical, or, for one logit, binary.

    The binary ones serve several labels too, without weights: their means are over photos and labels.
    """
    if n_logits == 1:
        return (
            keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing),
            keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),
        )
    return (
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing),
        keras.metrics.CategoricalAccuracy(name="accuracy"),
    )
