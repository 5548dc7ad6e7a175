"""From all folds' predictions to the tables that say how good a run is, and how sure that is."""

from pathlib import Path

import numpy as np
import pandas as pd

from graft import calibration, metrics, significance
from graft.config.evaluation import Evaluation, RunEvaluation
from graft.errors import UserError
from graft.files import read_table
from graft.outcomes import CALIBRATED, STAGES, classes_of, outcomes_of

SELECTED = "these photos also stopped or selected the training, which flatters the result"
TRAINED = "the model was trained on these photos: this says how well it remembers, not how well it generalises"


def pool(paths: list[Path]) -> pd.DataFrame:
    """Return all folds' and stages' predictions as one table, head first; a file's folder names its stage.

    Raises: UserError if there are no predictions, or two files have different classes.
    """
    if not paths:
        raise UserError("there are no predictions to evaluate")
    tables = [read_table(path).assign(stage=path.parent.name) for path in sorted(paths, key=stage_and_fold)]
    for path, table in zip(sorted(paths, key=stage_and_fold), tables, strict=True):
        if classes_of(table) != classes_of(tables[0]):
            raise UserError(f"{path} has other classes than the run's first predictions; predict anew")
    pooled = pd.concat(tables, ignore_index=True)
    first = ["stage", "path", "label", "fold", "role", "predicted", *(["logit"] if "logit" in pooled else [])]
    return pooled[first + [name for name in pooled.columns if name not in first]]


def stage_and_fold(path: Path) -> tuple[int, str]:
    """Return what predictions files are sorted by: `.../fold10/head/predictions.csv` comes after fold 9."""
    stage, fold = path.parent.name, path.parent.parent.name.removeprefix("fold")
    return STAGES.index(stage) if stage in STAGES else len(STAGES), fold.zfill(9)


def calibrated(pooled: pd.DataFrame, settings: Evaluation) -> pd.DataFrame:
    """Return pooled predictions with calibrated probabilities, and what each row was calibrated with."""
    stages = pooled.groupby("stage", sort=False)
    return pd.concat([calibration.calibrate(rows, settings) for _, rows in stages])


def evaluation_table(run: str, rows: pd.DataFrame, settings: RunEvaluation) -> pd.DataFrame:
    """Return a row for each stage and role, pooled (fold `all`) and for each fold.

    Args:
        run: its name.
        rows: calibrated predictions.
        settings: the run's.
    """
    table = []
    for (stage, role), judged in rows.groupby(["stage", "role"], sort=False):
        groups = [("all", judged), *((str(fold), part) for fold, part in judged.groupby("fold"))]
        for fold, part in groups:
            key = {"run": run, "stage": stage, "role": role, "fold": fold}
            table.append(key | numbers(part, settings) | words(part, stage, role, settings))
    return pd.DataFrame(table)


def numbers(rows: pd.DataFrame, settings: Evaluation) -> dict[str, float]:
    """Return the metrics of some predictions of one stage."""
    outcomes = outcomes_of(rows)
    n, photos, correct = len(rows), rows["path"].nunique(), int(outcomes.correct.sum())
    # A photo judged in several repeats is still one photo: it must not narrow the interval several times.
    low, high = metrics.accuracy_interval(correct * photos / n, photos, settings.confidence)
    honest = metrics.probability_metrics(outcomes_of(rows, CALIBRATED), settings.calibration_bins)
    return {
        "n": n,
        "photos": photos,
        "correct": correct,
        "accuracy": correct / n,
        "accuracy_low": low,
        "accuracy_high": high,
        "baseline": metrics.majority_baseline(outcomes.labels),
        "balanced_accuracy": metrics.balanced_accuracy(outcomes.labels, outcomes.predicted),
        "macro_f1": metrics.macro_f1(outcomes.labels, outcomes.predicted),
        "roc_auc": metrics.roc_auc(outcomes.labels, outcomes.probabilities),
        **metrics.probability_metrics(outcomes, settings.calibration_bins),
        **{f"calibrated_{name}": value for name, value in honest.items()},
        "temperature": rows["temperature"].mean(),
        **at_threshold(rows),
        **when_sure(rows, settings.unsure_below),
    }


