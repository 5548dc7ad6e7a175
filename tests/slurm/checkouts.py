"""Checkouts of this repository that run on the cluster as root or as an ordinary user, and what their jobs noted."""

import grp
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
ORDINARY = "nobody"  # every Linux has this user, and nothing belongs to it
PATIENCE_SECONDS = 900  # a quiet machine takes a third of it; a busy one may take most


@dataclass(frozen=True)
class Note:
    """The start or the end of one script, as python_of_rules.sh wrote it down."""

    event: str
    script: str
    job: str
    gpus: str
    user: str
    time: float
    exits: int  # default routes: ways out of the machine's own network
    arguments: str


class Checkout:
    """A copy of the repository as it stands, ignored files apart, that runs the demo with the rights of one user."""

    def __init__(self, folder: Path, python: Path, user: str):
        self.folder, self.python, self.user = folder, python, user
        folder.mkdir()
        tracked = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        for name in filter(None, tracked.stdout.split("\0")):
            if name.startswith(("Snakefile", "workflow/", "config/", "envs/", "results/")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(REPOSITORY / name, folder / name)
        (folder / "faults").mkdir()
        self.hand_over()

    def hand_over(self):
        for path in (self.folder, *self.folder.rglob("*")):
            shutil.chown(path, self.user, group_of(self.user))

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), "-m", "snakemake", "--configfile", "config/demo.yaml", *arguments]

    def on_slurm(self, *arguments: str) -> list[str]:
        """Return the command that a user types; only the first look at a job comes sooner."""
        profile = ["--workflow-profile", "workflow/profiles/slurm", "--slurm-init-seconds-before-status-checks", "1"]
        return self.command(*profile, *arguments)

    def start(self, command: list[str], **environment: str) -> subprocess.Popen:
        """Start a command here, its output in log.txt."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "CUDA_"))}
        clean |= {"HOME": str(self.folder), "USER": self.user, "LOGNAME": self.user} | environment
        clean["LD_LIBRARY_PATH"] = str(
            self.python.parents[2] / "base" / "lib"
        )  # a shared libpython names its own place
        with (self.folder / "log.txt").open("a") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=clean, user=self.user, group=group_of(self.user), extra_groups=[],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def run(self, command: list[str], **environment: str) -> str:
        """Run a command to its good end, and return all that was printed here so far."""
        return self.finish(self.start(command, **environment))

    def finish(self, process: subprocess.Popen) -> str:
        try:
            code = process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = f"none after {PATIENCE_SECONDS} s"
        assert code == 0, f"exit code {code}\n{self.log()[-6000:]}"
        return self.log()

    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def lay(self, fault: str, text: str):
        """Lay out a fault, such as `train_head+probe, fold 0`, for the first call that it fits."""
        (self.folder / "faults" / fault).write_text(text)
        self.hand_over()

    def notes(self, event: str = "start") -> list[Note]:
        path = self.folder / "notes.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        pattern = re.compile(
            r"(\w+) script=(\S*) job=(\S*) gpus=(\S*) user=(\S*) time=(\S*) exits=(\d+) arguments=(.*)"
        )
        found = [pattern.fullmatch(line).groups() for line in lines]
        return [Note(a, b, c, d, e, float(f), int(g), h) for a, b, c, d, e, f, g, h in found if a == event]

    def wait_for(self, script: str, event: str, process: subprocess.Popen):
        """Wait until a script has started or ended under a run that goes on."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(note.script == script for note in self.notes(event)):
            waiting = process.poll() is None and time.monotonic() < deadline
            assert waiting, f"{script} saw no {event}\n{self.log()[-6000:]}"
            time.sleep(0.2)

    def wait_until_finished(self, rule: str, times: int, process: subprocess.Popen):
        """Wait until Snakemake has seen that so many jobs of a rule are over: what it has not seen, it does again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(re.findall(rf"Finished jobid: \d+ \(Rule: {rule}\)", self.log())) < times:
            waiting = process.poll() is None and time.monotonic() < deadline
            assert waiting, f"{rule} was not seen to finish {times} times\n{self.log()[-6000:]}"
            time.sleep(0.2)

    def tables(self) -> dict[str, bytes]:
        """Return the bytes of every table and of every network's weights that a run left."""
        paths = (path for kind in ("csv", "keras") for path in self.folder.glob(f"results/runs/**/*.{kind}"))
        return {str(path.relative_to(self.folder)): content(path) for path in sorted(paths)}


def content(path: Path) -> bytes:
    """Return a table's bytes, or a model's weights: a .keras file has its date in it."""
    if path.suffix != ".keras":
        return path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        return archive.read("model.weights.h5")


def group_of(user: str) -> str:
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
