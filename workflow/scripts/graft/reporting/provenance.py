"""Where a run came from: settings, data, weights, code, packages, machine and cost, enough to repeat it."""

import hashlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from graft import paths
from graft.config.provenance import RunRecord
from graft.data import label_sets
from graft.paths import below, device_of_features
from graft.storage import seals
from graft.storage.files import read_json, read_table, sha256_of

ROOT = Path(__file__).resolve().parents[4]
OWN_RULES = {"train_head": "head", "fine_tune": "finetuned", "predict": "predict"}
SHARED_RULES = ("ingest_dataset", "pack_images", "join_pixels", "embed_images", "join_features")
CODE = ("Snakefile", "workflow/Snakefile", "workflow/**/*.py", "workflow/**/*.smk", "config/recipes/*.yaml")


def record_of(
    record: RunRecord,
    *,
    manifest: Path,
    split: Path,
    weights: list[Path],
    models: list[Path],
    results: list[Path],
    benchmarks: Path,
) -> dict[str, Any]:
    """Return what provenance.json holds.

    Args:
        record: what repeats the run.
        manifest: the data set's manifest.csv; where its photos come from lies beside it.
        split: the data set's split.csv.
        weights: the pretrained weights, if there are any.
        models: of every fold and stage, in their folders; what each was trained on lies beside it.
        results: the tables whose bytes a repetition is compared with, in the run's folder.
        benchmarks: the folder of Snakemake's benchmark files.
    """
    folder = results[0].parent
    notes = [(model.parent.name, model.with_name("device.json")) for model in models]
    features = below(manifest.parents[2], paths.FEATURES, dataset=record.dataset, features=record.features)
    notes.append(("embedding", device_of_features(features)))
    return {
        **record.model_dump(mode="json"),
        "recorded": now(),
        "data": data_record(record.dataset, manifest, split, manifest.with_name("source.json")),
        "weights": {path.name: sha256_of(path) for path in weights},
        "models": file_digests(models, folder),
        "results": file_digests(results, folder),
        "code": code_record(),
        "packages": packages(),
        "machine": machine(),
        "devices": {stage: read_json(note) for stage, note in notes if note.is_file()},
        "costs": costs(benchmarks, record),
    }


def file_digests(paths: list[Path], below: Path) -> dict[str, str]:
    """Return SHA-256 by path, paths relative to a run's folder."""
    for path in paths:
        seals.check(path)
    return {path.relative_to(below).as_posix(): sha256_of(path) for path in sorted(paths)}


def data_record(dataset: str, manifest: Path, split: Path, source: Path) -> dict[str, Any]:
    """Return what the run was made of: how many photos of which classes, and digests that change when they do."""
    rows = read_table(split)
    seals.check(manifest)
    return {
        "dataset": dataset,
        "photos": int(rows["path"].nunique()),
        "classes": label_sets.names_in(rows["labels"]) if "labels" in rows else sorted(rows["label"].unique()),
        "roles": {f"fold{fold} {role}": len(part) for (fold, role), part in rows.groupby(["fold", "role"])},
        "manifest_sha256": sha256_of(manifest),
        "split_sha256": sha256_of(split),
        "source": read_json(source) if source.is_file() else None,
    }


def code_record(root: Path = ROOT) -> dict[str, Any]:
    """Return the git commit, whether all was committed, and a digest of the code that holds without git too."""
    digest = hashlib.sha256()
    for path in sorted({path for pattern in CODE for path in root.glob(pattern)}):
        digest.update(f"{path.relative_to(root).as_posix()} {sha256_of(path)}\n".encode())
    changes = git(root, "status", "--porcelain")
    return {
        "commit": git(root, "rev-parse", "HEAD") or archived_commit(root),
        "clean": None if changes is None else not changes,
        "sha256": digest.hexdigest(),
    }


def git(root: Path, *arguments: str) -> str | None:
    """Return what git says, or None where there is no git or no repository."""
    if not shutil.which("git") or not (root / ".git").exists():
        return None
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def archived_commit(root: Path) -> str | None:
    """Return the commit that `git archive` wrote into code that comes without its repository, or None."""
    note = root / ".git_archival.txt"
    found = re.fullmatch(r"node: ([0-9a-f]{40,64})\s*", note.read_text(encoding="utf-8")) if note.is_file() else None
    return found[1] if found else None


def packages() -> dict[str, str]:
    """Return the version of every installed package by its normalised name."""
    found = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in sorted(found.items()) if name}


def machine() -> dict[str, Any]:
    """Return what the run was made on, without the machine's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }


FIT = r"(-pad|-crop)?(-percentile|-from[^/]+to[^/]+?)?(-page\d+)?"  # as graft.config.keys.pictures_key names it


def costs(benchmarks: Path, record: RunRecord) -> dict[str, dict[str, float]]:
    """Return seconds and peak memory of each part of a run: head, finetuned, predict, shared, all folds together.

    `shared` is work that other runs of the job use too. Parts whose benchmark files are gone are left out.

    Args:
        benchmarks: the folder of Snakemake's benchmark files, a folder a rule.
        record: of the run.
    """
    own = re.compile(re.escape(record.run) + r"(-fold\d+)?(-\d+-of-\d+)?")
    shared = re.compile(re.escape(record.dataset) + rf"(-\d+{FIT}|-{re.escape(record.features)})?(-\d+-of-\d+)?")
    wanted = {rule: (part, own) for rule, part in OWN_RULES.items()}
    wanted |= dict.fromkeys(SHARED_RULES, ("shared", shared))
    found: dict[str, dict[str, float]] = {}
    for rule, (part, pattern) in wanted.items():
        for path in newest_sets(sorted((benchmarks / rule).glob("*.tsv"))):
            if pattern.fullmatch(path.stem):
                add_cost(found.setdefault(part, {"seconds": 0.0, "peak_memory_mb": 0.0, "jobs": 0}), path)
    return found


def newest_sets(paths: list[Path]) -> list[Path]:
    """Return the files without those of an earlier number of shards, which Snakemake leaves behind."""
    sets: dict[str, dict[str, list[Path]]] = {}
    for path in paths:
        found = re.fullmatch(r"(.*?)(?:-\d+-of-(\d+))?", path.stem)
        assert found is not None, path  # every name on one line fits
        name, count = found.groups("1")
        sets.setdefault(name, {}).setdefault(count, []).append(path)
    latest = [
        max(counts.values(), key=lambda same: max(path.stat().st_mtime for path in same)) for counts in sets.values()
    ]
    return [path for same in latest for path in same]


def add_cost(total: dict[str, float], path: Path) -> None:
    """Add one benchmark file: seconds add up, memory is the largest."""
    rows = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
    total["seconds"] = round(total["seconds"] + float(rows["s"].mean()), 3)
    memory = rows["max_rss"].max()
    total["peak_memory_mb"] = max(total["peak_memory_mb"], 0.0 if pd.isna(memory) else float(memory))
    total["jobs"] += 1


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
