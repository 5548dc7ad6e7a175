"""A checked photo set in; its lock file out, which later runs hold the photos against."""

import argparse
from pathlib import Path

from graft.data.lock import content_of
from graft.errors import run_script
from graft.storage.files import read_json, read_table, write_json


def main(argv: list[str] | None = None) -> None:
    """Write down the checksums of the archive and of every photo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, type=Path, help="source.json")
    parser.add_argument("--manifest", required=True, type=Path, help="manifest.csv")
    parser.add_argument("--output", required=True, type=Path, help="the lock file, to be written; commit it")
    arguments = parser.parse_args(argv)
    arrived = read_json(arguments.source)
    content = content_of(arrived, read_table(arguments.manifest))
    write_json(content, arguments.output, sealed=False)
    print(f"lock_dataset: {len(content['photos']):,} photos locked in {arguments.output}")


if __name__ == "__main__":
    run_script(main)
