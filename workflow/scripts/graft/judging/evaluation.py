"""From all folds' predictions to the tables that say how good a run is, and how sure that is."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from graft import tables
from graft.config.evaluation import Evaluation
from graft.errors import UserError
from graft.judging import calibration, metrics, significance
from graft.judging.calibration import Calibrator
from graft.judging.outcomes import PROBABILITY, STAGES, classes_of, judging_role, outcomes_of
from graft.storage.files import read_table

SELECTED = "these photos also chose (epochs, what is kept, temperature or threshold), which flatters the result"
FLATTERED = "these photos also chose or trained, which flatters the result"  # as short as a verdict's end must be
CHOSE = "these photos chose (epochs, what is kept, temperature or threshold): flattered; other photos judge the run"
TRAINED = "the model was trained on these photos: this says how well it remembers, not how well it generalises"


def pool(paths: list[Path]) -> pd.DataFrame:
    """Return all folds' and stages' predictions as one table, head first; a file's folder names its stage.

    Raises: UserError if there are no predictions, or two files have different classes.
    """
    if not paths:
        raise UserError("there are no predictions to evaluate")
    parts = [read_table(path).assign(stage=path.parent.name) for path in sorted(paths, key=stage_and_fold)]
    for path, table in zip(sorted(paths, key=stage_and_fold), parts, strict=True):
        if classes_of(table) != classes_of(parts[0]):
            raise UserError(f"{path} has other classes than the run's first predictions; predict anew")
    pooled = pd.concat(parts, ignore_index=True)
    first = [name for name in tables.PooledPredictions.names() if name in pooled]
    return pooled[first + [name for name in pooled.columns if name not in first]]


def stage_and_fold(path: Path) -> tuple[int, str]:
    """Return what predictions files are sorted by: `.../fold10/head/predictions.csv` comes after fold 9."""
    stage, fold = path.parent.name, path.parent.parent.name.removeprefix("fold")
    return STAGES.index(stage) if stage in STAGES else len(STAGES), fold.zfill(9)


def calibrated(pooled: pd.DataFrame, settings: Evaluation) -> tuple[pd.DataFrame, dict[str, dict[str, Calibrator]]]:
    """Return pooled predictions as the published models make them, and the calibrators by stage and fold."""
    pieces, calibrators = [], {}
    for stage, rows in pooled.groupby("stage", sort=False):
        piece, calibrators[stage] = calibration.calibrate(rows, settings)
        pieces.append(piece)
    return pd.concat(pieces), calibrators


def evaluation_table(run: str, rows: pd.DataFrame, settings: Evaluation) -> pd.DataFrame:
    """Return a row for each stage and role, pooled (fold `all`) and for each fold.

    Args:
        run: its name.
        rows: calibrated predictions.
        settings: the run's.
    """
    table, judging = [], judging_role(rows["role"])
    for (stage, role), judged in rows.groupby(["stage", "role"], sort=False):
        chose = rows[(rows["stage"] == stage) & (rows["chose"] == 1) & (rows["role"] != role)]
        groups = [("all", judged), *((str(fold), part) for fold, part in judged.groupby("fold"))]
        for fold, part in groups:
            key = {"run": run, "stage": stage, "role": role, "fold": fold}
            others = chose if fold == "all" else chose[chose["fold"].astype(str) == fold]
            flattered = optimism(part, others if role == judging else chose[:0])
            table.append(key | numbers(part, settings) | flattered | words(part, role, role == judging, settings))
    return tables.Evaluation.checked(pd.DataFrame(table))


def numbers(rows: pd.DataFrame, settings: Evaluation) -> dict[str, float]:
    """Return the metrics of some predictions of one stage."""
    outcomes = outcomes_of(rows)
    n, photos, correct = len(rows), rows["path"].nunique(), int(outcomes.correct.sum())
    low, high = accuracy_interval(rows, settings.confidence)
    raw = outcomes_of(rows, PROBABILITY)
    uncalibrated = metrics.probability_metrics(raw, settings.calibration_bins)
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
        "argmax_accuracy": float(np.mean(raw.probabilities.argmax(axis=1) == raw.labels)),
        "temperature": rows["temperature"].mean(),
        "threshold": rows["threshold"].mean(),
        **when_sure(rows, settings.unsure_below),
    }


def accuracy_interval(rows: pd.DataFrame, confidence: float) -> tuple[float, float]:
    """Return the interval of the accuracy of some predictions of one stage.

    A photo judged in several repeats is still one photo: it must not narrow the interval several times.
    """
    photos = significance.by_photo(rows)
    return metrics.grouped_interval(photos["correct"].to_numpy(), photos["group"].to_numpy(), confidence)


def when_sure(rows: pd.DataFrame, unsure_below: float) -> dict[str, float]:
    """Return the share of photos that get an answer, and the accuracy of the answers; nan if there are none."""
    sure = rows["sure"].to_numpy(bool)
    return {
        "unsure_below": unsure_below,
        "coverage": float(sure.mean()),
        "sure_accuracy": float(outcomes_of(rows).correct[sure].mean()) if sure.any() else np.nan,
    }


def optimism(rows: pd.DataFrame, chose: pd.DataFrame) -> dict[str, float]:
    """Return the accuracy on the photos that chose, and by how much it flatters: nan where no other photos chose."""
    if chose.empty:
        return {"chose_n": 0, "chose_accuracy": np.nan, "optimism": np.nan}
    accuracy = outcomes_of(chose).correct.mean()
    return {"chose_n": len(chose), "chose_accuracy": accuracy, "optimism": accuracy - outcomes_of(rows).correct.mean()}


def words(rows: pd.DataFrame, role: str, judges: bool, settings: Evaluation) -> dict[str, str]:
    """Return what a reader of the numbers must know: what they were calibrated on, and what they do not show."""
    chose = bool(rows["chose"].any())
    sources = sorted(rows["fitted_on"].unique())
    notes = [TRAINED] if role == "train" else [SELECTED if judges else CHOSE] if chose else []
    if (photos := rows["path"].nunique()) < len(rows):
        notes.append(f"{photos} photos were judged {len(rows) / photos:g} times each; the interval counts photos")
    if (groups := len(np.unique(outcomes_of(rows).groups))) < photos:
        notes.append(f"{photos} photos in {groups} groups; the interval allows for photos of one group being alike")
    if rows["label"].nunique() == 1:
        notes.append("one class only: no ROC AUC")
    return {
        "calibrated_on": "; ".join(sources),
        "selected_on": "these photos" if chose or role == "train" else "",
        "verdict": against_baseline(rows, settings.confidence),
        "note": "; ".join(notes),
    }


def against_baseline(rows: pd.DataFrame, confidence: float) -> str:
    """Say whether the accuracy differs from that of always answering the most frequent class."""
    outcomes = outcomes_of(rows)
    low, high = accuracy_interval(rows, confidence)
    baseline = metrics.majority_baseline(outcomes.labels)
    usual = f"always answering {rows['label'].value_counts().index[0]} ({baseline:.3f})"
    if low > baseline:
        return f"better than {usual}"
    if high < baseline:
        return f"worse than {usual}"
    return f"not distinguishable from {usual}"


def per_class_table(run: str, rows: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Return a row for each stage, role and class, all folds pooled."""
    parts = []
    for (stage, role), judged in rows.groupby(["stage", "role"], sort=False):
        table = metrics.per_class(outcomes_of(judged), confidence)
        table.insert(0, "role", role)
        table.insert(0, "stage", stage)
        table.insert(0, "run", run)
        parts.append(table)
    return tables.PerClass.checked(pd.concat(parts, ignore_index=True))


