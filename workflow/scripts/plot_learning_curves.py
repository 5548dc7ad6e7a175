"""Draw loss and accuracy over both phases of training: history.csv files in, a figure out."""

from graft.errors import run_script
from graft.figures import learning_curves
from graft.figures.command import parser_of, plot


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("run", "histories")).parse_args(argv)
    plot(
        arguments,
        lambda given, settings: learning_curves.draw(learning_curves.read_histories(given.histories), given.run),
    )


if __name__ == "__main__":
    run_script(main)
