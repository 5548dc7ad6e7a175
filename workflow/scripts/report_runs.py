"""Finished runs and their comparison in; the figures that compare them and the report's first page out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.figures import Figures
from graft.errors import run_script
from graft.figures import comparison, cost, style
from graft.reporting.summary_page import summary_page
from graft.storage.files import atomic, read_table

DRAWN = {"comparison": comparison.draw, "cost": cost.draw}


def main(argv: list[str] | None = None) -> None:
    """Draw each figure in every format asked for, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", type=Path, metavar="FOLDER", help="results/runs/NAME")
    parser.add_argument("--results", required=True, type=Path, metavar="FOLDER", help="where comparison.csv lies")
    parser.add_argument("--settings", default="{}", help="JSON of Figures")
    parser.add_argument("--figures", required=True, nargs="+", type=Path, help="comparison.png, cost.png, and copies")
    parser.add_argument("--summary", required=True, type=Path, metavar="HTML", help="the page to write")
    arguments = parser.parse_args(argv)
    settings = parse(Figures, json.loads(arguments.settings), "figures")
    table = read_table(arguments.results / "comparison.csv")
    for name, draw in DRAWN.items():
        style.save(
            draw(table, comparison.measure_of(table)),
            [path for path in arguments.figures if path.stem == name],
            settings.dpi,
        )
    with atomic(arguments.summary, sealed=True) as part:
        part.write_text(summary_page(arguments.runs, arguments.results), encoding="utf-8")
    print(f"report_runs: {len(arguments.runs)} runs: {arguments.summary}")


if __name__ == "__main__":
    run_script(main)
