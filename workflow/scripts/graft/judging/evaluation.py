"""From all folds' predictions to the tables that say how good a run is, and how sure that is."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from graft import tables
from graft.config.evaluation import Evaluation
from graft.errors import UserError
from graft.judging import calibration, metrics, significance
from graft.judging.answers import Answers, by_stage_and_role
from graft.judging.calibration import Calibrator
from graft.judging.graded import graded
from graft.judging.outcomes import STAGES, Outcomes, classes_of, judging_role, outcomes_of
from graft.storage.files import read_table

SELECTED = "these photos also chose (epochs, what is kept, temperature or threshold), which flatters the result"
FLATTERED = "these photos also chose or trained, which flatters the result"  # short, since it is added to a verdict
CHOSE = "these photos chose (epochs, what is kept, temperature or threshold): flattered; other photos judge the run"
TRAINED = "the model was trained on these photos: this says how well it remembers, not how well it generalises"


def pool(files: list[Path]) -> pd.DataFrame:
    """Return a run's raw predictions as one table: head first, fold by fold, photos in their order.

    Args:
        files: raw_predictions.csv, or its shards in their order.

    Raises: UserError if there are no predictions, or two files have different classes.
    """
    parts = [read_table(file) for file in files]
    for file, table in zip(files, parts, strict=True):
        if classes_of(table) != classes_of(parts[0]):
            raise UserError(f"{file} has other classes than {files[0]}: delete both and run again")
    pooled = pd.concat([table for table in parts if len(table)] or parts[:1], ignore_index=True)
    if not len(pooled):
        raise UserError("there are no predictions to evaluate")
    order = pooled["stage"].map(STAGES.index)
    pooled = pooled.assign(order=order).sort_values(["order", "fold"], kind="stable", ignore_index=True)
    first = [name for name in tables.PooledPredictions.names() if name in pooled]
    return pooled[first + [name for name in pooled.columns if name not in [*first, "order"]]]


def calibrated(pooled: pd.DataFrame, settings: Evaluation) -> tuple[pd.DataFrame, dict[str, dict[str, Calibrator]]]:
    """Return pooled predictions as the published models make them, and the calibrators by stage and fold."""
    pieces: list[pd.DataFrame] = []
    calibrators: dict[str, dict[str, Calibrator]] = {}
    for stage, rows in pooled.groupby("stage", sort=False):
        piece, calibrators[str(stage)] = calibration.calibrate(rows, settings)
        pieces.append(piece)
    return pd.concat(pieces), calibrators


def answers_by_stage_and_role(rows: pd.DataFrame) -> dict[tuple[str, str], Answers[Outcomes]]:
    """Return calibrated predictions by stage and role, in the order in which these first occur."""
    return by_stage_and_role(rows, outcomes_of)


def evaluation_table(run: str, answers: dict[tuple[str, str], Answers[Outcomes]], settings: Evaluation) -> pd.DataFrame:
    """Return the rows of evaluation.csv: one for each stage and role, pooled (fold `all`) and for each fold.

    Args:
        run: its name.
        answers: by stage and role.
        settings: the run's.
    """
    table, judging = [], judging_role(role for _, role in answers)
    for (stage, role), pooled in answers.items():
        for fold in pooled.folds():
            part = pooled if fold == "all" else pooled.take(pooled.in_fold(fold))
            chose = right_where_chosen(answers, stage, role, fold) if role == judging else np.zeros(0, bool)
            found = numbers(part, settings) | optimism(part.outcomes.correct, chose)
            key = {"run": run, "stage": stage, "role": role, "fold": fold}
            table.append({**key, **found, **remarks(part, found, role, role == judging)})
    return tables.Evaluation.checked(pd.DataFrame(table))


def right_where_chosen(
    answers: dict[tuple[str, str], Answers[Outcomes]], stage: str, role: str, fold: str
) -> np.ndarray:
    """Return (n,), bool: which answers are right, of a stage's photos of other roles that chose in training."""
    others = [other for (of_stage, of_role), other in answers.items() if of_stage == stage and of_role != role]
    chose = [other.in_fold(fold) & (other.rows["chose"] == 1).to_numpy() for other in others]
    right = [other.outcomes.correct[places] for other, places in zip(others, chose, strict=True)]
    return np.concatenate([np.zeros(0, bool), *right])


