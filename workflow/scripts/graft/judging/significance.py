"""Whether one model is better than another, or only luckier with these photos."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar

from graft.config.evaluation import Evaluation
from graft.judging.outcomes import Outcomes, losses

LARGEST_TABLE = 300_000_000  # additions that an exact p-value may take, a second or two


def mcnemar_p(first_only: int, second_only: int) -> float:
    """Return McNemar's exact p-value: how often tossing a coin would split the disagreements at least as unevenly.

    Args:
        first_only: photos that only the first model has right.
        second_only: photos that only the second model has right.

    Source: McNemar, Psychometrika 1947; the exact form is the binomial sign test.

    >>> mcnemar_p(0, 6)
    0.03125
    """
    return float(mcnemar([[0, first_only], [second_only, 0]], exact=True).pvalue)


def sign_flip_p(sums: np.ndarray, settings: Evaluation) -> float:
    """Return the p-value of the sum of the groups' differences, two-sided: how often random signs make as large a sum.

    If the two models are equally good, a group's difference is as likely to have the other sign. With groups of one
    photo and differences of one this is McNemar's exact test. The probabilities are exact, from adding group by group
    to a table of all sums; only where that table would be very large are signs drawn at random.

    Args:
        sums: (n_groups,), int; each group's summed difference, second model less first.
        settings: the seed, and how many draws where the table is too large.

    Source: Fisher, "The Design of Experiments", 1935, section 21 (the randomisation test for pairs).

    >>> sign_flip_p(np.array([1] * 6), Evaluation()), sign_flip_p(np.array([6]), Evaluation())
    (0.03125, 1.0)
    """
    sizes = np.abs(sums[sums != 0]).astype(np.int64)
    if not len(sizes):
        return 1.0
    if (sizes == sizes[0]).all():
        second = int((sums > 0).sum())
        return mcnemar_p(len(sizes) - second, second)
    total, observed = int(sizes.sum()), abs(int(sums.sum()))
    if total * len(sizes) > LARGEST_TABLE:
        signs = np.random.default_rng(settings.seed).choice([-1, 1], (settings.bootstrap_resamples, len(sizes)))
        return float((1 + np.sum(np.abs(signs @ sizes) >= observed)) / (1 + settings.bootstrap_resamples))
    chances = np.zeros(2 * total + 1)  # of every sum from -total to total
    chances[total] = 1.0
    for size in sizes:
        chances = (np.roll(chances, size) + np.roll(chances, -size)) / 2
    reach = np.abs(np.arange(-total, total + 1)) >= observed
    return float(min(1.0, chances[reach].sum()))


def bootstrap_interval(differences: np.ndarray, groups: np.ndarray, settings: Evaluation) -> tuple[float, float]:
    """Return the percentile interval of the mean of per-photo differences, drawing whole groups with replacement.

    One group has no spread to draw from: nan.
    """
    _, group_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        return np.nan, np.nan
    alone = len(sizes) == len(differences)
    sums = np.bincount(group_of, weights=differences)

    def mean_of_photos(sums: np.ndarray, sizes: np.ndarray, axis: int = -1) -> np.ndarray:
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    found = bootstrap(
        (differences,) if alone else (sums, sizes),
        np.mean if alone else mean_of_photos,
        n_resamples=settings.bootstrap_resamples,
        batch=max(1, 4_000_000 // len(differences)),  # 32 MB at a time, however many photos there are
        confidence_level=settings.confidence,
        method="percentile",
        paired=not alone,
        rng=np.random.default_rng(settings.seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def by_photo(outcomes: Outcomes) -> pd.DataFrame:
    """Return a row per photo, by path: whether it is right, its log loss, its group, and how often it was judged.

    Where a photo was judged often, the first two are means.
    """
    rows = pd.DataFrame({"path": outcomes.paths, "correct": outcomes.correct, "loss": losses(outcomes)})
    rows = rows.assign(group=outcomes.groups, times=1).astype({"correct": float})
    return rows.groupby("path").agg({"correct": "mean", "loss": "mean", "group": "first", "times": "sum"})


def compare(first: Outcomes, second: Outcomes, settings: Evaluation) -> dict[str, float] | None:
    """Return how the second model differs from the first on the photos that both judged; None if there are none."""
    both = by_photo(first).merge(by_photo(second), on="path", suffixes=("_first", "_second"))
    if both.empty:
        return None
    groups = both["group_first"].to_numpy()
    gained = (both["correct_second"] - both["correct_first"]).to_numpy()
    low, high = bootstrap_interval(gained, groups, settings)
    extra_loss = (both["loss_second"] - both["loss_first"]).to_numpy()
    loss_low, loss_high = bootstrap_interval(extra_loss, groups, settings)
    times = math.lcm(*both["times_first"].unique().tolist(), *both["times_second"].unique().tolist())
    sums = np.rint(np.bincount(np.unique(groups, return_inverse=True)[1], weights=gained) * times).astype(int)
    return {
        "n": len(both),
        "groups": len(sums),
        "first_accuracy": both["correct_first"].mean(),
        "second_accuracy": both["correct_second"].mean(),
        "first_only": int((gained < 0).sum()),
        "second_only": int((gained > 0).sum()),
        "difference": gained.mean(),
        "difference_low": low,
        "difference_high": high,
        "log_loss_difference": extra_loss.mean(),
        "log_loss_difference_low": loss_low,
        "log_loss_difference_high": loss_high,
        "p_value": sign_flip_p(sums, settings),
    }


def verdict(
    row: Mapping[Any, float], p_value: float, names: tuple[str, str], confidence: float, n_pairs: int = 1
) -> str:
    """Say in words what a comparison shows, by the p-value alone.

    >>> row = {"n": 20, "groups": 20, "difference": 0.05, "first_only": 0, "second_only": 1}
    >>> verdict(row, 1.0, ("head", "finetuned"), 0.95)
    'not distinguishable from noise: 1 of 20 photos tells them apart, p = 1'
    """
    apart = row["first_only"] + row["second_only"]
    photos = f"{row['n']} photos" + (f" in {row['groups']} groups" if row["groups"] < row["n"] else "")
    evidence = f"{apart} of {photos} {'tells' if apart == 1 else 'tell'} them apart, p = {p_value:.2g}"
    if n_pairs > 1:
        evidence += f" after Holm's correction for {n_pairs} pairs"
    if p_value >= round(1 - confidence, 12):
        return f"not distinguishable from noise: {evidence}"
    winner = names[1] if row["difference"] > 0 else names[0]
    return f"{winner} is more accurate, by {abs(row['difference']):.3f}: {evidence}"
