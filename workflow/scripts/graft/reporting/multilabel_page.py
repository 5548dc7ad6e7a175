"""What the report's first page says of runs of several labels a photo."""

from collections.abc import Mapping
from typing import Any

from graft.reporting.text import ROLES, number

HEADLINE = "mean_average_precision"
MORE = ("baseline", "micro_f1", "macro_f1")  # columns beside it
DECISION = (
    "Photos have any number of labels. The mean average precision says how well each label's probability sorts the "
    "photos, whatever the threshold; its baseline answers how frequent each label is. F1 is of the published model's "
    "answers, with a threshold for each label: micro F1 counts every answer alike, macro F1 every label."
)
COLUMNS = ("run", "stage", "whole sets right", "mean average precision, 95% interval", "baseline", "micro F1",
           "macro F1", "log loss", "calibration error", "seconds", "peak memory")  # fmt: skip
PICTURES = {
    "mistakes": "Its surest mistakes, or its least sure answers",
    "co_occurrence": "Which labels stand together, and which are answered together",
    "label_curves": "How well it tells each label",
}


def opening(title: str, row: Mapping[str, Any], several: bool) -> str:
    """Return the first sentence of the page: how good the best run is.

    Args:
        title: the run and its stage.
        row: of its evaluation.csv.
        several: whether it is the best of several runs.
    """
    low, high = (number(row[f"{HEADLINE}_{end}"], ".3f") for end in ("low", "high"))
    first = f"Best is {title} with" if several else f"{title}:"
    return (
        f"{first} a mean average precision of {number(row[HEADLINE], '.3f')} (95% interval {low} to {high}) on "
        f"{row['photos']:,} {ROLES[row['role']]} photos; the labels' frequencies have {number(row['baseline'], '.3f')}."
    )


def on_those_that_chose(row: Mapping[Any, Any]) -> str:
    """Return the mean average precision on the photos that chose."""
    return f"{row['chose_mean_average_precision']:.3f} on the {row['chose_n']} photos that chose"
