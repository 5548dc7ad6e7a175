"""The arrays of several jobs in, in their order; the array that one job would have written out."""

import argparse
from pathlib import Path

from graft.data.shards import join
from graft.errors import run_script
from graft.storage import seals
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Copy the shards into one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", required=True, nargs="+", type=Path, help="the .npy files to join")
    parser.add_argument("--axis", required=True, type=int, help="along which they follow one another")
    parser.add_argument("--output", required=True, type=Path, help="the .npy file to write")
    arguments = parser.parse_args(argv)
    with atomic(arguments.output, sealed=True) as part:
        shape = join(arguments.shards, part, arguments.axis)
        size = part.stat().st_size
    for shard in arguments.shards:  # which goes now, and would leave its seal behind
        seals.remove(shard)
    print(f"join_shards: {len(arguments.shards)} shards, {shape[arguments.axis]:,} photos, {size / 1e6:,.1f} MB")


if __name__ == "__main__":
    run_script(main)
