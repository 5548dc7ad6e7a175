"""Networks side by side: how good each is as a probe, how large, how fast, and which to take within a budget."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from graft.config.backbone import BASELINES, Backbone
from graft.config.evaluation import Evaluation
from graft.config.hub import PRESET
from graft.config.keys import backbone_key
from graft.config.model_table import FINETUNED, ModelTable, Tabulated
from graft.errors import UserError
from graft.judging.kinds import Kind, kind_of
from graft.judging.outcomes import STAGES, judging_role
from graft.storage.files import read_json, read_table

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published.csv"
MEASURED = ("cpu_ms_1", "cpu_ms_32", "gpu_ms_1", "gpu_ms_32", "peak_memory_mb")
COUNTED = ("parameters", "depth", "multiply_adds")
QUOTED = ("top1", "top5", "megabytes", "parameters_millions", "depth", "cpu_ms", "gpu_ms")


def columns_of(kind: Kind) -> tuple[str, ...]:
    """Return the columns of a table: with accuracy, or, of several labels a photo, with mean average precision."""
    return (
        *("rank", "network", "size", "n", *kind.columns, kind.beside, "log_loss"),
        *("cross_validated_loss", "parameters", "megabytes", "depth", "multiply_adds", *MEASURED, "embed_seconds"),
        *("fits", "pareto", "verdict", *(f"published_{name}" for name in QUOTED), "published_source"),
        *("threads", "processor", "gpu", "run"),
    )


@dataclass(frozen=True)
class Found:
    """What is known of one network.

    Attributes:
        row: its row of the table, as far as it can be told of it alone.
        judged: its predictions of the photos that judge.
    """

    row: dict[str, Any]
    judged: pd.DataFrame


def read_network(folder: Path, timing: Path, embedded: Path, label: str, backbone: Backbone) -> Found:
    """Return what a run's folder, its network's timing and the benchmark of its features say.

    Args:
        folder: results/runs/NAME.
        timing: what `time_network` wrote.
        embedded: the benchmark of the job that computed its features; it may be absent.
        label: what to call the network.
        backbone: its settings.
    """
    evaluation = read_table(folder / "evaluation.csv")
    role = judging_role(evaluation["role"])
    own = evaluation[(evaluation["role"] == role) & (evaluation["fold"].astype(str) == "all")].iloc[-1]
    histories = [read_table(path) for path in sorted(folder.glob("fold*/head/history.csv"))]
    expected = [table["cross_validated_loss"].iloc[-1] for table in histories if "cross_validated_loss" in table]
    told = read_json(timing)
    kind = kind_of(evaluation)
    names = ("n", *kind.columns, kind.beside, "log_loss")
    row = {"network": label, "size": backbone.size, "run": folder.name} | {name: own[name] for name in names}
    row |= {name: told.get(name, np.nan) for name in (*COUNTED, *MEASURED, "threads")}
    row |= {name: told.get(name, "") for name in ("processor", "gpu")}
    row |= {"cross_validated_loss": float(np.mean(expected)) if expected else np.nan}
    row |= {"megabytes": 4 * told["parameters"] / 1e6, "embed_seconds": seconds_of(embedded)}
    row |= {f"published_{name}": value for name, value in published(backbone).items()}
    return Found(row, judged_of(folder))


def seconds_of(benchmark: Path) -> float:
    """Return the seconds in a benchmark file of Snakemake's; nan where there is none."""
    if not benchmark.is_file():
        return np.nan
    with open(benchmark, newline="", encoding="utf-8") as stream:
        return float(next(csv.DictReader(stream, delimiter="\t"))["s"])


def published(backbone: Backbone) -> dict[str, Any]:
    """Return what Keras's documentation says of a network with its ImageNet weights, top included; else nothing."""
    row = published_rows().get(backbone.name)
    if row is None or backbone.weights != "imagenet" or backbone.alpha != 1:
        return {}
    return {name: float(row[name]) if row[name] else np.nan for name in QUOTED} | {"source": row["source"]}


