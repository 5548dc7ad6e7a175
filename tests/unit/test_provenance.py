"""What a run was made from: digests that change with what they stand for, costs that count each job once."""

import io
import json
import shutil
import subprocess
import tarfile

import pytest

from graft.config.provenance import RunRecord
from graft.reporting import provenance
from graft.storage.files import sha256_of
from made_runs import made_predictions, write_benchmark, write_run

RECORD = RunRecord(run="lesson", experiment="lesson", seed=0, dataset="photos", features="net-avg", config={})


@pytest.fixture
def repository(tmp_path):
    """A git repository with a Snakefile and a script, all committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    (tmp_path / "workflow").mkdir()
    (tmp_path / "Snakefile").write_text("rule all: input: []\n")
    (tmp_path / "workflow" / "one.py").write_text("1\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@t.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    return tmp_path


def test_code_is_known_by_its_commit_and_a_digest(repository):
    record = provenance.code_record(repository)
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert record["commit"] == head.stdout.strip()
    assert record["clean"] is True
    assert len(record["sha256"]) == 64


def test_an_edit_shows_in_the_digest_and_as_unclean(repository):
    before = provenance.code_record(repository)
    (repository / "workflow" / "one.py").write_text("2\n")
    after = provenance.code_record(repository)
    assert after["commit"] == before["commit"]
    assert after["clean"] is False
    assert after["sha256"] != before["sha256"]


def test_a_renamed_file_changes_the_digest(repository):
    before = provenance.code_record(repository)["sha256"]
    (repository / "workflow" / "one.py").rename(repository / "workflow" / "two.py")
    assert provenance.code_record(repository)["sha256"] != before


def test_without_git_the_digest_still_tells(tmp_path):
    (tmp_path / "Snakefile").write_text("")
    record = provenance.code_record(tmp_path)
    assert record["commit"] is None
    assert record["clean"] is None
    assert len(record["sha256"]) == 64


def test_code_that_comes_without_its_repository_knows_its_commit(repository, tmp_path):
    (repository / ".git_archival.txt").write_text("node: $Format:%H$\n")
    (repository / ".gitattributes").write_text(".git_archival.txt export-subst\n")
    subprocess.run(["git", "-C", str(repository), "add", "--all"], check=True)
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    subprocess.run(["git", "-C", str(repository), *me, "commit", "--quiet", "-m", "Note"], check=True)
    assert provenance.archived_commit(repository) is None  # the note stands there as it was written
    packed = subprocess.check_output(["git", "-C", str(repository), "archive", "HEAD"])
    elsewhere = tmp_path / "elsewhere"
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(elsewhere, filter="data")
    assert provenance.code_record(elsewhere)["commit"] == provenance.code_record(repository)["commit"]


def test_packages_have_versions_by_normalised_names():
    found = provenance.packages()
    assert found["scikit-learn"].count(".") >= 1
    assert not [name for name in found if "_" in name or name != name.lower()]


def test_the_machine_is_described_without_its_name():
    import platform

    text = json.dumps(provenance.machine())
    assert platform.node() not in text or not platform.node()
    assert provenance.machine()["cores"] >= 1


def test_costs_belong_to_the_run_its_folds_and_its_features(tmp_path):
    files = {
        "train_head/lesson-fold0": (10, 500),
        "train_head/lesson-fold1": (20, 700),
        "train_head/lesson-seed1-fold0": (1000, 9000),  # another run
        "train_head/lesson2-fold0": (1000, 9000),
        "fine_tune/lesson-fold0": (100, 800),
        "predict/lesson": (1000, 9000),  # of an earlier number of shards, as the next
        "predict/lesson-1-of-3": (1000, 9000),
        "predict/lesson-1-of-2": (3, 400),
        "predict/lesson-2-of-2": (4, 400),
        "embed_images/photos-net-avg": (5, 600),
        "embed_images/photos-net-avg-views-123": (1000, 9000),  # other features
        "embed_images/photos2-net-avg": (1000, 9000),  # another data set
        "pack_images/photos-224": (1000, 9000),  # of an earlier number of shards, as the next
        "pack_images/photos-224-1-of-3": (1000, 9000),
        "pack_images/photos-224-1-of-2": (1, 300),
        "pack_images/photos-224-2-of-2": (1, 200),
        "draw_figures/lesson": (1000, 9000),
    }
    for name, (seconds, memory) in files.items():
        write_benchmark(tmp_path / f"{name}.tsv", seconds, memory)
    assert provenance.costs(tmp_path, RECORD) == {
        "head": {"seconds": 30, "peak_memory_mb": 700, "jobs": 2},
        "finetuned": {"seconds": 100, "peak_memory_mb": 800, "jobs": 1},
        "predict": {"seconds": 7, "peak_memory_mb": 400, "jobs": 2},
        "shared": {"seconds": 7, "peak_memory_mb": 600, "jobs": 3},
    }


def test_a_job_too_short_to_measure_costs_its_seconds(tmp_path):
    path = tmp_path / "train_head" / "lesson-fold0.tsv"
    path.parent.mkdir()
    path.write_text("s\th:m:s\tmax_rss\n0.2\t0:00:00\t-\n")
    assert provenance.costs(tmp_path, RECORD)["head"] == {"seconds": 0.2, "peak_memory_mb": 0, "jobs": 1}


def test_a_job_measured_several_times_costs_its_mean_and_its_peak(tmp_path):
    path = tmp_path / "train_head" / "lesson-fold0.tsv"
    path.parent.mkdir()
    path.write_text("s\th:m:s\tmax_rss\n1.0\t0:00:01\t500\n3.0\t0:00:03\t400\n")
    assert provenance.costs(tmp_path, RECORD)["head"] == {"seconds": 2, "peak_memory_mb": 500, "jobs": 1}


def test_no_benchmarks_are_no_costs(tmp_path):
    assert provenance.costs(tmp_path / "none", RECORD) == {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run of two folds, trained on a named device."""
    import pandas as pd

    results = tmp_path_factory.mktemp("results")
    rows = pd.concat([made_predictions(6, fold=fold, role="test") for fold in range(2)])
    note = results / "runs" / "lesson" / "fold0" / "head" / "device.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"device": "GPU: made up"}')
    return write_run(results, "lesson", {"head": rows}, seed=7)


def test_provenance_names_all_that_a_repetition_needs(folder):
    record = json.loads((folder / "provenance.json").read_text())
    assert record["seed"] == 7
    assert record["config"]["experiments"]["lesson"]["recipe"] == "lesson"
    assert record["data"]["photos"] == 6
    assert record["data"]["classes"] == ["rural", "urban"]
    assert record["data"]["roles"] == {"fold0 test": 6, "fold1 test": 6}
    assert record["devices"] == {"head": {"device": "GPU: made up"}}
    assert {"code", "packages", "machine", "costs", "recorded", "weights"} <= set(record)


def test_provenance_has_the_digest_of_every_result_and_model(folder):
    record = json.loads((folder / "provenance.json").read_text())
    assert set(record["results"]) == {"evaluation.csv", "predictions.csv"}
    assert set(record["models"]) == {"fold0/head/model.keras", "fold1/head/model.keras"}
    for name, digest in (record["results"] | record["models"]).items():
        assert sha256_of(folder / name) == digest
    assert record["data"]["split_sha256"] == sha256_of(folder.parents[1] / "data" / "drawn" / "split.csv")


def test_provenance_holds_no_path_of_this_machine(folder):
    assert str(folder.parents[1]) not in (folder / "provenance.json").read_text()
