"""The results of runs of several labels a photo as a few lines of text, for a terminal."""

import pandas as pd

from graft.judging.outcomes import judging_role
from graft.reporting.text import aligned, footnote_signs

METRICS = {
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "ece": "calib. error",
}


def told(judged: pd.DataFrame, compared: pd.DataFrame) -> list[str]:
    """Return a line for each stage and role of one run, and for each comparison."""
    lines = []
    for row in judged[judged["fold"] == "all"].to_dict("records"):
        lines.append(
            f"{row['run']}, {row['stage']}, {row['role']}: mean average precision {row['mean_average_precision']:.3f} "
            f"({row['mean_average_precision_low']:.3f} to {row['mean_average_precision_high']:.3f}) on {row['n']} "
            f"photos, {row['verdict']}; micro F1 {row['micro_f1']:.3f}, macro F1 {row['macro_f1']:.3f}, "
            f"{row['right_sets']} whole sets right"
        )
    lines += optimism_lines(judged[judged["fold"] == "all"])
    lines += [
        f"{row['run']}, {row['role']}, head against finetuned: {row['verdict']}" for row in compared.to_dict("records")
    ]
    return lines


def optimism_lines(pooled: pd.DataFrame) -> list[str]:
    """Return a line per run's last stage on photos that chose and, apart from them, photos that judged."""
    last = pooled[pooled["chose_n"] > 0].drop_duplicates("run", keep="last")
    return [
        f"{row['run']}, {row['stage']}: mean average precision {row['chose_mean_average_precision']:.3f} on the "
        f"{row['chose_n']} photos that chose, {row['mean_average_precision']:.3f} on those that judged: optimism "
        f"{row['optimism']:+.3f}"
        for row in last.to_dict("records")
    ]


def evaluation_lines(table: pd.DataFrame) -> str:
    """Return a line per run and stage on the photos that judge it, and below them what the numbers do not show."""
    pooled = table[table["fold"].astype(str) == "all"]
    rows = [["run", "stage", "photos", "whole sets", "mAP", "interval", "baseline", *METRICS.values()]]
    notes: dict[str, str] = {}
    for _, judged in pooled.groupby("run", sort=False):
        for row in judged[judged["role"] == judging_role(judged["role"])].to_dict("records"):
            low, high = (row[f"mean_average_precision_{end}"] for end in ("low", "high"))
            rows.append(
                [
                    row["run"],
                    row["stage"],
                    f"{row['photos']} {row['role']}",
                    f"{row['right_sets']} of {row['n']}",
                    f"{row['mean_average_precision']:.3f}{footnote_signs(row, notes)}",
                    f"{low:.3f}-{high:.3f}",
                    f"{row['baseline']:.3f}",
                    *("-" if pd.isna(row[name]) else f"{row[name]:.3f}" for name in METRICS),
                ]
            )
    return "\n".join([aligned(rows), *(f"{mark} {note}" for note, mark in notes.items()), *optimism_lines(pooled)])


def seeds_lines(table: pd.DataFrame) -> list[str]:
    """Return a line for each stage of an experiment of several seeds: what they came to."""
    return [
        f"{row['run']}, {row['stage']}, {row['seeds']} seeds: mean average precision "
        f"{row['mean_average_precision']:.3f} ({row['mean_average_precision_low']:.3f}-"
        f"{row['mean_average_precision_high']:.3f} over seeds)"
        for row in table[table["kind"] == "seeds"].to_dict("records")
    ]
