"""Whether one model of several labels a photo is better than another, or only luckier with these photos."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from graft.config.evaluation import Evaluation
from graft.judging.multilabel_metrics import STATISTICS, percentiles, resamples
from graft.judging.multilabel_outcomes import LabelOutcomes, label_losses

COMPARED = ("mean_average_precision", "macro_f1")


def compare(first: LabelOutcomes, second: LabelOutcomes, settings: Evaluation) -> dict[str, float] | None:
    """Return how the second model differs from the first on the photos that both judged; None if there are none.

    Intervals and p-value are of a paired bootstrap: each resample draws whole groups of photos, and asks both models
    about the same ones. The p-value is twice the share of resamples in which the difference of the mean average
    precisions has the other sign, or is nought.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapters 13 and 15.
    """
    group_of = dict(zip(first.paths, first.groups, strict=True))
    both = np.unique(first.paths[np.isin(first.paths, second.paths)])
    if not len(both):
        return None
    first, second = (one.take(np.isin(one.paths, both)) for one in (first, second))
    numbers = {path: number for number, path in enumerate(both)}
    groups = np.unique([group_of[path] for path in both], return_inverse=True)[1]
    places = [np.array([numbers[path] for path in one.paths]) for one in (first, second)]
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in (*COMPARED, "log_loss")}
    now = differences(first, second, places, np.ones((1, len(both))))
    if len(np.unique(groups)) > 1:
        for weights in resamples(groups, 2 * len(first.classes), settings):
            for name, values in differences(first, second, places, weights).items():
                drawn[name].append(values)
    found = {name: np.concatenate(blocks) if blocks else np.array([np.nan]) for name, blocks in drawn.items()}
    ends = {name: percentiles(values, settings.confidence) for name, values in found.items()}
    each = [one_of(model, "mean_average_precision") for model in (first, second)]
    return {
        "n": len(both),
        "groups": len(np.unique(groups)),
        "first_mean_average_precision": each[0],
        "second_mean_average_precision": each[1],
        "difference": float(now["mean_average_precision"][0]),
        "difference_low": float(ends["mean_average_precision"][0]),
        "difference_high": float(ends["mean_average_precision"][1]),
        **{
            f"{name}_difference{end}": float(value)
            for name in ("macro_f1", "log_loss")
            for end, value in (("", now[name][0]), ("_low", ends[name][0]), ("_high", ends[name][1]))
        },
        "p_value": bootstrap_p(found["mean_average_precision"]),
    }


def one_of(outcomes: LabelOutcomes, name: str) -> float:
    """Return one number of the photos as they are."""
    return float(STATISTICS[name](outcomes, np.ones((1, len(outcomes.truth))))[0])


def differences(
    first: LabelOutcomes, second: LabelOutcomes, places: list[np.ndarray], weights: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the second model's numbers less the first's in each resample, (b,).

    Args:
        first: its answers.
        second: its answers.
        places: of each, which of the photos an answer is about.
        weights: (b, n_photos).
    """
    of_first, of_second = (weights[:, place].astype(float) for place in places)
    found = {name: STATISTICS[name](second, of_second) - STATISTICS[name](first, of_first) for name in COMPARED}
    losses = [
        (own * label_losses(model)).sum(axis=1) / own.sum(axis=1)
        for model, own in ((first, of_first), (second, of_second))
    ]
    return found | {"log_loss": losses[1] - losses[0]}


def bootstrap_p(drawn: np.ndarray) -> float:
    """Return the two-sided p-value of resampled differences; 1 where nothing could be drawn.

    >>> bootstrap_p(np.array([0.1] * 98 + [-0.1])), bootstrap_p(np.array([np.nan]))
    (0.04, 1.0)
    """
    told = drawn[~np.isnan(drawn)]
    if not len(told):
        return 1.0
    least = min(np.count_nonzero(told <= 0), np.count_nonzero(told >= 0))
    return float(min(1.0, 2 * (1 + least) / (1 + len(told))))


def verdict(row: Mapping[Any, Any], p_value: float, names: tuple[str, str], confidence: float, n_pairs: int = 1) -> str:
    """Say in words what a comparison shows, by the p-value alone.

    >>> row = {"n": 20, "groups": 20, "difference": 0.05, "difference_low": -0.01, "difference_high": 0.1}
    >>> verdict(row, 0.3, ("head", "finetuned"), 0.95)
    'not distinguishable from noise: mean average precision +0.050 (-0.010 to +0.100) on 20 photos, p = 0.3'
    """
    photos = f"{row['n']} photos" + (f" in {row['groups']} groups" if row["groups"] < row["n"] else "")
    ends = f"{row['difference_low']:+.3f} to {row['difference_high']:+.3f}"
    evidence = f"mean average precision {row['difference']:+.3f} ({ends}) on {photos}, p = {p_value:.2g}"
    if n_pairs > 1:
        evidence += f" after Holm's correction for {n_pairs} pairs"
    if not p_value < round(1 - confidence, 12):
        return f"not distinguishable from noise: {evidence}"
    return f"{names[1] if row['difference'] > 0 else names[0]} is better: {evidence}"
