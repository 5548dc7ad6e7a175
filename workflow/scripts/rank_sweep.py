"""All runs of a sweep in; which setting wins, by photos that do not judge, out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.sweeps import Ranking
from graft.errors import run_script
from graft.judging import ranking
from graft.storage.files import write_table


def main(argv: list[str] | None = None) -> None:
    """Read every run's predictions, rank, write, say who won."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="the sweep's runs and what chooses, as JSON")
    parser.add_argument("--predictions", required=True, type=Path, nargs="+", help="every run's predictions.csv")
    parser.add_argument("--ranking", required=True, type=Path, help="CSV to write: a row per setting, the winner first")
    arguments = parser.parse_args(argv)
    settings = parse(Ranking, json.loads(arguments.settings), "sweep")
    candidates = ranking.read_candidates([path.parent for path in arguments.predictions], settings)
    table = ranking.ranking_table(candidates, settings)
    write_table(table, arguments.ranking)
    print(f"rank_sweep: {settings.name}: {ranking.in_words(table, settings)}")


if __name__ == "__main__":
    run_script(main)
