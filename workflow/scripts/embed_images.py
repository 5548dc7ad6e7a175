"""Packed pixels and a backbone in, the features of every photo and augmented view out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.experiment import EmbedSettings
from graft.errors import run_script


def main(argv: list[str] | None = None) -> None:
    """Embed every photo, and the views of those that are trained on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", required=True, help="backbone, pooling, views, as JSON")
    parser.add_argument("--weights", required=True, type=Path, help="the backbone's weights")
    parser.add_argument("--pixels", required=True, type=Path, help="the packed photos")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv: the order of the photos")
    parser.add_argument("--split", nargs="*", type=Path, help="split.csv: which photos are trained on, for their views")
    parser.add_argument("--shard", default="1-of-1", help="i-of-n, to embed the i-th of n parts of the photos only")
    parser.add_argument("--output", required=True, type=Path, help="the .npy file to write")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: all")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs to use, if there are any")
    arguments = parser.parse_args(argv)
    settings = parse(EmbedSettings, json.loads(arguments.settings), "settings")

    from graft.machine import gpus, runtime
    from graft.paths import device_of_features
    from graft.storage.files import atomic, read_table, write_json

    with gpus.lease(arguments.gpus):
        runtime.start(seed=0, threads=arguments.threads)
        from graft.data.shards import rows_of_shard
        from graft.training.features import embed_photos

        split = read_table(arguments.split[0]) if arguments.split else None
        paths = read_table(arguments.manifest)["path"].tolist()
        rows = rows_of_shard(arguments.shard, len(paths))
        with atomic(arguments.output, sealed=True) as part:
            shape = embed_photos(settings, arguments.weights, arguments.pixels, split, paths, part, rows)
        if arguments.shard == "1-of-1":  # for the provenance of the runs that use them
            note = {"device": runtime.device_name(), "threads": arguments.threads}
            write_json(note, device_of_features(arguments.output), sealed=False)
        print(
            f"embed_images: {shape[1]:,} photos, {shape[0] - 1} views, {shape[2]:,} features; {runtime.device_name()}"
        )


if __name__ == "__main__":
    run_script(main)
