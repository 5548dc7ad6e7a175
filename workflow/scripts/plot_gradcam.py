"""Draw where in its photos the model looked: a model and the packed pixels in, a figure out."""

import argparse

from matplotlib.figure import Figure

from graft.config.backbone import BASELINES
from graft.config.figures import Figures
from graft.errors import run_script
from graft.figures import gradcam
from graft.figures.command import parser_of, plot
from graft.machine import gpus, runtime
from graft.network.model_file import read_facts
from graft.storage.arrays import open_array
from graft.storage.files import read_table


def main(argv: list[str] | None = None) -> None:
    """Draw and save the figure."""
    parser = parser_of(__doc__, ("run", "predictions", "manifest"))
    parser.add_argument("--models", required=True, nargs="+", metavar="KERAS", help="the last stage's, fold by fold")
    parser.add_argument("--pixels", required=True, metavar="NPY", help="the packed photos")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    plot(parser.parse_args(argv), draw)


def draw(given: argparse.Namespace, settings: Figures) -> Figure:
    """Ask each fold's model where it looked in that fold's examples, and return the figure."""
    rows = gradcam.chosen(read_table(given.predictions), settings.gradcam)
    pixels = open_array(given.pixels)[gradcam.places_of(rows, read_table(given.manifest))]
    if read_facts(given.models[0])["backbone"] in BASELINES:  # known without loading a framework
        return gradcam.draw(rows, pixels, None, given.run)
    with gpus.lease(given.gpus):
        runtime.start(seed=0, threads=given.threads)
        maps = gradcam.maps_of_folds(given.models, pixels, rows)
    return gradcam.draw(rows, pixels, maps, given.run)


if __name__ == "__main__":
    run_script(main)
