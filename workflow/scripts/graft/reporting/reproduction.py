"""A recorded run, made again in a folder of its own, and compared byte for byte."""

import io
import shutil
import subprocess
import sys
import tarfile
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from graft import tables
from graft.config.base import nearest
from graft.errors import UserError
from graft.reporting import provenance
from graft.storage.files import read_json, read_table, sha256_of, write_json

CONFIG = "repeated.json"


def read_record(results: Path, run: str) -> dict[str, Any]:
    """Return a run's provenance.

    Raises: UserError if the run has none.
    """
    path = results / "runs" / run / "provenance.json"
    if not path.is_file():
        known = sorted(found.parent.name for found in (results / "runs").glob("*/provenance.json"))
        raise UserError(f"{results} has no finished run {run!r}{nearest(run, known) or '; run the job first'}")
    return read_json(path)


def configuration_of(record: dict[str, Any], *origins: Path) -> dict[str, Any]:
    """Return the configuration that repeats a run from another folder: its relative paths made absolute.

    Args:
        record: the run's provenance.
        origins: folders from which the run may have been started; a path is meant from the first that has it.
    """
    config = deepcopy(record["config"])
    dataset = config["datasets"][record["dataset"]]
    experiment = config["experiments"][record["experiment"]]
    for section, key in (
        (dataset.get("source", {}), "folder"),
        (dataset.get("source", {}), "archive"),
        (dataset.get("source", {}).get("labels") or {}, "table"),
        (dataset.get("source", {}).get("labels") or {}, "corrections"),
        (dataset.get("split", {}), "file"),
        (experiment.get("backbone", {}), "weights"),
        (experiment, "recipe"),
    ):
        value = section.get(key)
        found = [path for origin in origins if value and (path := origin / Path(value).expanduser()).exists()]
        if found:
            section[key] = str(found[0].resolve())
    return config


def take_photos(record: dict[str, Any], photos: Path) -> None:
    """Change a record so that it takes its photos from a folder or an archive of this machine.

    Raises: UserError if there is none.
    """
    if not photos.exists():
        raise UserError(f"{photos} does not exist; --photos names a folder of photos, or an archive")
    source = record["config"]["datasets"][record["dataset"]].setdefault("source", {})
    source |= {key: None for key in ("kaggle", "competition", "url", "archive", "folder", "sample") if key in source}
    source["folder" if photos.is_dir() else "archive"] = str(photos.resolve())


