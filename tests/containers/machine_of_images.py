"""The machine on which images are built and run: Buildah and Apptainer, with what they keep in one folder."""

import os
import subprocess
from pathlib import Path

from places import ROOT

HERE = Path(__file__).resolve().parent
# What was built stays for the next time: the base, Apptainer, and the image as long as none of its files changes.
STATE = Path(os.environ.get("CONTAINER_STATE", "/var/tmp/graft-containers"))
PATIENCE_SECONDS = 3600  # TensorFlow is 1 GB to unpack, and to pack again
PIP = [Path("/etc/pip.conf"), Path("/etc/ssl/certs")]  # how this machine's pip reaches its index, and whom it trusts


class Machine:
    """Buildah and Apptainer, with what they keep in one folder."""

    def __init__(self, state: Path):
        self.state = state
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(state / "bin"), os.environ["PATH"]]),
            "BUILDAH_ISOLATION": "chroot",
            "APPTAINER_CACHEDIR": str(state / "cache"),
            "APPTAINER_TMPDIR": str(state / "tmp"),
            "TMPDIR": str(state / "tmp"),
        }
        (state / "tmp").mkdir(exist_ok=True)

    def run(self, *command, cwd: Path = ROOT, **environment: str) -> str:
        """Run a command to its good end, and return what it said."""
        done = subprocess.run(
            list(map(str, command)),
            cwd=cwd,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def buildah(self, *arguments) -> str:
        return self.run("buildah", "--root", self.state / "storage", "--runroot", self.state / "run", *arguments)
