"""Checked photos in; one array of square RGB pictures out, in the order of the manifest."""

import argparse
import json
import time
from pathlib import Path

from graft.config.base import parse
from graft.config.dataset import Pictures
from graft.data.pixels import pack
from graft.data.shards import rows_of_shard
from graft.errors import run_script
from graft.storage.files import read_table, whole


def main(argv: list[str] | None = None) -> None:
    """Decode and resize the photos, on all cores given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv")
    parser.add_argument("--images", required=True, type=Path, help="the folder of the photos")
    parser.add_argument("--size", required=True, type=int, help="pixels of a side")
    parser.add_argument("--pictures", default="{}", help="how a photo becomes a square, as JSON")
    parser.add_argument("--shard", default="1-of-1", help="i-of-n, to pack the i-th of n parts of the manifest only")
    parser.add_argument("--workers", type=int, default=1, help="processes that decode")
    parser.add_argument("--output", required=True, type=Path, help="the .npy file to write")
    arguments = parser.parse_args(argv)
    pictures = parse(Pictures, json.loads(arguments.pictures), "pictures")
    manifest = read_table(arguments.manifest)
    rows = rows_of_shard(arguments.shard, len(manifest))

    start = time.perf_counter()
    with whole(arguments.output, sealed=True) as part:
        pack(manifest, arguments.images, arguments.size, part, arguments.workers, rows, pictures)
    rate = len(rows) / (time.perf_counter() - start)
    print(f"pack_images: {len(rows):,} photos at {arguments.size} px, {pictures.fit}, {rate:,.0f} photos/s")


if __name__ == "__main__":
    run_script(main)
