"""Every run side by side: what was set, what came out, what it cost, and which differences are real."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from graft import tables
from graft.config.evaluation import Evaluation
from graft.judging import significance
from graft.judging.answers import Held
from graft.judging.outcomes import STAGES, judging_role, outcomes_of
from graft.storage.files import read_json, read_table

JUDGED = ("n", "accuracy", "accuracy_low", "accuracy_high", "baseline", "log_loss", "chose_accuracy", "optimism")
PLAIN = ("dataset", "seed")  # settings that have a column anyway


@dataclass(frozen=True)
class Result:
    """One finished run, as its files tell it.

    Attributes:
        provenance: what provenance.json holds.
        evaluation: the pooled rows (fold `all`) of evaluation.csv.
        predictions: all of predictions.csv.
    """

    provenance: dict[str, Any]
    evaluation: pd.DataFrame
    predictions: pd.DataFrame

    @property
    def name(self) -> str:
        """Return the run's name."""
        return self.provenance["run"]

    @property
    def role(self) -> str:
        """Return whose photos judge the run."""
        return judging_role(self.evaluation["role"])

    @property
    def last_stage(self) -> str:
        """Return the stage that is the run's result."""
        return [stage for stage in STAGES if stage in set(self.evaluation["stage"])][-1]

    @property
    def judged(self) -> pd.DataFrame:
        """Return the result's predictions of the photos that judge it."""
        rows = self.predictions
        return rows[(rows["stage"] == self.last_stage) & (rows["role"] == self.role)]


def read_result(folder: Path) -> Result:
    """Return the run whose files lie in a folder."""
    evaluation = read_table(folder / "evaluation.csv")
    return Result(
        provenance=read_json(folder / "provenance.json"),
        evaluation=evaluation[evaluation["fold"].astype(str) == "all"],
        predictions=read_table(folder / "predictions.csv"),
    )


def comparison_table(results: list[Result], confidence: float = 0.95) -> pd.DataFrame:
    """Return a row per run and stage, then, for an experiment with several seeds, a row per stage of their means."""
    return tables.Comparison.checked(rows_and_means(results, confidence, rows_of, seeds_row))


def rows_and_means(
    results: list[Result],
    confidence: float,
    rows_of: Callable[[Result, dict[str, Any]], list[dict[str, Any]]],
    seeds_row: Callable[[str, pd.DataFrame, float], dict[str, Any]],
) -> pd.DataFrame:
    """Return the rows of runs by stage, then those of the means over the seeds of an experiment.

    Args:
        results: of the runs.
        confidence: of the intervals over seeds.
        rows_of: from a run and its differing settings to its rows.
        seeds_row: from an experiment's name, the rows of its one stage, and the confidence to the row of their means.
    """
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
    return pd.DataFrame([*rows, *means], columns=table.columns)


def of_stage(table: pd.DataFrame, members: list[Result], stage: str) -> pd.DataFrame:
    """Return the rows of some runs' one stage."""
    return table[table["run"].isin([member.name for member in members]) & (table["stage"] == stage)]


def groups_of(results: list[Result]) -> dict[str, list[Result]]:
    """Return runs by experiment, so that the seeds of one stand together; a run without such siblings by its name."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.provenance["experiment"], []).append(result)
    return {name if len(members) > 1 else members[0].name: members for name, members in groups.items()}


def settings_of(result: Result) -> dict[str, Any]:
    """Return the flat settings of a run: its experiment's, the recipe's, and how its photos were split."""
    config = result.provenance["config"]
    experiment = dict(config["experiments"][result.provenance["experiment"]])
    recipe = experiment.pop("override", None) or {}
    experiment.pop("seeds", None)
    split = config["datasets"][result.provenance["dataset"]].get("split", {})
    return flat(experiment | {"seed": result.provenance["seed"]}) | flat(recipe) | flat({"split": split})


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings with dotted keys; a list becomes its JSON.

    >>> flat({"backbone": {"name": "ResNet50", "size": 224}, "predict": ["val"]})
    {'backbone.name': 'ResNet50', 'backbone.size': 224, 'predict': '["val"]'}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = json.dumps(value) if isinstance(value, (list, dict)) else value
    return found


def differing_settings(settings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each run's settings without those that are the same in all runs.

    A section that some runs do without, as a run without fine-tuning does, has a column that says yes or no, and
    columns of its own only for what differs among the runs that have it.

    >>> differing_settings([{"seed": 0, "size": 224}, {"seed": 1, "size": 224}])
    [{'seed': 0}, {'seed': 1}]
    >>> differing_settings([{"finetune": None}, {"finetune.epochs": 10}])
    [{'finetune': 'no'}, {'finetune': 'yes'}]
    """
    keys = list(dict.fromkeys(key for one in settings for key in one))
    sections = {key for key in keys if any(other.startswith(f"{key}.") for other in keys)}
    complete = [
        {key: "no" if key in one else "yes" for key in sections}
        | {key: value for key, value in one.items() if key not in sections}
        for one in settings
    ]
    differ = [key for key in keys if len({repr(one[key]) for one in complete if key in one}) > 1]
    return [{key: one.get(key) for key in differ} for one in complete]


