"""Packed pixels and a backbone in; the features of the test-time views of every photo that is judged out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import ViewedSettings
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Embed the views beyond the first, which is the photo as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="embedding and views, as JSON")
    parser.add_argument("--weights", required=True, type=Path, help="the backbone's weights")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the photos")
    parser.add_argument("--split", required=True, type=Path, help="split.csv: which photos are judged")
    parser.add_argument("--output", required=True, type=Path, help="the .npy file to write")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(ViewedSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime
    from graft.storage.files import atomic, read_table

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=arguments.threads)
        from graft.training.viewed import embed_views, judged_rows

        rows = judged_rows(read_table(arguments.split), read_table(arguments.manifest)["path"].tolist())
        with atomic(arguments.output, sealed=True) as part:
            shape = embed_views(settings, arguments.weights, arguments.pixels, rows, part)
        print(f"embed_test_views: {len(rows):,} photos, {shape[0]} views each, {shape[2]:,} features")


if __name__ == "__main__":
    run_script(main)
