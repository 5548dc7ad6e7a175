"""Calibration of several labels: one temperature, a threshold for each label, by photos that do not judge the run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from graft.config.evaluation import Evaluation
from graft.data.label_sets import COLUMN, multi_hot, texts_of
from graft.judging.calibration import NOTHING, SOURCES, TOO_FEW
from graft.judging.outcomes import CALIBRATED, PROBABILITY, classes_of
from graft.predicting.label_predictions import decide_labels
from graft.training.label_calibration import fit_temperature, fit_thresholds, logits_of

CROSS_VALIDATED = "the training photos, by cross-validation of the probe"
THRESHOLD = "threshold_"  # of each label, while a run is judged; predictions.csv does without


@dataclass(frozen=True)
class LabelCalibrator:
    """What turns a model's logits into calibrated probabilities, and those into labels.

    Attributes:
        temperature: what the logits are divided by; above 1 for a model that is too sure.
        thresholds: of each label, the least calibrated probability that answers it.
        fitted_on: which photos chose both.
        n: how many those were.
    """

    temperature: float
    thresholds: list[float]
    fitted_on: str
    n: int


def fit(
    chose: pd.DataFrame, classes: list[str], settings: Evaluation, remembered: Mapping[str, Any] | None
) -> LabelCalibrator:
    """Return the calibrator that some photos make, or, where none chose, the probe's own cross-validation.

    Args:
        chose: the rows of a table of predictions whose photos chose.
        classes: the labels.
        settings: the rule of the thresholds, and the fewest photos that may choose one.
        remembered: what the model file remembers of its cross-validation, if there was one.
    """
    rule, fewest = settings.label_thresholds, settings.threshold_photos
    if len(chose) >= 2:
        truth = multi_hot(chose[COLUMN], classes) > 0
        logits = logits_of(chose[[PROBABILITY + name for name in classes]].to_numpy(float))
        temperature = fit_temperature(logits, truth)
        thresholds = fit_thresholds(expit(logits / temperature), truth, rule, fewest)
        return LabelCalibrator(temperature, thresholds, SOURCES[chose["role"].iloc[0]], len(chose))
    if remembered:
        found = remembered["thresholds"].get(rule, [0.5] * len(classes))
        enough = [count >= fewest for count in remembered["fewer"]]
        thresholds = [one if chosen else 0.5 for one, chosen in zip(found, enough, strict=True)]
        return LabelCalibrator(remembered["temperature"], thresholds, CROSS_VALIDATED, remembered["photos"])
    return LabelCalibrator(1.0, [0.5] * len(classes), TOO_FEW if len(chose) else NOTHING, len(chose))


def calibrate(
    table: pd.DataFrame, settings: Evaluation, remembered: Mapping[tuple[str, int], Mapping[str, Any]]
) -> tuple[pd.DataFrame, dict[str, dict[str, LabelCalibrator]]]:
    """Return predictions as the published models make them, and the calibrators by stage and fold.

    Args:
        table: pooled predictions of all stages and folds.
        settings: the run's.
        remembered: by stage and fold, what a model file remembers of its cross-validation.

    Returns: the same rows in the same order, with calibrated_* columns, `predicted` as the calibrated model decides,
        and temperature, threshold_* and fitted_on; and the calibrators.
    """
    classes = classes_of(table)
    pieces: list[pd.DataFrame] = []
    calibrators: dict[str, dict[str, LabelCalibrator]] = {}
    for (stage, fold), rows in table.groupby(["stage", "fold"], sort=False):
        own = remembered.get((str(stage), int(str(fold))))
        found = fit(rows[rows["chose"] == 1], classes, settings, own)
        calibrators.setdefault(str(stage), {})[str(fold)] = found
        pieces.append(apply(rows, found))
    return pd.concat(pieces).loc[table.index], calibrators


def apply(table: pd.DataFrame, calibrator: LabelCalibrator) -> pd.DataFrame:
    """Return the rows with what a calibrator makes of them."""
    classes = classes_of(table)
    logits = logits_of(table[[PROBABILITY + name for name in classes]].to_numpy(float))
    probabilities = expit(logits / calibrator.temperature)
    answers = texts_of(decide_labels(probabilities, calibrator.thresholds), classes)
    calibrated = pd.DataFrame(probabilities, table.index, [CALIBRATED + name for name in classes])
    constants: dict[str, float | str] = {
        THRESHOLD + name: value for name, value in zip(classes, calibrator.thresholds, strict=True)
    }
    constants |= {"temperature": calibrator.temperature, "fitted_on": calibrator.fitted_on}
    added = pd.DataFrame({name: [value] * len(table) for name, value in constants.items()}, index=table.index)
    return pd.concat([table, calibrated, added], axis=1).assign(predicted=answers)


def thresholds_in(rows: pd.DataFrame) -> np.ndarray:
    """Return each label's threshold, the mean over the answers, (n_labels,)."""
    return rows[[THRESHOLD + name for name in classes_of(rows)]].to_numpy(float).mean(axis=0)
