"""The first page of the report: what was run, on what, how good it is, how sure that is, what it cost, what it missed.

A fragment of HTML with everything in it, so that it opens alone, and inside Snakemake's report, without a network.
"""

import base64
import io
import re
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from graft.config.backbone import BASELINES
from graft.config.hub import PRESET
from graft.judging.outcomes import judging_role
from graft.reporting.summary import optimism_lines
from graft.storage.files import read_json, read_table

DECISION = (
    "Every number is that of the published model: its answers, with its threshold where it has one, and its calibrated "
    "probabilities."
)
WIDTH = 1000  # pixels of a picture, which is shown at half of that; the full one is in the report beside it
ROLES = {"val": "validation", "test": "test", "train": "training"}
STAGES = {"head": "head", "finetuned": "fine-tuned"}
PICTURES = {
    "mistakes": "Its surest mistakes, or its least sure answers",
    "confusion_matrix": "Which class is taken for which",
    "learning_curves": "How it learnt",
}

# Snakemake shows the page in a narrow column beside the rules, and centres it, which would hide the top of a long one.
STYLE = """
.items-center:has(.graft-summary) { align-items: flex-start; }
.items-start:has(.graft-summary) { flex-direction: column; }
.prose:has(.graft-summary) { max-width: 64rem; }
.graft-summary { max-width: 1000px; font-family: "DejaVu Sans", system-ui, sans-serif; font-size: 14px; color: #111; }
.graft-summary h1 { font-size: 22px; margin: 0 0 6px; }
.graft-summary h2 { font-size: 16px; margin: 18px 0 6px; }
.graft-summary p, .graft-summary li { margin: 4px 0; line-height: 1.45; }
.graft-summary table { border-collapse: collapse; margin: 8px 0; }
.graft-summary th, .graft-summary td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid #ccc; }
.graft-summary th { border-bottom: 2px solid #333; }
.graft-summary td { overflow-wrap: anywhere; }
.graft-summary td:first-child { min-width: 6em; }
.graft-summary .pictures { display: grid; grid-template-columns: 1fr 1fr; gap: 0 24px; align-items: start; }
.graft-summary figure { margin: 10px 0 0; }
.graft-summary figcaption { font-weight: bold; color: #111; font-size: 14px; }
.graft-summary img { max-width: 100%; height: auto; margin: 4px 0 0; }
"""

COLUMNS = ("run", "stage", "right", "accuracy", "95% interval", "always one class", "log loss", "calibration error",
           "seconds", "peak memory")  # fmt: skip


def summary_page(runs: list[Path], results: Path) -> str:
    """Return the page of some runs' folders; the comparison of them lies in `results`."""
    records = [read_json(run / "provenance.json") for run in runs]
    judged = pd.concat([judging_rows(read_table(run / "evaluation.csv")) for run in runs], ignore_index=True)
    costs = read_table(results / "comparison.csv")
    best = best_run(judged)
    parts = [
        f"<h1>{escape(heading(records))}</h1>",
        *(f"<p>{escape(sentence)}</p>" for sentence in dict.fromkeys(map(introduction, records))),
        "<h2>How good, how sure, at what cost</h2>",
        table(judged, costs),
        f"<p>{escape(DECISION)}</p>",
        html_list(verdicts(judged, runs, results, best)),
    ]
    parts.append(pictures(results, best, compared=len(runs) > 1))
    parts.append("<p>Every figure and table is in the list at the left, by run; each says how to read it.</p>")
    body = "\n".join(parts)
    return f'<meta charset="utf-8">\n<style>{STYLE}</style>\n<article class="graft-summary">\n{body}\n</article>\n'


