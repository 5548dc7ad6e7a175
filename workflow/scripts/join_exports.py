"""The row of every export of a run, and its model card in; exports.csv, and the card with a section about them, out."""

import argparse
from pathlib import Path

import pandas as pd

from graft.errors import run_script
from graft.reporting import exported
from graft.storage.files import atomic, read_table, write_table


def main(argv: list[str] | None = None) -> None:
    """Read, join, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", required=True, type=Path, nargs="+", help="of export_model, in the order to keep")
    parser.add_argument("--card", required=True, type=Path, help="the run's MODEL_CARD.md")
    parser.add_argument("--several", action="store_true", help="photos have several labels, an answer is a set of them")
    parser.add_argument("--output", required=True, type=Path, help="the exports.csv to write")
    parser.add_argument("--output-card", required=True, type=Path, help="the MODEL_CARD.md to write, with the exports")
    arguments = parser.parse_args(argv)
    table = pd.concat([read_table(path) for path in arguments.tables], ignore_index=True)
    write_table(table, arguments.output)
    with atomic(arguments.output_card, sealed=True) as part:
        card = exported.in_card(arguments.card.read_text(encoding="utf-8"), table, arguments.several)
        part.write_text(card, encoding="utf-8")
    print(f"join_exports: {arguments.output}: {', '.join(table['export'])}")


if __name__ == "__main__":
    run_script(main)
