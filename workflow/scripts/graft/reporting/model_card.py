"""A model card in Hugging Face's format: what a model is, what it was made of, how good it is, how sure that is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from graft.judging.graded import titles
from graft.judging.outcomes import STAGES, judging_role
from graft.judging.strangers import in_words

METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_f1": "Macro F1",
    "roc_auc": "ROC AUC",
    "log_loss": "Log loss",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}
SQUARES = {"squash": "squeezed to the square", "pad": "padded with black", "crop": "cut to the middle square"}
ANSWERED = "Accuracy of the likeliest class, without the threshold"
KINDS = {"macro_f1": "f1", "brier": "brier_score"}  # the names that Hugging Face's metrics have


def card(
    provenance: dict[str, Any],
    evaluation: pd.DataFrame,
    per_class: pd.DataFrame,
    significance: pd.DataFrame,
    calibration: dict[str, Any],
    unlike: dict[str, Any] | None = None,
) -> str:
    """Return the card of a run as Markdown with YAML front matter.

    Args: what provenance.json, evaluation.csv, per_class.csv, significance.csv and calibration.json hold;
        `unlike`, what the model file says of strangers.
    """
    pooled = evaluation[evaluation["fold"].astype(str) == "all"]
    role = judging_role(pooled["role"])
    judged = pooled[pooled["role"] == role].set_index("stage")
    stage = [name for name in STAGES if name in judged.index][-1]
    classes = per_class[(per_class["stage"] == stage) & (per_class["role"] == role)]
    row = judged.to_dict("index")[stage]
    parts = [
        f"---\n{front_matter(provenance, row, role)}---\n",
        introduction(provenance, stage),
        results(judged, role, significance[significance["role"] == role]),
        by_class(classes),
        usage(provenance, stage, calibration),
        making(provenance),
        limits(provenance, row, unlike),
    ]
    return "\n".join(parts)


def front_matter(
    provenance: dict[str, Any], row: Mapping[Any, Any], role: str, metrics: Mapping[str, str] = METRICS
) -> str:
    """Return the YAML that Hugging Face reads: tags, data, base model and results.

    Source: https://huggingface.co/docs/hub/model-cards, "Model card metadata" and its `model-index`.
    """
    backbone = experiment_of(provenance)["backbone"]
    values = [
        {"type": KINDS.get(name, name), "name": title, "value": round(float(row[name]), 4)}
        for name, title in metrics.items()
        if pd.notna(row[name])
    ]
    result = {
        "task": {"type": "image-classification", "name": "Image classification"},
        "dataset": {"type": "imagefolder", "name": provenance["dataset"], "split": role},
        "metrics": values,
    }
    matter = {
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "transfer-learning", "keras", backbone["name"]],
        "datasets": [provenance["dataset"]],
        "metrics": [value["type"] for value in values],
        "model-index": [{"name": provenance["run"], "results": [result]}],
    }
    return yaml.safe_dump(matter, sort_keys=False, allow_unicode=True)


def experiment_of(provenance: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run's experiment."""
    return provenance["config"]["experiments"][provenance["experiment"]]


def introduction(provenance: dict[str, Any], stage: str, purpose: str = "tells {classes} apart") -> str:
    """Return the title and what the model is, in three sentences."""
    experiment, data = experiment_of(provenance), provenance["data"]
    backbone, does = experiment["backbone"], purpose.format(classes=enumerated(data["classes"]))
    trained = "fine-tuned" if stage == "finetuned" else "with its backbone frozen"
    return f"""# {provenance["run"]}

An image classifier that {does}. It is {backbone["name"]} at {backbone["size"]} pixels
(weights: {Path(backbone["weights"]).name}) with a new head, trained by the recipe `{experiment["recipe"]}`, {trained}.
It was made with Graft from {data["photos"]} photos of `{provenance["dataset"]}`, seed {provenance["seed"]}.
"""


