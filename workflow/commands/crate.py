"""A finished run in; a research object out: a Workflow Run RO-Crate, as a folder and, if asked, as a zip file.

    python workflow/commands/crate.py --run lesson [--license CC-BY-4.0] [--agent "Ada Lovelace"] [--zip]

The run's tables, figures, model and card, what it was made from by checksum, its configuration, code and packages.
No photo goes in, but figures show some: --no-photos leaves these out. The same run gives the same bytes.
"""

import argparse
import shutil
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import run_script
from graft.reporting import crate, reproduction
from graft.reporting.crate_metadata import Given, check_installed
from graft.storage.files import atomic


def main(argv: list[str] | None = None) -> None:
    """Collect, describe, say what is in the folder."""
    arguments = parse_arguments(argv)
    given = Given(arguments.license, arguments.agent, arguments.agent_id).checked()
    check_installed()
    record = reproduction.read_record(arguments.results, arguments.run)
    output = arguments.output or arguments.results / "crates" / arguments.run
    crate.check_replaceable(output)
    with atomic(output) as folder:
        folder.mkdir()
        options = {"photos": not arguments.no_photos, "changed": arguments.changed_code}
        files = crate.write_crate(arguments.results, record, folder, given, **options)
        shutil.rmtree(output, ignore_errors=True)
    size = sum((output / name).stat().st_size for name in files) / 1e6
    print(f"crate: {output}: {len(files)} files, {size:.1f} MB; begin with {output / 'README.md'}")
    if not given.licence:
        print("crate: it names no licence, so nobody may use it yet: add LICENSE=CC-BY-4.0, or another")
    if not any(name.startswith(f"results/runs/{arguments.run}/figures/") for name in files):
        print("crate: without figures, since none are drawn yet: run the job to its end")
    if arguments.zip:
        archive = output.with_name(f"{output.name}.crate.zip")
        crate.write_zip(output, archive)
        print(f"crate: {archive}: {archive.stat().st_size / 1e6:.1f} MB")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--license", default="", help="under which it may be used: an SPDX identifier or an address")
    parser.add_argument("--agent", default="", help="who made the run; nobody is named otherwise")
    parser.add_argument("--agent-id", default="", help="an address for that person, such as an ORCID's")
    parser.add_argument("--no-photos", action="store_true", help="leave out the figures that show photos")
    parser.add_argument("--changed-code", action="store_true", help="take today's code where the run's is nowhere")
    parser.add_argument("--zip", action="store_true", help="write a .crate.zip beside the folder too")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    parser.add_argument("--output", type=Path, help="the folder to write; RESULTS/crates/RUN")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
