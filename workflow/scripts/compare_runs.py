"""All runs' results in; comparison.csv, every run side by side, and which differences are real, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.evaluation import Evaluation
from graft.errors import run_script
from graft.judging import comparison, multilabel_comparison
from graft.judging.multilabel_outcomes import is_table_of_sets
from graft.reporting import exported
from graft.storage.files import read_table, write_table


def main(argv: list[str] | None = None) -> None:
    """Read every run's files, lay them side by side, test each two."""
    arguments = parse_arguments(argv)
    settings = parse(Evaluation, json.loads(arguments.settings), "evaluation")
    results = [comparison.read_result(path.parent) for path in arguments.provenance]
    kind = multilabel_comparison if is_table_of_sets(results[0].evaluation) else comparison
    pairs = kind.significance_table(results, settings)
    exports = {path.parent.name: read_table(path) for path in arguments.exports}
    table = exported.in_comparison(kind.comparison_table(results, settings.confidence), exports)
    write_table(table, arguments.comparison)
    write_table(pairs, arguments.significance)
    print(f"compare_runs: {len(results)} runs, {len(pairs)} pairs on the same photos")
    for row in pairs.itertuples():
        print(f"compare_runs: {row.first} against {row.second}: {row.verdict}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--provenance",
        required=True,
        type=Path,
        nargs="+",
        help="every run's provenance.json; its evaluation.csv and predictions.csv are read beside it",
    )
    parser.add_argument("--exports", nargs="*", type=Path, default=[], help="exports.csv of the runs that have any")
    parser.add_argument("--settings", default="{}", help="JSON of Evaluation")
    parser.add_argument("--comparison", required=True, type=Path, help="CSV to write: a row per run")
    parser.add_argument("--significance", required=True, type=Path, help="CSV to write: a row per two runs")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
