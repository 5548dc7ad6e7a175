"""Which network? Make the model table, without those networks whose weights cannot be fetched.

    python workflow/commands/model_table.py --configfile config/model_table.yaml mine.yaml

Options are Snakemake's. Weights that were missing are asked for again each time; what is there is not made again.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.network.missing import SUFFIX

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path("results")


def main(argv: list[str] | None = None) -> None:
    """Ask for every network; where some cannot be had, make the table of the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="processor cores that Snakemake may use")
    parser.add_argument("--configfile", nargs="+", default=[str(ROOT / "config" / "model_table.yaml")],
                        help="the table's settings, and over them yours")  # fmt: skip
    arguments, options = parser.parse_known_args(argv)
    for note in notes():
        note.unlink()
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--keep-going"]
    command += ["--cores", str(arguments.cores), "--configfile", *arguments.configfile, *options, "--", "model_table"]
    done = subprocess.run(command, check=False)
    if done.returncode and notes():
        print(f"graft: {len(notes())} networks have no weights; the table is made without them", flush=True)
        done = subprocess.run(command, check=False)
    if done.returncode:
        raise UserError("the model table could not be made; what was built is kept, and is not made again")
    told = RESULTS / "model_table" / "recommendation.txt"
    if told.is_file():
        print(told.read_text(encoding="utf-8").rstrip())


def notes() -> list[Path]:
    """Return the notes about weights that could not be fetched."""
    return sorted((RESULTS / "weights").glob(f"*{SUFFIX}"))


if __name__ == "__main__":
    run_script(main)
