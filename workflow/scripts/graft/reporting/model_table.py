"""The model table for readers: a page of the report, and a table for a paper."""

import base64
from collections.abc import Callable
from html import escape
from pathlib import Path

import pandas as pd

from graft.judging.kinds import kind_of
from graft.judging.multilabel_outcomes import is_table_of_sets

SOURCE = (
    "Published figures are ImageNet's, of the whole network with its top, as Keras's documentation gives them; "
    "its milliseconds are of batches of 32, on 92 cores of an AMD EPYC and on an A100."
)
STYLE = """
.graft-networks { max-width: 1200px; font-family: "DejaVu Sans", system-ui, sans-serif; font-size: 13px; color: #111; }
.graft-networks table { border-collapse: collapse; margin: 8px 0; }
.graft-networks th, .graft-networks td { text-align: right; padding: 3px 8px; border-bottom: 1px solid #ccc; }
.graft-networks th:first-child, .graft-networks td:first-child { text-align: left; }
.graft-networks tr.recommended { font-weight: bold; }
.graft-networks tr.beyond { color: #777; }
.graft-networks img { max-width: 100%; height: auto; }
"""

Column = tuple[str, str, Callable[[pd.Series], str]]


def number(name: str, form: str, scale: float = 1.0) -> Callable[[pd.Series], str]:
    """Return what writes a column's number; a dash where there is none."""
    return lambda row: "–" if pd.isna(row[name]) else f"{row[name] * scale:{form}}"


def interval(name: str) -> Callable[[pd.Series], str]:
    """Return what writes a number's interval."""
    return lambda row: f"{row[f'{name}_low']:.3f}–{row[f'{name}_high']:.3f}"


# Heading of the page, heading in LaTeX, what writes a cell.
ALL: list[Column] = [
    ("network", "Network", lambda row: row["network"]),
    ("pixels", "Pixels", number("size", ".0f")),
    ("accuracy", "Accuracy", number("accuracy", ".3f")),
    ("interval", "Interval", interval("accuracy")),
    ("balanced", "Balanced", number("balanced_accuracy", ".3f")),
    ("log loss", "Log loss", number("log_loss", ".3f")),
    ("million weights", "Weights/M", number("parameters", ".1f", 1e-6)),
    ("MB", "MB", number("megabytes", ".1f")),
    ("layers with weights", "Layers", number("depth", ".0f")),
    ("ms a photo", "ms", number("cpu_ms_1", ".1f")),
    ("ms, batch 32", "ms (32)", number("cpu_ms_32", ".1f")),
    ("GPU ms", "GPU ms", number("gpu_ms_1", ".2f")),
    ("GPU ms, batch 32", "GPU ms (32)", number("gpu_ms_32", ".2f")),
    ("peak MB", "Peak MB", number("peak_memory_mb", ".0f")),
    ("s to embed", "Embed s", number("embed_seconds", ".1f")),
    ("published top-1", "ImageNet top-1", number("published_top1", ".3f")),
    ("published top-5", "top-5", number("published_top5", ".3f")),
    ("published MB", "MB", number("published_megabytes", ".0f")),
    ("published million weights", "Weights/M", number("published_parameters_millions", ".1f")),
    ("published depth", "Depth", number("published_depth", ".0f")),
    ("published CPU ms", "CPU ms", number("published_cpu_ms", ".1f")),
    ("published GPU ms", "GPU ms", number("published_gpu_ms", ".1f")),
]
IN_LATEX = ("network", "pixels", "accuracy", "mAP", "interval", "log loss", "million weights", "MB", "ms a photo",
            "ms, batch 32", "GPU ms", "published top-1")  # fmt: skip


OF_SEVERAL_LABELS: dict[str, Column] = {  # in the place of a column of `ALL`
    "accuracy": ("mAP", "mAP", number("mean_average_precision", ".3f")),
    "interval": ("interval", "Interval", interval("mean_average_precision")),
    "balanced": ("macro F1", "Macro F1", number("macro_f1", ".3f")),
}


def columns_for(table: pd.DataFrame) -> list[Column]:
    """Return the columns worth showing: without those of a GPU where none was there."""
    instead = OF_SEVERAL_LABELS if is_table_of_sets(table) else {}
    shown = [instead.get(one[0], one) for one in ALL]
    return [one for one in shown if table["gpu_ms_1"].notna().any() or not one[0].startswith("GPU")]


def page(table: pd.DataFrame, said: list[str], figure: Path) -> str:
    """Return the page: what to take, the figure, every network, how it was measured."""
    shown = columns_for(table)
    head = "".join(f"<th>{escape(heading)}</th>" for heading, _, _ in shown)
    rows = []
    for _, row in table.iterrows():
        kind = "recommended" if row["verdict"] == "recommended" else "" if row["fits"] else "beyond"
        cells = "".join(f"<td>{escape(write(row))}</td>" for _, _, write in shown)
        rows.append(f'<tr class="{kind}">{cells}</tr>')
    name = kind_of(table).name
    source = base64.b64encode(figure.read_bytes()).decode()
    parts = [
        "<h1>Which network?</h1>",
        *(f"<p>{escape(sentence)}</p>" for sentence in said),
        f'<img alt="{name} against milliseconds" src="data:image/png;base64,{source}">',
        f"<table><tr>{head}</tr>{''.join(rows)}</table>",
        f"<p>{escape(measured(table))} {escape(SOURCE)}</p>",
    ]
    body = "\n".join(parts)
    return f'<meta charset="utf-8">\n<style>{STYLE}</style>\n<article class="graft-networks">\n{body}\n</article>\n'


def measured(table: pd.DataFrame) -> str:
    """Say how the numbers were made."""
    first = table.iloc[0]
    gpu = f", and on {first['gpu']}" if first["gpu"] else ""
    return (
        "Each network is frozen, and a cross-validated logistic regression is trained on its features. The order is "
        f"that of its log loss on the training photos; {kind_of(table).name} is that of photos that chose nothing. "
        f"Milliseconds are medians of repeats in float32, from pixels to features, on {first['processor']} with "
        f"{first['threads']:.0f} threads{gpu}. Peak memory includes Python and Keras. Seconds to embed are "
        "those of the whole job."
    )


def latex(table: pd.DataFrame, said: list[str]) -> str:
    """Return a table for a paper; it needs the package booktabs."""
    shown = [one for one in columns_for(table) if one[0] in IN_LATEX]
    lines = [" & ".join(in_latex(write(row)) for _, _, write in shown) + r" \\" for _, row in table.iterrows()]
    return "\n".join(
        [
            *(f"% {sentence}" for sentence in said),
            rf"\begin{{tabular}}{{l{'r' * (len(shown) - 1)}}}",
            r"\toprule",
            " & ".join(in_latex(heading) for _, heading, _ in shown) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def in_latex(text: str) -> str:
    r"""Return text with the characters escaped that LaTeX would take for its own.

    >>> in_latex("a_b – 5%")
    'a\\_b -- 5\\%'
    """
    for letter in "&%$#_{}":
        text = text.replace(letter, rf"\{letter}")
    return text.replace("–", "--")
