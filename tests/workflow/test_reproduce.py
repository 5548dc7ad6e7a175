"""A finished run says what it was made from, and can be made again from that alone."""

import json
import subprocess
import sys

import pytest

from places import ROOT
from project import Project, quick


@pytest.fixture(scope="module")
def folds(tmp_path_factory, photos) -> Project:
    """Return a project whose run has two folds and no fine-tuning."""
    dataset = {"source": {"folder": str(photos)}, "split": {"method": "kfold", "k": 2}}
    project = Project(tmp_path_factory.mktemp("folds"), quick(dataset, recipe="probe", override={}))
    project.run()
    return project


def reproduce(project: Project, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "workflow" / "commands" / "reproduce.py"), "--run", "quick", "--cores", "4"]
    return subprocess.run(
        [*command, *arguments], cwd=project.folder, env=project.environment, capture_output=True, text=True, timeout=600
    )


def test_under_k_fold_every_photo_speaks_once(folds):
    table = folds.table("runs/quick/evaluation.csv")
    pooled = table[table["fold"] == "all"].iloc[0]
    assert (pooled["role"], pooled["n"], pooled["photos"]) == ("val", 27, 27)
    assert pooled["calibrated_on"] == "nothing: no photos choose"
    assert sorted(table["fold"]) == ["0", "1", "all"]


def test_provenance_knows_costs_weights_and_settings(folds):
    record = json.loads((folds.folder / "results" / "runs" / "quick" / "provenance.json").read_text())
    assert set(record["costs"]) == {"head", "predict", "shared"}
    assert record["costs"]["head"]["jobs"] == 2
    assert record["costs"]["shared"]["jobs"] >= 2
    assert record["config"]["experiments"]["quick"]["override"]["frozen"]["method"] == "probe"
    assert record["config"]["datasets"]["photos"]["split"]["k"] == 2
    assert len(record["weights"]) == 1
    assert record["devices"]["head"]["device"].startswith(("CPU: ", "GPU: "))


def test_a_run_repeated_from_its_provenance_has_the_same_bytes(folds, tmp_path):
    done = reproduce(folds, "--folder", str(tmp_path / "again"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "quick came out the same, byte for byte, in all 2 files" in done.stdout


def test_a_run_repeated_from_its_crate_elsewhere_has_the_same_bytes(folds, tmp_path):
    pytest.importorskip("rocrate", reason="rocrate is not installed here: make test-crate")
    script = ROOT / "workflow" / "commands" / "crate.py"
    arguments = ["--run", "quick", "--results", "results", "--output", str(tmp_path / "quick"), "--zip"]
    subprocess.run([sys.executable, script, *arguments], cwd=folds.folder, env=folds.environment, check=True)
    description = json.loads((tmp_path / "quick" / "ro-crate-metadata.json").read_text())
    [action] = [entity for entity in description["@graph"] if entity["@id"] == "#run"]
    assert action["startTime"] < action["endTime"]
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, str(ROOT / "workflow" / "commands" / "reproduce.py"), "--cores", "4", "--run"]
    done = subprocess.run(
        [*command, str(tmp_path / "quick.crate.zip")],
        cwd=tmp_path / "elsewhere", env=folds.environment, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "quick came out the same, byte for byte, in all 2 files" in done.stdout
