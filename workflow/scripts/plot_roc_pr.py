"""Draw ROC and precision-recall curves with their operating points: predictions.csv in, a figure out."""

from graft.errors import run_script
from graft.figures import roc_pr
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("run", "predictions")).parse_args(argv)
    plot(arguments, lambda given, settings: roc_pr.draw(read_table(given.predictions), given.run))


if __name__ == "__main__":
    run_script(main)
