"""How good predictions are, in numbers: scikit-learn's and statsmodels' metrics, defined where they are not.

In every function `labels` and `predicted` are (n,), int, indices of classes; `probabilities` is
(n, n_classes), float, and its rows sum to 1. A number that is not defined for the photos is nan, never an error.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics as scores
from statsmodels.stats.proportion import proportion_confint

from graft.judging.outcomes import Outcomes


def accuracy_interval(correct: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson interval of an accuracy of `correct` out of `n`, as fractions.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.

    >>> low, high = accuracy_interval(19, 20)
    >>> f"{low:.3f} to {high:.3f}"
    '0.764 to 0.991'
    """
    low, high = proportion_confint(correct, n, alpha=1 - confidence, method="wilson")
    return round(float(low), 12) + 0.0, round(float(high), 12)  # 7 of 7 ends at 1, not 1e-16 beside it


def grouped_interval(correct: np.ndarray, groups: np.ndarray, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of an accuracy where photos of one group are not independent, as fractions.

    Wilson's interval for the number of independent photos that would carry as much information: n divided by the design
    effect, the variance between groups over that of as many independent photos, and never more than n. Student's
    quantile takes the place of the normal one, since the variance of few groups is a poor estimate. Where all photos
    are right, or all wrong, no variance can be seen, and photos of one group are taken for one photo. With groups of
    one photo it is Wilson's interval itself. `benchmarks/coverage.py` measures how often it covers the truth.

    Args:
        correct: (n,), float; the share of judgements of each photo that are right.
        groups: (n,), int; each photo's group.

    Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 1998; Dean and Pagano, "Evaluating confidence interval methods for
    binomial proportions in clustered surveys", Journal of Survey Statistics and Methodology 2015.

    >>> low, high = grouped_interval(np.repeat([1.0, 0.0], [19, 1]), np.arange(20))
    >>> f"{low:.3f} to {high:.3f}"
    '0.764 to 0.991'
    """
    n, accuracy = len(correct), float(np.mean(correct))
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    n_groups = len(sizes)
    if n_groups == n:
        return accuracy_interval(float(np.sum(correct)), n, confidence)
    if n_groups == 1:
        return 0.0, 1.0  # one group says nothing about others
    kish = n**2 / float(np.sum(sizes**2))  # Kish's effective size: the number of groups, if equally large
    if accuracy in (0.0, 1.0):
        effective = kish
    else:
        residuals = np.bincount(group_of, weights=correct - accuracy)
        variance = n_groups / (n_groups - 1) * float(np.sum(residuals**2)) / n**2
        effective = min(n, accuracy * (1 - accuracy) / max(variance, 1e-12))
        tail = (1 + confidence) / 2
        effective *= (stats.norm.ppf(tail) / stats.t.ppf(tail, n_groups - 1)) ** 2
    return accuracy_interval(accuracy * effective, effective, confidence)


def majority_baseline(labels: np.ndarray) -> float:
    """Return the accuracy of always answering the most frequent class of these very photos.

    >>> majority_baseline(np.array([0, 0, 1]))
    0.6666666666666666
    """
    return float(np.bincount(labels).max() / len(labels))


def balanced_accuracy(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean recall over the classes that occur among the labels."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true|A single label was found")
        return float(scores.balanced_accuracy_score(labels, predicted))


def macro_f1(labels: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean F1 over the classes that occur among labels or answers."""
    return float(scores.f1_score(labels, predicted, average="macro"))


def roc_auc(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve; for more than two classes, the mean of each against the rest.

    A class without photos, or with nothing but its photos, has no curve and is left out.
    """
    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    defined = [column for column in columns if 0 < np.count_nonzero(labels == column) < len(labels)]
    areas = [scores.roc_auc_score(labels == column, probabilities[:, column]) for column in defined]
    return float(np.mean(areas)) if areas else np.nan


def log_loss(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean of minus the natural log of the true class's probability."""
    return float(scores.log_loss(labels, probabilities, labels=np.arange(probabilities.shape[1])))


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return half the mean squared distance between probabilities and truth, from 0 to 1 for any number of classes."""
    known = np.arange(probabilities.shape[1])
    return float(scores.brier_score_loss(labels, probabilities, labels=known, scale_by_half=True))


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> float:
    """Return the expected calibration error: how far confidence lies from accuracy, as a fraction.

    Args:
        bins: equal-width bins of confidence; a bin has its upper edge and not its lower one.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 2.

    >>> round(calibration_error(np.array([0, 1]), np.array([[0.8, 0.2], [0.8, 0.2]])), 3)
    0.3
    """
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bin_of = np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)
    gaps = np.bincount(bin_of, weights=correct - confidence)
    return float(np.abs(gaps).sum() / len(labels))


def probability_metrics(outcomes: Outcomes, bins: int) -> dict[str, float]:
    """Return the metrics that judge probabilities rather than answers."""
    labels, probabilities = outcomes.labels, outcomes.probabilities
    return {
        "log_loss": log_loss(labels, probabilities),
        "brier": brier(labels, probabilities),
        "ece": calibration_error(labels, probabilities, bins),
    }


def per_class(outcomes: Outcomes, confidence: float = 0.95) -> pd.DataFrame:
    """Return a row per class: its photos, its answers, precision, recall with its interval, F1.

    Precision is nan for a class never answered, recall for a class without photos, F1 for a class with neither.
    """
    known = np.arange(len(outcomes.classes))
    precision, recall, f1, support = scores.precision_recall_fscore_support(
        outcomes.labels, outcomes.predicted, labels=known, zero_division=np.nan
    )
    intervals = [
        grouped_interval(outcomes.correct[own].astype(float), outcomes.groups[own], confidence)
        if own.any()
        else (np.nan, np.nan)
        for own in (outcomes.labels == code for code in known)
    ]
    return pd.DataFrame(
        {
            "class": outcomes.classes,
            "support": support,
            "answered": np.bincount(outcomes.predicted, minlength=len(known)),
            "precision": precision,
            "recall": recall,
            "recall_low": [low for low, _ in intervals],
            "recall_high": [high for _, high in intervals],
            "f1": f1,
        }
    )
