"""A sample's settings in; an archive of drawn photos and its record out."""

import argparse
import json
import tempfile
import zipfile
from pathlib import Path

from graft.config.base import parse
from graft.config.dataset import Source
from graft.errors import UserError, run_script
from graft.storage.files import atomic, sha256_of, write_json

NEVER = (1980, 1, 1, 0, 0, 0)  # equal drawings make equal archives


def main(argv: list[str] | None = None) -> None:
    """Draw the photos and pack them as an archive, so that they are checked like any others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", required=True, help="a source with a sample: name, seed, counts, as JSON")
    parser.add_argument("--archive", required=True, type=Path, help="the archive, to be written")
    parser.add_argument("--record", required=True, type=Path, help="the JSON record of what was drawn, to be written")
    arguments = parser.parse_args(argv)
    sample = parse(Source, json.loads(arguments.source), "source").sample
    if sample is None:
        raise UserError("the source is no sample: give it a name, a seed and counts")

    from graft.sample.photos import write_contents, write_sample

    write = write_contents if sample.name == "contents" else write_sample

    with tempfile.TemporaryDirectory() as folder, atomic(arguments.archive) as part:
        write(Path(folder), sample.seed, sample.train, sample.val)
        pack(Path(folder), part)
    facts = {"n_bytes": arguments.archive.stat().st_size, "sha256": sha256_of(arguments.archive)}
    write_json({"source": {"sample": sample.model_dump(mode="json")}, **facts}, arguments.record)
    print(f"draw_sample: {2 * (sample.train + sample.val):,} drawn photos, seed {sample.seed}")


def pack(folder: Path, output: Path) -> None:
    """Write a folder as a zip without times, uncompressed, in the order of its names."""
    with zipfile.ZipFile(output, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), NEVER), path.read_bytes())


if __name__ == "__main__":
    run_script(main)
