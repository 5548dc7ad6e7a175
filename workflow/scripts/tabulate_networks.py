"""Probes and timings of many networks in; the model table, its figure, its page, and which to take, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.model_table import Tabulated
from graft.errors import run_script
from graft.figures import model_table as figure
from graft.figures.style import save
from graft.judging import model_table
from graft.reporting import model_table as reporting
from graft.storage.files import atomic, write_table


def main(argv: list[str] | None = None) -> None:
    """Read what is there of every network, compare, draw, write, recommend."""
    arguments = parse_arguments(argv)
    settings = parse(Tabulated, json.loads(arguments.settings), "model_table")
    labels = model_table.labels_of(settings.networks)
    found = []
    for path, timing, embedded in zip(arguments.evaluations, arguments.timings, arguments.embedded, strict=True):
        run = path.parent.name
        found.append(model_table.read_network(path.parent, timing, Path(embedded), labels[run], settings.networks[run]))
    missing = {labels[run]: why for run, why in json.loads(arguments.missing).items()}
    table = model_table.table_of(found, settings)
    said = model_table.recommendation(table, settings.table, missing)

    write_table(table, arguments.table)
    save(figure.draw(table, settings.table), [arguments.figure], dpi=150)
    with atomic(arguments.latex) as part:
        part.write_text(reporting.latex(table, said), encoding="utf-8")
    with atomic(arguments.recommendation) as part:
        part.write_text("\n".join(said) + "\n", encoding="utf-8")
    with atomic(arguments.page) as part:
        part.write_text(reporting.page(table, said, arguments.figure), encoding="utf-8")
    for sentence in said:
        print(f"tabulate_networks: {sentence}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="budget, networks, how numbers are judged, as JSON")
    parser.add_argument("--evaluations", nargs="*", type=Path, default=[], help="evaluation.csv of every network's run")
    parser.add_argument(
        "--timings", nargs="*", type=Path, default=[], help="what time_network wrote, in the same order"
    )
    parser.add_argument("--embedded", nargs="*", default=[], help="benchmarks of embed_images, in the same order")
    parser.add_argument("--missing", default="{}", help="JSON: each run without weights, and why")
    parser.add_argument("--table", required=True, type=Path, help="CSV to write")
    parser.add_argument("--figure", required=True, type=Path, help="PNG to write")
    parser.add_argument("--latex", required=True, type=Path, help=".tex file to write")
    parser.add_argument("--page", required=True, type=Path, help="HTML to write")
    parser.add_argument("--recommendation", required=True, type=Path, help="text to write: which network to take")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
