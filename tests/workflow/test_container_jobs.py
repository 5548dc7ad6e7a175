"""`--software-deployment-method apptainer`, as far as Snakemake itself goes: a stand-in takes Apptainer's place.

It writes down what it was told, and runs the command on this machine. tests/containers has a real image and Apptainer.
"""

import os
import shlex

import pytest

from project import Project, quick

STAND_IN = """#!/bin/sh
[ "$1" = --version ] && { echo apptainer version 1.4.5; exit; }
printf 'shown %s\\n' "$APPTAINER_BIND" >>"$SAID"
for word in "$@"; do printf '%s\\0' "$word" >>"$SAID"; done
for word in "$@"; do last=$word; done
exec bash -c "$last"
"""
TARGET = "results/data/photos/split.csv"


@pytest.fixture
def project(tmp_path, photos) -> Project:
    """Return a project beside photos that lie elsewhere, on a machine with an Apptainer and an image."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "apptainer").write_text(STAND_IN)
    (tmp_path / "bin" / "apptainer").chmod(0o755)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "graft.sif").touch()
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    environment = {"PATH": path, "SAID": str(tmp_path / "said"), "HOME": str(tmp_path)}
    return Project(tmp_path / "work", quick({"source": {"folder": str(photos)}}), environment)


APPTAINER = ["--software-deployment-method", "apptainer"]


def test_jobs_run_in_the_image_and_see_the_photos(project, photos, tmp_path):
    project.run(*APPTAINER, "--", TARGET)
    told = (tmp_path / "said").read_text()
    [folders] = {line.removeprefix("shown ") for line in told.splitlines() if line.startswith("shown ")}
    assert str(photos) in folders.split(",")
    words = told.split("\0")
    assert words[words.index("graft.sif") + 1 : words.index("graft.sif") + 3] == ["bash", "-c"]
    commands = [word for word in words if "ingest_dataset.py" in word]
    assert len(commands) == 1
    assert shlex.split(commands[0].rpartition(";")[2])[0] == "python"  # the image's own, not one of this machine
    assert (project.folder / TARGET).is_file()


def test_without_it_no_image_is_asked_for_and_nothing_runs_again(project, tmp_path):
    (project.folder / "graft.sif").unlink()
    project.run("--", TARGET)
    project.set("container", "docker://lab/graft:1")
    said = project.run("--", TARGET)
    assert "Nothing to be done" in said
    assert "ingularity" not in said  # Snakemake would say that containers are ignored
    assert not (tmp_path / "said").exists()


def test_an_image_that_is_missing_ends_the_run_in_one_line(project):
    (project.folder / "graft.sif").unlink()
    said = project.run(*APPTAINER, "--", TARGET, fails=True)
    assert "graft: the container image graft.sif is not there" in said
    assert "Traceback" not in said


def test_conda_inside_the_image_is_refused(project):
    said = project.run("--software-deployment-method", "conda", "apptainer", "--", TARGET, fails=True)
    assert "graft: the image has every package itself" in said
