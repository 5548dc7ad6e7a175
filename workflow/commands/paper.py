"""Finished runs in; a folder out with what a paper needs: a LaTeX table, a figure, a paragraph of methods, references.

python workflow/commands/paper.py [--results results] [--output results/paper]
"""

import argparse
import shutil
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.reporting.paper import FILES, write_paper
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Write the folder whole; an earlier one is replaced."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the folder that a job filled")
    parser.add_argument("--output", type=Path, help="the folder to write; RESULTS/paper")
    arguments = parser.parse_args(argv)
    output = arguments.output or arguments.results / "paper"
    if output.exists() and {path.name for path in output.iterdir()} != set(FILES):
        raise UserError(f"{output} holds other files than a paper's; move it away, or name another with --output")
    with atomic(output) as part:
        part.mkdir()
        write_paper(arguments.results, part)
        shutil.rmtree(output, ignore_errors=True)
    print(f"paper: {output}: {', '.join(FILES)}")


if __name__ == "__main__":
    run_script(main)
