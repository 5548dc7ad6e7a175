"""From all folds' predictions of several labels a photo to the tables that say how good a run is, and how sure that is.

The counterpart of `graft.judging.evaluation`, which is for one label a photo.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graft import tables
from graft.config.evaluation import Evaluation
from graft.data.label_sets import COLUMN
from graft.data.wording import abbreviated
from graft.judging import metrics, multilabel_metrics
from graft.judging.answers import Answers, by_stage_and_role
from graft.judging.evaluation import CHOSE, FLATTERED, SELECTED, TRAINED
from graft.judging.multilabel_calibration import THRESHOLD, LabelCalibrator, thresholds_in
from graft.judging.multilabel_metrics import intervals, value_of
from graft.judging.multilabel_outcomes import LabelOutcomes, label_outcomes_of
from graft.judging.multilabel_significance import compare, verdict
from graft.judging.outcomes import STAGES, judging_role
from graft.network.model_file import place_of, read_facts

HEADLINES = ["mean_average_precision", "micro_f1", "macro_f1"]


def remembered_of(models: Sequence[Path]) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return what the model files of a run remember of their cross-validation, by stage and fold."""
    found = {}
    for path in models:
        place, facts = place_of(path), read_facts(path)
        if "cross_validated" in facts:
            found[place["stage"], place["fold"]] = facts["cross_validated"]
    return found


LabelAnswers = Answers[LabelOutcomes]
AnswersOf = Mapping[tuple[str, str], LabelAnswers]  # by stage and role


def answers_by_stage_and_role(rows: pd.DataFrame) -> dict[tuple[str, str], LabelAnswers]:
    """Return calibrated predictions by stage and role, in the order in which these first occur."""
    return by_stage_and_role(rows, label_outcomes_of)


def evaluation_table(run: str, answers: AnswersOf, settings: Evaluation) -> pd.DataFrame:
    """Return the rows of evaluation.csv: one for each stage and role, pooled (fold `all`) and for each fold."""
    table, judging = [], judging_role(role for _, role in answers)
    for (stage, role), pooled in answers.items():
        for fold in pooled.folds():
            part = pooled if fold == "all" else pooled.take(pooled.in_fold(fold))
            chose = those_that_chose(answers, stage, role, fold) if role == judging else None
            found = numbers(part, settings)
            found |= optimism(found["mean_average_precision"], chose)
            key = {"run": run, "stage": stage, "role": role, "fold": fold}
            table.append({**key, **found, **remarks(part, found, role, role == judging)})
    return tables.MultilabelEvaluation.checked(pd.DataFrame(table))


def those_that_chose(answers: AnswersOf, stage: str, role: str, fold: str) -> LabelOutcomes | None:
    """Return the outcomes of a stage's photos of another role that chose in training; None if there are none."""
    for (of_stage, of_role), other in answers.items():
        places = other.in_fold(fold) & (other.rows["chose"] == 1).to_numpy()
        if of_stage == stage and of_role != role and places.any():
            return other.outcomes.take(places)
    return None


def numbers(answers: LabelAnswers, settings: Evaluation) -> dict[str, float]:
    """Return the metrics of some answers of one stage."""
    outcomes, rows = answers.outcomes, answers.rows
    ends = intervals(HEADLINES, outcomes, settings)
    with_ends = {
        name: {name: float(value_of(name, outcomes)), f"{name}_low": float(low), f"{name}_high": float(high)}
        for name, (low, high) in ends.items()
    }
    blind = multilabel_metrics.frequency_baseline(outcomes)
    calibrated = multilabel_metrics.probability_metrics(outcomes, settings.calibration_bins)
    uncalibrated = multilabel_metrics.probability_metrics(answers.network, settings.calibration_bins)
    return {
        "n": len(rows),
        "photos": rows["path"].nunique(),
        "groups": len(np.unique(outcomes.groups)),
        "n_labels": int(outcomes.judged.sum()),
        **with_ends["mean_average_precision"],
        "baseline": blind["baseline"],
        **with_ends["micro_f1"],
        "baseline_micro_f1": blind["baseline_micro_f1"],
        **with_ends["macro_f1"],
        "baseline_macro_f1": blind["baseline_macro_f1"],
        "half_macro_f1": float(value_of("macro_f1", at_half(answers.network))),
        "right_sets": int(outcomes.right_sets.sum()),
        "right_labels": float(np.mean(outcomes.truth == outcomes.predicted)),
        "roc_auc": float(multilabel_metrics.mean_of_labels(multilabel_metrics.roc_areas(outcomes)[None])[0]),
        "log_loss": calibrated["log_loss"],
        "baseline_log_loss": blind["baseline_log_loss"],
        "brier": calibrated["brier"],
        "ece": calibrated["ece"],
        **{f"uncalibrated_{name}": value for name, value in uncalibrated.items()},
        "temperature": rows["temperature"].mean(),
    }


def at_half(network: LabelOutcomes) -> LabelOutcomes:
    """Return what the network itself answers: the labels of probability 0.5 or more."""
    return LabelOutcomes(
        network.classes, network.truth, network.probabilities >= 0.5, network.probabilities, network.groups,
        network.paths,
    )  # fmt: skip


def optimism(precision: float, chose: LabelOutcomes | None) -> dict[str, float]:
    """Return the mean average precision on the photos that chose, and by how much it flatters; nan where none chose."""
    if chose is None:
        return {"chose_n": 0, "chose_mean_average_precision": np.nan, "optimism": np.nan}
    there = float(value_of("mean_average_precision", chose))
    return {"chose_n": len(chose.truth), "chose_mean_average_precision": there, "optimism": there - precision}


