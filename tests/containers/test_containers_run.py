"""The demo's probe in the image: by Buildah as a whole, and job by job by Apptainer, with the bytes of each other."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from machine_of_images import PIP

from places import ROOT

TARGET = "results/runs/probe/evaluation.csv"
TABLES = [TARGET, "results/runs/probe/predictions.csv"]


def checkout(folder: Path) -> Path:
    """Return a clone of this repository with the files as they are now."""
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.check_output(listed, text=True).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def snakemake(*arguments: str) -> list[str]:
    options = ["--cores", "2", "--resources", "gpu=0", "--configfile", "config/demo.yaml"]
    return ["-m", "snakemake", *options, *arguments, "--", TARGET]


def tables(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in TABLES}


def status(folder: Path) -> str:
    """Return what git says of a checkout's files, new ones included."""
    return subprocess.check_output(["git", "-C", folder, "status", "--porcelain", "--untracked-files"], text=True)


def provenance(folder: Path) -> dict:
    """Return what is recorded of how the probe came about."""
    return json.loads((folder / "results" / "runs" / "probe" / "provenance.json").read_text())


@pytest.fixture(scope="module")
def by_apptainer(machine, sif, tmp_path_factory) -> Path:
    """Return a checkout whose Snakemake ran each job in the image."""
    folder = checkout(tmp_path_factory.mktemp("apptainer") / "graft")
    (folder / "graft.sif").symlink_to(sif)
    machine.status_before = status(folder)
    machine.said = machine.run(
        sys.executable, *snakemake("--software-deployment-method", "apptainer"), cwd=folder, PYTHONPATH="/nowhere"
    )
    return folder


@pytest.fixture(scope="module")
def by_buildah(machine, image, tmp_path_factory) -> Path:
    """Return a checkout whose whole workflow ran inside the image, as `docker run` would have it."""
    folder = checkout(tmp_path_factory.mktemp("buildah") / "graft")
    container = machine.buildah("from", "--pull-never", image).strip()
    where = ["--volume", f"{folder}:{folder}", "--workingdir", str(folder)]
    machine.buildah("run", *where, container, "--", "python", *snakemake())
    machine.buildah("rm", container)
    return folder


def test_each_job_ran_in_the_image(by_apptainer, machine):
    assert "Activating singularity image graft.sif" in machine.said
    record = provenance(by_apptainer)
    assert record["machine"]["python"].startswith("3.13")  # the base image's, not the one that runs Snakemake
    assert record["code"]["commit"]


def test_a_job_leaves_nothing_but_results_in_the_checkout(by_apptainer, machine):
    assert status(by_apptainer) == machine.status_before


def test_the_whole_workflow_inside_the_image_gives_the_same_bytes(by_apptainer, by_buildah):
    assert tables(by_apptainer) == tables(by_buildah)


def test_nothing_runs_again_in_the_same_image(by_apptainer, machine):
    said = machine.run(sys.executable, *snakemake("--software-deployment-method", "apptainer"), cwd=by_apptainer)
    assert "Nothing to be done" in said


def root_is_whole() -> bool:
    """Return whether root has every capability that the kernel knows."""
    held = int(re.search(r"CapEff:\s*(\w+)", Path("/proc/self/status").read_text())[1], 16)
    return held == (1 << int(Path("/proc/sys/kernel/cap_last_cap").read_text()) + 1) - 1


@pytest.mark.skipif(not root_is_whole(), reason="root lacks a capability here, and Apptainer's %post asks for all")
def test_the_definition_for_apptainer_builds_by_the_same_script(machine, tmp_path):
    """Build it with a small lock: what the large one gives is tested above."""
    shown = []
    for path in filter(Path.exists, PIP):  # copies: Apptainer may run on a root of its own, with another /etc
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, tmp_path / path.name)
        shown += ["--bind", f"{tmp_path / path.name}:{path}"]
    arguments = {"BOOTSTRAP": "localimage", "BASE": machine.state / "base", "LOCKS": "requirements-parquet.txt"}
    options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    built = tmp_path / "small.sif"
    machine.run("apptainer", "build", *shown, *options, built, "envs/container/graft.def")
    said = machine.run("apptainer", "exec", built, "python", "-c", "import sys, pyarrow; print(sys.prefix)")
    assert said.splitlines()[-1] == "/opt/graft"
    assert "PYTHONPATH=" not in machine.run("apptainer", "exec", built, "env", PYTHONPATH="/nowhere")
