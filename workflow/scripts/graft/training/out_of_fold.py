"""What the probe says of every photo when it was fitted to others: out-of-fold probabilities."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from graft.training.label_probe import fit_label_probes
from graft.training.probe import FOLDS, ITERATIONS, SMALL, STRENGTHS

FLOOR = 1e-9  # a probability of nought would make one photo's loss infinite
PATIENCE = 2  # strengths that may be worse than the best one before the search ends


def out_of_fold(features: np.ndarray, codes: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Return (n_photos, n_classes), float64: each photo's probabilities by a probe that saw neither it nor its group.

    The folds are five, stratified; all photos of a group are in one, since copies would vouch for each other's labels.
    The regularisation is the one with the least out-of-fold log loss, searched from the strongest on: labels that are
    wrong ask for more of it. Where no training photo of a fold has a class, its column is NaN.

    Args:
        features: (n_photos, n_features), of the photos as they are.
        codes: (n_photos,), int; the labels; every class from 0 on occurs.
        groups: (n_photos,), int; photos of one group stay together.
        seed: of the folds.

    Raises: ValueError if there are fewer than two groups.
    """
    folds = folds_of(codes, groups, seed)
    best, loss, worse = None, np.inf, 0
    with warnings.catch_warnings(), threadpool_limits(1 if features.size < SMALL else None):
        warnings.simplefilter("ignore", ConvergenceWarning)
        for strength in STRENGTHS:
            probabilities = predicted(features, codes, folds, strength)
            now = log_loss(probabilities, codes)
            worse = 0 if now < loss else worse + 1
            if now < loss:
                best, loss = probabilities, now
            if worse == PATIENCE:
                break
    assert best is not None, "the first loss is a number"
    return best


def labels_out_of_fold(features: np.ndarray, truth: np.ndarray, groups: np.ndarray, seed: int) -> np.ndarray:
    """Return (n_photos, n_labels), float64: the same of photos that may have several labels, each judged by itself.

    Args:
        features: (n_photos, n_features), of the photos as they are.
        truth: (n_photos, n_labels); 1 where a photo has a label.
        groups: (n_photos,), int; photos of one group stay together.
        seed: of the folds.

    Raises: ValueError if there are fewer than two groups.
    """
    if len(np.unique(groups)) < 2:
        raise ValueError("all photos are of one group: none can vouch for another")
    equal = np.ones(truth.shape[1])
    return fit_label_probes(features[None], truth, (equal, equal), seed, groups).out_of_fold


def folds_of(codes: np.ndarray, groups: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the rows to fit to and to judge, fold by fold; fewer than five where there are fewer groups or photos."""
    n_groups, most = len(np.unique(groups)), int(np.bincount(codes).max())
    if n_groups < 2:
        raise ValueError("all photos are of one group: none can vouch for another")
    if most < 2:
        raise ValueError("no class has two photos: none can vouch for another")
    n_folds = min(FOLDS, n_groups, most)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class of fewer photos than folds
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
        return list(splitter.split(codes, codes, groups))


def predicted(
    features: np.ndarray, codes: np.ndarray, folds: list[tuple[np.ndarray, np.ndarray]], strength: float
) -> np.ndarray:
    """Return the out-of-fold probabilities, (n_photos, n_classes), of one inverse regularisation."""
    probabilities = np.full((len(codes), codes.max() + 1), np.nan)
    for fit, judge in folds:
        seen = np.unique(codes[fit])
        if len(seen) == 1:
            probabilities[judge, seen[0]] = 1.0
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=ITERATIONS))
        model.fit(features[fit], codes[fit])
        probabilities[np.ix_(judge, seen)] = model.predict_proba(features[judge])
    return probabilities


def log_loss(probabilities: np.ndarray, codes: np.ndarray) -> float:
    """Return the mean log loss of the labels, over photos whose class was seen.

    >>> round(log_loss(np.array([[0.5, 0.5], [np.nan, 1.0]]), np.array([0, 0])), 4)
    0.6931
    """
    own = probabilities[np.arange(len(codes)), codes]
    return float(-np.log(np.maximum(own[~np.isnan(own)], FLOOR)).mean())