def numbers(answers: Answers[Outcomes], settings: Evaluation) -> dict[str, float]:
    """Return the metrics of some answers of one stage."""
    outcomes, network, rows = answers.outcomes, answers.network, answers.rows
    n, photos, correct = len(rows), rows["path"].nunique(), int(outcomes.correct.sum())
    low, high = interval_over_photos(outcomes, settings.confidence)
    uncalibrated = metrics.probability_metrics(network, settings.calibration_bins)
    return {
        "n": n,
        "photos": photos,
        "groups": len(np.unique(outcomes.groups)),
        "correct": correct,
        "accuracy": correct / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "baseline": metrics.majority_baseline(outcomes.labels),
        "balanced_accuracy": metrics.balanced_accuracy(outcomes.labels, outcomes.predicted),
        "macro_f1": metrics.macro_f1(outcomes.labels, outcomes.predicted),
        "roc_auc": metrics.roc_auc(outcomes.labels, outcomes.probabilities),
        **metrics.probability_metrics(outcomes, settings.calibration_bins),
        **{f"uncalibrated_{name}": value for name, value in uncalibrated.items()},
        "argmax_accuracy": float(np.mean(network.probabilities.argmax(axis=1) == network.labels)),
        "temperature": rows["temperature"].mean(),
        "threshold": rows["threshold"].mean(),
        "unsure_below": settings.unsure_below,
        **when_sure(outcomes.correct, rows["sure"].to_numpy(bool)),
        **graded(outcomes, settings.metrics),
    }


def interval_over_photos(outcomes: Outcomes, confidence: float) -> tuple[float, float]:
    """Return the interval of the accuracy of some answers of one stage.

    A photo judged in several repeats is still one photo: it must not narrow the interval several times.
    """
    photos = significance.by_photo(outcomes)
    return metrics.grouped_interval(photos["correct"].to_numpy(), photos["group"].to_numpy(), confidence)


def when_sure(correct: np.ndarray, sure: np.ndarray) -> dict[str, float]:
    """Return the share of answers that are sure, and the accuracy of these; nan if there are none.

    Args:
        correct: (n,), bool; whether each answer is right.
        sure: (n,), bool; whether the model is sure of it.

    >>> when_sure(np.array([True, False]), np.array([True, False]))
    {'coverage': 0.5, 'sure_accuracy': 1.0}
    """
    return {
        "coverage": float(sure.mean()),
        "sure_accuracy": float(correct[sure].mean()) if sure.any() else np.nan,
    }


def optimism(correct: np.ndarray, chose_correct: np.ndarray) -> dict[str, float]:
    """Return the accuracy on the photos that chose, and by how much it flatters: nan where no other photos chose.

    Args:
        correct: (n,), bool; which answers are right, of the photos that judge.
        chose_correct: (m,), bool; the same of other photos, which chose.
    """
    if not len(chose_correct):
        return {"chose_n": 0, "chose_accuracy": np.nan, "optimism": np.nan}
    accuracy = chose_correct.mean()
    return {"chose_n": len(chose_correct), "chose_accuracy": accuracy, "optimism": accuracy - correct.mean()}


