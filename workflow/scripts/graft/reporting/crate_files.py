"""Which files a research object holds: what a run was made from, what came out, and the code that it ran with.

They lie as in the folder that the run was made in, so that the object can be used as one.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from graft import paths
from graft.errors import UserError
from graft.reporting import provenance, reproduction
from graft.storage import seals
from graft.storage.files import sha256_of

CONFIGURATION = "config/config.yaml"
ENVIRONMENT = "environment.txt"
README = "README.md"
LOCK_OF_PACKAGES = "envs/requirements.txt"
# The code: what provenance digests, and what else the rules read. Not the profile of a cluster, which names accounts.
CODE = (
    *provenance.CODE,
    *("workflow/report/**/*.rst", "workflow/resources/*", "workflow/schemas/*", "workflow/profiles/default/*"),
    *(LOCK_OF_PACKAGES, "envs/graft.yaml", "LICENSE"),
)
WITH_PHOTOS = ("prediction_grid", "mistakes", "gradcam")  # the figures that show photos
FIGURES = (".png", ".svg", ".pdf")
TABLES = {
    "evaluation.csv": "Accuracy with its interval, and other numbers, for each stage and role",
    "per_class.csv": "The same for each class",
    "significance.csv": "The head against the fine-tuned network",
    "predictions.csv": "What the published model says of every photo that was judged",
    "raw_predictions.csv": "What the networks say of every photo that they were asked about",
    "unlabelled_predictions.csv": "What the model says of photos without a label",
    "submission.csv": "The answers, in the form of a competition's sample",
    "calibration.json": "The temperature and thresholds of the published model, and what chose them",
}
NEEDED = ("model.keras", "MODEL_CARD.md", "evaluation.csv", "predictions.csv")  # of a finished run


@dataclass(frozen=True)
class Part:
    """A file of a research object.

    Attributes:
        path: in the object, with slashes.
        source: where it lies now.
        title: what it is, in words.
        parameter: the workflow's input or output that it is one of; empty for neither.
        is_input: whether the run was made from it.
    """

    path: str
    source: Path
    title: str
    parameter: str = ""
    is_input: bool = False


def check_finished(results: Path, record: dict[str, Any]) -> None:
    """Refuse a run that is not whole, or whose files are not those of its provenance.

    Raises: UserError that names the file.
    """
    run = results / "runs" / record["run"]
    for name in NEEDED:
        if not (run / name).is_file():
            raise UserError(f"{run / name} does not exist, so {record['run']} is not finished: run the job to its end")
    for name, digest in record["results"].items():
        seals.check(run / name)
        if sha256_of(run / name) != digest:
            raise UserError(f"{run / name} is not the file that provenance.json records: delete it and run again")
    data = results / "data" / record["dataset"]
    for name, key in (("manifest.csv", "manifest_sha256"), ("split.csv", "split_sha256")):
        if not (data / name).is_file():
            raise UserError(f"{data / name} does not exist, which {record['run']} was made from: run the job again")
        if sha256_of(data / name) != record["data"][key]:
            raise UserError(f"{data / name} is another than {record['run']} was made from: run the job again")


def inputs(results: Path, record: dict[str, Any]) -> Iterator[Part]:
    """Yield what a run was made from: lists of photos by their digests, the lock, and the user's own tables."""
    dataset = record["dataset"]
    data = results / "data" / dataset
    listed = {
        "manifest.csv": f"Every photo of {dataset}, with its SHA-256",
        "split.csv": "Which photos train, choose and judge",
        "classes.json": "The classes, in the order of the model's outputs",
        "source.json": "Where the photos came from, and the digest of all of them",
    }
    for name, title in listed.items():
        if (data / name).is_file():
            seals.check(data / name)
            yield Part(f"results/data/{dataset}/{name}", data / name, title, name.partition(".")[0], is_input=True)
    root = results.resolve().parent
    lock = paths.LOCK.format(dataset=dataset)
    if (root / lock).is_file():
        yield Part(lock, root / lock, f"The checksums that {dataset} is pinned to", "lock", is_input=True)
    for name in tables_of_the_user(record):
        found = next((origin / name for origin in (root, Path.cwd()) if (origin / name).is_file()), None)
        if found:
            yield Part(PurePosixPath(name).as_posix(), found, "A table that the configuration names", "table", True)


def tables_of_the_user(record: dict[str, Any]) -> list[str]:
    """Return the small files that a configuration names by paths below the folder it was started from."""
    dataset = record["config"]["datasets"][record["dataset"]]
    labels = (dataset.get("source") or {}).get("labels")
    labels = labels if isinstance(labels, dict) else {}
    named = [labels.get("table"), labels.get("corrections"), (dataset.get("split") or {}).get("file")]
    named.append(record["config"]["experiments"][record["experiment"]].get("recipe"))
    return [
        name
        for name in dict.fromkeys(named)
        if isinstance(name, str) and not Path(name).is_absolute() and not {"..", "~"} & set(Path(name).parts)
    ]