def significance_table(run: str, rows: pd.DataFrame, settings: Evaluation) -> pd.DataFrame:
    """Return a row for each role that compares the fine-tuned network with its head, on the same photos."""
    table, judging = [], judging_role(rows["role"])
    for role, judged in rows.groupby("role", sort=False):
        head, finetuned = (judged[judged["stage"] == stage] for stage in STAGES)
        found = significance.compare(head, finetuned, settings)
        if found is None:
            continue
        key = {"run": run, "role": role, "first": "head", "second": "finetuned"}
        said = significance.verdict(found, found["p_value"], STAGES, settings.confidence)
        chose = SELECTED if role == judging else CHOSE
        note = TRAINED if role == "train" else chose if judged["chose"].any() else ""
        table.append(key | found | {"verdict": f"{said}; {FLATTERED}" if note else said, "note": note})
    return pd.DataFrame(table, columns=tables.Significance.names())


def calibration_record(
    classes: list[str], calibrators: dict[str, dict[str, Calibrator]], settings: Evaluation
) -> dict[str, object]:
    """Return what travels in each model, by stage and fold: temperature, threshold, and when it is not sure."""
    stages = {
        stage: {"folds": {fold: asdict(one) | {"unsure_below": settings.unsure_below} for fold, one in folds.items()}}
        for stage, folds in calibrators.items()
    }
    return {"classes": classes, "positive_class": classes[1] if len(classes) == 2 else None, "stages": stages}
