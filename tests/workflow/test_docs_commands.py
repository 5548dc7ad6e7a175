"""Every command and configuration of README and docs: checked, run dry, or listed with the reason why not."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import describe_commands
from graft.config.resolution import Job
from graft.errors import UserError
from places import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))

# What cannot run here, by how it begins, and why.
LEFT_OUT = {
    "python predict.py": "runs in the folder of an export; tests/unit/test_exports.py runs it there",
    "pip install --require-hashes -r requirements.txt": "the requirements of an export, in its own folder",
    "snakedeploy": "takes a repository on the internet; tests/workflow/test_used_by_others.py deploys one from here",
    "apptainer exec": "takes an image, which tests/containers has",
    "docker run": "takes an image; tests/containers runs it as Buildah does",
    "sbatch": "takes a cluster; tests/slurm has one",
    "python3 -m venv": "makes an environment",
    ". ": "activates an environment",
    "export": "sets a variable",
}
PRINTED = re.compile(
    r"graft: |fine_tune: |path,label|exact |trained for|as usual|Bias|reduce_|optimiser|last \d epochs"
)


def blocks(language: str, pages=PAGES) -> list:
    """Return (page, text) of every block in a language."""
    return [
        pytest.param(page, match[2], id=f"{page.name}-{number}")
        for page in pages
        for number, match in enumerate(BLOCK.finditer(page.read_text(encoding="utf-8")))
        if match[1] == language
    ]


def lines(text: str) -> list[str]:
    """Return a block's commands without their comments."""
    return [line.partition("  #")[0].partition(" # ")[0].strip() for line in text.splitlines() if line.strip()]


COMMANDS = [
    pytest.param(page, line, id=f"{page.name}: {line[:60]}")
    for block in blocks("")
    for page, text in [block.values]
    if not PRINTED.match(text)
    for line in lines(text)
]


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_every_configuration_is_one(page, text, tmp_path, monkeypatch):
    (tmp_path / "config.json").write_text("{}")  # what makes a folder one of a KerasHub preset
    values = yaml.safe_load(text.replace("/path/to/preset", str(tmp_path)))
    if "head" in values:  # a recipe
        (tmp_path / "gentle.yaml").write_text(text)
        values = {"experiments": {"mine": {"dataset": "photos", "recipe": str(tmp_path / "gentle.yaml")}}}
    values.setdefault("datasets", {"photos": {"source": {"folder": "photos"}}})
    first = next(iter(values["datasets"]))
    several = page.name == "several_labels.md"  # whose photos have several labels each
    output = {"override": {"head": {"output": "sigmoid"}}} if several else {}
    values.setdefault("experiments", {"mine": {"dataset": first, "recipe": "probe"} | output})
    if "model_table" in values:
        over = yaml.safe_load((ROOT / "config" / "model_table.yaml").read_text())
        values = {
            **over,
            **values,
            "experiments": {"table": over["experiments"]["table"] | values["experiments"]["table"]},
        }
    for experiment in values["experiments"].values():  # a data set may stand in an earlier block of the page
        if experiment.get("dataset", first) not in values["datasets"]:
            values["datasets"] |= datasets_of(page)
    values.setdefault("runs", [next(iter(values["experiments"]))])
    for experiment in values["experiments"].values():
        if experiment.get("recipe") == "gentle.yaml":
            experiment["recipe"] = "graft"  # the page's own, which is checked as a recipe
    job = Job(values, ROOT / "config" / "recipes")
    assert job.runs


def datasets_of(page: Path) -> dict:
    """Return the data sets of every configuration of a page; of one name, the first."""
    found: dict = {}
    for block in blocks("yaml", [page]):
        found = {**(yaml.safe_load(block.values[1]).get("datasets") or {}), **found}
    return found


def test_a_misspelt_configuration_would_be_noticed():
    with pytest.raises(UserError, match="is not a setting"):
        Job(
            {"runs": ["a"], "datasets": {"d": {"source": {"foldr": "x"}}}, "experiments": {"a": {"dataset": "d"}}},
            ROOT / "config" / "recipes",
        )


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_is_one(page, line):
    if any(line.startswith(start) for start in LEFT_OUT):
        return
    words = shlex.split(line)
    while "=" in words[0]:
        words.pop(0)  # a variable before the command
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word]
        assert set(targets) <= TARGETS, line
        done = subprocess.run([*words, "--dry-run"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    elif words[0].endswith("python"):
        assert understood(words[1], words[2:]), line
    elif words[0].endswith("pip"):
        assert (ROOT / words[words.index("-r") + 1]).is_file(), line
    elif words[0] == "snakemake":
        from snakemake.cli import get_argument_parser

        _, unknown = get_argument_parser().parse_known_args(words[1:])
        assert not unknown, line
    else:
        pytest.fail(f"{page.name} has a command that no test runs: {line}")


def understood(path: str, arguments: list[str]) -> bool:
    """Return whether a command takes these arguments: the names of its options, by its help."""
    said = describe_commands.help_of(ROOT / path)
    return all(word in said for word in arguments if word.startswith("--"))


def test_what_is_left_out_stands_on_some_page():
    every = [parameter.values[1] for parameter in COMMANDS]
    assert [start for start in LEFT_OUT if not any(line.startswith(start) for line in every)] == []


@pytest.mark.slow  # it trains
def test_the_tutorial_from_start_to_end(tmp_path):
    """Run the tutorial's commands, in its order, in a checkout of its own, with its own files."""
    listed = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.check_output(listed, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path}
    for lock in (tmp_path / "envs").glob(
        "*.txt"
    ):  # older than what was installed from it, so that make installs nothing
        os.utime(lock, (0, 0))
    said = []
    for match in BLOCK.finditer((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")):
        language, text = match[1], match[2]
        if language == "yaml":
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text)
        elif language == "csv":
            (tmp_path / "fixes.csv").write_text(text)
        elif language == "":
            for line in [line for line in lines(text) if line != "make setup" and not line.startswith(". ")]:
                done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True)
                assert done.returncode == 0, line + done.stdout[-3000:] + done.stderr[-3000:]
                said.append(done.stdout)
    together = "\n".join(said)
    planted = re.search(r"^```text\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text(), re.MULTILINE | re.DOTALL)[
        1
    ]
    assert planted in together
    assert "came out the same, byte for byte" in together
    assert (tmp_path / "results" / "bundles" / "graft" / "README.md").is_file()
