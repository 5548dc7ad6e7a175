"""Temperature and thresholds of several labels, from photos, or probabilities out of fold, that do not judge."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from graft.training.thresholds import RULES, choose_threshold

TEMPERATURES = (0.01, 100.0)
CLIPPED = 1e-9  # probabilities are written with nine digits


def logits_of(probabilities: np.ndarray) -> np.ndarray:
    """Return the logits of probabilities, kept finite."""
    return logit(np.clip(probabilities, CLIPPED, 1 - CLIPPED))


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the one temperature that gives the truth of all labels the least binary cross-entropy.

    The target of a photo with a label is (n + 1) / (n + 2) of the n photos that have it, and of one without it
    1 / (m + 2) of the m that have not: photos that are all right are no proof of certainty.

    Args:
        logits: (n, n_labels), float.
        truth: (n, n_labels), bool.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2; the targets are Platt's,
    "Probabilistic outputs for support vector machines", 1999, section 2.2.
    """
    has = truth.sum(0)
    targets = np.where(truth, (has + 1) / (has + 2), 1 / (len(truth) - has + 2))

    def cross_entropy(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        return float(np.mean(np.logaddexp(0, scaled) - targets * scaled))

    found = minimize_scalar(cross_entropy, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def fit_thresholds(probabilities: np.ndarray, truth: np.ndarray, rule: str, fewest: int = 1) -> list[float]:
    """Return each label's threshold, (n_labels,): the one that makes a rule largest, or 0.5.

    Args:
        probabilities: (n, n_labels), calibrated.
        truth: (n, n_labels), bool.
        rule: `half`, or one of `RULES`.
        fewest: photos with a label, and without it, that may choose its threshold; with fewer it stays 0.5.
    """
    enough = np.minimum(truth.sum(0), (~truth).sum(0)) >= fewest
    return [
        choose_threshold(truth[:, label], probabilities[:, label], rule if enough[label] else "half")
        for label in range(truth.shape[1])
    ]


def cross_validated(out_of_fold: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """Return what a probe's model file remembers of its cross-validation; nothing where there was none.

    That is the temperature, and for each rule the thresholds; how many photos these rest on; and, label by label, how
    many photos have it or have not, whichever are fewer. Which rule counts is known only when the run is judged.
    """
    if np.isnan(out_of_fold).any():
        return {}
    logits, has = logits_of(out_of_fold), truth > 0
    temperature = fit_temperature(logits, has)
    calibrated = expit(logits / temperature)
    return {
        "temperature": temperature,
        "thresholds": {rule: fit_thresholds(calibrated, has, rule) for rule in RULES},
        "photos": len(truth),
        "fewer": np.minimum(has.sum(0), (~has).sum(0)).tolist(),
    }
