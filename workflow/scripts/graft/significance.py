"""Whether one model is better than another, or only luckier with these photos."""

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar

from graft.config.evaluation import Evaluation
from graft.outcomes import losses, outcomes_of

COLUMNS = (
    *("n", "first_accuracy", "second_accuracy", "first_only", "second_only"),
    *("difference", "difference_low", "difference_high"),
    *("log_loss_difference", "log_loss_difference_low", "log_loss_difference_high", "p_value"),
)


def mcnemar_p(first_only: int, second_only: int) -> float:
    """Return McNemar's exact p-value: how often a coin splits the disagreements at least as unevenly.

    Args:
        first_only: photos that only the first model has right.
        second_only: photos that only the second model has right.

    Source: McNemar, Psychometrika 1947; the exact form is the binomial sign test.

    >>> mcnemar_p(0, 6)
    0.03125
    """
    return float(mcnemar([[0, first_only], [second_only, 0]], exact=True).pvalue)


def bootstrap_interval(differences: np.ndarray, settings: Evaluation) -> tuple[float, float]:
    """Return the percentile interval of the mean of per-photo differences, drawing photos with replacement.

    One photo has no spread to draw from: nan.
    """
    if len(differences) < 2:
        return np.nan, np.nan
    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=settings.bootstrap_resamples,
        batch=max(1, 4_000_000 // len(differences)),  # 32 MB at a time, however many photos there are
        confidence_level=settings.confidence,
        method="percentile",
        rng=np.random.default_rng(settings.seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def by_photo(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row per photo, by path: whether it is right, and its log loss; means where it was judged often."""
    outcomes = outcomes_of(table)
    rows = pd.DataFrame({"path": table["path"].to_numpy(), "correct": outcomes.correct, "loss": losses(outcomes)})
    return rows.astype({"correct": float}).groupby("path").mean()


def compare(first: pd.DataFrame, second: pd.DataFrame, settings: Evaluation) -> dict[str, float] | None:
    """Return how the second model differs from the first on the photos that both judged; None if there are none.

    Args:
        first, second: tables of predictions, of one stage and role each.
    """
    both = by_photo(first).merge(by_photo(second), on="path", suffixes=("_first", "_second"))
    if both.empty:
        return None
    gained = (both["correct_second"] - both["correct_first"]).to_numpy()
    first_only, second_only = int((gained < 0).sum()), int((gained > 0).sum())
    low, high = bootstrap_interval(gained, settings)
    extra_loss = (both["loss_second"] - both["loss_first"]).to_numpy()
    loss_low, loss_high = bootstrap_interval(extra_loss, settings)
    return {
        "n": len(both),
        "first_accuracy": both["correct_first"].mean(),
        "second_accuracy": both["correct_second"].mean(),
        "first_only": first_only,
        "second_only": second_only,
        "difference": gained.mean(),
        "difference_low": low,
        "difference_high": high,
        "log_loss_difference": extra_loss.mean(),
        "log_loss_difference_low": loss_low,
        "log_loss_difference_high": loss_high,
        "p_value": mcnemar_p(first_only, second_only),
    }


def verdict(row: dict[str, float], p_value: float, names: tuple[str, str], confidence: float) -> str:
    """Say in words what a comparison shows, by the p-value alone.

    >>> row = {"n": 20, "difference": 0.05, "first_only": 0, "second_only": 1}
    >>> verdict(row, 1.0, ("head", "finetuned"), 0.95)
    'not distinguishable from noise: 1 of 20 photos tells them apart, p = 1'
    """
    apart = row["first_only"] + row["second_only"]
    told = f"{apart} of {row['n']} photos {'tells' if apart == 1 else 'tell'} them apart, p = {p_value:.2g}"
    if p_value >= round(1 - confidence, 12):
        return f"not distinguishable from noise: {told}"
    winner = names[1] if row["difference"] > 0 else names[0]
    return f"{winner} is more accurate, by {abs(row['difference']):.3f}: {told}"
