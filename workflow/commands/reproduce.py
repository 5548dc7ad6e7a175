"""A finished run's provenance in; the run made again from nothing, and whether every byte came out the same, out."""

import argparse
import os
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import UserError, run_script
from graft.reporting import provenance, reproduction
from graft.storage.files import write_table


def main(argv: list[str] | None = None) -> None:
    """Prepare a fresh folder, repeat the run there, compare, and say what has changed since."""
    arguments = parse_arguments(argv)
    record = reproduction.read_record(arguments.results, arguments.run)
    folder = arguments.folder or arguments.results / "reproduced" / arguments.run
    reproduction.prepare(record, arguments.results, folder, reuse=not arguments.download)
    print(f"reproduce: {arguments.run}, recorded {record['recorded']}, is repeated in {folder}", flush=True)
    code = reproduction.recorded_code(record, folder) if arguments.recorded_code else provenance.ROOT
    if arguments.recorded_code and not record["code"]["clean"]:
        print(
            "reproduce: the run was made with changes that were not committed; its commit alone may differ", flush=True
        )
    reproduction.repeat(record, folder, code, arguments.cores, arguments.snakemake)

    found = reproduction.outcome(record, arguments.results, folder)
    write_table(reproduction.table_of(found), folder / "reproduction.csv", sealed=False)
    for name, same, difference in found:
        print(f"reproduce: {name}: {'the same bytes' if same else difference}")
    different = sum(not same for _, same, _ in found)
    if not different:
        print(f"reproduce: {arguments.run} came out the same, byte for byte, in all {len(found)} files")
        return
    for change in [*reproduction.data_changes(record, folder), *reproduction.changes(record)]:
        print(f"reproduce: changed since: {change}")
    raise UserError(f"{different} of {len(found)} files of {arguments.run} came out differently")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    parser.add_argument("--folder", type=Path, help="where to repeat it; RESULTS/reproduced/RUN")
    parser.add_argument("--download", action="store_true", help="download photos and weights again too")
    parser.add_argument("--recorded-code", action="store_true", help="use the code of the recorded commit, not today's")
    parser.add_argument("--cores", default=os.cpu_count(), type=int, help="processor cores that Snakemake may use")
    parser.add_argument(
        "snakemake", nargs="*", metavar="OPTION", help="after --: options for Snakemake; --resources gpu=1"
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
