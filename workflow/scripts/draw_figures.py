"""Draw a run's figures: predictions, histories, photos, features and models in, a picture each out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.figures import Figures
from graft.errors import run_script
from graft.figures.drawing import Inputs, draw_all
from graft.storage.files import write_json


def main(argv: list[str] | None = None) -> None:
    """Draw each figure in every format asked for, and note those that could not be drawn."""
    arguments = parse_arguments(argv)
    settings = parse(Figures, json.loads(arguments.settings), "figures")
    inputs = Inputs(**{name: getattr(arguments, name) for name in Inputs.__dataclass_fields__})
    failed = draw_all(inputs, settings, arguments.figures, arguments.report_figures)
    for figure, reason in failed.items():
        print(f"draw_figures: {figure} of {inputs.run} could not be drawn: {reason}", flush=True)
    write_json(failed, arguments.failed, sealed=False)


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the run's name, for the titles")
    parser.add_argument("--predictions", required=True, type=Path, help="the run's pooled predictions.csv")
    parser.add_argument("--histories", required=True, type=Path, nargs="+", help="every fold{fold}/{stage}/history.csv")
    parser.add_argument("--models", required=True, type=Path, nargs="+", help="the last stage's, fold by fold")
    parser.add_argument("--images", required=True, type=Path, help="what the photos' paths are relative to")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--features", required=True, type=Path, help="the cached features")
    parser.add_argument("--manifest", required=True, type=Path, help="the order of the rows of features and pixels")
    parser.add_argument("--settings", default="{}", help="JSON of Figures")
    parser.add_argument("--figures", required=True, type=Path, nargs="+", help="what to write: NAME.png, .svg or .pdf")
    parser.add_argument("--report-figures", nargs="*", type=Path, default=[], help="smaller copies: NAME.png or .jpg")
    parser.add_argument("--failed", required=True, type=Path, help="JSON to write: why a figure could not be drawn")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
