"""Repeating a run: the configuration moves to another folder, and every changed byte is told."""

import json
import shutil
import subprocess

import pandas as pd
import pytest

import reproduce
from graft.errors import UserError
from graft.reporting import provenance, reproduction
from graft.storage.files import read_table, write_table
from made_runs import made_predictions, write_run

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def results(tmp_path):
    """A results folder with one finished run, started from its parent."""
    results = tmp_path / "project" / "results"
    write_run(results, "lesson", {"head": made_predictions(20)})
    return results


@pytest.fixture
def record(results):
    return reproduction.read_record(results, "lesson")


def repeat_by_copying(results, folder):
    """Do what Snakemake would, by copying the run."""
    shutil.copytree(results / "runs", folder / "results" / "runs", dirs_exist_ok=True)


def test_the_same_files_are_the_same(results, record, tmp_path):
    repeat_by_copying(results, tmp_path / "again")
    found = reproduction.outcome(record, results, tmp_path / "again")
    assert found == [("evaluation.csv", True, ""), ("predictions.csv", True, "")]


def test_a_changed_number_is_told_by_how_much(results, record, tmp_path):
    repeat_by_copying(results, tmp_path / "again")
    path = tmp_path / "again" / "results" / "runs" / "lesson" / "predictions.csv"
    table = read_table(path)
    table.loc[3, "probability_rural"] += 0.25
    write_table(table, path)
    (_, same, difference) = reproduction.outcome(record, results, tmp_path / "again")[1]
    assert not same
    assert difference == "numbers differ by at most 0.25"


def test_a_changed_answer_is_told_by_its_column(results, record, tmp_path):
    repeat_by_copying(results, tmp_path / "again")
    path = tmp_path / "again" / "results" / "runs" / "lesson" / "predictions.csv"
    write_table(read_table(path).assign(predicted="urban"), path)
    difference = reproduction.outcome(record, results, tmp_path / "again")[1][2]
    assert difference == "numbers differ by at most 0; predicted differ too"


def test_a_missing_file_and_missing_rows_are_told(results, record, tmp_path):
    repeat_by_copying(results, tmp_path / "again")
    folder = tmp_path / "again" / "results" / "runs" / "lesson"
    (folder / "evaluation.csv").unlink()
    path = folder / "predictions.csv"
    write_table(read_table(path).iloc[:-1], path)
    said = [difference for _, _, difference in reproduction.outcome(record, results, tmp_path / "again")]
    assert said == ["was not made again", "has 19 rows of 13 columns; 20 of 13 were recorded"]


def test_it_is_the_record_that_counts_not_a_file_edited_since(results, record, tmp_path):
    repeat_by_copying(results, tmp_path / "again")
    (results / "runs" / "lesson" / "evaluation.csv").write_text("edited")
    assert reproduction.outcome(record, results, tmp_path / "again")[0][1] is True


def test_relative_paths_of_the_user_become_absolute(record, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "own.h5").write_text("")
    (tmp_path / "fixes.csv").write_text("")
    labels = {"table": "in_the_folder.csv", "corrections": "fixes.csv"}
    record["config"]["datasets"]["drawn"]["source"] = {"folder": "photos", "archive": None, "labels": labels}
    record["config"]["experiments"]["lesson"]["backbone"]["weights"] = "own.h5"
    config = reproduction.configuration_of(record, tmp_path)
    source = config["datasets"]["drawn"]["source"]
    assert source["folder"] == str(tmp_path / "photos")
    assert source["labels"] == {"table": "in_the_folder.csv", "corrections": str(tmp_path / "fixes.csv")}
    assert config["experiments"]["lesson"]["backbone"]["weights"] == str(tmp_path / "own.h5")
    assert config["experiments"]["lesson"]["recipe"] == "lesson"
    assert record["config"]["datasets"]["drawn"]["source"]["folder"] == "photos"


def test_a_path_of_a_module_is_meant_from_where_it_was_started(record, tmp_path):
    (tmp_path / "study" / "photos").mkdir(parents=True)
    record["config"]["datasets"]["drawn"]["source"] = {"folder": "photos"}
    config = reproduction.configuration_of(record, tmp_path / "study" / "classifier", tmp_path / "study")
    assert config["datasets"]["drawn"]["source"]["folder"] == str(tmp_path / "study" / "photos")


