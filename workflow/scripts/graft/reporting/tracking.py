"""What a tracking server is told of a finished run: parameters, metrics, tags and files. Nothing here asks a server.

The words are MLflow's: a parameter is a setting, a metric a number that may have a step, an artefact a file.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from graft.judging.outcomes import judging_role
from graft.reporting import crate_files, run_times
from graft.storage.files import read_table, sha256_of

LONGEST = 6000  # characters of a parameter's value that MLflow's server takes
RUN = "graft.run"
PROVENANCE = "graft.provenance_sha256"


@dataclass(frozen=True)
class Number:
    """A metric: its name, its value, and the step at which it was measured."""

    name: str
    value: float
    step: int = 0


@dataclass(frozen=True)
class Told:
    """A run as a tracking server is told of it.

    Attributes:
        name: the run's.
        began: when it began, or was recorded where nobody knows, in milliseconds since 1970.
        ended: when it was recorded, likewise.
        parameters: settings by their dotted keys.
        numbers: every metric.
        tags: where it came from.
        files: files with their folder below the artefacts; an empty one is the top.
    """

    name: str
    began: int
    ended: int
    parameters: dict[str, str]
    numbers: list[Number]
    tags: dict[str, str]
    files: list[tuple[Path, str]]


def told_of(results: Path, record: dict[str, Any], photos: bool = True) -> Told:
    """Return what a server is told of a run.

    Args:
        results: where the run lies.
        record: its provenance.
        photos: whether figures that show photos come too.

    Raises: UserError if the run is not whole.
    """
    crate_files.check_finished(results, record)
    run = results / "runs" / record["run"]
    parts = list(crate_files.outputs(results, record, photos))
    below = f"results/runs/{record['run']}/"
    histories = [part.source for part in parts if part.parameter == "history"]
    return Told(
        name=record["run"],
        began=milliseconds(run_times.began(results, record) or record["recorded"]),
        ended=milliseconds(record["recorded"]),
        parameters=parameters_of(record),
        numbers=[
            *judged(read_table(run / "evaluation.csv")),
            *(number for path in histories for number in history(path)),
            *costs(record),
        ],
        tags=tags_of(record, sha256_of(run / "provenance.json")),
        files=[(part.source, Path(part.path.removeprefix(below)).parent.as_posix().strip(".")) for part in parts],
    )


def milliseconds(time: str) -> int:
    """Return a time in milliseconds since 1970.

    >>> milliseconds("1970-01-01T00:00:02+00:00")
    2000
    """
    return round(1000 * datetime.fromisoformat(time).timestamp())


def parameters_of(record: dict[str, Any]) -> dict[str, str]:
    """Return the settings of a run by dotted keys: its experiment's, its data set's, and those of the evaluation."""
    config = record["config"]
    settings = {
        "seed": record["seed"],
        "experiment": {"name": record["experiment"], **config["experiments"][record["experiment"]]},
        "dataset": {"name": record["dataset"], **config["datasets"][record["dataset"]]},
        "evaluation": config.get("evaluation", {}),
    }
    return {name: shortened(value) for name, value in flat(settings).items()}


def flat(settings: dict[str, Any], above: str = "") -> dict[str, str]:
    """Return nested settings by dotted keys: a text as it is, anything else, and an empty text, as JSON.

    >>> flat({"head": {"hidden": [100], "dropout": 0.5}, "recipe": "lesson", "sweep": {}})
    {'head.hidden': '[100]', 'head.dropout': '0.5', 'recipe': 'lesson', 'sweep': '{}'}
    """
    found: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = (
                value if value and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            )
    return found


def shortened(value: str) -> str:
    """Return a value that the server takes.

    >>> len(shortened("x" * 7000)), shortened("x" * 7000)[-3:], shortened("whole")
    (6000, 'xx…', 'whole')
    """
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"


def judged(evaluation: pd.DataFrame) -> list[Number]:
    """Return the numbers of evaluation.csv, all folds pooled, as `role/stage/column`.

    Those of the last stage on the photos that judge stand under the columns' own names too: `accuracy`,
    `accuracy_low` and `accuracy_high` are what one compares runs by.
    """
    pooled = evaluation[evaluation["fold"].astype(str) == "all"]
    judging = judging_role(pooled["role"])
    stages = set(pooled.loc[pooled["role"] == judging, "stage"])
    last = "finetuned" if "finetuned" in stages else "head"
    found = []
    for row in pooled.to_dict("records"):
        values = {str(name): float(value) for name, value in row.items() if is_number(value)}
        values.pop("fold", None)
        found += [Number(f"{row['role']}/{row['stage']}/{name}", value) for name, value in values.items()]
        if (row["role"], row["stage"]) == (judging, last):
            found += [Number(name, value) for name, value in values.items()]
    return found


def is_number(value: object) -> bool:
    """Return whether a cell of a table is a number that is known.

    >>> is_number(0.5), is_number("val"), is_number(float("nan")), is_number(True)
    (True, False, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and not pd.isna(value)


def history(path: Path) -> list[Number]:
    """Return the numbers of one training, each epoch a step, as `foldN/stage/column`."""
    place = f"{path.parent.parent.name}/{path.parent.name}"
    return [
        Number(f"{place}/{name}", float(value), int(row["epoch"]))
        for row in read_table(path).to_dict("records")
        for name, value in row.items()
        if name != "epoch" and is_number(value)
    ]


def costs(record: dict[str, Any]) -> list[Number]:
    """Return what each part of a run took, as `cost/part/seconds` and `cost/part/peak_memory_mb`."""
    return [
        Number(f"cost/{part}/{name}", float(cost[name]))
        for part, cost in record["costs"].items()
        for name in ("seconds", "peak_memory_mb")
    ]


def tags_of(record: dict[str, Any], provenance: str) -> dict[str, str]:
    """Return where a run came from.

    Args:
        record: its provenance.
        provenance: the SHA-256 of provenance.json, by which the same run is known again.
    """
    code, data = record["code"], record["data"]
    known = {
        RUN: record["run"],
        PROVENANCE: provenance,
        "graft.experiment": record["experiment"],
        "graft.code_sha256": code["sha256"],
        "graft.dataset": record["dataset"],
        "graft.dataset_sha256": data["manifest_sha256"],
        "graft.split_sha256": data["split_sha256"],
        "graft.recorded": record["recorded"],
    }
    if code["commit"]:
        changed = "" if code["clean"] else " (with changes)"
        known |= {"graft.commit": code["commit"] + changed, "mlflow.source.git.commit": code["commit"]}
    return known
