"""Numbers that competitions grade by, beside those that every evaluation has."""

import numpy as np
from sklearn import metrics as scores

from graft.config.evaluation import MAP
from graft.judging import metrics
from graft.judging.outcomes import Outcomes

TITLES = {"quadratic_kappa": "Quadratic weighted kappa", "mean_column_auc": "Mean column-wise ROC AUC"}


def quadratic_kappa(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> float:
    """Return Cohen's kappa with quadratic weights: 1 for perfect agreement, 0 for that of chance; nan if undefined.

    The classes are taken for equally spaced grades, in their order.

    Args:
        labels: (n,), int; the true classes.
        predicted: (n,), int; the answers.
        n_classes: how many classes there are.

    Source: Cohen, "Weighted kappa", Psychological Bulletin 1968.

    >>> quadratic_kappa(np.array([0, 1, 2]), np.array([0, 1, 2]), 3)
    1.0
    """
    if len(set(labels.tolist()) | set(predicted.tolist())) < 2:
        return np.nan  # one grade alone: chance agrees wholly
    return float(scores.cohen_kappa_score(labels, predicted, labels=np.arange(n_classes), weights="quadratic"))


def average_precision_at(labels: np.ndarray, probabilities: np.ndarray, k: int) -> np.ndarray:
    """Return (n,) average precisions at k: 1 / the true class's rank by probability, 0 beyond rank k.

    A photo has one true class, so the sum over ranks has one term. Of equal probabilities the earlier class is first.

    Args:
        labels: (n,), int; the true classes.
        probabilities: (n, n_classes), float.
        k: how many classes an answer may hold.

    >>> average_precision_at(np.array([1, 0]), np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]), 2).tolist()
    [0.5, 0.0]
    """
    order = np.argsort(-probabilities, axis=1, kind="stable")
    ranks = 1 + np.argmax(order == labels[:, None], axis=1)
    return np.where(ranks <= k, 1 / ranks, 0.0)


def graded(outcomes: Outcomes, names: list[str]) -> dict[str, float]:
    """Return the numbers that are asked for and not in every evaluation, in the order of evaluation.csv's columns."""
    found = {}
    if "quadratic_kappa" in names:
        found["quadratic_kappa"] = quadratic_kappa(outcomes.labels, outcomes.predicted, len(outcomes.classes))
    if "mean_column_auc" in names:
        found["mean_column_auc"] = metrics.roc_auc(outcomes.labels, outcomes.probabilities)
    for k in sorted({int(match[1]) for name in names if (match := MAP.fullmatch(name))}):
        found[f"map_at_{k}"] = float(np.mean(average_precision_at(outcomes.labels, outcomes.probabilities, k)))
    return found


def titles(columns: list[str]) -> dict[str, str]:
    """Return what a table calls those of its columns that hold such numbers.

    >>> titles(["accuracy", "map_at_5"])
    {'map_at_5': 'Mean average precision at 5'}
    """
    maps = {name: f"Mean average precision at {match[1]}" for name in columns if (match := MAP.fullmatch(name))}
    return {name: title for name, title in TITLES.items() if name in columns} | maps
