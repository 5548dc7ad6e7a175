"""A run's provenance and tables in; its model card out."""

import argparse
from pathlib import Path

from graft.errors import run_script
from graft.reporting import model_card
from graft.storage.files import atomic, read_json, read_table


def main(argv: list[str] | None = None) -> None:
    """Read, tell, write."""
    arguments = parse_arguments(argv)
    text = model_card.card(
        read_json(arguments.provenance),
        read_table(arguments.evaluation),
        read_table(arguments.per_class),
        read_table(arguments.significance),
        read_json(arguments.calibration),
    )
    with atomic(arguments.output, sealed=True) as part:
        part.write_text(text, encoding="utf-8")
    print(f"write_model_card: {arguments.output}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provenance", required=True, type=Path, help="the run's provenance.json")
    parser.add_argument("--evaluation", required=True, type=Path, help="its evaluation.csv")
    parser.add_argument("--per-class", required=True, type=Path, help="its per_class.csv")
    parser.add_argument("--significance", required=True, type=Path, help="its significance.csv")
    parser.add_argument("--calibration", required=True, type=Path, help="its calibration.json")
    parser.add_argument("--output", required=True, type=Path, help="Markdown to write")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
