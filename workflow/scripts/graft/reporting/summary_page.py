"""The first page of the report: which run is best and whether that is sure, then every run's numbers, then pictures.

A fragment of HTML with everything in it, so that it opens alone, and inside Snakemake's report, without a network.
"""

import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from graft.config.backbone import BASELINES
from graft.config.hub import PRESET
from graft.judging.multilabel_outcomes import is_table_of_sets
from graft.judging.outcomes import judging_role
from graft.reporting import multilabel_page
from graft.reporting.summary_best import Best, best_of, lead
from graft.reporting.summary_pictures import PICTURES, pictures
from graft.reporting.text import ROLES, STAGES, number, remarks_on
from graft.storage.files import read_json, read_table

DECISION = (
    "Every number is that of the published model: its answers, with its threshold where it has one, and its calibrated "
    "probabilities."
)

HEAD = '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">'
# Snakemake shows the page in a narrow column beside the rules, and centres it, which would hide the top of a long one.
STYLE = """
.items-center:has(.graft-summary) { align-items: flex-start; }
.items-start:has(.graft-summary) { flex-direction: column; }
.prose:has(.graft-summary) { max-width: 64rem; }
.graft-summary { max-width: 1000px; font-family: "DejaVu Sans", system-ui, sans-serif; font-size: 14px; color: #111; }
.graft-summary h1 { font-size: 22px; margin: 0 0 6px; }
.graft-summary h2 { font-size: 16px; margin: 18px 0 6px; }
.graft-summary p { margin: 4px 0; line-height: 1.45; overflow-wrap: anywhere; }
.graft-summary .lead { font-size: 16px; }
.graft-summary .scroll { overflow-x: auto; }
.graft-summary table { border-collapse: collapse; margin: 8px 0; }
.graft-summary th, .graft-summary td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; }
.graft-summary th, .graft-summary td { border-bottom: 1px solid #ccc; }
.graft-summary th { border-bottom: 2px solid #333; }
.graft-summary td { overflow-wrap: break-word; }
.graft-summary td:nth-child(n+5) { white-space: nowrap; }
.graft-summary td.exports { white-space: normal; min-width: 14em; }
.graft-summary td:first-child, .graft-summary td:nth-child(3) { min-width: 7em; }
.graft-summary td:nth-child(4) { min-width: 15em; }
.graft-summary small { display: block; color: #444; max-width: 40em; font-size: 12.5px; }
.graft-summary .best td { background: #eaf3fa; }
.graft-summary summary { cursor: pointer; padding: 4px 0; font-weight: bold; }
.graft-summary figure { margin: 10px 0 0; }
.graft-summary figcaption { font-weight: bold; color: #111; font-size: 14px; }
.graft-summary img { max-width: 100%; height: auto; margin: 4px 0 0; }
"""

COLUMNS = ("run", "stage", "right", "accuracy, 95% interval", "log loss", "calibration error", "seconds", "peak memory")


def summary_page(runs: list[Path], results: Path) -> str:
    """Return the page of some runs' folders; the comparison of them lies in `results`."""
    records = [read_json(run / "provenance.json") for run in runs]
    judged = pd.concat([judging_rows(read_table(run / "evaluation.csv")) for run in runs], ignore_index=True)
    best = best_of(judged, read_table(results / "comparison_significance.csv"))
    sets = is_table_of_sets(judged)
    shown = multilabel_page.PICTURES if sets else PICTURES
    headline = "Mean average precision" if sets else "Accuracy"
    parts = [
        f"<h1>{escape(heading(records))}</h1>",
        *(f'<p class="lead">{escape(sentence)}</p>' for sentence in lead(best)),
        "<h2>Every run</h2>",
        table(judged, read_table(results / "comparison.csv"), stage_verdicts(runs), best),
        f"<p>{escape(multilabel_page.DECISION if sets else ' '.join([*always_one_class(judged), DECISION]))}</p>",
        pictures(results, [run.name for run in runs], best.run, shown, headline),
        "<h2>What was run</h2>",
        *(f"<p>{escape(sentence)}</p>" for sentence in dict.fromkeys(map(introduction, records))),
        "<p>Every figure and table is in the list beside this page, by run; each says how to read it. The answers for"
        " every photo would be too long for it: they are in results/runs/NAME/predictions.csv.</p>",
    ]
    body = "\n".join(parts)
    return f'{HEAD}\n<style>{STYLE}</style>\n<article class="graft-summary">\n{body}\n</article>\n'


