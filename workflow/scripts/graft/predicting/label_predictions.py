"""Predictions of photos that may have several labels: a probability for each, and the labels that are answered."""

import numpy as np
import pandas as pd
from scipy.special import expit

from graft import tables
from graft.data.label_sets import COLUMN, texts_of


def label_probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return the probability of each label, (n, n_labels), float64; they need not sum to 1.

    >>> label_probabilities(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    return expit(logits.astype(np.float64) / temperature)


def decide_labels(probabilities: np.ndarray, thresholds: np.ndarray | list[float] | float) -> np.ndarray:
    """Return the answers, (n, n_labels), bool: the labels whose probability reaches their threshold.

    This is the one rule for the published model, for every table and figure, and for new photos.

    >>> decide_labels(np.array([[0.6, 0.4], [0.1, 0.3]]), [0.5, 0.3]).tolist()
    [[True, True], [False, True]]
    """
    return probabilities >= np.asarray(thresholds)


def label_predictions_table(split: pd.DataFrame, logits: np.ndarray, classes: list[str], stage: str) -> pd.DataFrame:
    """Return the rows of raw_predictions.csv that one model answers.

    Args:
        split: path, labels, fold, role, group, and `chose`, whether the photo took part in choosing; one row a photo.
        logits: (n_photos, n_labels).
        classes: the labels, in the order of the logits.
        stage: the model's.
    """
    probabilities = label_probabilities(logits)
    table = split[["path", COLUMN, "fold", "role", "group", "chose"]].reset_index(drop=True)
    table.insert(0, "stage", stage)
    table["predicted"] = texts_of(decide_labels(probabilities, 0.5), classes)
    columns = pd.DataFrame(probabilities, columns=[f"probability_{name}" for name in classes])
    return tables.MultilabelRawPredictions.checked(pd.concat([table, columns], axis=1))
