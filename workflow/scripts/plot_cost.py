"""Draw accuracy against the seconds that it took: comparison.csv in, a figure out."""

from graft.errors import run_script
from graft.figures import cost
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("comparison",)).parse_args(argv)
    plot(arguments, lambda given, settings: cost.draw(read_table(given.comparison)))


if __name__ == "__main__":
    run_script(main)
