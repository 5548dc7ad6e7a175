"""A project: a working folder of its own in which the real workflow runs, as a user's does."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from PIL import Image

from graft.storage.files import read_table
from places import ROOT

COLOURS = {"brick": (180, 60, 40), "grass": (50, 150, 50), "sky": (70, 130, 210)}


class Project:
    """A folder with a configuration; `run` calls Snakemake there and returns what it said."""

    def __init__(self, folder: Path, configuration: dict, environment: dict[str, str] | None = None, code: Path = ROOT):
        self.folder, self.code = folder, code
        self.configuration = configuration
        self.environment = {**os.environ, "GRAFT_CHECKPOINT_SECONDS": "60"} | (environment or {})

    def run(self, *arguments: str, fails: bool = False) -> str:
        """Run the workflow with the documented command; fail the test if it does not do as expected."""
        (self.folder / "job.yaml").write_text(yaml.safe_dump(self.configuration))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.code / "Snakefile")]
        command += ["--cores", "4", "--resources", "gpu=1", "--configfile", "job.yaml", *arguments]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )
        assert (done.returncode != 0) == fails, done.stdout[-6000:]
        return done.stdout

    def rules_to_run(self) -> set[str]:
        """Return the rules that a run would execute now."""
        return set(self.jobs_to_run())

    def jobs_to_run(self) -> dict[str, int]:
        """Return how many jobs of each rule a run would execute now."""
        said = self.run("--dry-run", "--quiet", "rules")
        lines = said.partition("Job stats:")[2].partition("total")[0].splitlines()
        pairs = (line.split() for line in lines)
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}

    def set(self, key: str, value) -> None:
        """Change a setting by its dotted key."""
        *parents, last = key.split(".")
        section = self.configuration
        for parent in parents:
            section = section.setdefault(parent, {})
        section[last] = value

    def table(self, path: str):
        """Return a CSV below results/."""
        return read_table(self.folder / "results" / path)

    def results(self, *names: str) -> dict[str, bytes]:
        """Return the bytes of every result of these file names, by path."""
        found = {path for name in names for path in (self.folder / "results").rglob(name)}
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in sorted(found)}

    def json(self, path: str):
        """Return a JSON file below results/."""
        return json.loads((self.folder / "results" / path).read_text())


def draw_photos(folder: Path, classes: dict, per_class: int, seed: int = 0) -> Path:
    """Draw plain patches of noisy colour, a folder a class: easy to tell apart, and each one different."""
    rng = np.random.default_rng(seed)
    for name, colour in classes.items():
        (folder / name).mkdir(parents=True)
        for index in range(per_class):
            size = rng.integers(40, 64, 2)
            blocks = rng.normal(0, 40, (4, 4, 3)).repeat(16, 0).repeat(16, 1)[: size[0], : size[1]]
            pixels = np.clip(np.array(colour) + blocks + rng.normal(0, 12, (*size, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{index}.png")
    return folder


def quick(dataset: dict, **experiment) -> dict:
    """Return a configuration that trains in seconds: a small random backbone, short phases."""
    small = {"name": "Rootstock", "weights": "none", "size": 32}
    short = {
        "head": {"output": "softmax"},
        "frozen": {"epochs": 4, "steps_per_epoch": 4, "views": 2},
        "finetune": {"epochs": 2, "steps_per_epoch": 2},
    }
    return {
        "runs": ["quick"],
        "datasets": {"photos": dataset},
        "experiments": {
            "quick": {"dataset": "photos", "recipe": "lesson", "backbone": small, "override": short, **experiment}
        },
    }
