"""The workflow as others use it: from anywhere, as a module, deployed, and with results elsewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from places import ROOT
from project import draw_photos

SCENES = {"source": {"sample": {"name": "scenes", "seed": 0, "train": 12, "val": 12}}}
SNAKEDEPLOY = os.environ.get("GRAFT_SNAKEDEPLOY") or shutil.which(
    "snakedeploy", path=os.pathsep.join([str(ROOT / ".venv-snakedeploy" / "bin"), os.environ.get("PATH", "")])
)


def probe(dataset: dict) -> dict:
    """Return a whole job of half a minute: a probe on the network that Graft ships."""
    backbone = {"name": "Rootstock", "weights": "textures", "size": 32}
    return {
        "runs": ["mine"],
        "datasets": {"photos": dataset},
        "experiments": {"mine": {"dataset": "photos", "recipe": "probe", "backbone": backbone}},
    }


def snakemake(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Snakemake in a folder; fail the test if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--resources", "gpu=0", "--cores", "2", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def jobs(said: str) -> dict[str, int]:
    """Return how many jobs of each rule Snakemake lists."""
    return {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE) if name != "total"}


def caller(folder: Path, configuration: dict, snakefile: str, more: str = "", name: str = "") -> Path:
    """Write a workflow that takes Graft as a module."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.yaml").write_text(yaml.safe_dump(configuration))
    (folder / "Snakefile").write_text(
        'configfile: "mine.yaml"\n\n\nmodule graft:\n'
        f"    snakefile:\n        {snakefile}\n    config:\n        config\n{more}\n\nuse rule * from graft{name}\n"
    )
    return folder


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Return a git repository with the files of this checkout, committed and tagged as v9."""
    folder = tmp_path_factory.mktemp("hosted") / "someone" / "graft"
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if not (ROOT / ".git").exists():
        pytest.skip("this checkout is no git repository")
    for name in subprocess.check_output(listed, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    me = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    for command in (["init", "--quiet"], ["add", "--all"], [*me, "commit", "--quiet", "-m", "All"], ["tag", "v9"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def commit_of(repository: Path) -> str:
    return subprocess.check_output(["git", "-C", str(repository), "rev-parse", "HEAD"], text=True).strip()


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_both_snakefiles_are_commands(snakefile, tmp_path):
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(probe(SCENES)))
    said = snakemake(
        tmp_path, "--snakefile", str(ROOT / snakefile), "--configfile", "mine.yaml", "--dry-run", "-q", "rules"
    )
    assert jobs(said)["all"] == jobs(said)["draw_sample"] == jobs(said)["evaluate"] == 1
    assert ("profiles/default" in said) == (snakefile == "workflow/Snakefile")


def test_a_module_with_a_prefix_writes_below_it_and_nowhere_else(tmp_path):
    photos = draw_photos(tmp_path / "drawn", {"brick": (180, 60, 40), "grass": (50, 150, 50)}, 9)
    folder = caller(
        tmp_path / "study",
        probe({"source": {"archive": "photos.zip"}}) | {"figures": {"dpi": 60}},
        repr(str(ROOT / "workflow" / "Snakefile")),
        '    prefix:\n        "classifier"\n',
        " as graft_*",
    )
    with zipfile.ZipFile(folder / "photos.zip", "w") as archive:
        for path in sorted(photos.rglob("*.png")):
            archive.write(path, path.relative_to(photos))
    said = snakemake(folder)
    assert jobs(said)["graft_all"] == 1
    assert sorted(path.name for path in folder.iterdir()) == [
        *(".snakemake", "Snakefile", "classifier", "mine.yaml", "photos.zip")
    ]
    results = folder / "classifier" / "results"
    assert [path.name for path in (results / "runs").iterdir()] == ["mine"]  # and no default job
    record = json.loads((results / "runs" / "mine" / "provenance.json").read_text())
    assert set(record["costs"]) == {"head", "predict", "shared"}  # its benchmarks were found
    assert "embedding" in record["devices"]
    assert not list((results / "data").rglob(".download"))
    snakemake(folder, "classifier/config/locks/photos.json")
    assert "photos" in (folder / "classifier" / "config" / "locks" / "photos.json").read_text()
    assert "Nothing to be done" in snakemake(folder, "--dry-run")
    (results / "runs" / "mine" / "evaluation.csv").write_text("edited\n")
    with pytest.raises(AssertionError, match=r"classifier/results/runs/mine/evaluation\.csv"):
        snakemake(folder, "--dry-run")


def test_a_module_without_a_prefix_shares_pixels_in_shards(tmp_path):
    shards = {"shards": {"pack": 2, "embed": 2, "predict": 2}}
    folder = caller(tmp_path, probe(SCENES) | shards, repr(str(ROOT / "workflow" / "Snakefile")))
    said = snakemake(folder, "--dry-run", "--quiet", "rules")
    assert jobs(said)["pack_images"] == jobs(said)["embed_images"] == jobs(said)["predict"] == 2
    assert jobs(said)["all"] == 1


def test_a_module_from_a_local_git_repository_runs_the_code_of_its_commit(repository, tmp_path):
    snakefile = f"git+file://{repository}/workflow/Snakefile@v9"
    folder = caller(tmp_path, probe(SCENES), repr(snakefile), '    prefix:\n        "out"\n')
    assert jobs(snakemake(folder, "--dry-run", "--quiet", "rules"))["evaluate"] == 1
    snakemake(folder, "out/results/data/photos/split.csv", "out/results/weights/Rootstock-32-textures.weights.h5")
    assert [path.name for path in (folder / ".snakemake" / "graft").iterdir()] == [commit_of(repository)]
    assert not (folder / "results").exists()


@pytest.mark.skipif(not SNAKEDEPLOY, reason="snakedeploy is not installed: make test-deploy, or GRAFT_SNAKEDEPLOY")
def test_a_deployed_workflow_runs_the_users_configuration_alone(repository, tmp_path):
    # The address is that of a repository that does not exist; git is told to take the one here in its place.
    here = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{repository.parents[1]}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    subprocess.run(
        [SNAKEDEPLOY, "deploy-workflow", "https://github.com/someone/graft", str(tmp_path / "study"), "--tag", "v9"],
        env={**os.environ, **here},
        check=True,
        capture_output=True,
    )
    folder = tmp_path / "study"
    assert (folder / "config" / "README.md").is_file()
    assert (folder / "LICENSE").is_file()
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(probe(SCENES)))
    snakemake(folder, "results/runs/mine/provenance.json", **here)
    record = json.loads((folder / "results" / "runs" / "mine" / "provenance.json").read_text())
    assert record["code"]["commit"] == commit_of(repository)
    assert list(record["config"]["datasets"]) == ["photos"]


@pytest.mark.slow  # a minute and more; tests that run each time meet most of it
def test_with_a_directory_all_results_lie_there(tmp_path):
    study, here = tmp_path / "study", tmp_path / "here"
    study.mkdir()
    here.mkdir()
    (here / "mine.yaml").write_text(yaml.safe_dump(probe(SCENES)))
    options = ("--snakefile", str(ROOT / "Snakefile"), "--directory", str(study), "--configfile", "mine.yaml")
    snakemake(here, *options)
    assert [path.name for path in here.iterdir()] == ["mine.yaml"]
    assert sorted(path.name for path in study.iterdir()) == [".snakemake", "results"]
    assert (study / "results" / "report.html").stat().st_size > 100_000
    assert "Nothing to be done" in snakemake(here, *options, "--dry-run")
