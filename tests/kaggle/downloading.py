"""One call of download_dataset.py against the loopback server, and what it must never do."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

from server import SECRET, sha256

SCRIPT = Path(__file__).resolve().parents[2] / "workflow" / "scripts" / "download_dataset.py"
DATASET = "dansbecker/urban-and-rural-photos"
TOKEN = "KGAT_very_secret_token"


def made_archive(seed=0, n_bytes=4_500_000):
    """Return a zip with two stored members of noise, larger than the client's chunks of 1 MiB."""
    noise = np.random.default_rng(seed).bytes(n_bytes)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in (
            ("train/rural/1.jpeg", noise[: n_bytes // 2]),
            ("train/urban/1.jpeg", noise[n_bytes // 2 :]),
        ):
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


ARCHIVE = made_archive()


class Download:
    """One call of download_dataset.py, in a folder that outlives it."""

    def __init__(self, folder):
        self.folder = folder
        self.archive = folder / "archive.zip"
        (folder / "home").mkdir()

    def run(self, server, source=None, timeout=60, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE")}
        quick = {"GRAFT_DOWNLOAD_PAUSE_SECONDS": "0.05", "GRAFT_DOWNLOAD_STALL_SECONDS": "1.5"}
        environment |= quick | server.environment(self.folder / "home") | variables
        command = [sys.executable, SCRIPT, "--source", json.dumps(source or {"kaggle": DATASET})]
        command += ["--scratch", self.folder / "scratch", "--archive", self.archive]
        command += ["--record", self.folder / "download.json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout)
        self.output = done.stdout + done.stderr
        self.code = done.returncode
        assert SECRET not in self.output
        assert TOKEN not in self.output
        return self

    def arrived(self):
        assert self.code == 0, self.output
        return sha256(self.archive.read_bytes()) == sha256(ARCHIVE)

    def refused(self, *words):
        """Return whether it ended in one sentence with these words, and left no archive."""
        sentence = self.output.splitlines()[-1]
        assert self.code == 1, self.output
        assert "Traceback" not in self.output
        assert not self.archive.exists()
        assert sentence.startswith("graft: ")
        assert [word for word in words if word not in sentence] == [], sentence
        return True

    @property
    def record(self):
        return json.loads((self.folder / "download.json").read_text())
