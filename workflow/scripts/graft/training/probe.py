"""The probe: a cross-validated logistic regression on frozen features, run to convergence, as the head."""

import warnings
from typing import NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from threadpoolctl import threadpool_limits

STRENGTHS = np.logspace(-5, 2, 15)  # scikit-learn's C: from very strong to very weak regularisation
FOLDS = 5
ITERATIONS = 5000
SMALL = 10**7  # values; with fewer, several threads are slower than one


class Probe(NamedTuple):
    """A softmax layer, and what to expect of it on other photos."""

    kernel: np.ndarray
    """(n_features, n_classes), float32."""

    bias: np.ndarray
    """(n_classes,), float32."""

    log_loss: float
    """Cross-validated over the training photos; where no folds can be made, that of answering the classes' shares."""

    mistakes: int
    """Training photos that it got wrong in cross-validation; where no folds can be made, all but the largest class."""


def fit_probe(
    views: np.ndarray, codes: np.ndarray, weights: np.ndarray, seed: int, groups: np.ndarray | None = None
) -> Probe:
    """Return a logistic regression on features, as a softmax layer.

    The features are standardised for the fit and the standardisation is folded into the layer. The regularisation is
    the one with the least cross-validated log loss; a class with fewer photos than folds lowers their number, and with
    a single photo in a class the regularisation stays at its middle. All views of a photo, and all photos of a group,
    are in one fold: in different folds they would leak from fitting into judging, and the regularisation would come out
    far too weak.

    Args:
        views: (n_views, n_photos, n_features); a photo's views share its weight.
        codes: (n_photos,), int; every class from 0 on occurs.
        weights: (n_photos,); each photo's weight in the loss.
        seed: of the folds.
        groups: (n_photos,), int; photos of one group are not independent; None: each is a group of its own.

    Source: Kumar et al., "Fine-Tuning can Distort Pretrained Features", ICLR 2022 (linear probing, L-BFGS).
    """
    n_views = len(views)
    features = views.reshape(-1, views.shape[-1])
    mean, deviation = features.mean(0), features.std(0)
    deviation = np.where(deviation > 1e-8, deviation, 1.0)  # a constant feature is 0 after standardisation
    folds = folds_of(codes, n_views, seed, groups)
    strengths = STRENGTHS if folds else STRENGTHS[len(STRENGTHS) // 2 : len(STRENGTHS) // 2 + 1]
    everything = np.arange(len(features))
    model = LogisticRegressionCV(
        Cs=strengths,
        cv=folds or [(everything, everything)],
        scoring="neg_log_loss",
        max_iter=ITERATIONS,
        l1_ratios=(0.0,),
        use_legacy_attributes=False,
    )
    standard = features - mean
    standard /= deviation
    threads = 1 if features.size < SMALL else None
    with warnings.catch_warnings(), threadpool_limits(threads):
        warnings.simplefilter("ignore", ConvergenceWarning)  # only the weakest regularisation ever needs more
        model.fit(standard, np.tile(codes, n_views), sample_weight=np.tile(weights, n_views) / n_views)
    kernel, bias = np.atleast_2d(model.coef_).T, np.atleast_1d(model.intercept_)
    if kernel.shape[1] == 1:  # scikit-learn gives two classes one margin: split it between them
        kernel, bias = np.hstack([-kernel, kernel]) / 2, np.array([-bias[0], bias[0]]) / 2
    kernel = kernel / deviation[:, None]
    expected = -model.scores_.mean(0).max() if folds else shares_log_loss(codes)
    mistakes = count_mistakes(standard, codes, weights, folds, np.ravel(model.C_)[0])
    bias = bias - mean @ kernel
    return Probe(kernel.astype(np.float32), bias.astype(np.float32), float(expected), mistakes)


def count_mistakes(
    standard: np.ndarray, codes: np.ndarray, weights: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]], c: float
) -> int:
    """Return how many photos a regression gets wrong that was fitted without them; a photo's views are judged apart.

    Args:
        standard: (n_views x n_photos, n_features), standardised.
        codes: (n_photos,), int.
        weights: (n_photos,).
        folds: of `folds_of`; none: all photos outside the largest class are counted.
        c: inverse regularisation.
    """
    if not folds:
        return int(len(codes) - np.bincount(codes).max())
    n_views = len(standard) // len(codes)
    truth, shares = np.tile(codes, n_views), np.tile(weights, n_views) / n_views
    wrong = 0
    with warnings.catch_warnings(), threadpool_limits(1 if standard.size < SMALL else None):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit, judge in folds:
            model = LogisticRegression(C=c, max_iter=ITERATIONS)
            model.fit(standard[fit], truth[fit], sample_weight=shares[fit])
            wrong += int(np.count_nonzero(model.predict(standard[judge]) != truth[judge]))
    return round(wrong / n_views)


def shares_log_loss(codes: np.ndarray) -> float:
    """Return the log loss of answering every photo with the classes' shares of the photos.

    >>> round(shares_log_loss(np.array([0, 0, 1, 1])), 4)
    0.6931
    """
    shares = np.unique(codes, return_counts=True)[1] / len(codes)
    return float(-(shares * np.log(shares)).sum())


def folds_of(
    codes: np.ndarray, n_views: int, seed: int, groups: np.ndarray | None = None
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows of all views to fit and to judge by, fold by fold; none where a class has a single group."""
    groups = np.arange(len(codes)) if groups is None else groups
    n_groups = min(len(np.unique(groups[codes == code])) for code in np.unique(codes))
    n_folds = min(FOLDS, n_groups)
    if n_folds < 2:
        return []
    alone = len(np.unique(groups)) == len(groups)
    kind = StratifiedKFold if alone else StratifiedGroupKFold
    splits = kind(n_folds, shuffle=True, random_state=seed).split(codes, codes, None if alone else groups)
    first_rows = len(codes) * np.arange(n_views)[:, None]
    folds = [((first_rows + fit).ravel(), (first_rows + judge).ravel()) for fit, judge in splits]
    if any(len(set(codes[fit % len(codes)])) < len(set(codes)) or not len(judge) for fit, judge in folds):
        return []  # groups that span classes can leave a fold without a class
    return folds