def at_threshold(rows: pd.DataFrame) -> dict[str, float]:
    """Return how good decisions by the chosen threshold are; nan unless there are two classes."""
    outcomes = outcomes_of(rows, CALIBRATED)
    if len(outcomes.classes) != 2:
        return {"threshold": np.nan, "threshold_accuracy": np.nan, "threshold_balanced_accuracy": np.nan}
    decided = (outcomes.probabilities[:, 1] >= rows["threshold"].to_numpy()).astype(int)
    return {
        "threshold": rows["threshold"].mean(),
        "threshold_accuracy": float(np.mean(decided == outcomes.labels)),
        "threshold_balanced_accuracy": metrics.balanced_accuracy(outcomes.labels, decided),
    }


def when_sure(rows: pd.DataFrame, unsure_below: float) -> dict[str, float]:
    """Return the share of photos that get an answer, and the accuracy of the answers; nan if there are none."""
    outcomes = outcomes_of(rows, CALIBRATED)
    sure = outcomes.probabilities.max(axis=1) >= unsure_below
    return {
        "unsure_below": unsure_below,
        "coverage": float(sure.mean()),
        "sure_accuracy": float(outcomes.correct[sure].mean()) if sure.any() else np.nan,
    }


def words(rows: pd.DataFrame, stage: str, role: str, settings: RunEvaluation) -> dict[str, str]:
    """Return what a reader of the numbers must know: what they were calibrated on, and what they do not show."""
    selected = role == "val" and settings.selects_on_validation.get(stage, False)
    sources = sorted(rows["fitted_on"].unique())
    notes = [TRAINED] if role == "train" else [SELECTED] if selected else []
    if (photos := rows["path"].nunique()) < len(rows):
        notes.append(f"{photos} photos were judged {len(rows) / photos:g} times each; the interval counts photos")
    if rows["label"].nunique() == 1:
        notes.append("one class only: no ROC AUC")
    return {
        "calibrated_on": "; ".join(sources),
        "selected_on": "these photos" if selected or role == "train" else "",
        "verdict": against_baseline(rows, settings.confidence),
        "note": "; ".join(notes),
    }


def against_baseline(rows: pd.DataFrame, confidence: float) -> str:
    """Say whether the accuracy differs from that of always answering the most frequent class."""
    outcomes = outcomes_of(rows)
    photos = rows["path"].nunique()
    low, high = metrics.accuracy_interval(outcomes.correct.mean() * photos, photos, confidence)
    baseline = metrics.majority_baseline(outcomes.labels)
    usual = f"always answering {rows['label'].value_counts().index[0]} ({baseline:.3f})"
    if low > baseline:
        return f"better than {usual}"
    if high < baseline:
        return f"worse than {usual}"
    return f"not distinguishable from {usual}"


def per_class_table(run: str, rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return a row for each stage, role and class, all folds pooled."""
    tables = []
    for (stage, role), judged in rows.groupby(["stage", "role"], sort=False):
        table = metrics.per_class(outcomes_of(judged), confidence)
        table.insert(0, "role", role)
        table.insert(0, "stage", stage)
        table.insert(0, "run", run)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def significance_table(run: str, rows: pd.DataFrame, settings: RunEvaluation) -> pd.DataFrame:
    """Return a row for each role that compares the fine-tuned network with its head, on the same photos."""
    table = []
    for role, judged in rows.groupby("role", sort=False):
        head, finetuned = (judged[judged["stage"] == stage] for stage in STAGES)
        found = significance.compare(head, finetuned, settings)
        if found is None:
            continue
        key = {"run": run, "role": role, "first": "head", "second": "finetuned"}
        said = significance.verdict(found, found["p_value"], STAGES, settings.confidence)
        selected = role == "val" and any(settings.selects_on_validation.values())
        note = TRAINED if role == "train" else SELECTED if selected else ""
        table.append(key | found | {"verdict": said, "note": note})
    return pd.DataFrame(table, columns=["run", "role", "first", "second", *significance.COLUMNS, "verdict", "note"])


def calibration_record(rows: pd.DataFrame, settings: Evaluation) -> dict[str, object]:
    """Return what should travel in each model: its temperature and, for two classes, its threshold."""
    classes = classes_of(rows)
    stages = {
        stage: {"folds": calibration.deployed(part, settings)} for stage, part in rows.groupby("stage", sort=False)
    }
    return {"classes": classes, "positive_class": classes[1] if len(classes) == 2 else None, "stages": stages}