def outputs(results: Path, record: dict[str, Any], photos: bool) -> Iterator[Part]:
    """Yield what came out of a run.

    Args:
        results: where the run lies.
        record: the run's provenance.
        photos: whether figures that show photos come too.
    """
    run = results / "runs" / record["run"]
    below = f"results/runs/{record['run']}"
    for name, title in TABLES.items():
        if (run / name).is_file():
            yield Part(f"{below}/{name}", run / name, title, name.partition(".")[0])
    yield Part(f"{below}/model.keras", run / "model.keras", "The published model: raw pixels in, logits out", "model")
    yield Part(f"{below}/MODEL_CARD.md", run / "MODEL_CARD.md", "The model card", "card")
    yield Part(f"{below}/provenance.json", run / "provenance.json", "What the run was made from", "provenance")
    for name in sorted(record["models"]):
        history = (run / name).with_name("history.csv")
        if history.is_file():
            stage = f"{history.parent.name} of {history.parent.parent.name}"
            path = f"{below}/{history.relative_to(run).as_posix()}"
            yield Part(path, history, f"Each epoch of the {stage}", "history")
    for figure in sorted(path for path in (run / "figures").glob("*") if path.suffix in FIGURES):
        if photos or figure.stem not in WITH_PHOTOS:
            title = f"Figure: {figure.stem.replace('_', ' ')}"
            yield Part(f"{below}/figures/{figure.name}", figure, title, "figures")


def code(root: Path) -> Iterator[Part]:
    """Yield the files of the code below a folder that holds it."""
    for path in sorted({path for pattern in CODE for path in root.glob(pattern) if path.is_file()}):
        name = path.relative_to(root).as_posix()
        title = "The lock of packages that comes with the code" if name == LOCK_OF_PACKAGES else f"Code: {name}"
        yield Part(name, path, title)


@contextmanager
def code_of(record: dict[str, Any], accept_changed: bool) -> Iterator[tuple[Path, bool]]:
    """Give a folder with the code that a run ran with, and whether it surely is that.

    It is today's where its digest is the recorded one, else that of the recorded commit.

    Args:
        record: the run's provenance.
        accept_changed: give today's where the recorded one is nowhere.

    Raises: UserError if the recorded code is nowhere.
    """
    recorded = record["code"]["sha256"]
    with tempfile.TemporaryDirectory() as scratch:
        found = provenance.ROOT
        if provenance.code_record()["sha256"] != recorded and record["code"]["commit"]:
            try:
                found = reproduction.recorded_code(record, Path(scratch))
            except UserError:  # no such commit here
                found = provenance.ROOT
        same = provenance.code_record(found)["sha256"] == recorded
        if not same and not accept_changed:
            raise UserError(
                f"the code has changed since {record['run']} was made, and no commit here holds it as it was "
                f"(commit {record['code']['commit']}, with changes): run the job again, or take today's, which the "
                f"crate then says: python workflow/commands/crate.py --run {record['run']} --changed-code"
            )
        yield (found if same else provenance.ROOT), same


def write_parts(parts: list[Part], record: dict[str, Any], folder: Path) -> None:
    """Copy all files to their places in a folder, and write the configuration and the list of packages."""
    for part in parts:
        seals.check(part.source)
        target = folder / part.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(part.source, target)
    (folder / CONFIGURATION).parent.mkdir(parents=True, exist_ok=True)
    (folder / CONFIGURATION).write_text(configuration(record), encoding="utf-8")
    (folder / ENVIRONMENT).write_text(environment(record), encoding="utf-8")
    (folder / README).write_text(readme(record), encoding="utf-8")


def readme(record: dict[str, Any]) -> str:
    """Return what a stranger reads first: what lies where, how to check it, how to repeat it."""
    run = record["run"]
    return f"""\
# {run}

A run of Graft, which trains image classifiers by transfer learning, as a Workflow Run RO-Crate. What the model is, how
good it is and where its limits are stand in [its card](results/runs/{run}/MODEL_CARD.md). `ro-crate-metadata.json`
describes everything to a program; `ro-crate-preview.html` lists the files in a browser.

| where | what |
|---|---|
| `results/runs/{run}/` | what came out: the model and its card, tables, figures, provenance |
| `results/data/{record["dataset"]}/` | which photos it was made from, by their SHA-256; the photos are not here |
| `config/config.yaml` | the configuration of this run alone, every default written out |
| `environment.txt` | every package that was installed, with its version |
| `Snakefile`, `workflow/`, `config/recipes/`, `envs/` | the code |
| `SHA256SUMS` | the checksum of every file: `sha256sum --check SHA256SUMS` |

To make the run again and compare every byte, in a checkout of Graft: `make reproduce RUN=path/of/this/crate`.
"""


def configuration(record: dict[str, Any]) -> str:
    """Return the configuration of this run alone, every default written out, as YAML."""
    head = f"# The run {record['run']} alone, with every setting that it had.\n"
    return head + yaml.safe_dump(record["config"], sort_keys=True, allow_unicode=True, width=100)


def environment(record: dict[str, Any]) -> str:
    r"""Return the packages that were installed when the run was made, a line each, as pip lists them.

    >>> environment({"machine": {"python": "3.12.1"}, "packages": {"keras": "3.15.1", "graft": "0.1"}})
    '# Python 3.12.1\ngraft==0.1\nkeras==3.15.1\n'
    """
    lines = [f"{name}=={version}" for name, version in sorted(record["packages"].items())]
    return "\n".join([f"# Python {record['machine']['python']}", *lines, ""])
