"""Draw the most confident mistakes and possible label errors: predictions.csv and photos in, a figure out."""

from graft.errors import run_script
from graft.figures import mistakes
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("run", "predictions", "images")).parse_args(argv)
    plot(
        arguments,
        lambda given, settings: mistakes.draw(
            read_table(given.predictions), given.images, settings.mistakes, given.run
        ),
    )


if __name__ == "__main__":
    run_script(main)