def remarks(answers: Answers[Outcomes], found: dict[str, float], role: str, judges: bool) -> dict[str, str]:
    """Return what a reader of the numbers must know: what they were calibrated on, and what they do not show.

    Args:
        answers: of one stage and role.
        found: their `numbers`.
        role: of their photos.
        judges: whether this is the role that judges the run.
    """
    rows = answers.rows
    chose = bool(rows["chose"].any())
    sources = sorted(rows["fitted_on"].unique())
    notes = [TRAINED] if role == "train" else [SELECTED if judges else CHOSE] if chose else []
    if (photos := found["photos"]) < len(rows):
        notes.append(f"{photos} photos were judged {len(rows) / photos:g} times each; the interval counts photos")
    if (groups := found["groups"]) < photos:
        notes.append(f"{photos} photos in {groups} groups; the interval allows for photos of one group being alike")
    if rows["label"].nunique() == 1:
        notes.append("one class only: no ROC AUC")
    return {
        "calibrated_on": "; ".join(sources),
        "selected_on": "these photos" if chose or role == "train" else "",
        "verdict": against_baseline(found, rows["label"].value_counts().index[0]),
        "note": "; ".join(notes),
    }


def against_baseline(found: dict[str, float], most_frequent: str) -> str:
    """Say whether an accuracy differs from that of always answering the most frequent class.

    >>> against_baseline({"accuracy_low": 0.6, "accuracy_high": 0.9, "baseline": 0.5}, "urban")
    'better than always answering urban (0.500)'
    """
    usual = f"always answering {most_frequent} ({found['baseline']:.3f})"
    if found["accuracy_low"] > found["baseline"]:
        return f"better than {usual}"
    if found["accuracy_high"] < found["baseline"]:
        return f"worse than {usual}"
    return f"not distinguishable from {usual}"


def per_class_table(run: str, answers: dict[tuple[str, str], Answers[Outcomes]], confidence: float) -> pd.DataFrame:
    """Return the rows of per_class.csv: one for each stage, role and class, all folds pooled."""
    parts = []
    for (stage, role), pooled in answers.items():
        table = metrics.per_class(pooled.outcomes, confidence)
        table.insert(0, "role", role)
        table.insert(0, "stage", stage)
        table.insert(0, "run", run)
        parts.append(table)
    return tables.PerClass.checked(pd.concat(parts, ignore_index=True))


def significance_table(
    run: str, answers: dict[tuple[str, str], Answers[Outcomes]], settings: Evaluation
) -> pd.DataFrame:
    """Return the rows of significance.csv: for each role, the fine-tuned network and its head on the same photos."""
    table, judging = [], judging_role(role for _, role in answers)
    for role in dict.fromkeys(role for _, role in answers):
        pair = [answers[stage, role] for stage in STAGES if (stage, role) in answers]
        if len(pair) < len(STAGES):
            continue
        found = significance.compare(pair[0].outcomes, pair[1].outcomes, settings)
        if found is None:
            continue
        key = {"run": run, "role": role, "first": "head", "second": "finetuned"}
        verdict = significance.verdict(found, found["p_value"], STAGES, settings.confidence)
        chose = SELECTED if role == judging else CHOSE
        note = TRAINED if role == "train" else chose if any(one.rows["chose"].any() for one in pair) else ""
        table.append(key | found | {"verdict": f"{verdict}; {FLATTERED}" if note else verdict, "note": note})
    return pd.DataFrame(table, columns=tables.Significance.names())


def published_predictions(rows: pd.DataFrame) -> pd.DataFrame:
    """Return calibrated predictions as the run's predictions.csv has them."""
    return tables.PooledPredictions.checked(rows.drop(columns=["temperature", "threshold", "fitted_on"]))


def calibration_record(
    classes: list[str], calibrators: dict[str, dict[str, Calibrator]], settings: Evaluation
) -> dict[str, object]:
    """Return what travels in each model, by stage and fold: temperature, threshold, and when it is not sure."""
    stages = {
        stage: {"folds": {fold: asdict(one) | {"unsure_below": settings.unsure_below} for fold, one in folds.items()}}
        for stage, folds in calibrators.items()
    }
    return {"classes": classes, "positive_class": classes[1] if len(classes) == 2 else None, "stages": stages}
