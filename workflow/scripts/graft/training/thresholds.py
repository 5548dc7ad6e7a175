"""The decision threshold that makes a score largest on photos that do not judge."""

import numpy as np
from sklearn.metrics import roc_curve

RULES = ("accuracy", "balanced_accuracy", "f1")


def choose_threshold(positive: np.ndarray, probability: np.ndarray, rule: str) -> float:
    """Return the threshold, at or above which the answer is the second class, that makes `rule` largest.

    Where a whole gap between two photos does equally well, 0.5 is taken if it lies in it, else the gap's middle;
    of several such gaps, the one whose threshold lies nearest 0.5.

    Args:
        positive: (n,), bool; whether a photo is of the second class.
        probability: (n,), float; its calibrated probability.
        rule: half, accuracy, balanced_accuracy or f1.

    >>> choose_threshold(np.array([False, False, True]), np.array([0.1, 0.6, 0.8]), "accuracy")
    0.7
    """
    if rule == "half" or positive.all() or not positive.any():
        return 0.5
    false_rate, true_rate, least = roc_curve(positive, probability, drop_intermediate=False)
    score = decision_score(rule, true_rate, false_rate, int(positive.sum()), int((~positive).sum()))
    lower = np.append(least[1:], 0.0)
    upper = np.where(np.isinf(least), 1.0 + (lower == 1), least)  # at the first, no photo is of the second class
    middle = np.where((lower < 0.5) & (upper >= 0.5), 0.5, (lower + upper) / 2)
    best = np.flatnonzero(np.isclose(score, score.max(), rtol=0, atol=1e-12))
    return round(float(middle[best[np.argmin(np.abs(middle[best] - 0.5))]]), 12)


def decision_score(
    rule: str, true_rate: np.ndarray, false_rate: np.ndarray, n_positive: int, n_negative: int
) -> np.ndarray:
    """Return the score that a rule gives to every point of an ROC curve."""
    true_positives, false_positives = true_rate * n_positive, false_rate * n_negative
    if rule == "accuracy":
        return (true_positives + n_negative - false_positives) / (n_positive + n_negative)
    if rule == "f1":
        return 2 * true_positives / (true_positives + false_positives + n_positive)
    return (true_rate + 1 - false_rate) / 2
