"""A source in; its archive, read to the last byte, and a record of what arrived out."""

import argparse
import json
from pathlib import Path

from graft.config.base import parse
from graft.config.dataset import Ingest, Source
from graft.data.download import asked, obtain
from graft.errors import UserError, run_script
from graft.storage.files import write_json


def main(argv: list[str] | None = None) -> None:
    """Fetch and check the archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="kaggle, competition, url or archive, as JSON")
    parser.add_argument("--settings", default="{}", help="the ingest settings, for their limits, as JSON")
    parser.add_argument("--lock", type=Path, help="a lock file; where it exists, the archive must be the one it names")
    parser.add_argument("--scratch", required=True, type=Path, help="where partial downloads wait to be resumed")
    parser.add_argument("--archive", required=True, type=Path, help="the archive, to be written")
    parser.add_argument("--record", required=True, type=Path, help="the JSON record of what arrived, to be written")
    arguments = parser.parse_args(argv)
    source = parse(Source, json.loads(arguments.source), "source")
    limits = parse(Ingest, json.loads(arguments.settings), "ingest").limits
    if source.kind not in ("kaggle", "competition", "url", "archive"):
        raise UserError(f"source is {source.kind}, which is not downloaded")

    facts = obtain(source, limits, arguments.archive, arguments.scratch, arguments.lock)
    write_json({"source": asked(source), **facts}, arguments.record)
    version = f", version {facts['version']}" if facts.get("version") else ""
    licence = f", licence {facts['licence']}" if facts.get("licence") else ""
    megabytes = f"{facts['n_bytes'] / 1e6:,.1f} MB"
    print(f"download_dataset: {megabytes}{version}{licence}, SHA-256 {facts['sha256'][:16]}..., every byte read")


if __name__ == "__main__":
    run_script(main)