def rows_of(result: Result, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a run's rows of the comparison, one for each stage."""
    record = result.provenance
    judged = result.evaluation[result.evaluation["role"] == result.role].set_index("stage")
    first = {"run": result.name, "kind": "run", "experiment": record["experiment"], "seeds": 1}
    data = {"dataset": record["dataset"], "data_sha256": record["data"]["manifest_sha256"][:16], "seed": record["seed"]}
    chosen = {key: value for key, value in settings.items() if key not in PLAIN}
    return [
        first
        | chosen
        | data
        | {"stage": stage, "role": result.role}
        | {name: judged.at[stage, name] for name in JUDGED}
        | cost_of(stage, record["costs"])
        | {
            "device": device_of(record),
            "selected_on": judged.at[stage, "selected_on"],
            "note": judged.at[stage, "note"],
        }
        for stage in STAGES
        if stage in judged.index
    ]


def cost_of(stage: str, costs: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return seconds and peak memory of all folds' work up to a stage, as if no other run had shared any of it.

    >>> parts = {"shared": {"seconds": 2.0, "peak_memory_mb": 300.0}, "head": {"seconds": 1.5, "peak_memory_mb": 500.0}}
    >>> cost_of("head", parts)
    {'seconds': 3.5, 'peak_memory_mb': 500.0}
    """
    parts = [costs[part] for part in ("shared", *STAGES[: STAGES.index(stage) + 1]) if part in costs]
    return {
        "seconds": sum(part["seconds"] for part in parts) if parts else np.nan,
        "peak_memory_mb": max((part["peak_memory_mb"] for part in parts), default=np.nan),
    }


def device_of(record: dict[str, Any]) -> str:
    """Return what trained the run, as training noted it."""
    return "; ".join(sorted({note["device"] for note in record["devices"].values()})) or "unknown"


def seeds_row(name: str, rows: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """Return the row of an experiment's stage: means over its seeds, and Student's interval of the mean accuracy."""
    same = {key: rows[key].iloc[0] for key in rows.columns if rows[key].nunique(dropna=False) == 1}
    accuracy, low, high = mean_interval(rows["accuracy"].tolist(), confidence)
    return same | {
        "run": name,
        "kind": "seeds",
        "seeds": len(rows),
        "accuracy": accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        **{name: rows[name].mean() for name in ("log_loss", "chose_accuracy", "optimism")},
        "seconds": rows["seconds"].mean(),
        "peak_memory_mb": rows["peak_memory_mb"].max(),
        "note": f"mean of {len(rows)} seeds; the interval is over seeds, not over photos",
    }


def mean_interval(values: list[float], confidence: float) -> tuple[float, float, float]:
    """Return a mean and Student's interval of it, kept within 0 and 1; nan where there is only one value.

    >>> [round(number, 3) for number in mean_interval([0.8, 0.9], 0.95)]
    [0.85, 0.215, 1.0]
    """
    mean = float(np.mean(values))
    if len(values) < 2 or np.isnan(mean):
        return mean, np.nan, np.nan
    half = stats.sem(values) * stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    return mean, max(0.0, float(mean - half)), min(1.0, float(mean + half))


def significance_table(results: list[Result], settings: Evaluation) -> pd.DataFrame:
    """Return a row for every two experiments that judged the same photos, and say whether they differ.

    Seeds of one experiment are one contestant: each photo counts once, with the share of seeds that have it right.
    """
    names = tables.ComparisonSignificance.names()
    return pairs_table(results, settings, names, outcomes_of, significance.compare, significance.verdict)


def pairs_table(
    results: list[Result],
    settings: Evaluation,
    columns: list[str],
    read: Callable[[pd.DataFrame], Held],
    compare: Callable[[Held, Held, Evaluation], dict[str, float] | None],
    verdict: Callable[[Mapping[Any, Any], float, tuple[str, str], float, int], str],
) -> pd.DataFrame:
    """Return a row for every two experiments that judged the same photos, and say whether they differ.

    p-values are corrected for the number of pairs (Holm), since of many pairs some differ by luck.

    Args:
        results: of the runs; seeds of one experiment are pooled.
        settings: of the comparison.
        columns: of the table.
        read: from predictions to outcomes.
        compare: from the outcomes of two to what differs; None where no photo was judged by both.
        verdict: from a row, its corrected p-value, both names, the confidence and the number of pairs to a sentence.
    """
    rows, experiments = [], groups_of(results)
    outcomes = {name: outcomes_of_seeds(members, read) for name, members in experiments.items()}
    for (first, ones), (second, others) in itertools.combinations(experiments.items(), 2):
        if data_of(ones) != data_of(others):
            continue
        found = compare(outcomes[first], outcomes[second], settings)
        if found is not None:
            flattered = " and ".join(name for name, of in ((first, ones), (second, others)) if chosen_here(of))
            rows.append({"first": first, "second": second, "role": ones[0].role, "note": flattered} | found)
    table = pd.DataFrame(rows, columns=columns)
    if rows:
        table["p_adjusted"] = multipletests(table["p_value"], method="holm")[1]
        table["verdict"] = [
            verdict(row, row["p_adjusted"], (row["first"], row["second"]), settings.confidence, len(table))
            for row in table.to_dict("records")
        ]
        notes = table["note"].map(lambda runs: f"these photos also chose {runs}, which flatters it" if runs else "")
        table["verdict"] += notes.map(lambda note: note and f"; {note}")
        table["note"] = notes
    return table


def chosen_here(results: list[Result]) -> bool:
    """Return whether the photos that judge some runs also chose in one of them."""
    return any(bool(result.judged["chose"].any()) for result in results)


def outcomes_of_seeds(results: list[Result], read: Callable[[pd.DataFrame], Held]) -> Held:
    """Return what all seeds of an experiment said of the photos that judge it."""
    return read(pd.concat([result.judged for result in results], ignore_index=True))


def data_of(results: list[Result]) -> str:
    """Return a digest of the photos that an experiment is about."""
    return results[0].provenance["data"]["manifest_sha256"]
