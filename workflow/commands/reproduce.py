"""A finished run, or a crate of one, in; the run made again, and whether every byte came out the same, out."""

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.reporting import crate_reading, provenance, reproduction
from graft.storage.files import write_table


def main(argv: list[str] | None = None) -> None:
    """Repeat the run whose provenance lies in the results, or in a crate."""
    arguments = parse_arguments(argv)
    if arguments.crate is None and arguments.run and crate_reading.is_crate(arguments.run):
        arguments.crate = Path(arguments.run)
    with contextlib.ExitStack() as stack:
        crate = stack.enter_context(crate_reading.opened(arguments.crate)) if arguments.crate else None
        run = crate_reading.run_of(crate, arguments.crate) if crate else arguments.run
        results = crate / crate_reading.RESULTS if crate else arguments.results
        record = reproduction.read_record(results, run)
        folder = arguments.folder or arguments.results / "reproduced" / run
        if arguments.photos:
            reproduction.take_photos(record, arguments.photos)
        reproduction.prepare(record, results, folder, reuse=not arguments.download)
        if crate and not arguments.download:
            reproduction.lend(record, arguments.results, folder)
        print(f"reproduce: {run}, recorded {record['recorded']}, is repeated in {folder}", flush=True)
        code = code_to_use(record, folder, crate) if arguments.recorded_code else provenance.ROOT
        reproduction.repeat(record, folder, code, arguments.cores, arguments.snakemake)
        compare(record, results, folder)


def code_to_use(record: dict[str, Any], folder: Path, crate: Path | None) -> Path:
    """Return a copy of the recorded code: that of the crate, if there is one, else that of the commit."""
    if crate:
        if not crate_reading.holds_recorded_code(crate, record):
            print("reproduce: the crate's code is not that of the run; it may differ", flush=True)
        return crate_reading.code_of(crate, folder / "code")
    if not record["code"]["clean"]:
        print(
            "reproduce: the run was made with changes that were not committed; its commit alone may differ", flush=True
        )
    return reproduction.recorded_code(record, folder)


def compare(record: dict[str, Any], results: Path, folder: Path) -> None:
    """Say of each file whether it came out the same, and, if not, what has changed since.

    Raises: UserError if any came out differently.
    """
    run = record["run"]
    found = reproduction.outcome(record, results, folder)
    write_table(reproduction.table_of(found), folder / "reproduction.csv", sealed=False)
    for name, same, difference in found:
        print(f"reproduce: {name}: {'the same bytes' if same else difference}")
    different = sum(not same for _, same, _ in found)
    if not different:
        print(f"reproduce: {run} came out the same, byte for byte, in all {len(found)} files")
        return
    for change in [*reproduction.data_changes(record, folder), *reproduction.changes(record)]:
        print(f"reproduce: changed since: {change}")
    raise UserError(f"{different} of {len(found)} files of {run} came out differently")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", help="the run's name, or the path of a crate")
    which.add_argument("--crate", type=Path, help="a crate, a folder or a .crate.zip: its provenance is taken")
    parser.add_argument("--photos", type=Path, help="where the photos lie here: a folder, or an archive")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    parser.add_argument("--folder", type=Path, help="where to repeat it; RESULTS/reproduced/RUN")
    parser.add_argument("--download", action="store_true", help="download photos and weights again too")
    parser.add_argument(
        "--recorded-code", action="store_true", help="use the code of the recorded commit, or of the crate, not today's"
    )
    parser.add_argument("--cores", default=os.cpu_count(), type=int, help="processor cores that Snakemake may use")
    parser.add_argument(
        "snakemake", nargs="*", metavar="OPTION", help="after --: options for Snakemake; --resources gpu=1"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