def remarks(answers: LabelAnswers, found: Mapping[str, float], role: str, judges: bool) -> dict[str, str]:
    """Return what a reader of the numbers must know: what they were calibrated on, and what they do not show."""
    rows, outcomes = answers.rows, answers.outcomes
    chose = bool(rows["chose"].any())
    notes = [TRAINED] if role == "train" else [SELECTED if judges else CHOSE] if chose else []
    if (photos := found["photos"]) < len(rows):
        notes.append(f"{photos} photos were judged {len(rows) / photos:g} times each; the intervals count photos")
    if (groups := found["groups"]) < photos:
        notes.append(f"{photos} photos in {groups} groups; the intervals allow for photos of one group being alike")
    if len(unjudged := [name for name, told in zip(outcomes.classes, outcomes.judged, strict=True) if not told]):
        notes.append(f"these photos cannot judge {abbreviated(unjudged)}, which none of them has, or each")
    return {
        "calibrated_on": "; ".join(sorted(rows["fitted_on"].unique())),
        "selected_on": "these photos" if chose or role == "train" else "",
        "verdict": against_baseline(found),
        "note": "; ".join(notes),
    }


def against_baseline(found: Mapping[str, float]) -> str:
    """Say whether a mean average precision differs from that of answering the labels' frequencies.

    >>> name = "mean_average_precision"
    >>> against_baseline({f"{name}_low": 0.6, f"{name}_high": 0.9, "baseline": 0.4})
    "better than answering the labels' frequencies (0.400)"
    """
    usual = f"answering the labels' frequencies ({found['baseline']:.3f})"
    if found["mean_average_precision_low"] > found["baseline"]:
        return f"better than {usual}"
    if found["mean_average_precision_high"] < found["baseline"]:
        return f"worse than {usual}"
    return f"not distinguishable from {usual}"


def per_label_table(run: str, answers: AnswersOf, settings: Evaluation) -> pd.DataFrame:
    """Return the rows of per_class.csv: one for each stage, role and label, all folds pooled."""
    parts = []
    for (stage, role), pooled in answers.items():
        table = per_label(pooled.outcomes, thresholds_in(pooled.rows), settings)
        for place, (name, value) in enumerate({"run": run, "stage": stage, "role": role}.items()):
            table.insert(place, name, value)
        parts.append(table)
    return tables.PerLabel.checked(pd.concat(parts, ignore_index=True))


def per_label(outcomes: LabelOutcomes, thresholds: np.ndarray, settings: Evaluation) -> pd.DataFrame:
    """Return a row per label: its photos, its answers, and how good these are, with intervals."""
    truth, predicted = outcomes.truth, outcomes.predicted
    ends = intervals(["average_precision", "f1"], outcomes, settings)
    right = (truth & predicted).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = right / predicted.sum(axis=0), right / truth.sum(axis=0)
    recalls = [
        metrics.grouped_interval(predicted[has, label].astype(float), outcomes.groups[has], settings.confidence)
        if has.any()
        else (np.nan, np.nan)
        for label, has in enumerate(truth.T)
    ]
    return pd.DataFrame(
        {
            "label": outcomes.classes,
            "support": truth.sum(axis=0),
            "answered": predicted.sum(axis=0),
            "threshold": thresholds,
            "average_precision": value_of("average_precision", outcomes),
            "average_precision_low": ends["average_precision"][0],
            "average_precision_high": ends["average_precision"][1],
            "baseline": np.where(
                outcomes.judged, multilabel_metrics.chance_precision(truth.sum(axis=0), len(truth)), np.nan
            ),
            "roc_auc": multilabel_metrics.roc_areas(outcomes),
            "precision": precision,
            "recall": recall,
            "recall_low": [low for low, _ in recalls],
            "recall_high": [high for _, high in recalls],
            "f1": value_of("f1", outcomes),
            "f1_low": ends["f1"][0],
            "f1_high": ends["f1"][1],
        }
    )


def significance_table(run: str, answers: AnswersOf, settings: Evaluation) -> pd.DataFrame:
    """Return the rows of significance.csv: for each role, the fine-tuned network and its head on the same photos."""
    table, judging = [], judging_role(role for _, role in answers)
    for role in dict.fromkeys(role for _, role in answers):
        pair = [answers[stage, role] for stage in STAGES if (stage, role) in answers]
        if len(pair) < len(STAGES):
            continue
        found = compare(pair[0].outcomes, pair[1].outcomes, settings)
        if found is None:
            continue
        key = {"run": run, "role": role, "first": "head", "second": "finetuned"}
        said = verdict(found, found["p_value"], STAGES, settings.confidence)
        chose = SELECTED if role == judging else CHOSE
        note = TRAINED if role == "train" else chose if any(one.rows["chose"].any() for one in pair) else ""
        table.append(key | found | {"verdict": f"{said}; {FLATTERED}" if note else said, "note": note})
    return pd.DataFrame(table, columns=tables.MultilabelSignificance.names())


def published_predictions(rows: pd.DataFrame) -> pd.DataFrame:
    """Return calibrated predictions as the run's predictions.csv has them."""
    first = ["stage", "path", COLUMN, "fold", "role", "group", "chose", "predicted"]
    dropped = {"temperature", "fitted_on", *first}
    others = [name for name in rows.columns if name not in dropped and not name.startswith(THRESHOLD)]
    return tables.MultilabelPredictions.checked(rows[[*first, *others]])


def calibration_record(classes: list[str], calibrators: dict[str, dict[str, LabelCalibrator]]) -> dict[str, object]:
    """Return what travels in each model, by stage and fold: the temperature, and each label's threshold."""
    stages = {
        stage: {"folds": {fold: asdict(one) for fold, one in folds.items()}} for stage, folds in calibrators.items()
    }
    return {"classes": classes, "positive_class": None, "stages": stages}
