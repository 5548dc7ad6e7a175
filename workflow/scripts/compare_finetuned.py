"""The model table and its best networks, fine-tuned, in; which of them gained by it, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.model_table import Tabulated
from graft.errors import run_script
from graft.judging.kinds import kind_of
from graft.judging.model_table import finetuned_table
from graft.storage.files import read_table, write_table


def main(argv: list[str] | None = None) -> None:
    """Compare each with its probe, write, say it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="how numbers are judged, as JSON")
    parser.add_argument("--table", required=True, type=Path, help="the model table")
    parser.add_argument(
        "--evaluations", nargs="*", type=Path, default=[], help="evaluation.csv of every fine-tuned run"
    )
    parser.add_argument("--output", required=True, type=Path, help="CSV to write")
    arguments = parser.parse_args(argv)
    settings = parse(Tabulated, json.loads(arguments.settings), "model_table")
    folders = [path.parent for path in arguments.evaluations]
    table = finetuned_table(folders, read_table(arguments.table), settings)
    write_table(table, arguments.output)
    columns = kind_of(table).columns
    for row in table.to_dict("records"):
        right, low, high = (row[name] for name in columns)
        print(
            f"compare_finetuned: {row['network']}: {row[f'probe_{columns[0]}']:.3f} as a probe, {right:.3f} "
            f"({low:.3f} to {high:.3f}) fine-tuned; {row['verdict']}"
        )


if __name__ == "__main__":
    run_script(main)
