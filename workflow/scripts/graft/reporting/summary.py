"""The results of a job as a few lines of text, for a terminal."""

from pathlib import Path

import pandas as pd

from graft.judging.multilabel_outcomes import is_table_of_sets
from graft.judging.outcomes import judging_role
from graft.reporting import multilabel_summary
from graft.reporting.text import aligned, footnote_signs
from graft.storage.files import read_table

METRICS = {  # of the published model: its answers, and its calibrated probabilities
    "balanced_accuracy": "balanced",
    "macro_f1": "macro F1",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "ece": "calib. error",
}
FIGURES = (".png", ".svg", ".pdf")


def summary(results: Path) -> str:
    """Return what a results folder holds: how good each run is, what differs, what it cost, where to look."""
    runs = runs_of(results)
    if not runs:
        return f"No run has been evaluated in {results} yet."
    tables = [read_table(run / "evaluation.csv") for run in runs]
    parts = [
        lines(pd.concat(of_kind, ignore_index=True))
        for sets, lines in ((False, evaluation_lines), (True, multilabel_summary.evaluation_lines))
        if (of_kind := [table for table in tables if is_table_of_sets(table) == sets])
    ]
    parts += [
        stage_lines(pd.concat([read_table(run / "significance.csv") for run in runs], ignore_index=True)),
        *(pair_lines(read_table(path)) for path in results.glob("comparison_significance.csv")),
        *(cost_lines(read_table(path)) for path in results.glob("comparison.csv")),
        locations(results),
    ]
    return "\n\n".join(filter(None, parts))


def runs_of(results: Path) -> list[Path]:
    """Return the folders of the runs that were compared last, or where none were, of all."""
    folders = sorted(path.parent for path in (results / "runs").glob("*/evaluation.csv"))
    if not (results / "comparison.csv").is_file():
        return folders
    table = read_table(results / "comparison.csv")
    compared = table.loc[table["kind"] == "run", "run"].unique()
    return [results / "runs" / run for run in compared if results / "runs" / run in folders]


def evaluation_lines(table: pd.DataFrame) -> str:
    """Return a line per run and stage on the photos that judge it, and below them what the numbers do not show."""
    pooled = table[table["fold"].astype(str) == "all"]
    rows = [["run", "stage", "photos", "right", "accuracy", "interval", "baseline", *METRICS.values()]]
    notes: dict[str, str] = {}
    for _, judged in pooled.groupby("run", sort=False):
        for row in judged[judged["role"] == judging_role(judged["role"])].to_dict("records"):
            rows.append(
                [
                    row["run"],
                    row["stage"],
                    f"{row['photos']} {row['role']}",
                    f"{row['correct']} of {row['n']}",
                    f"{row['accuracy']:.3f}{footnote_signs(row, notes)}",
                    f"{row['accuracy_low']:.3f}-{row['accuracy_high']:.3f}",
                    f"{row['baseline']:.3f}",
                    *("-" if pd.isna(row[name]) else f"{row[name]:.3f}" for name in METRICS),
                ]
            )
    return "\n".join([aligned(rows), *(f"{mark} {note}" for note, mark in notes.items()), *optimism_lines(pooled)])


def optimism_lines(pooled: pd.DataFrame) -> list[str]:
    """Return a line per run's last stage on photos that chose and, apart from them, photos that judged."""
    last = pooled[pooled["chose_n"] > 0].drop_duplicates("run", keep="last")
    return [
        f"{row['run']}, {row['stage']}: {row['chose_accuracy']:.3f} on the {row['chose_n']} photos that chose,"
        f" {row['accuracy']:.3f} on those that judged: optimism {row['optimism']:+.3f}"
        for row in last.to_dict("records")
    ]


def stage_lines(table: pd.DataFrame) -> str:
    """Return a line per run that says whether fine-tuning did better than its head."""
    judged = (
        table[table["role"] != "train"].sort_values("role", kind="stable").drop_duplicates("run")
    )  # test before val
    return "\n".join(
        f"{row['run']}, {row['second']} against {row['first']}: {row['verdict']}" for row in judged.to_dict("records")
    )


def cost_lines(table: pd.DataFrame) -> str:
    """Return a line per run with what it cost, and for several seeds what they came to."""
    rows = [["run", "stage", "seconds", "peak MB", "device"]]
    for row in table[table["kind"] == "run"].to_dict("records"):
        cost = ["-" if pd.isna(row[name]) else f"{row[name]:.1f}" for name in ("seconds", "peak_memory_mb")]
        rows.append([row["run"], row["stage"], *cost, row["device"]])
    seeds = multilabel_summary.seeds_lines(table) if is_table_of_sets(table) else seeds_lines(table)
    return "\n".join([aligned(rows), *seeds])


def seeds_lines(table: pd.DataFrame) -> list[str]:
    """Return a line for each stage of an experiment of several seeds: what they came to."""
    return [
        f"{row['run']}, {row['stage']}, {row['seeds']} seeds: accuracy {row['accuracy']:.3f}"
        f" ({row['accuracy_low']:.3f}-{row['accuracy_high']:.3f} over seeds)"
        for row in table[table["kind"] == "seeds"].to_dict("records")
    ]


def pair_lines(table: pd.DataFrame) -> str:
    """Return a line per two runs that judged the same photos."""
    return "\n".join(f"{row['first']} and {row['second']}: {row['verdict']}" for row in table.to_dict("records"))


def locations(results: Path) -> str:
    """Return where the tables, figures and the report lie."""
    figures = [path for path in results.rglob("*") if path.suffix in FIGURES and "figures" in path.parts]
    lines = [f"Tables:  {results / 'comparison.csv'}, {results / 'runs' / '*' / 'evaluation.csv'}"]
    if figures:
        lines.append(f"Figures: {results / 'runs' / '*' / 'figures'} ({len(figures)} files)")
    if (results / "report.html").is_file():
        lines.append(f"Report:  {results / 'report.html'}")
    return "\n".join(lines)
