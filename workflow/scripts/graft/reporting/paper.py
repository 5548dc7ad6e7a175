"""What a paper needs of finished runs: a LaTeX table, a figure at column width, a paragraph of methods, and references.

Every number is taken from the tables of the runs, and nothing is computed anew.
"""

import re
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from graft.errors import UserError
from graft.figures import style
from graft.judging.outcomes import judging_role
from graft.reporting import references
from graft.reporting.summary import runs_of
from graft.storage.files import read_json, read_table

COLUMN_INCHES = 3.35  # the width of a column in the common two-column formats
FILES = ("results.tex", "accuracy.pdf", "methods.tex", "references.bib")
SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {sign: f"\\{sign}" for sign in "&%$#_{}"}


def write_paper(results: Path, folder: Path) -> None:
    """Write the files of a paper about every run that was compared.

    Args:
        results: the folder that a job filled.
        folder: an empty folder.

    Raises: UserError if no run is finished.
    """
    runs = runs_of(results)
    if not runs:
        raise UserError(f"no run has been evaluated in {results} yet; run the job first")
    rows = judged_rows(runs)
    records = [read_json(run / "provenance.json") for run in runs]
    confidence = records[0]["config"].get("evaluation", {}).get("confidence", 0.95)
    path = results / "comparison_significance.csv"
    best = told_best(rows, read_table(path) if path.is_file() else pd.DataFrame(), round(1 - confidence, 12))
    (folder / "results.tex").write_text(table(rows, best, confidence), encoding="utf-8")
    (folder / "methods.tex").write_text(methods(records, confidence), encoding="utf-8")
    (folder / "references.bib").write_text(references.bibliography(cited(records)), encoding="utf-8")
    draw(rows, folder / "accuracy.pdf")


def judged_rows(runs: list[Path]) -> pd.DataFrame:
    """Return a row for each run: its last stage, on the photos that judge, all folds pooled."""
    rows = []
    for run in runs:
        evaluation = read_table(run / "evaluation.csv")
        pooled = evaluation[evaluation["fold"].astype(str) == "all"]
        judged = pooled[pooled["role"] == judging_role(pooled["role"])]
        stage = "finetuned" if "finetuned" in set(judged["stage"]) else "head"
        rows.append(judged[judged["stage"] == stage].iloc[0])
    return pd.DataFrame(rows).reset_index(drop=True)


def told_best(rows: pd.DataFrame, pairs: pd.DataFrame, level: float) -> str:
    """Return the run that is better than each other one, by p-values corrected for their number; else nothing.

    Args:
        rows: of `judged_rows`.
        pairs: comparison_significance.csv.
        level: below which a corrected p-value counts.
    """
    if len(rows) < 2 or pairs.empty:
        return ""
    best = str(rows["run"].iloc[int(rows["accuracy"].to_numpy().argmax())])
    beaten = set()
    for pair in pairs[pairs["p_adjusted"] < level].to_dict("records"):
        better, worse = ("first", "second") if pair["first_accuracy"] > pair["second_accuracy"] else ("second", "first")
        if pair[better] == best:
            beaten.add(pair[worse])
    return best if beaten >= set(rows["run"]) - {best} else ""


def table(rows: pd.DataFrame, best: str, confidence: float) -> str:
    """Return a LaTeX table (booktabs) of the runs; the best in bold where it can be told."""
    lines = [
        r"\begin{tabular}{lrlrr}",
        r"\toprule",
        rf"Run & Photos & Accuracy ({percent(confidence)} interval) & Balanced & Log loss \\",
        r"\midrule",
    ]
    for row in rows.to_dict("records"):
        accuracy = f"{row['accuracy']:.3f}"
        accuracy = rf"\textbf{{{accuracy}}}" if row["run"] == best else accuracy
        interval = f"({row['accuracy_low']:.3f} to {row['accuracy_high']:.3f})"
        cells = [latex(row["run"]), str(row["photos"]), f"{accuracy} {interval}", number(row["balanced_accuracy"])]
        lines.append(" & ".join([*cells, number(row["log_loss"])]) + r" \\")
    note = "" if best or len(rows) < 2 else "% No run is in bold: none is told apart from every other.\n"
    return "% Needs \\usepackage{booktabs}.\n" + note + "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def number(value: float) -> str:
    """Return a number of three decimals, or a dash where there is none."""
    return "--" if pd.isna(value) else f"{value:.3f}"


