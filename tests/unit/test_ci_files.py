"""The files of continuous integration call what exists, and the notes of a release are those of its version."""

import re
import shlex

import pytest
import yaml

import release_notes
from places import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
CI = (ROOT / ".ci" / "run").read_text()


def commands(text: str) -> list[list[str]]:
    """Return the words of every command of a `run:`."""
    return [shlex.split(line) for line in text.splitlines() if line.strip()]


def steps(path) -> list[dict]:
    """Return every step of a workflow's jobs."""
    return [step for job in yaml.safe_load(path.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_only_what_exists(path):
    for words in [words for step in steps(path) for words in commands(step.get("run", ""))]:
        if words[0] == "make":
            assert set(words[1:]) <= TARGETS, words
        elif words[0] == "python3":
            assert (ROOT / words[1]).is_file(), words
        else:
            assert words[:2] == ["gh", "release"], words


def test_ci_on_a_bare_machine_makes_only_what_exists():
    assert set(re.findall(r"^make ([a-z-]+)$", CI, re.MULTILINE)) <= TARGETS


@pytest.mark.parametrize("name", ["tests.yml", "demo.yml"])
def test_every_python_that_the_project_names_is_tried(name):
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())["jobs"]
    tried = [job["strategy"]["matrix"]["python"] for job in jobs.values() if "strategy" in job]
    assert tried == [["3.11", "3.12", "3.13"]]
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()
    assert "3.11 3.12 3.13" in (ROOT / ".ci" / "pythons").read_text()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_may_write_more_than_it_needs(path):
    allowed = yaml.safe_load(path.read_text())["permissions"]
    assert allowed == {"contents": "write" if path.name == "release.yml" else "read"}


def test_an_artefact_of_the_demo_is_its_report():
    [upload] = [
        step["with"]
        for step in steps(ROOT / ".github" / "workflows" / "demo.yml")
        if "upload-artifact" in step.get("uses", "")
    ]
    assert upload["path"] == "results/report.html"


@pytest.mark.parametrize("version", ["0.2.0", "v0.2.0"])
def test_notes_of_a_release_are_those_of_its_version(version, tmp_path, capsys):
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n## 0.2.0\n\n- More.\n\n## 0.1.0\n\nFirst.\n")
    release_notes.main([version, "--changelog", str(tmp_path / "CHANGELOG.md")])
    assert capsys.readouterr().out == "- More.\n"


def test_a_version_without_notes_is_no_release(tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n\n## 0.1.0\n\nFirst.\n")
    with pytest.raises(SystemExit, match=r"says nothing of Unreleased; it has Unreleased, 0\.1\.0"):
        release_notes.main(["Unreleased", "--changelog", str(tmp_path / "CHANGELOG.md")])
