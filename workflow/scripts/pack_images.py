"""Checked photos in; one array of squeezed RGB pixels out, in the order of the manifest."""

import argparse
import time
from pathlib import Path

from graft.data.pixels import pack
from graft.errors import UserError, run_script
from graft.files import read_table, whole


def main(argv: list[str] | None = None) -> None:
    """Decode and resize the photos, on all cores given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv")
    parser.add_argument("--images", required=True, type=Path, help="the folder of the photos")
    parser.add_argument("--size", required=True, type=int, help="pixels of a side")
    parser.add_argument("--rows", help="a:b, to pack these rows of the manifest only; as a slice of Python")
    parser.add_argument("--workers", type=int, default=1, help="processes that decode")
    parser.add_argument("--output", required=True, type=Path, help="the .npy file to write")
    arguments = parser.parse_args(argv)
    manifest = read_table(arguments.manifest)
    rows = chosen(arguments.rows, len(manifest))

    start = time.perf_counter()
    with whole(arguments.output) as part:
        pack(manifest, arguments.images, arguments.size, part, arguments.workers, rows)
    rate = len(rows) / (time.perf_counter() - start)
    print(f"pack_images: {len(rows):,} photos at {arguments.size} px, {rate:,.0f} photos/s")


def chosen(rows: str | None, n_photos: int) -> range:
    """Return the rows that a:b names, or all."""
    if rows is None:
        return range(n_photos)
    try:
        start, stop = (int(end) if end else None for end in rows.split(":"))
    except ValueError:
        raise UserError(f"--rows is {rows!r}; it takes a:b, such as 0:1000") from None
    return range(n_photos)[start:stop]


if __name__ == "__main__":
    run_script(main)