def percent(share: float) -> str:
    r"""Return a share as LaTeX shows a percentage.

    >>> percent(0.95)
    '95\\%'
    """
    return rf"{100 * share:g}\%"


def latex(text: str) -> str:
    r"""Return text that LaTeX shows as it is.

    >>> latex("graft_folds 50%")
    'graft\\_folds 50\\%'
    """
    return "".join(SPECIAL.get(sign, sign) for sign in text)


def methods(records: list[dict[str, Any]], confidence: float) -> str:
    """Return a paragraph on how the runs were made, from their provenance, with citations."""
    sentences = [run_sentence(record) for record in records]
    packages, code = records[0]["packages"], records[0]["code"]
    tools = ", ".join(
        rf"{shown} {latex(packages[name])}~\cite{{{key}}}"
        for name, shown, key in (
            ("keras", "Keras", "keras"),
            ("tensorflow-cpu", "TensorFlow", "tensorflow"),
            ("tensorflow", "TensorFlow", "tensorflow"),
            ("snakemake", "Snakemake", "snakemake"),
        )
        if name in packages
    )
    commit = f", commit {code['commit'][:12]}" if code["commit"] else ""
    sentences += [
        rf"Accuracies have Wilson's {percent(confidence)} interval~\cite{{wilson}}, widened where photos come in "
        "groups.",
        r"Runs on the same photos are compared by McNemar's exact test~\cite{mcnemar}, or, where photos come in "
        "groups, by flipping the signs of whole groups; p-values are corrected for their number after "
        r"Holm~\cite{holm}.",
        f"Graft{commit}, ran with {tools}.",
    ]
    return "\n".join(sentences) + "\n"


def run_sentence(record: dict[str, Any]) -> str:
    """Return a sentence on one run: network, recipe, photos, split and seed."""
    experiment = record["config"]["experiments"][record["experiment"]]
    backbone = experiment["backbone"]
    split = record["config"]["datasets"][record["dataset"]]["split"]["method"]
    folds = len({name.split()[0] for name in record["data"]["roles"]})
    how = f"in {folds} folds" if folds > 1 else f"split once ({split})"
    cite = references.network(backbone["name"])
    weights = weights_of(backbone["weights"])
    return (
        f"Run {latex(record['run'])} grafts a head on {latex(backbone['name'])}"
        + (rf"~\cite{{{cite}}}" if cite else "")
        + f" ({weights}, {backbone['size']} pixels) by the recipe {latex(str(experiment['recipe']))}, on "
        f"{record['data']['photos']} photos of {len(record['data']['classes'])} classes, {how}, seed {record['seed']}."
    )


def weights_of(weights: str) -> str:
    r"""Return what is said of a backbone's weights.

    >>> weights_of("none"), weights_of("imagenet")
    ('random weights', 'weights: imagenet~\\cite{imagenet}')
    """
    if weights == "none":
        return "random weights"
    return f"weights: {latex(Path(weights).name)}" + (r"~\cite{imagenet}" if weights == "imagenet" else "")


def cited(records: list[dict[str, Any]]) -> list[str]:
    """Return the keys that the paragraph of methods cites, in order."""
    return list(dict.fromkeys(re.findall(r"\\cite\{(\w+)\}", methods(records, 0.95))))


def draw(rows: pd.DataFrame, path: Path) -> None:
    """Draw every run's accuracy with its interval, at the width of a column, fonts embedded."""
    figure = style.canvas(COLUMN_INCHES, 0.7 + 0.25 * len(rows), rows["run"])
    axes = figure.add_subplot()
    for place, row in enumerate(rows.to_dict("records")):
        axes.plot([row["accuracy_low"], row["accuracy_high"]], [place, place], color=style.RIGHT, linewidth=1.2)
        axes.plot(row["accuracy"], place, "o", color=style.RIGHT, markersize=4)
    axes.set_yticks(range(len(rows)), rows["run"], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("accuracy", fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    with matplotlib.rc_context({"savefig.bbox": "standard"}):  # not cut to its content: the width counts
        style.save(figure, [path], dpi=300)
