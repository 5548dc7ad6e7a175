"""Every run of several labels a photo side by side: what was set, what came out, what it cost, what is real."""

import itertools
from typing import Any

import pandas as pd
from statsmodels.stats.multitest import multipletests

from graft import tables
from graft.config.evaluation import Evaluation
from graft.judging import multilabel_significance
from graft.judging.comparison import (
    PLAIN,
    Result,
    chosen_here,
    cost_of,
    data_of,
    device_of,
    differing_settings,
    groups_of,
    mean_interval,
    of_stage,
    settings_of,
)
from graft.judging.multilabel_outcomes import LabelOutcomes, label_outcomes_of
from graft.judging.outcomes import STAGES

PRECISION = "mean_average_precision"
MEANS = ("micro_f1", "macro_f1", "log_loss", "chose_mean_average_precision", "optimism")
JUDGED = ("n", PRECISION, f"{PRECISION}_low", f"{PRECISION}_high", "baseline", *MEANS)


def comparison_table(results: list[Result], confidence: float = 0.95) -> pd.DataFrame:
    """Return a row per run and stage, then, for an experiment with several seeds, a row per stage of their means."""
    settings = differing_settings([settings_of(result) for result in results])
    rows = [row for result, own in zip(results, settings, strict=True) for row in rows_of(result, own)]
    table = pd.DataFrame(rows)
    means = [
        seeds_row(name, of_stage(table, members, stage), confidence)
        for name, members in groups_of(results).items()
        if len(members) > 1
        for stage in STAGES
        if stage in set(members[0].evaluation["stage"])
    ]
    return tables.MultilabelComparison.checked(pd.DataFrame([*rows, *means], columns=table.columns))


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

    Seeds of one experiment are one contestant, whose answers are pooled. p-values are corrected for the number of pairs
    (Holm), since of many pairs some differ by luck.
    """
    rows, experiments = [], groups_of(results)
    outcomes = {name: outcomes_of_seeds(members) for name, members in experiments.items()}
    for (first, ones), (second, others) in itertools.combinations(experiments.items(), 2):
        if data_of(ones) != data_of(others):
            continue
        found = multilabel_significance.compare(outcomes[first], outcomes[second], settings)
        if found is not None:
            flattered = " and ".join(name for name, of in ((first, ones), (second, others)) if chosen_here(of))
            rows.append({"first": first, "second": second, "role": ones[0].role, "note": flattered} | found)
    table = pd.DataFrame(rows, columns=tables.MultilabelComparisonSignificance.names())
    if rows:
        table["p_adjusted"] = multipletests(table["p_value"], method="holm")[1]
        notes = table["note"].map(lambda runs: f"these photos also chose {runs}, which flatters it" if runs else "")
        table["verdict"] = [
            multilabel_significance.verdict(
                row, row["p_adjusted"], (row["first"], row["second"]), settings.confidence, len(table)
            )
            + (f"; {note}" if note else "")
            for row, note in zip(table.to_dict("records"), notes, strict=True)
        ]
        table["note"] = notes
    return table


def outcomes_of_seeds(results: list[Result]) -> LabelOutcomes:
    """Return what all seeds of an experiment said of the photos that judge it."""
    return label_outcomes_of(pd.concat([result.judged for result in results], ignore_index=True))
