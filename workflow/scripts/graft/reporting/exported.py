"""A run's exports told in its model card, and among all runs: what each says against the model, its size, its speed."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

HEADER = """\
| file | runtime | {right} | flipped | largest difference | MB | ms, 1 photo | ms, 32 photos |
|---|---|---|---|---|---|---|---|"""


MAKING = "## How it was made\n"  # of a card, before which its exports stand


def in_card(card: str, exports: pd.DataFrame, several: bool = False) -> str:
    """Return a model card with the section about exports, before it says how the model was made.

    >>> "## Exports" in in_card("# mine", pd.DataFrame(columns=["export"]))
    False
    """
    if exports.empty or "\n## Exports\n" in card:
        return card
    before, made, after = card.partition(MAKING)
    return f"{before.rstrip()}\n\n{section(exports, several)}\n{made}{after}"


def in_comparison(table: pd.DataFrame, exports: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return comparison.csv with a column `exports`, in the rows of the stage whose model was published.

    Args:
        table: what comparison.csv holds, stages in their order.
        exports: what exports.csv holds, by run, of the runs that have any; without any there is no column.
    """
    if not exports:
        return table
    last = ~table["run"].duplicated(keep="last") & (table["kind"] == "run")
    told = {run: in_short(rows) for run, rows in exports.items()}
    return table.assign(exports=table["run"].map(told).where(last).fillna(""))


def section(exports: pd.DataFrame, several: bool = False) -> str:
    """Return the section of a card about exports.

    Args:
        exports: what exports.csv holds, a row an export.
        several: whether photos have several labels, so that an answer is a set of them.
    """
    first = exports.iloc[0]
    lines = [
        "## Exports",
        "",
        "Each takes RGB photos, uint8, 0 to 255, and gives calibrated probabilities: preprocessing and temperature are"
        f" inside, {'labels and their thresholds' if several else 'classes and threshold'} in its metadata.",
        f"Each was asked again about the {first['photos']} photos that judged the model, in its own runtime: how many"
        " answers flipped, and how far a probability lies from the model's at most;"
        f" milliseconds are of {some_threads(first['threads'])}, and Keras beside it in the same process.",
        "",
        HEADER.format(right="sets of labels right" if several else "accuracy"),
        f"| model.keras | Keras | {first['model_accuracy']:.3f} | | | {first['model_megabytes']:.2f} |"
        f" {exports['keras_ms_batch_1'].median():.1f} | {exports['keras_ms_batch_32'].median():.1f} |",
        *(row_of(row) for row in exports.to_dict("records")),
        "",
    ]
    if "onnx" in exports["export"].str.partition("-")[0].to_numpy():
        lines += [
            "`python exports/onnx/predict.py PHOTOS` prints a line a photo; it needs NumPy, Pillow and onnxruntime"
            " (`pip install --require-hashes -r exports/onnx/requirements.txt`), and neither Graft nor TensorFlow.",
            "",
        ]
    return "\n".join(lines)


def in_short(exports: pd.DataFrame) -> str:
    """Return exports in a cell of a table, such as that of all runs.

    >>> in_short(pd.DataFrame({"export": ["onnx", "onnx-int8"], "flipped": [0, 2], "photos": [20, 20]}))
    'onnx (0 of 20 answers flipped), onnx-int8 (2 of 20)'
    """
    cells = [f"{row['export']} ({row['flipped']} of {row['photos']}" for row in exports.to_dict("records")]
    return ", ".join([f"{cells[0]} answers flipped)", *(f"{cell})" for cell in cells[1:])])


def row_of(row: Mapping[Any, Any]) -> str:
    """Return an export's row of the table."""
    return (
        f"| exports/{row['export']} | {row['runtime']} | {row['accuracy']:.3f} | {row['flipped']} of {row['photos']} |"
        f" {row['largest_difference']:.1g} | {row['megabytes']:.2f} | {row['ms_batch_1']:.1f} |"
        f" {row['ms_batch_32']:.1f} |"
    )


def some_threads(n: int) -> str:
    """Return a number of threads in words.

    >>> some_threads(1), some_threads(2)
    ('1 thread', '2 threads')
    """
    return f"{n} thread{'' if n == 1 else 's'}"
