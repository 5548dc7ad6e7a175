"""A finished run in; an entry on an MLflow server out: parameters, metrics with intervals, tables, figures, model.

    python workflow/commands/track.py --run lesson --uri http://localhost:5000

The same run is there once, however often it is pushed. Who logs in, and by which password, belongs in
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.
"""

import argparse
import os
from pathlib import Path

import library  # noqa: F401

# isort: split
from graft.errors import run_script
from graft.reporting import reproduction, tracking, tracking_server


def main(argv: list[str] | None = None) -> None:
    """Collect, push, say where to look."""
    arguments = parse_arguments(argv)
    server = tracking_server.server_of(arguments.uri or os.environ.get("MLFLOW_TRACKING_URI", ""))
    tracking_server.check_installed()
    record = reproduction.read_record(arguments.results, arguments.run)
    told = tracking.told_of(arguments.results, record, photos=not arguments.no_photos)
    address, new = tracking_server.push(told, server, arguments.experiment, arguments.replace)
    if new:
        kinds = {"parameters": told.parameters, "numbers": told.numbers, "files": told.files}
        print(f"track: {told.name}: {', '.join(f'{len(all_of)} {kind}' for kind, all_of in kinds.items())}")
    else:
        print(f"track: {told.name} is there already, as it is here; nothing was pushed")
    print(f"track: {address}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="the run's name")
    parser.add_argument("--uri", default="", help="the MLflow server's address; else that of MLFLOW_TRACKING_URI")
    parser.add_argument("--experiment", default="graft", help="MLflow's experiment, a group of runs: graft")
    parser.add_argument("--replace", action="store_true", help="put an older run of this name into MLflow's trash")
    parser.add_argument("--no-photos", action="store_true", help="leave out the figures that show photos")
    parser.add_argument("--results", default=Path("results"), type=Path, help="where the run lies")
    return parser.parse_args(argv)


if __name__ == "__main__":
    run_script(main)
