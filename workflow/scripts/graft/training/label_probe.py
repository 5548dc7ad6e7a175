"""The probe of several labels: a cross-validated logistic regression for each of them, on frozen features."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from graft.data.multilabel_split import deal
from graft.training.probe import FOLDS, ITERATIONS, SMALL, STRENGTHS

PATIENCE = 2  # strengths that may be worse than the best one before the search for a label ends
FLOOR = 1e-9  # a probability of nought would make one photo's loss infinite

Fold = tuple[np.ndarray, np.ndarray]  # the rows to fit to, and those to judge by


class LabelProbes(NamedTuple):
    """A layer of one unit a label, and what to expect of it on other photos."""

    kernel: np.ndarray
    """(n_features, n_labels), float32."""

    bias: np.ndarray
    """(n_labels,), float32."""

    log_loss: float
    """Cross-validated over the training photos, the mean over the labels; where no folds can be made, that of answering
    the labels' frequencies."""

    mistakes: int
    """Training photos with a label that cross-validation got wrong; where no folds can be made, all that have any."""

    out_of_fold: np.ndarray
    """(n_photos, n_labels), float64; each photo's probabilities by regressions that saw neither it nor its group, the
    mean over its views; NaN where no folds can be made."""


def fit_label_probes(
    views: np.ndarray,
    truth: np.ndarray,
    weights: tuple[np.ndarray, np.ndarray],
    seed: int,
    groups: np.ndarray | None = None,
) -> LabelProbes:
    """Return a logistic regression for each label, as one layer.

    The features are standardised, and the regularisation of each label is the one with the least cross-validated log
    loss, searched from the strongest on. All labels share the folds, which have all views of a photo, and all photos of
    a group, on one side, and each label's share on both. A label that some fold lacks, or that all photos of a fold
    have, keeps the middle of the regularisations; one that no training photo has, or each, is answered with its
    frequency.

    Args:
        views: (n_views, n_photos, n_features).
        truth: (n_photos, n_labels); 1 where a photo has a label.
        weights: of each label's loss, (n_labels,), where photos have it and where they have not.
        seed: of the folds.
        groups: (n_photos,), int; photos of one group are not independent; None: each is a group of its own.

    Source: as `graft.training.probe.fit_probe`; a label at a time is binary relevance (Tsoumakas and Katakis, 2007).
    """
    n_views, n_photos = views.shape[:2]
    features = views.reshape(-1, views.shape[-1])
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 1e-8, deviation, 1.0)  # a constant feature is 0 after standardisation
    standard = features - mean
    standard /= deviation
    folds = folds_of(truth, n_views, seed, groups)
    kernel, bias = np.zeros((features.shape[1], truth.shape[1])), np.zeros(truth.shape[1])
    out_of_fold = np.full((n_photos, truth.shape[1]), np.nan)
    with warnings.catch_warnings(), threadpool_limits(1 if features.size < SMALL else None):
        warnings.simplefilter("ignore", ConvergenceWarning)  # only the weakest regularisation ever needs more
        for label, has in enumerate(truth.T > 0):
            of_views = np.tile(has, n_views)
            shares = np.where(of_views, weights[0][label], weights[1][label]) / n_views
            if has.all() or not has.any():
                share = (has.sum() + 1) / (n_photos + 2)
                bias[label] = np.log(share / (1 - share))
                out_of_fold[:, label] = share if folds else np.nan
                continue
            strength, beside = best_strength(standard, of_views, shares, folds)
            model = LogisticRegression(C=strength, max_iter=ITERATIONS).fit(standard, of_views, sample_weight=shares)
            kernel[:, label], bias[label] = model.coef_[0], model.intercept_[0]
            out_of_fold[:, label] = beside.reshape(n_views, n_photos).mean(0)
    kernel /= deviation[:, None]
    bias = bias - mean @ kernel
    loss, mistakes = expected(out_of_fold, truth)
    return LabelProbes(kernel.astype(np.float32), bias.astype(np.float32), loss, mistakes, out_of_fold)


def folds_of(truth: np.ndarray, n_views: int, seed: int, groups: np.ndarray | None) -> list[Fold]:
    """Return the rows of all views to fit to and to judge by, fold by fold; none where there is one group only."""
    n = len(truth)
    groups = np.arange(n) if groups is None else groups
    n_folds = min(FOLDS, len(np.unique(groups)))
    if n_folds < 2:
        return []
    part = np.tile(deal(truth, groups, [1 / n_folds] * n_folds, seed), n_views)
    return [(np.flatnonzero(part != fold), np.flatnonzero(part == fold)) for fold in np.unique(part)]


def best_strength(
    standard: np.ndarray, has: np.ndarray, shares: np.ndarray, folds: list[Fold]
) -> tuple[float, np.ndarray]:
    """Return the inverse regularisation of the least cross-validated log loss, and the probabilities out of fold, (n,).

    Args:
        standard: (n, n_features), standardised.
        has: (n,), bool.
        shares: (n,); weights of the rows.
        folds: of `folds_of`.
    """
    middle = float(STRENGTHS[len(STRENGTHS) // 2])
    if not folds:
        return middle, np.full(len(has), np.nan)
    both = all(0 < has[fit].sum() < len(fit) for fit, _ in folds)
    best, least, found, worse = middle, np.inf, np.zeros(len(has)), 0
    for strength in STRENGTHS if both else [middle]:
        probabilities = judged_out_of_fold(standard, has, shares, folds, float(strength))
        loss = binary_log_loss(probabilities, has)
        worse = 0 if loss < least else worse + 1
        if loss < least:
            best, least, found = float(strength), loss, probabilities
        if worse == PATIENCE:
            break
    return best, found


def judged_out_of_fold(
    standard: np.ndarray, has: np.ndarray, shares: np.ndarray, folds: list[Fold], strength: float
) -> np.ndarray:
    """Return the probability of a label, (n,), each by a regression that was fitted without that row."""
    probabilities = np.zeros(len(has))
    for fit, judge in folds:
        if has[fit].all() or not has[fit].any():
            probabilities[judge] = (has[fit].sum() + 1) / (len(fit) + 2)
            continue
        model = LogisticRegression(C=strength, max_iter=ITERATIONS)
        model.fit(standard[fit], has[fit], sample_weight=shares[fit])
        probabilities[judge] = model.predict_proba(standard[judge])[:, 1]
    return probabilities


def binary_log_loss(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean of minus the log of the truth's probability, over photos and labels.

    >>> round(binary_log_loss(np.array([0.5, 0.9]), np.array([True, True])), 4)
    0.3993
    """
    of_truth = np.where(truth > 0, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(of_truth, FLOOR)).mean())


def expected(out_of_fold: np.ndarray, truth: np.ndarray) -> tuple[float, int]:
    """Return log loss and mistakes out of fold; where there are none, those of answering frequencies, and nothing."""
    if np.isnan(out_of_fold).any():
        return binary_log_loss(np.tile(truth.mean(0), (len(truth), 1)), truth), int(truth.any(1).sum())
    return binary_log_loss(out_of_fold, truth), int(((out_of_fold >= 0.5) != (truth > 0)).any(1).sum())
