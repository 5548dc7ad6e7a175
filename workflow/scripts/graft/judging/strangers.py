"""What tells photos unlike the training photos, fitted to these, and from which distance on one is called unlike."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.covariance import ledoit_wolf_shrinkage

from graft.judging.metrics import grouped_interval
from graft.predicting.likeness import Likeness, of_length_1

DIRECTIONS = 32  # that are kept of the covariance: with 16 to 128 the benchmark finds no difference
LEAST = 5  # training photos of which anything can be said
FOLDS, SEED = 20, 0  # in which training photos are held out
CHOSE = "photos that chose"
HELD_OUT = "training photos, each held out in turn"


@dataclass(frozen=True)
class Stranger:
    """What a model file carries to tell photos unlike its training photos."""

    likeness: Likeness
    threshold: float
    """Photos farther off than this are called unlike."""

    set_on: str
    n: int
    """Which photos the threshold was set on, and how many."""

    def facts(self, rate: float, judged: pd.DataFrame, distances: np.ndarray) -> dict[str, Any]:
        """Return what graft.json says of it.

        Args:
            rate: of false alarms that was asked for.
            judged: the photos that judge: their `group`.
            distances: theirs.
        """
        unlike = (distances > self.threshold).astype(float)
        low, high = grouped_interval(unlike, judged["group"].to_numpy()) if len(judged) else (math.nan, math.nan)
        seen = {"photos": len(judged), "unlike": int(unlike.sum()), "low": round(low, 4), "high": round(high, 4)}
        told = {"threshold": self.threshold, "rate": rate, "set_on": self.set_on, "n": self.n}
        return told | {"judged": seen if len(judged) else None}


def fit(features: np.ndarray, labels: np.ndarray) -> Likeness:
    """Return the distance from training photos.

    The covariance within classes is shrunk towards a ball (Ledoit and Wolf, "A well-conditioned estimator for
    large-dimensional covariance matrices", 2004), and all but its largest directions are taken for one radius (Tipping
    and Bishop, "Probabilistic Principal Component Analysis", 1999).

    Args:
        features: (n_photos, n_features), as the head gets them.
        labels: (n_photos,), of any kind.
    """
    z = of_length_1(features).astype(np.float64)
    _, codes = np.unique(labels, return_inverse=True)
    means = np.stack([z[codes == code].mean(axis=0) for code in range(codes.max() + 1)])
    residuals = z - means[codes]
    shrinkage = float(ledoit_wolf_shrinkage(residuals, assume_centered=True))
    variances, axes = principal(residuals)
    mean_variance = float(np.square(residuals).sum()) / residuals.size
    kept = (1 - shrinkage) * variances + shrinkage * mean_variance
    left = max(residuals.shape[1] - len(variances), 1)
    rest = (1 - shrinkage) * max(mean_variance * residuals.shape[1] - variances.sum(), 0) / left
    rest += shrinkage * mean_variance
    directions = axes * np.sqrt(1 - np.minimum(rest / np.maximum(kept, 1e-12), 1))
    along = means @ directions
    slopes = 2 * (along @ directions.T - means).T
    offsets = np.square(means).sum(axis=1) - np.square(along).sum(axis=1)
    return Likeness(directions.astype(np.float16), slopes.astype(np.float16), offsets.astype(np.float32))


def principal(residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest variances, (n_directions,), and their directions, (n_features, n_directions).

    They are found in the smaller of the two spaces: of the photos or of the features.
    """
    n, n_features = residuals.shape
    wanted = min(DIRECTIONS, n - 1, n_features - 1)
    if n < n_features:
        squares, inside = np.linalg.eigh(residuals @ residuals.T)
        lengths = np.sqrt(np.maximum(squares, 1e-24))
        axes = residuals.T @ (inside / lengths)
    else:
        squares, axes = np.linalg.eigh(residuals.T @ residuals)
    order = np.argsort(squares)[::-1][:wanted]
    return np.maximum(squares[order], 0) / n, axes[:, order]


def distances_held_out(features: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return each training photo's distance from the others, (n,): fitted 20 times, each time without a twentieth.

    Photos of a group are held out together. Few folds would fit to too few photos, and put all of them too far off.
    """
    found = np.zeros(len(features), np.float32)
    names, group_of = np.unique(groups, return_inverse=True)
    fold_of = (np.random.default_rng(SEED).permutation(len(names)) % FOLDS)[group_of]
    for fold in np.unique(fold_of):
        held = fold_of == fold
        found[held] = fit(features[~held], labels[~held]).distances(features[held])
    return found


def threshold_of(distances: np.ndarray, rate: float) -> float | None:
    """Return the distance that a new photo of the same kind exceeds with at most this probability.

    It is the k-th smallest of n, k = (n + 1)(1 - rate) rounded up: with n + 1 photos in any order, the last is among
    the k nearest in k of n + 1 cases. None where so few photos cannot tell.

    Source: Vovk et al., "Algorithmic Learning in a Random World", 2005 (conformal prediction).

    >>> threshold_of(np.arange(1, 20), 0.05), threshold_of(np.arange(1, 19), 0.05)
    (19.0, None)
    """
    place = math.ceil(round((len(distances) + 1) * (1 - rate), 9))
    return float(np.sort(distances)[place - 1]) if 0 < place <= len(distances) else None


def in_words(facts: dict[str, Any]) -> str:
    """Return what the facts of `Stranger` say, as a sentence without its end.

    >>> judged = {"photos": 20, "unlike": 1, "low": 0.009, "high": 0.236}
    >>> in_words({"rate": 0.05, "set_on": CHOSE, "n": 80, "judged": judged}).partition("; ")[0]
    '1 of 20 judged photos called unlike the training photos (0.009 to 0.236)'
    """
    asked = f"{facts['rate']:g} asked for, set on {facts['n']} {facts['set_on']}"
    if not (seen := facts["judged"]):
        return asked
    called = f"{seen['unlike']} of {seen['photos']} judged photos called unlike the training photos"
    return f"{called} ({seen['low']:.3f} to {seen['high']:.3f}); {asked}"


def stranger_of(rows: pd.DataFrame, features: np.ndarray, judging: str, rate: float) -> Stranger | None:
    """Return what tells strangers, or None where too few photos could set its threshold.

    Args:
        rows: one a photo: label, group, role in the run, and whether it chose.
        features: (n_photos, n_features), theirs.
        judging: the role whose photos judge, which set nothing.
        rate: of false alarms.
    """
    trained = (rows["role"] == "train").to_numpy()
    if trained.sum() < LEAST or rate == 0:
        return None
    labels, groups = rows["label"].to_numpy(str), rows["group"].to_numpy()
    likeness = fit(features[trained], labels[trained])
    chose = ((rows["chose"] == 1) & (rows["role"] != judging)).to_numpy() & ~trained
    choosers = likeness.distances(features[chose])
    threshold, set_on, n = threshold_of(choosers, rate), CHOSE, int(chose.sum())
    if threshold is None and len(np.unique(groups[trained])) > 1:
        held = distances_held_out(features[trained], labels[trained], groups[trained])
        threshold, set_on, n = threshold_of(held, rate), HELD_OUT, int(trained.sum())
    return None if threshold is None else Stranger(likeness, threshold, set_on, n)
