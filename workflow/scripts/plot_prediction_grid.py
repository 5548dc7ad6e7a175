"""Draw a sample of photos with verdict, probability and truth: predictions.csv and photos in, a figure out."""

from graft.errors import run_script
from graft.figures import prediction_grid
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("run", "predictions", "images")).parse_args(argv)
    plot(
        arguments,
        lambda given, settings: prediction_grid.draw(
            read_table(given.predictions), given.images, settings.prediction_grid, given.run
        ),
    )


if __name__ == "__main__":
    run_script(main)
