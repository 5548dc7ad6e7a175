"""What the report's first page says of runs of several labels a photo."""

from collections.abc import Mapping
from typing import Any

from graft.reporting.text import ROLES, number

HEADLINE = "mean_average_precision"
DECISION = (
    "Photos have any number of labels. The mean average precision says how well each label's probability sorts the "
    "photos, whatever the threshold. F1 is of the published model's answers, with a threshold for each label; micro F1 "
    "counts every answer alike, macro F1 every label. The baseline answers how frequent each label is."
)
COLUMNS = ("run", "stage", "whole sets right", "mean average precision", "95% interval", "baseline", "micro F1",
           "macro F1", "log loss", "calibration error", "seconds", "peak memory")  # fmt: skip
PICTURES = {
    "mistakes": "Its surest mistakes, or its least sure answers",
    "co_occurrence": "Which labels stand together, and which are answered together",
    "label_curves": "How well it tells each label",
}


def cells(row: Mapping[Any, Any]) -> list[str]:
    """Return a row's cells between its name and its cost, in the order of `COLUMNS`."""
    low, high = (number(row[f"{HEADLINE}_{end}"], ".3f") for end in ("low", "high"))
    return [
        f"{row['right_sets']:,} of {row['n']:,} {ROLES[row['role']]} photos",
        number(row[HEADLINE], ".3f"),
        f"{low} to {high}",
        *(number(row[name], ".3f") for name in ("baseline", "micro_f1", "macro_f1", "log_loss", "ece")),
    ]
