"""A results folder in; how good each run is, what it cost and where to look, on the terminal."""

import argparse
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.reporting.summary import summary


def main(argv: list[str] | None = None) -> None:
    """Read the tables and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", default=Path("results"), type=Path, help="the folder that a job filled")
    arguments = parser.parse_args(argv)
    if not arguments.results.is_dir():
        raise UserError(f"there is no folder {arguments.results}; run the job first, or name another with --results")
    print(summary(arguments.results))


if __name__ == "__main__":
    run_script(main)
