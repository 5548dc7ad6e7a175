"""Calibration: the temperature and the decision threshold, fitted to photos that do not judge the run."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from graft.config.evaluation import Evaluation
from graft.judging.outcomes import CALIBRATED, PROBABILITY, classes_of, indices
from graft.predicting.decision import decide
from graft.training.thresholds import choose_threshold

TEMPERATURES = (0.01, 100.0)
SOURCES = {"inner": "the inner part of the training photos", "val": "the validation photos"}
NOTHING = "nothing: no photos choose"
TOO_FEW = "nothing: too few photos choose"


@dataclass(frozen=True)
class Calibrator:
    """What turns a model's logits into calibrated probabilities, and those into an answer.

    Attributes:
        temperature: what the logits are divided by; above 1 for a model that is too sure.
        threshold: least calibrated probability of the second class that answers it; None unless there are two.
        fitted_on: which photos chose both.
        n: how many those were.
    """

    temperature: float
    threshold: float | None
    fitted_on: str
    n: int


def logits_of(table: pd.DataFrame) -> np.ndarray:
    """Return (n, n_classes) logits: the model's own if it has one unit, else the logs of its probabilities.

    Softmax ignores what is added to a whole row, so logs of probabilities serve as well as the logits that made them. A
    single logit is preferred because logits of 20 and 40 still differ where the probability of both is rounded to 1.
    """
    classes = classes_of(table)
    logits = np.log(np.maximum(table[[PROBABILITY + name for name in classes]].to_numpy(float), 1e-30))
    if "logit" in table and len(classes) == 2:
        single = table["logit"].to_numpy(float)
        logits = np.where(np.isnan(single)[:, None], logits, np.stack([np.zeros_like(single), single], axis=1))
    return logits


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that gives `labels` the least cross-entropy.

    The target of the true class is (n + 1) / (n + 2), not 1. This is Laplace's rule of succession: n right answers of n
    are no proof of certainty. With a target of 1, photos that are all right would make the temperature 0.

    Args:
        logits: (n, n_classes), float.
        labels: (n,), int.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, section 4.2; the targets follow Platt,
    "Probabilistic outputs for support vector machines", 1999, section 2.2.
    """
    n, n_classes = logits.shape
    right = (n + 1) / (n + 2)
    targets = np.full((n, n_classes), (1 - right) / (n_classes - 1))
    targets[np.arange(n), labels] = right

    def cross_entropy(log_temperature: float) -> float:
        return -float(np.mean(np.sum(targets * log_softmax(logits / np.exp(log_temperature), axis=1), axis=1)))

    found = minimize_scalar(cross_entropy, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def fit(table: pd.DataFrame, settings: Evaluation, fitted_on: str) -> Calibrator:
    """Return the calibrator that the rows of a table of predictions make."""
    classes = classes_of(table)
    if len(table) < 2 or len(classes) < 2:
        return Calibrator(1.0, 0.5 if len(classes) == 2 else None, TOO_FEW if len(table) else NOTHING, len(table))
    labels, logits = indices(table["label"], classes), logits_of(table)
    temperature = fit_temperature(logits, labels)
    threshold = None
    if len(classes) == 2:
        enough = np.bincount(labels, minlength=2).min() >= settings.threshold_photos
        probabilities = softmax(logits / temperature, axis=1)[:, 1]
        threshold = choose_threshold(labels == 1, probabilities, settings.threshold if enough else "half")
    return Calibrator(temperature, threshold, fitted_on, len(table))


def calibrate(table: pd.DataFrame, settings: Evaluation) -> tuple[pd.DataFrame, dict[str, Calibrator]]:
    """Return one stage's predictions with calibrated probabilities and answers, and each fold's calibrator.

    A fold's model is calibrated by the photos that chose in its training, and by nothing where none did. The same
    calibrator is published with that model, so that what is judged here is what the published model does.

    Args:
        table: predictions of one stage: path, label, fold, role, chose, predicted, probabilities, perhaps logit.
        settings: what the threshold makes largest, and which answers are not sure.

    Returns: the same rows in the same order, with calibrated_* columns, `predicted` as the calibrated model decides,
        and `sure`, temperature, threshold and fitted_on; and the calibrators by fold, as text.
    """
    pieces, calibrators = [], {}
    for fold, rows in table.groupby("fold"):
        chose = rows[rows["chose"] == 1]
        source = SOURCES[chose["role"].iloc[0]] if len(chose) else NOTHING
        calibrators[str(fold)] = fit(chose, settings, source)
        pieces.append(apply(rows, calibrators[str(fold)], settings.unsure_below))
    return pd.concat(pieces).loc[table.index], calibrators


def apply(table: pd.DataFrame, calibrator: Calibrator, unsure_below: float) -> pd.DataFrame:
    """Return the rows with what a calibrator makes of them."""
    classes = classes_of(table)
    probabilities = softmax(logits_of(table) / calibrator.temperature, axis=1)
    answers, sure = decide(probabilities, calibrator.threshold, unsure_below)
    calibrated = pd.DataFrame(probabilities, table.index, [CALIBRATED + name for name in classes])
    return pd.concat([table, calibrated], axis=1).assign(
        predicted=np.array(classes, object)[answers],
        sure=sure.astype(int),
        temperature=calibrator.temperature,
        threshold=np.nan if calibrator.threshold is None else calibrator.threshold,
        fitted_on=calibrator.fitted_on,
    )
