"""Draw how often the model is right against how sure it is: predictions.csv in, a figure out."""

from graft.errors import run_script
from graft.figures import reliability
from graft.figures.command import parser_of, plot
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    arguments = parser_of(__doc__, ("run", "predictions")).parse_args(argv)
    plot(
        arguments,
        lambda given, settings: reliability.draw(read_table(given.predictions), settings.reliability, given.run),
    )


if __name__ == "__main__":
    run_script(main)