@cache
def published_rows() -> dict[str, dict[str, str]]:
    """Return the rows of published.csv by name."""
    with open(PUBLISHED, newline="", encoding="utf-8") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def labels_of(networks: dict[str, Backbone]) -> dict[str, str]:
    """Return each run's network in few words: name, width, weights if they are not the published ones.

    Where that does not tell two apart, both have all that does.

    >>> labels_of({"a": Backbone(name="MobileNet", alpha=0.25), "b": Backbone(name="VGG16", weights="none")})
    {'a': 'MobileNet 0.25', 'b': 'VGG16, random'}
    """
    short = {run: label_of(one) for run, one in networks.items()}
    names = list(short.values())
    return {run: name if names.count(name) == 1 else backbone_key(networks[run]) for run, name in short.items()}


def label_of(backbone: Backbone) -> str:
    """Return a network's name, its width, and its weights if they are random or a user's own."""
    width = f" {backbone.alpha:g}" if backbone.alpha != 1 else ""
    if backbone.weights in ("imagenet", "textures", PRESET) or backbone.name in BASELINES:
        return f"{backbone.name}{width}"
    weights = "random" if backbone.weights == "none" else Path(backbone.weights).name.partition(".")[0]
    return f"{backbone.name}{width}, {weights}"


def table_of(found: list[Found], settings: Tabulated) -> pd.DataFrame:
    """Return a row per network, the best first by the cross-validated log loss of the training photos.

    The photos that judge choose nothing here, so the first row's number is not flattered by its being first.
    `verdict` compares each network that fits the budget with the first that does, on the photos that judge.

    Raises: UserError if there is no network.
    """
    if not found:
        raise UserError("the model table has no network: the weights of none could be fetched")
    table = pd.DataFrame([one.row for one in found])
    kind = kind_of(table)
    table["fits"] = fits(table, settings.table).astype(int)
    table["pareto"] = pareto(table["cpu_ms_1"].to_numpy(), table[kind.column].to_numpy()).astype(int)
    table["verdict"] = ""
    order = table.sort_values(["cross_validated_loss", "network"], kind="stable").index
    best = recommended(table.loc[order])
    if best is not None:
        table["verdict"] = verdicts(found, table["fits"].to_numpy(bool), best, settings.evaluation)
    table = table.loc[order].assign(rank=range(1, len(table) + 1))
    return table.reindex(columns=columns_of(kind)).reset_index(drop=True)


def fits(table: pd.DataFrame, budget: ModelTable) -> pd.Series:
    """Return which networks are within the budget."""
    fast = table["cpu_ms_1"] <= (budget.milliseconds or np.inf)
    return fast & (table["megabytes"] <= (budget.megabytes or np.inf))