def enumerated(names: list[str], most: int = 10) -> str:
    """Return names as a phrase, the tail of a long list as a count.

    >>> enumerated(["rural", "urban"])
    'rural and urban'
    """
    shown = names if len(names) <= most else [*names[:most], f"{len(names) - most} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]


def results(judged: pd.DataFrame, role: str, significance: pd.DataFrame) -> str:
    """Return the table of metrics by stage, and what it does not show."""
    rows = judged.to_dict("index")
    stages = [stage for stage in STAGES if stage in rows]
    lines = head_of_results(judged, role, stages)
    for name, title in {**METRICS, **titles(list(judged.columns))}.items():
        cells = [cell(rows[stage], name) for stage in stages]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    if any(rows[stage]["argmax_accuracy"] != rows[stage]["accuracy"] for stage in stages):
        lines.append(f"| {ANSWERED} | {' | '.join(number(rows[stage]['argmax_accuracy']) for stage in stages)} |")
    if judged["unsure_below"].iloc[-1] > 0:
        sure = [f"{number(rows[s]['sure_accuracy'])} of {rows[s]['coverage']:.1%} of the photos" for s in stages]
        lines.append(
            f"| Accuracy where it is sure (at least {judged['unsure_below'].iloc[-1]:g}) | {' | '.join(sure)} |"
        )
    lines += [
        f"| Majority-class baseline | {' | '.join(number(rows[stage]['baseline']) for stage in stages)} |",
        "",
    ]
    return "\n".join([*lines, *verdict_lines(rows, stages, significance, "accuracy"), ""])


def head_of_results(judged: pd.DataFrame, role: str, stages: list[str]) -> list[str]:
    """Return the lines above the rows of the table of metrics."""
    photos = {"val": "validation photos", "test": "test photos", "train": "photos of its own training"}[role]
    return [
        "## Results",
        "",
        f"On {int(judged['photos'].iloc[-1])} {photos}, answered as `classify.py` answers with this model:",
        "",
        f"| metric | {' | '.join(stages)} |",
        f"|---|{'---|' * len(stages)}",
    ]


def verdict_lines(
    rows: Mapping[Any, Mapping[Any, Any]],
    stages: list[str],
    significance: pd.DataFrame,
    headline: str,
    called: str = "",
) -> list[str]:
    """Return the lines below the table of metrics: verdicts by stage, what choosing flatters, head against fine-tuned.

    Args:
        rows: of evaluation.csv, by stage.
        stages: in their order.
        significance: significance.csv, of the role that judges.
        headline: the metric by which training chose, as a column.
        called: what stands before its number.
    """
    return [
        *(f"- {stage}: {rows[stage]['verdict']}." for stage in stages),
        *(
            f"- {stage}: {called}{row[f'chose_{headline}']:.3f} on the {row['chose_n']:.0f} photos that chose in its "
            f"training, against {row[headline]:.3f} on those that judge it here."
            for stage, row in rows.items()
            if row["chose_n"] > 0
        ),
        *(f"- {row['second']} against {row['first']}: {row['verdict']}." for row in significance.to_dict("records")),
    ]


def cell(row: Mapping[Any, Any], name: str) -> str:
    """Return a metric as text, accuracy with its interval."""
    if name == "accuracy":
        return f"{number(row['accuracy'])} ({number(row['accuracy_low'])} to {number(row['accuracy_high'])})"
    return number(row[name])


def number(value: float) -> str:
    """Return three digits, or a dash for what the photos could not tell."""
    return "-" if pd.isna(value) else f"{value:.3f}"


def by_class(rows: pd.DataFrame) -> str:
    """Return the table of classes."""
    lines = ["### By class", "", "| class | photos | precision | recall | F1 |", "|---|---|---|---|---|"]
    for row in rows.to_dict("records"):
        name = row["class"].replace("|", "\\|")
        scores = " | ".join(number(row[metric]) for metric in ("precision", "recall", "f1"))
        lines.append(f"| {name} | {row['support']} | {scores} |")
    return "\n".join([*lines, ""])


def usage(provenance: dict[str, Any], stage: str, calibration: dict[str, Any]) -> str:
    """Return how to use the model, and how its probabilities are calibrated."""
    fold, fitted = next(iter(calibration["stages"][stage]["folds"].items()))
    size = experiment_of(provenance)["backbone"]["size"]
    fit = provenance["config"]["datasets"][provenance["dataset"]].get("fit", "squash")
    of_fold = f", the model of fold {fold}," if len(calibration["stages"][stage]["folds"]) > 1 else ""
    text = f"""## Use

`python workflow/commands/classify.py model.keras PHOTOS` prints a line a photo. In Python, `model.keras`{of_fold} is a
Keras model that takes RGB photos, 0 to 255, shape (n, {size}, {size}, 3), {SQUARES[fit]}, and returns logits;
preprocessing is inside.
Classes, in order: {", ".join(calibration["classes"])}. Divide the logits by the temperature {fitted["temperature"]:.3f}
for calibrated probabilities"""
    if fitted["threshold"] is not None:
        text += f", and answer {calibration['positive_class']} from {fitted['threshold']:.3f} up"
    if fitted["unsure_below"]:
        text += f'; an answer of less than {fitted["unsure_below"]:g} is "not sure"'
    chosen_by = (
        fitted["fitted_on"]
        if fitted["fitted_on"].startswith("nothing")
        else f"{fitted['n']} photos of {fitted['fitted_on']}"
    )
    return f"{text} (chosen by {chosen_by}).{of_views(provenance.get('test_views'))}\n"


def of_views(views: dict[str, Any] | None) -> str:
    """Return how predictions are averaged over views of a photo, where they are."""
    if views is None:
        return ""
    return f"""
Every number here is of predictions averaged over {views["count"]} views of each photo, by their logits: the photo as
it is and {views["count"] - 1} more, drawn as `test_views` in the model file says. `classify.py` averages likewise."""


def making(provenance: dict[str, Any]) -> str:
    """Return what went in: data, code, machine, cost."""
    data, code, packages = provenance["data"], provenance["code"], provenance["packages"]
    state = {True: "clean", False: "with uncommitted changes", None: "unknown"}[code["clean"]]
    versions = [f"{name} {packages[name]}" for name in ("keras", "tensorflow", "tensorflow-cpu") if name in packages]
    seconds = sum(part["seconds"] for part in provenance["costs"].values())
    memory = max((part["peak_memory_mb"] for part in provenance["costs"].values()), default=0.0)
    devices = sorted({note["device"] for note in provenance["devices"].values()}) or ["unknown"]
    return f"""## How it was made

- Photos: manifest sha256 `{data["manifest_sha256"]}`, split sha256 `{data["split_sha256"]}`.
- Code: commit `{code["commit"] or "none"}` ({state}), digest `{code["sha256"]}`.
- Software: Python {provenance["machine"]["python"]}, {", ".join(versions)}.
- Hardware: {"; ".join(devices)}. {seconds:.0f} s of work in all, at most {memory:.0f} MB.
- `make reproduce RUN={provenance["run"]}` repeats it and says whether every byte came out the same.
"""


def limits(provenance: dict[str, Any], row: Mapping[Any, Any], unlike: dict[str, Any] | None) -> str:
    """Return what the model should not be trusted with, as far as its numbers tell."""
    sentences = [
        f"It knows {len(provenance['data']['classes'])} classes and gives one of them to any picture, even of none."
    ]
    if unlike:
        sentences.append(
            "It says so where a photo is unlike its training photos, but not of all that are strange to it"
            f" (docs/strangers.md). Of the photos that judge it, {in_words(unlike)}."
        )
    if row["photos"] < 100:
        sentences.append(
            f"{int(row['photos'])} photos judged it: its accuracy on others like them may lie anywhere from"
            f" {number(row['accuracy_low'])} to {number(row['accuracy_high'])}."
        )
    sentences += [f"{note[0].upper()}{note[1:]}." for note in str(row["note"]).split("; ") if note]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in sentences) + "\n"
