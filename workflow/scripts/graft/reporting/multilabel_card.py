"""The model card of a run of several labels a photo, in Hugging Face's format."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from graft.judging.outcomes import STAGES, judging_role
from graft.reporting.model_card import (
    SQUARES,
    experiment_of,
    front_matter,
    head_of_results,
    introduction,
    making,
    number,
    verdict_lines,
)

METRICS = {
    "mean_average_precision": "Mean average precision",
    "micro_f1": "Micro F1",
    "macro_f1": "Macro F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
PURPOSE = "says which of {classes} a photo shows: several of them, or none"


def card(
    provenance: dict[str, Any],
    evaluation: pd.DataFrame,
    per_label: pd.DataFrame,
    significance: pd.DataFrame,
    calibration: dict[str, Any],
) -> str:
    """Return the card of a run as Markdown with YAML front matter.

    Args: what provenance.json, evaluation.csv, per_class.csv, significance.csv and calibration.json hold.
    """
    pooled = evaluation[evaluation["fold"].astype(str) == "all"]
    role = judging_role(pooled["role"])
    judged = pooled[pooled["role"] == role].set_index("stage")
    stage = [name for name in STAGES if name in judged.index][-1]
    labels = per_label[(per_label["stage"] == stage) & (per_label["role"] == role)]
    row = judged.to_dict("index")[stage]
    parts = [
        f"---\n{front_matter(provenance, row, role, METRICS)}---\n",
        introduction(provenance, stage, PURPOSE),
        results(judged, role, significance[significance["role"] == role]),
        by_label(labels),
        usage(provenance, stage, calibration),
        making(provenance),
        limits(provenance, row),
    ]
    return "\n".join(parts)


def results(judged: pd.DataFrame, role: str, significance: pd.DataFrame) -> str:
    """Return the table of metrics by stage, and what it does not show."""
    rows = judged.to_dict("index")
    stages = [stage for stage in STAGES if stage in rows]
    lines = head_of_results(judged, role, stages)
    for name, title in METRICS.items():
        lines.append(f"| {title} | {' | '.join(with_interval(rows[stage], name) for stage in stages)} |")
    whole = [f"{rows[stage]['right_sets']} of {rows[stage]['n']}" for stage in stages]
    lines += [
        f"| Whole sets of labels right | {' | '.join(whole)} |",
        f"| Mean average precision of the labels' frequencies | {blind(rows, stages, 'baseline')} |",
        f"| Macro F1 of answering every label | {blind(rows, stages, 'baseline_macro_f1')} |",
        "",
    ]
    verdicts = verdict_lines(rows, stages, significance, "mean_average_precision", "mean average precision ")
    return "\n".join([*lines, *verdicts, ""])


def blind(rows: Mapping[Any, Mapping[Any, Any]], stages: list[str], name: str) -> str:
    """Return a baseline's cells."""
    return " | ".join(number(rows[stage][name]) for stage in stages)


def with_interval(row: Mapping[Any, Any], name: str) -> str:
    """Return a metric as text, with its interval if it has one."""
    if f"{name}_low" not in row:
        return number(row[name])
    return f"{number(row[name])} ({number(row[f'{name}_low'])} to {number(row[f'{name}_high'])})"


def by_label(rows: pd.DataFrame) -> str:
    """Return the table of labels."""
    lines = [
        "### By label",
        "",
        "| label | photos | threshold | average precision | by chance | precision | recall | F1 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows.to_dict("records"):
        name = row["label"].replace("|", "\\|")
        precision = with_interval(row, "average_precision")
        scores = " | ".join(number(row[metric]) for metric in ("baseline", "precision", "recall", "f1"))
        lines.append(f"| {name} | {row['support']} | {row['threshold']:.3f} | {precision} | {scores} |")
    return "\n".join([*lines, ""])


def usage(provenance: dict[str, Any], stage: str, calibration: dict[str, Any]) -> str:
    """Return how to use the model, and how its probabilities and thresholds were chosen."""
    folds = calibration["stages"][stage]["folds"]
    fold, fitted = next(iter(folds.items()))
    size = experiment_of(provenance)["backbone"]["size"]
    fit = provenance["config"]["datasets"][provenance["dataset"]].get("fit", "squash")
    of_fold = f", the model of fold {fold}," if len(folds) > 1 else ""
    bars = ", ".join(
        f"{name} {bar:.3f}" for name, bar in zip(calibration["classes"], fitted["thresholds"], strict=True)
    )
    by_nothing = fitted["fitted_on"].startswith("nothing")
    chosen_by = fitted["fitted_on"] if by_nothing else f"{fitted['n']} photos: {fitted['fitted_on']}"
    return f"""## Use

`python workflow/commands/classify.py model.keras PHOTOS` prints a line a photo. In Python, `model.keras`{of_fold} is a
Keras model that takes RGB photos, 0 to 255, shape (n, {size}, {size}, 3), {SQUARES[fit]}, and returns logits, one a
label; preprocessing is inside.
Labels, in order, and the least probability that answers each: {bars}. Divide the logits by the temperature
{fitted["temperature"]:.3f}; their sigmoid is the calibrated probability (chosen by {chosen_by}).
"""


def limits(provenance: dict[str, Any], row: Mapping[Any, Any]) -> str:
    """Return what the model should not be trusted with, as far as its numbers tell."""
    sentences = [
        f"It knows {len(provenance['data']['classes'])} labels. It does not say what else a photo shows, and a photo "
        "of another kind than those it learnt from may get any of them."
    ]
    if row["photos"] < 100:
        sentences.append(
            f"{int(row['photos'])} photos judged it: its mean average precision on others like them may lie anywhere "
            f"from {number(row['mean_average_precision_low'])} to {number(row['mean_average_precision_high'])}."
        )
    sentences += [f"{note[0].upper()}{note[1:]}." for note in str(row["note"]).split("; ") if note]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in sentences) + "\n"