def prepare(record: dict[str, Any], results: Path, folder: Path, reuse: bool) -> None:
    """Write the configuration into a fresh folder, and put there what had to be downloaded.

    Args:
        record: the run's provenance.
        results: where the run lies.
        folder: where it is repeated; an earlier repetition that lies there is removed.
        reuse: take the archive and the weights from `results` instead of downloading them.

    Raises: UserError if anything else lies in the folder.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONFIG).is_file():
        raise UserError(f"{folder} is not empty, and holds no earlier repetition; name another with --folder")
    if folder.exists():
        shutil.rmtree(folder)
    origins = (results.resolve().parent, Path.cwd())  # a module's results lie below its prefix
    write_json(configuration_of(record, *origins), folder / CONFIG, sealed=False)
    lock = Path("config", "locks", f"{record['dataset']}.json")
    copy(results.resolve().parent / lock, folder / lock)
    if reuse:
        lend(record, results, folder)


def lend(record: dict[str, Any], results: Path, folder: Path) -> None:
    """Put the archive and the weights that a repetition would download into its folder, where they are the recorded."""
    source = record["config"]["datasets"][record["dataset"]].get("source", {})
    data = results / "data" / record["dataset"]
    if (source.get("kaggle") or source.get("competition") or source.get("url")) and is_recorded(record, data):
        for name in ("archive.zip", "download.json"):
            copy(data / name, folder / "results" / "data" / record["dataset"] / name)
    for name, digest in record["weights"].items():
        weights = results / "weights" / name
        if weights.is_file() and sha256_of(weights) == digest:
            copy(weights, folder / "results" / "weights" / name)


def is_recorded(record: dict[str, Any], data: Path) -> bool:
    """Return whether an archive of photos is the one that a run was made from, as far as its provenance tells."""
    recorded = (record["data"].get("source") or {}).get("sha256")
    archive = data / "archive.zip"
    return not recorded or not archive.is_file() or sha256_of(archive) == recorded


def copy(source: Path, target: Path) -> None:
    """Copy a file that is there; its time is now, so that no rule finds it older than the code that makes it."""
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def recorded_code(record: dict[str, Any], folder: Path) -> Path:
    """Return a copy of the code as it was committed when the run was recorded, below the folder.

    Raises: UserError if the commit is not known here.
    """
    commit, target = record["code"]["commit"], folder / "code"
    if not commit:
        raise UserError(f"{record['run']} was made from code without a commit; leave out --recorded-code")
    done = subprocess.run(["git", "-C", str(provenance.ROOT), "archive", commit], capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"git has no commit {commit} here; fetch it, or leave out --recorded-code")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(target, filter="data")
    return target


def repeat(record: dict[str, Any], folder: Path, code: Path, cores: int, options: list[str]) -> None:
    """Make the run's evaluation again.

    Args:
        record: the run's provenance.
        folder: what `prepare` made.
        code: the project's root, as it is now or as `recorded_code` left it.
        cores: processor cores that Snakemake may use.
        options: more of Snakemake's own; none: `--resources gpu=1`.

    Raises: UserError if Snakemake fails.
    """
    command = [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(code.resolve() / "Snakefile")),
        *("--directory", str(folder), "--configfile", str(folder / CONFIG)),
        *("--replace-workflow-config", "--cores", str(cores)),  # else config.yaml would be merged in
        *(options or ["--resources", "gpu=1"]),
        *threads_of(record),
        *("--", f"results/runs/{record['run']}/evaluation.csv"),
    ]
    if subprocess.run(command, check=False).returncode:
        raise UserError(
            f"{record['run']} could not be repeated; what stopped it stands above, logs in {folder}/results/logs"
        )


def threads_of(record: dict[str, Any]) -> list[str]:
    """Return Snakemake's options that give each stage the threads it had: others would give other last digits.

    >>> threads_of({"devices": {"head": {"threads": 8}, "embedding": {"threads": 16}}})
    ['--set-threads', 'train_head=8', 'fine_tune=8', 'predict=8', 'embed_images=16']
    """
    devices = record.get("devices", {})
    rules: dict[str, int] = {}
    if threads := devices.get("head", {}).get("threads"):
        rules |= dict.fromkeys(("train_head", "fine_tune", "predict"), threads)
    if threads := devices.get("embedding", {}).get("threads"):
        rules["embed_images"] = threads
    return ["--set-threads", *(f"{rule}={threads}" for rule, threads in rules.items())] if rules else []


def outcome(record: dict[str, Any], results: Path, folder: Path) -> list[tuple[str, bool, str]]:
    """Return, for each result file, its name, whether its bytes are those recorded, and how they differ if not."""
    found = []
    for name, digest in sorted(record["results"].items()):
        again = folder / "results" / "runs" / record["run"] / name
        same = again.is_file() and sha256_of(again) == digest
        found.append((name, same, "" if same else difference(results / "runs" / record["run"] / name, again, digest)))
    return found


def difference(first: Path, again: Path, digest: str) -> str:
    """Say how a table differs from the recorded one, in numbers where they can be compared."""
    if not again.is_file():
        return "was not made again"
    if not first.is_file() or sha256_of(first) != digest:
        return "differs from what was recorded, and the recorded file is no longer there to compare with"
    one, two = read_table(first), read_table(again)
    if list(one.columns) != list(two.columns) or len(one) != len(two):
        return f"has {len(two)} rows of {len(two.columns)} columns; {len(one)} of {len(one.columns)} were recorded"
    numbers = [name for name in one.select_dtypes("number") if name in two.select_dtypes("number")]
    texts = [name for name in one.columns if name not in numbers and not one[name].equals(two[name])]
    gap = np.nanmax(np.abs(one[numbers].to_numpy(float) - two[numbers].to_numpy(float)), initial=0.0)
    sentence = f"numbers differ by at most {gap:.2g}"
    return f"{sentence}; {', '.join(texts)} differ too" if texts else sentence


def changes(record: dict[str, Any]) -> list[str]:
    """Return what is no longer as it was when the run was recorded: code, packages, machine."""
    now = {
        "code": provenance.code_record(),
        "packages": provenance.packages(),
        "machine": provenance.machine(),
    }
    lines = []
    if now["code"]["sha256"] != record["code"]["sha256"]:
        lines.append(f"the code: commit {record['code']['commit']} then, {now['code']['commit']} now")
    names = sorted(set(record["packages"]) | set(now["packages"]))
    versions = [(name, record["packages"].get(name), now["packages"].get(name)) for name in names]
    lines += [
        f"{name}: {before or 'none'} then, {after or 'none'} now" for name, before, after in versions if before != after
    ]
    lines += [
        f"{name}: {before} then, {now['machine'][name]} now"
        for name, before in record["machine"].items()
        if before != now["machine"][name]
    ]
    return lines


def data_changes(record: dict[str, Any], folder: Path) -> list[str]:
    """Return which of the repeated run's data are not those recorded."""
    data = folder / "results" / "data" / record["dataset"]
    pairs = (("manifest.csv", "manifest_sha256"), ("split.csv", "split_sha256"))
    return [
        f"{name} of {record['dataset']} is another"
        for name, key in pairs
        if (data / name).is_file() and sha256_of(data / name) != record["data"][key]
    ]


def table_of(found: list[tuple[str, bool, str]]) -> pd.DataFrame:
    """Return the outcome as a table for reproduction.csv."""
    return pd.DataFrame(found, columns=tables.Reproduction.names())
