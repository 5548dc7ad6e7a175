"""When a run began, as far as Snakemake's own records of its jobs are still there."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORDS = Path(".snakemake", "metadata")


def began(results: Path, record: dict[str, Any]) -> str | None:
    """Return when the first training of a run began, in UTC to the second; None where no record tells it.

    A training that was killed and went on has its last beginning alone.

    Args:
        results: where the run lies.
        record: the run's provenance, which lists its models and the time at which it was recorded, its end.
    """
    found = [beginning(results / "runs" / record["run"] / name) for name in sorted(record["models"])]
    known = [time for time in found if time is not None]
    if not known or len(known) < len(found):
        return None
    first = datetime.fromtimestamp(min(known), UTC).isoformat(timespec="seconds")
    return first if first <= record["recorded"] else None  # else the run has been trained again since


def beginning(output: Path) -> float | None:
    """Return when the job that made a file began, in seconds since 1970; None where Snakemake has no record of it.

    Snakemake keeps its records in the folder that it was started from, each under the base64 of the file's path from
    there. A module's results lie below a prefix, so the folders further up are looked at too.
    """
    output = output.resolve()
    for origin in output.parents:
        name = base64.urlsafe_b64encode(output.relative_to(origin).as_posix().encode()).decode()
        try:
            return float(json.loads((origin / RECORDS / name).read_bytes())["starttime"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
