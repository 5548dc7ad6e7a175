"""The row of every export of a run in; exports.csv, all of them, out."""

import argparse
from pathlib import Path

import pandas as pd

from graft.errors import run_script
from graft.storage.files import read_table, write_table


def main(argv: list[str] | None = None) -> None:
    """Read, join, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", required=True, type=Path, nargs="+", help="of export_model, in the order to keep")
    parser.add_argument("--output", required=True, type=Path, help="the exports.csv to write")
    arguments = parser.parse_args(argv)
    table = pd.concat([read_table(path) for path in arguments.tables], ignore_index=True)
    write_table(table, arguments.output)
    print(f"join_exports: {arguments.output}: {', '.join(table['export'])}")


if __name__ == "__main__":
    run_script(main)
