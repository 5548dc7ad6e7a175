"""A backbone's specification in, its weights file out: published, shipped, the user's own, or random."""

import argparse
import json
from pathlib import Path

from graft.config.backbone import BASELINES, Backbone
from graft.config.base import parse
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Fetch the weights that the specification names and save them under one format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="the backbone, as JSON")
    parser.add_argument("--output", required=True, type=Path, help="the .weights.h5 file to write")
    arguments = parser.parse_args(argv)
    spec = parse(Backbone, json.loads(arguments.settings), "backbone")

    from graft.storage.files import atomic

    if spec.name in BASELINES:  # no network, no weights; the chain wants a file all the same
        with atomic(arguments.output, sealed=True) as part:
            part.touch()
        return

    from graft.machine import runtime

    runtime.start(seed=0)
    from graft.network.backbones import fetch_weights
    from graft.network.missing import noted

    scratch = arguments.output.with_name(f".{arguments.output.name}.download")
    with noted(arguments.output), atomic(arguments.output, sealed=True) as part:
        count = fetch_weights(spec, part, scratch)
    print(f"fetch_weights: {spec.name}, {spec.weights}: {count:,} weights")


if __name__ == "__main__":
    run_script(main)
