"""The command line that all plotting scripts share: some inputs, the figure's settings, where to write it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from graft.config.base import parse
from graft.config.figures import Figures
from graft.figures import style

INPUTS = {
    "run": {"help": "the run's name, for the title"},
    "histories": {"nargs": "+", "metavar": "CSV", "help": "foldN/STAGE/history.csv of every fold and stage"},
    "predictions": {"metavar": "CSV", "help": "the run's pooled predictions.csv"},
    "images": {"type": Path, "metavar": "FOLDER", "help": "what the photos' paths are relative to"},
    "manifest": {"metavar": "CSV", "help": "manifest.csv: the order of the features' and pixels' rows"},
    "features": {"metavar": "NPY", "help": "the cached features"},
    "comparison": {"metavar": "CSV", "help": "comparison.csv: every run side by side"},
}


def parser_of(description: str | None, inputs: tuple[str, ...]) -> argparse.ArgumentParser:
    """Return a parser of some of `INPUTS`, all required, and of what every figure takes."""
    parser = argparse.ArgumentParser(description=description)
    for name in inputs:
        parser.add_argument(f"--{name}", required=True, **INPUTS[name])
    parser.add_argument("--settings", default="{}", help="the part of `figures` that this one uses, as JSON")
    where = {"required": True, "nargs": "+", "metavar": "FILE", "help": "where to write it: .png, .svg, .pdf"}
    parser.add_argument("--figure", **where)
    return parser


def plot(arguments: argparse.Namespace, draw: Callable[[argparse.Namespace, Figures], Figure]) -> None:
    """Draw the figure, and write it in every format asked for."""
    settings = parse(Figures, json.loads(arguments.settings), "figures")
    style.save(draw(arguments, settings), arguments.figure, settings.dpi)
