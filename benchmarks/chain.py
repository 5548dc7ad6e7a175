"""The whole chain as a measured process: Snakemake in a folder of its own, and what it leaves there."""

import csv
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import timing

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "workflow" / "scripts"


def run_chain(
    job: dict, folder: Path, cores: int, *more: str, look: Callable[[int], None] | None = None
) -> timing.Finished:
    """Run a job in a folder by the command that a user types, on the processor alone.

    Args:
        job: the configuration, laid over the default one.
        folder: the working folder; what is finished there is not done again.
        cores: Snakemake's.
        more: options of Snakemake.
        look: as of `timing.whole_process`.

    Raises: timing.Failed if a job fails.
    """
    (folder / "job.yaml").write_text(json.dumps(job))  # JSON is YAML
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "job.yaml"]
    # A cache of another checkout's results would take work away.
    environment = {name: value for name, value in os.environ.items() if name != "SNAKEMAKE_OUTPUT_CACHE"}
    command += ["--cores", cores, "--resources", "gpu=0", *more]
    return timing.whole_process(command, cwd=folder, env=environment, look=look)


def jobs_of_rule(results: Path, rule: str) -> list[dict[str, str]]:
    """Return what Snakemake measured of each job of a rule, none where the rule has no `benchmark`."""
    return [row for path in sorted((results / "benchmarks" / rule).rglob("*.tsv")) for row in rows_of(path, "\t")]


def rule_seconds(results: Path, rule: str) -> float:
    """Return the seconds of all of a rule's jobs."""
    return sum(float(row["s"]) for row in jobs_of_rule(results, rule))


def work_seconds(results: Path, rule: str) -> float:
    """Return the seconds of a rule's jobs by their own clocks: without starting Python, or loading a network."""
    logs = [path.read_text() for path in sorted((results / "logs" / rule).rglob("*.log"))]
    told = [
        re.findall(r"(?:trained in|views,) ([\d.]+) s(?=$|, [\d,]+/s, 0 s left$)", log, re.MULTILINE) for log in logs
    ]
    return sum(float(seconds) for log in told for seconds in log)


def rows_of(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Return a table's rows."""
    with open(path, newline="") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))
