"""Write the first page of the report: finished runs in, one page of HTML out."""

import argparse
from pathlib import Path

from graft.errors import run_script
from graft.reporting.summary_page import summary_page
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", required=True, nargs="+", type=Path, metavar="FOLDER", help="results/runs/NAME")
    parser.add_argument("--results", required=True, type=Path, metavar="FOLDER", help="where comparison.csv lies")
    parser.add_argument("--output", required=True, type=Path, metavar="HTML", help="the page to write")
    arguments = parser.parse_args(argv)
    with atomic(arguments.output, sealed=True) as part:
        part.write_text(summary_page(arguments.runs, arguments.results), encoding="utf-8")


if __name__ == "__main__":
    run_script(main)