def judging_rows(evaluation: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that judge a run: all folds pooled, of the role that judges it."""
    role = judging_role(evaluation["role"])
    return evaluation[(evaluation["role"] == role) & (evaluation["fold"].astype(str) == "all")]


def best_run(judged: pd.DataFrame) -> str:
    """Return the run whose last stage is most accurate; of equals the first.

    >>> best_run(pd.DataFrame({"run": ["a", "a", "b"], "accuracy": [0.9, 0.7, 0.8]}))
    'b'
    """
    last = judged.drop_duplicates("run", keep="last")
    return last["run"].iloc[int(last["accuracy"].to_numpy().argmax())]


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
        f"{len(classes)} classes ({listed})."
    )


def table(judged: pd.DataFrame, costs: pd.DataFrame) -> str:
    """Return a row per run and stage, with the cost of getting there."""
    costs = costs[costs["kind"] == "run"].set_index(["run", "stage"])
    rows = ["".join(f"<th>{name}</th>" for name in COLUMNS)]
    for row in judged.to_dict("records"):
        cost = costs.loc[(row["run"], row["stage"])]
        rows.append("".join(f"<td>{breakable(cell)}</td>" for cell in cells(row, cost)))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def breakable(cell: str) -> str:
    """Return a cell as HTML that breaks a long name after a dot or an underscore.

    >>> breakable("probe_untrained <1>")
    'probe_<wbr>untrained &lt;1&gt;'
    """
    return re.sub(r"(?<=[._])(?=[A-Za-z])", "<wbr>", escape(cell))


def cells(row: Mapping[Any, Any], cost: pd.Series) -> list[str]:
    """Return a row's cells, in the order of `COLUMNS`."""
    return [
        row["run"],
        STAGES[row["stage"]],
        f"{row['correct']:,} of {row['n']:,} {ROLES[row['role']]} photos",
        number(row["accuracy"], ".3f"),
        f"{number(row['accuracy_low'], '.3f')} to {number(row['accuracy_high'], '.3f')}",
        number(row["baseline"], ".3f"),
        number(row["log_loss"], ".3f"),
        number(row["ece"], ".3f"),
        number(cost["seconds"], ",.0f"),
        number(cost["peak_memory_mb"], ",.0f", " MB"),
    ]


def number(value: float, form: str, unit: str = "") -> str:
    """Return a number in words; a dash where it is not defined or was not measured.

    >>> number(1234.5, ",.0f", " MB"), number(float("nan"), ".3f")
    ('1,234 MB', '–')
    """
    return "–" if pd.isna(value) else f"{value:{form}}{unit}"


def verdicts(judged: pd.DataFrame, runs: list[Path], results: Path, best: str) -> list[str]:
    """Return sentences: whether each stage beats the baseline, fine-tuning the head, the best run others; all notes."""
    sentences = [f"{row['run']}, {STAGES[row['stage']]}: {row['verdict']}" for row in judged.to_dict("records")]
    for run in runs:
        pairs = read_table(run / "significance.csv")
        pairs = pairs[pairs["role"] == judged.loc[judged["run"] == run.name, "role"].iloc[0]]
        sentences += [f"{run.name}, fine-tuned against head: {verdict}" for verdict in pairs["verdict"]]
    between = read_table(results / "comparison_significance.csv")
    between = between[(between["first"] == best) | (between["second"] == best)]
    sentences += [f"{row['first']} and {row['second']}: {row['verdict']}" for row in between.to_dict("records")]
    notes = [note for text in judged["note"].dropna() for note in text.split("; ") if note]
    return [*sentences, *optimism_lines(judged), *dict.fromkeys(notes)]


def html_list(sentences: list[str]) -> str:
    """Return sentences as a list."""
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def pictures(results: Path, best: str, compared: bool) -> str:
    """Return the most telling pictures in two columns: the best run's mistakes, and beside them the rest."""
    folder = results / "runs" / best / "figures"
    shown = [picture(folder / f"{name}.png", f"{title}: {best}") for name, title in PICTURES.items()]
    if compared:
        shown.insert(1, picture(results / "comparison.png", "Accuracy of every run"))
    return f'<div class="pictures"><div>{shown[0]}</div><div>{"".join(shown[1:])}</div></div>'


def picture(path: Path, title: str) -> str:
    """Return a picture and its title, made small, in the page itself: as PNG or JPEG, whichever is shorter."""
    with Image.open(path) as image:
        small = image.convert("RGB")
    small.thumbnail((WIDTH, 4 * WIDTH))
    kind, data = min((encoded(small, kind) for kind in ("png", "jpeg")), key=lambda one: len(one[1]))
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<figure><figcaption>{escape(title)}</figcaption><img alt="{escape(title)}" src="{source}"></figure>'


def encoded(image: Image.Image, kind: str) -> tuple[str, bytes]:
    """Return a format's name and the bytes of an image in it."""
    stream = io.BytesIO()
    image.save(stream, kind, quality=85)
    return kind, stream.getvalue()