def test_downloads_are_taken_along_but_not_what_was_made(results, record, tmp_path):
    record["config"]["datasets"]["drawn"]["source"] = {"kaggle": "someone/photos"}
    (results / "data" / "drawn" / "archive.zip").write_text("zip")
    (results / "data" / "drawn" / "download.json").write_text("{}")
    folder = tmp_path / "again"
    reproduction.prepare(record, results, folder, reuse=True)
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [
        "archive.zip", "download.json", "repeated.json",
    ]  # fmt: skip
    reproduction.prepare(record, results, folder, reuse=False)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["repeated.json"]


def test_weights_are_taken_along_only_if_they_are_those_recorded(results, record, tmp_path):
    import hashlib

    weights = results / "weights"
    weights.mkdir()
    (weights / "same.weights.h5").write_text("same")
    (weights / "other.weights.h5").write_text("other")
    record["weights"] = {"same.weights.h5": hashlib.sha256(b"same").hexdigest(), "other.weights.h5": "0" * 64}
    reproduction.prepare(record, results, tmp_path / "again", reuse=True)
    assert [path.name for path in (tmp_path / "again" / "results" / "weights").iterdir()] == ["same.weights.h5"]


def test_a_folder_with_something_else_in_it_is_left_alone(results, record, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    with pytest.raises(UserError, match="is not empty"):
        reproduction.prepare(record, results, tmp_path / "mine", reuse=True)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "precious"


def test_what_has_changed_since_is_told(record):
    assert reproduction.changes(record) == []
    record["packages"]["numpy"] = "0.1"
    record["packages"]["gone"] = "1.0"
    record["machine"]["cores"] = 4096
    record["code"]["sha256"] = "0" * 64
    lines = reproduction.changes(record)
    assert [line.split(":")[0] for line in lines] == ["the code", "gone", "numpy", "cores"]
    assert lines[1] == "gone: 1.0 then, none now"


def test_other_photos_are_told(results, record, tmp_path):
    data = tmp_path / "again" / "results" / "data" / "drawn"
    write_table(pd.DataFrame({"path": ["x"]}), data / "manifest.csv")
    assert reproduction.data_changes(record, tmp_path / "again") == ["manifest.csv of drawn is another"]


@pytest.mark.parametrize("same", [True, False])
def test_the_program_says_whether_every_byte_came_out_the_same(results, tmp_path, monkeypatch, capsys, same):
    def repeat(record, folder, code, cores, options):
        assert code == provenance.ROOT
        assert (cores, options) == (2, ["--resources", "gpu=0"])
        assert json.loads((folder / "repeated.json").read_text())["runs"] == ["lesson"]
        repeat_by_copying(results, folder)
        if not same:
            write_table(pd.DataFrame(columns=["run"]), folder / "results" / "runs" / "lesson" / "evaluation.csv")

    monkeypatch.setattr(reproduction, "repeat", repeat)
    arguments = ["--run", "lesson", "--results", str(results), "--cores", "2", "--", "--resources", "gpu=0"]
    if same:
        reproduce.main(arguments)
        assert "lesson came out the same, byte for byte, in all 2 files" in capsys.readouterr().out
    else:
        with pytest.raises(UserError, match="1 of 2 files of lesson came out differently"):
            reproduce.main(arguments)
    assert list(read_table(results / "reproduced" / "lesson" / "reproduction.csv")["same"]) == [same, True]


@needs_git
def test_the_recorded_code_is_that_of_its_commit(record, tmp_path, monkeypatch):
    root = tmp_path / "repository"
    root.mkdir()
    git = ["git", "-C", str(root), "-c", "user.name=t", "-c", "user.email=t@t.example"]
    for text in ("then", "now"):
        (root / "Snakefile").write_text(text)
        for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", text]):
            subprocess.run([*git, *command], check=True)
    monkeypatch.setattr(provenance, "ROOT", root)
    record["code"]["commit"] = provenance.git(root, "rev-parse", "HEAD~1")
    code = reproduction.recorded_code(record, tmp_path / "again")
    assert (code / "Snakefile").read_text() == "then"


@needs_git
@pytest.mark.parametrize(("commit", "says"), [(None, "without a commit"), ("0" * 40, "git has no commit 0000")])
def test_code_that_cannot_be_had_is_told(record, tmp_path, commit, says):
    record["code"]["commit"] = commit
    with pytest.raises(UserError, match=says):
        reproduction.recorded_code(record, tmp_path)


def test_an_unknown_run_is_named_with_the_nearest(results):
    with pytest.raises(UserError, match="no finished run 'leson'; did you mean 'lesson'"):
        reproduction.read_record(results, "leson")
