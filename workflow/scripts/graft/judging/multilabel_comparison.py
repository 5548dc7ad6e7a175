"""Every run of several labels a photo side by side: what was set, what came out, what it cost, what is real."""

from typing import Any

import pandas as pd

from graft import tables
from graft.config.evaluation import Evaluation
from graft.judging.comparison import (
    PLAIN,
    Result,
    cost_of,
    device_of,
    mean_interval,
    pairs_table,
    rows_and_means,
)
from graft.judging.multilabel_outcomes import label_outcomes_of
from graft.judging.multilabel_significance import compare, verdict
from graft.judging.outcomes import STAGES

PRECISION = "mean_average_precision"
MEANS = ("micro_f1", "macro_f1", "log_loss", "chose_mean_average_precision", "optimism")
JUDGED = ("n", PRECISION, f"{PRECISION}_low", f"{PRECISION}_high", "baseline", *MEANS)


def comparison_table(results: list[Result], confidence: float = 0.95) -> pd.DataFrame:
    """Return a row per run and stage, then, for an experiment with several seeds, a row per stage of their means."""
    return tables.MultilabelComparison.checked(rows_and_means(results, confidence, rows_of, seeds_row))


def rows_of(result: Result, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a run's rows of the comparison, one for each stage."""
    record = result.provenance
    judged = result.evaluation[result.evaluation["role"] == result.role].set_index("stage")
    return [
        {"run": result.name, "kind": "run", "experiment": record["experiment"], "seeds": 1}
        | {key: value for key, value in settings.items() if key not in PLAIN}
        | {"dataset": record["dataset"], "data_sha256": record["data"]["manifest_sha256"][:16], "seed": record["seed"]}
        | {"stage": stage, "role": result.role}
        | {name: judged.at[stage, name] for name in JUDGED}
        | cost_of(stage, record["costs"])
        | {"device": device_of(record)}
        | {name: judged.at[stage, name] for name in ("selected_on", "note")}
        for stage in STAGES
        if stage in judged.index
    ]


def seeds_row(name: str, rows: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """Return the row of an experiment's stage: means over its seeds, and Student's interval of the headline."""
    same = {key: rows[key].iloc[0] for key in rows.columns if rows[key].nunique(dropna=False) == 1}
    mean, low, high = mean_interval(rows[PRECISION].tolist(), confidence)
    return same | {
        "run": name,
        "kind": "seeds",
        "seeds": len(rows),
        PRECISION: mean,
        f"{PRECISION}_low": low,
        f"{PRECISION}_high": high,
        **{name: rows[name].mean() for name in MEANS},
        "seconds": rows["seconds"].mean(),
        "peak_memory_mb": rows["peak_memory_mb"].max(),
        "note": f"mean of {len(rows)} seeds; the interval is over seeds, not over photos",
    }


def significance_table(results: list[Result], settings: Evaluation) -> pd.DataFrame:
    """Return a row for every two experiments that judged the same photos, and say whether they differ.

    Seeds of one experiment are one contestant, whose answers are pooled.
    """
    names = tables.MultilabelComparisonSignificance.names()
    return pairs_table(results, settings, names, label_outcomes_of, compare, verdict)