def pareto(cost: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Return which points no other beats in one and equals in the other.

    >>> pareto(np.array([1, 2, 3, 3]), np.array([0.5, 0.9, 0.8, 0.9])).tolist()
    [True, True, False, False]
    """
    cheaper, better = cost[None] <= cost[:, None], gain[None] >= gain[:, None]
    strictly = (cost[None] < cost[:, None]) | (gain[None] > gain[:, None])
    return ~np.any(cheaper & better & strictly, axis=1)


def recommended(ordered: pd.DataFrame) -> Any:
    """Return the index of the first network within the budget; None if there is none."""
    within = ordered.index[ordered["fits"] == 1]
    return within[0] if len(within) else None


def verdicts(found: list[Found], within: np.ndarray, best: int, settings: Evaluation) -> list[str]:
    """Return how each network within the budget compares with the recommended one; '' for the others."""
    others = [place for place in range(len(found)) if within[place] and place != best]
    kind = kind_of(found[best].judged)
    outcomes = [kind.outcomes_of(one.judged) for one in found]
    pairs = {one: pair for one in others if (pair := kind.compare(outcomes[best], outcomes[one], settings))}
    p_values = [pair["p_value"] for pair in pairs.values()]
    adjusted = multipletests(p_values, method="holm")[1] if p_values else []
    told = [""] * len(found)
    told[best] = "recommended"
    for (one, pair), p_value in zip(pairs.items(), adjusted, strict=True):
        apart = p_value < round(1 - settings.confidence, 12)
        told[one] = ("better" if pair["difference"] > 0 else "worse") if apart else "not distinguishable"
    return told


def recommendation(table: pd.DataFrame, budget: ModelTable, missing: dict[str, str]) -> list[str]:
    """Say which network to take, which cannot be told from it, and which are missing from the table and why."""
    limits = [f"{budget.milliseconds:g} ms a photo"] * bool(budget.milliseconds)
    limits += [f"{budget.megabytes:g} MB"] * bool(budget.megabytes)
    within = f"Within {' and '.join(limits)}" if limits else f"Of {len(table)} networks"
    if not table["fits"].any():
        near = table.sort_values("cpu_ms_1").iloc[0]
        said = [
            f"{within} there is no network; the fastest is {near['network']}, with {near['cpu_ms_1']:.1f} ms and "
            f"{near['megabytes']:.1f} MB."
        ]
    else:
        said = [best_in_words(table, within)]
    return said + [f"Missing: {name}, since {why}." for name, why in missing.items()]


def best_in_words(table: pd.DataFrame, within: str) -> str:
    """Say which network is recommended, its numbers, and which cannot be told from it."""
    best, kind = table[table["fits"] == 1].iloc[0], kind_of(table)
    right, low, high = (best[name] for name in kind.columns)
    alike = table.loc[table["verdict"] == "not distinguishable", "network"].tolist()
    better = table.loc[table["verdict"] == "better", "network"].tolist()
    rest = f"; cannot be told from it: {', '.join(alike)}" if alike else "; all others are told from it"
    rest = rest if (table["fits"] == 1).sum() > 1 else ""
    rest += f"; {kind.better} on the photos that judge: {', '.join(better)}" if better else ""
    return (
        f"{within}: {best['network']}, by cross-validation on the training photos (log loss "
        f"{best['cross_validated_loss']:.3f}): {kind.name} {right:.3f} ({low:.3f} to {high:.3f}) on "
        f"{best['n']:,} judgements, {best['cpu_ms_1']:.1f} ms a photo on "
        f"{best['threads']:.0f} threads, {best['megabytes']:.1f} MB{rest}."
    )


def best_runs(table: Path, count: int) -> list[str]:
    """Return the runs of the first networks of a table that are within the budget."""
    rows = read_table(table)
    return rows.loc[rows["fits"] == 1, "run"].head(count).tolist()


def finetuned_table(folders: list[Path], probes: pd.DataFrame, settings: Tabulated) -> pd.DataFrame:
    """Return a row per fine-tuned network, in the table's order: its numbers, its probe's, and which is better.

    Args:
        folders: results/runs/NAME of the fine-tuned runs; their probes' runs lie beside them.
        probes: the model table.
        settings: how numbers are judged.
    """
    rows = []
    for folder in folders:
        probe = probes[probes["run"] == folder.name.removesuffix(FINETUNED)].iloc[0]
        evaluation, judged = read_table(folder / "evaluation.csv"), judged_of(folder)
        role = judging_role(evaluation["role"])
        own = evaluation[(evaluation["role"] == role) & (evaluation["fold"].astype(str) == "all")].iloc[-1]
        kind = kind_of(judged)
        before = kind.outcomes_of(judged_of(folder.with_name(probe["run"])))
        pair = kind.compare(before, kind.outcomes_of(judged), settings.evaluation)
        names = ("probe", "fine-tuned")
        said = kind.verdict(pair, pair["p_value"], names, settings.evaluation.confidence) if pair else ""
        row = {"network": probe["network"], f"probe_{kind.column}": probe[kind.column]}
        row |= {"probe_log_loss": probe["log_loss"]}
        row |= {name: own[name] for name in ("n", *kind.columns, "log_loss")}
        rows.append(row | {"cpu_ms_1": probe["cpu_ms_1"], "verdict": said, "run": folder.name})
    return pd.DataFrame(rows)


def judged_of(folder: Path) -> pd.DataFrame:
    """Return the predictions of a run's last stage for the photos that judge it."""
    rows = read_table(folder / "predictions.csv")
    rows = rows[rows["role"] == judging_role(rows["role"])]
    return rows[rows["stage"] == [stage for stage in STAGES if stage in set(rows["stage"])][-1]]