def judging_rows(evaluation: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that judge a run: all folds pooled, of the role that judges it."""
    role = judging_role(evaluation["role"])
    return evaluation[(evaluation["role"] == role) & (evaluation["fold"].astype(str) == "all")]


def heading(records: list[dict[str, Any]]) -> str:
    """Return the page's title.

    >>> heading([{"dataset": "urban_rural"}])
    '1 run on urban_rural'
    """
    datasets = ", ".join(dict.fromkeys(record["dataset"] for record in records))
    return f"{len(records)} run{'s' * (len(records) > 1)} on {datasets}"


def introduction(record: dict[str, Any]) -> str:
    """Say what one run was: network, recipe, data."""
    experiment = record["config"]["experiments"][record["experiment"]]
    backbone, data = experiment["backbone"], record["data"]
    width = f" (alpha {backbone['alpha']:g})" if backbone.get("alpha", 1) != 1 else ""
    named = {"none": "random weights", "imagenet": "ImageNet weights", "textures": "weights from drawn textures"}
    named |= {PRESET: "KerasHub's weights"}
    weights = named.get(backbone["weights"], f"weights {backbone['weights']}")
    if backbone["name"] in BASELINES:
        weights = "no weights"
    classes = data["classes"]
    listed = ", ".join(classes[:6]) + (", and more" if len(classes) > 6 else "")
    return (
        f"{record['run']}: {backbone['name']}{width} with {weights} at {backbone['size']} pixels, "
        f"recipe {experiment['recipe']}, seed {record['seed']}; {data['photos']:,} photos of "
        f"{len(classes)} {'labels, several a photo' if head_of(experiment) == 'sigmoid' else 'classes'} ({listed})."
    )


def head_of(experiment: dict[str, Any]) -> str:
    """Return what a run's head puts out, as its recipe says; '' where that is not recorded."""
    return ((experiment.get("override") or {}).get("head") or {}).get("output", "")


def stage_verdicts(runs: list[Path]) -> dict[tuple[str, str], str]:
    """Return whether fine-tuning did better than the head, by run and role."""
    pairs = pd.concat([read_table(run / "significance.csv") for run in runs], ignore_index=True)
    return {(row["run"], row["role"]): f"against its head: {row['verdict']}" for row in pairs.to_dict("records")}


def always_one_class(judged: pd.DataFrame) -> list[str]:
    """Return a sentence with the accuracy of always giving the most frequent class, where all runs have the same."""
    shares = {number(share, ".3f") for share in judged["baseline"]}
    return [f"Always giving the most frequent class would be right on {shares.pop()}."] if len(shares) == 1 else []


def table(judged: pd.DataFrame, costs: pd.DataFrame, verdicts: dict[tuple[str, str], str], best: Best) -> str:
    """Return a row per run and stage, most accurate runs first, with the cost of getting there and its caveats."""
    costs = costs[costs["kind"] == "run"].set_index(["run", "stage"])
    columns: tuple[str, ...] = multilabel_page.COLUMNS if is_table_of_sets(judged) else COLUMNS
    columns += ("exports",) if "exports" in costs else ()
    rows = ["<tr>" + "".join(f"<th>{name}</th>" for name in columns) + "</tr>"]
    for run in best.order:
        for row in judged[judged["run"] == run].to_dict("records"):
            verdict = verdicts.get((run, row["role"]), "") if row["stage"] != "head" else ""
            written = "".join(cells(row, costs.loc[(run, row["stage"])], verdict))
            rows.append(f"<tr{' class=best' if run == best.run else ''}>{written}</tr>")
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'


def cells(row: Mapping[Any, Any], cost: pd.Series, verdict: str) -> list[str]:
    """Return a row's cells as HTML, in the order of `COLUMNS`; what a number does not show stands beneath it."""
    several = multilabel_page.HEADLINE in row  # labels a photo
    name = multilabel_page.HEADLINE if several else "accuracy"
    accuracy = f"<strong>{number(row[name], '.3f')}</strong>, {number(row[f'{name}_low'], '.3f')} to "
    accuracy += number(row[f"{name}_high"], ".3f")
    remarks = "".join(f"<small>{escape(remark)}</small>" for remark in [*caveats(row), verdict] if remark)
    plain = [
        *(number(row[one], ".3f") for one in (multilabel_page.MORE if several else ())),
        number(row["log_loss"], ".3f"),
        number(row["ece"], ".3f"),
        number(cost["seconds"], ",.0f"),
        number(cost["peak_memory_mb"], ",.0f", " MB"),
    ]
    exports = [f"<td class=exports>{escape(cost['exports'])}</td>"] if "exports" in cost else []
    right = row["right_sets"] if "right_sets" in row else row["correct"]
    return [
        f"<td>{breakable(row['run'])}</td>",
        f"<td>{STAGES[row['stage']]}</td>",
        f"<td>{right:,} of {row['n']:,} {ROLES[row['role']]} photos</td>",
        f"<td>{accuracy}{remarks}</td>",
        *(f"<td>{cell}</td>" for cell in plain),
        *exports,
    ]


def caveats(row: Mapping[Any, Any]) -> list[str]:
    """Return what a reader of a row's numbers must know: what flatters it, and that it is no better than a guess."""
    remarks = remarks_on(row)
    if row["chose_n"]:
        if multilabel_page.HEADLINE in row:
            right = multilabel_page.on_those_that_chose(row)
        else:
            right = f"{row['chose_accuracy']:.3f} of the {row['chose_n']} photos that chose were right"
        remarks.append(f"{right}: optimism {row['optimism']:+.3f}")
    return remarks


def breakable(cell: str) -> str:
    """Return a cell as HTML that breaks a long name after a dot or an underscore.

    >>> breakable("probe_untrained <1>")
    'probe_<wbr>untrained &lt;1&gt;'
    """
    return re.sub(r"(?<=[._])(?=[A-Za-z])", "<wbr>", escape(cell))
