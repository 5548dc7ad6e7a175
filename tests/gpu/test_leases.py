"""GPU leases between real processes; the GPUs are those that a small nvidia-smi on the PATH tells of."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"
HOLDER = """
import os, sys
from graft.errors import UserError
from graft.machine.gpus import lease
try:
    with lease(int(sys.argv[1])) as devices:
        print(",".join(devices), os.environ.get("CUDA_VISIBLE_DEVICES", "unset"), sep="|", flush=True)
        assert not {"tensorflow", "jax", "keras"} & sys.modules.keys()
        sys.stdin.read()
except UserError as error:
    print(error, flush=True)
"""

JOB = """
import sys, time
from pathlib import Path
from graft.machine.gpus import lease
with lease(int(sys.argv[1])) as devices:
    Path(sys.argv[2] + ".started").touch()
    ends = time.monotonic() + 20
    while len(list(Path().glob("*.started"))) < 2:  # hold the device until the other job runs too
        assert time.monotonic() < ends, "the two jobs did not run at once"
        time.sleep(0.05)
    Path(sys.argv[2]).write_text(",".join(devices) or "cpu")
"""
WORKFLOW = """
rule all:
    input: "one", "two"

rule train:
    output: "{name}"
    resources: gpu=1
    shell: "python job.py {resources.gpu} {output}"
"""


class Machine:
    """A machine with GPUs of 10,000 MiB, and the processes of a test on it."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "locks").mkdir()
        self.processes = []

    def has(self, *used_mib: int):
        """Install a machine's nvidia-smi: a GPU for each number, with so much of its memory in use."""
        (self.folder / "bin").mkdir(exist_ok=True)
        lines = "".join(f"echo '{i}, GPU-{i}a{i}a, {used}, 10000'\n" for i, used in enumerate(used_mib))
        smi = self.folder / "bin" / "nvidia-smi"
        part = smi.with_name("part")
        part.write_text(f"#!/bin/sh\n{lines}")
        part.chmod(0o755)
        part.replace(smi)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process of a user who chose no device."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA_", "SLURM_"))}
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:/usr/bin:/bin"
        return clean | {"PATH": path, "TMPDIR": str(self.folder / "locks"), "PYTHONPATH": str(SCRIPTS)}

    def start(self, n: int, **environment: str) -> subprocess.Popen:
        """Start a process that leases `n` devices, prints them, and holds them until its input ends."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        command = [sys.executable, "-c", HOLDER, str(n)]
        process = subprocess.Popen(command, env=self.environment() | environment, text=True, **pipes)
        self.processes.append(process)
        return process

    def got(self, n: int, **environment: str) -> str:
        """Start a process that goes on holding what it leased, and return what it printed: devices|variable."""
        return line(self.start(n, **environment))


def line(process: subprocess.Popen) -> str:
    assert speaks_within(15, process)
    return process.stdout.readline().strip()


def speaks_within(seconds: float, process: subprocess.Popen, channel: str = "stdout") -> bool:
    return bool(select.select([getattr(process, channel)], [], [], seconds)[0])


def end(process: subprocess.Popen) -> str:
    """Let a process go, and return what it said on standard error."""
    return process.communicate(timeout=10)[1]


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    for process in machine.processes:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def test_each_process_gets_a_device_of_its_own(machine):
    machine.has(0, 0, 0, 0)
    holders = [machine.start(1) for _ in range(4)]
    assert sorted(line(holder) for holder in holders) == ["0|0", "1|1", "2|2", "3|3"]


def test_a_process_waits_for_a_device_and_takes_it_when_its_holder_ends(machine):
    machine.has(0)
    first = machine.start(1)
    assert line(first) == "0|0"
    second = machine.start(1)
    assert not speaks_within(1.5, second)
    end(first)
    assert line(second) == "0|0"


def test_a_killed_holder_leaves_its_device_free(machine):
    machine.has(0)
    first = machine.start(1)
    assert line(first) == "0|0"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert machine.got(1) == "0|0"


def test_one_rule_may_take_several_devices(machine):
    machine.has(0, 0, 0)
    assert machine.got(2) == "0,1|0,1"
    assert machine.got(1) == "2|2"


def test_a_process_that_wants_two_devices_never_starts_with_one(machine):
    machine.has(0, 0)
    first = machine.start(1)
    assert line(first) == "0|0"
    second = machine.start(2)
    assert not speaks_within(1, second)
    end(first)
    assert line(second) == "0,1|0,1"


def test_two_processes_that_each_want_every_device_take_turns(machine):
    machine.has(0, 0)
    holders = [machine.start(2) for _ in range(2)]
    (first,) = [holder for holder in holders if speaks_within(1.5, holder)]
    end(first)
    (second,) = set(holders) - {first}
    assert line(second) == "0,1|0,1"


def test_a_gpu_that_another_process_fills_is_passed_over(machine):
    machine.has(9000, 0)
    assert machine.got(1) == "1|1"


def test_the_emptiest_gpu_comes_first(machine):
    machine.has(3000, 200, 1000)
    assert [machine.got(1) for _ in range(3)] == ["1|1", "2|2", "0|0"]


def test_a_process_waits_while_every_gpu_is_filled_and_says_for_what(machine):
    machine.has(9000)
    waiting = machine.start(1)
    assert speaks_within(15, waiting, "stderr")
    assert waiting.stderr.readline() == "graft: waiting for 1 of 1 GPUs: 0 has 90% of its memory in use\n"
    machine.has(0)
    assert line(waiting) == "0|0"


def test_a_gpu_that_stays_filled_is_not_waited_for_without_end(machine):
    machine.has(9000)
    waiting = machine.start(1, GRAFT_GPU_WAIT_SECONDS="1")
    said, _ = waiting.communicate(timeout=20)
    assert "other programs have filled the memory of the GPUs for 1 s (0 has 90% of its memory in use)" in said


def test_a_gpu_that_a_job_of_ours_fills_is_waited_for(machine):
    machine.has(0)
    first = machine.start(1)
    assert line(first) == "0|0"
    machine.has(9000)
    second = machine.start(1, GRAFT_GPU_WAIT_SECONDS="1")
    assert not speaks_within(4, second)
    machine.has(0)
    end(first)
    assert line(second) == "0|0"


def test_a_gpu_of_a_user_is_chosen_among_those_that_the_user_listed(machine):
    machine.has(0, 0, 0)
    listed = {"CUDA_VISIBLE_DEVICES": "2,1"}
    assert sorted([machine.got(1, **listed), machine.got(1, **listed)]) == ["1|1", "2|2"]
    assert machine.got(1) == "0|0"


def test_a_device_named_by_uuid_is_the_one_that_has_that_index(machine):
    machine.has(0, 0)
    assert machine.got(1, CUDA_VISIBLE_DEVICES="GPU-0a") == "GPU-0a|GPU-0a"
    assert machine.got(1) == "1|1"


def test_slurms_choice_is_left_alone_and_never_waited_for(machine):
    machine.has(9000)
    given = {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0"}
    assert [machine.got(1, **given), machine.got(1, **given)] == ["0|0", "0|0"]
    assert machine.got(1, SLURM_JOB_ID="7") == "|unset"


def test_a_workflow_inside_one_slurm_job_shares_out_the_devices_of_that_job(machine):
    given = {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "0,1"}
    assert sorted([machine.got(1, **given), machine.got(1, **given)]) == ["0|0", "1|1"]
    other = {"SLURM_JOB_ID": "8", "CUDA_VISIBLE_DEVICES": "0,1"}  # under cgroups every job counts its own from 0
    assert sorted([machine.got(1, **other), machine.got(1, **other)]) == ["0|0", "1|1"]


@pytest.mark.parametrize(
    "chosen", [{}, {"CUDA_VISIBLE_DEVICES": "1"}, {"SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "1"}]
)
def test_gpu_0_hides_every_gpu(machine, chosen):
    machine.has(0, 0)
    assert machine.got(0, **chosen) == "|"


@pytest.mark.parametrize("hidden", ["", "-1", "NoDevFiles"])
def test_gpus_that_the_user_hid_stay_hidden(machine, hidden):
    machine.has(0)
    assert machine.got(1, CUDA_VISIBLE_DEVICES=hidden) == f"|{hidden}"


def test_a_machine_without_a_gpu_runs_on_the_cpu_without_a_word(machine):
    holder = machine.start(1)
    assert line(holder) == "|unset"
    assert end(holder) == ""


def test_a_driver_that_does_not_answer_is_said_and_runs_go_on(machine):
    (machine.folder / "bin").mkdir()
    smi = machine.folder / "bin" / "nvidia-smi"
    smi.write_text("#!/bin/sh\nexit 9\n")
    smi.chmod(0o755)
    holder = machine.start(1)
    assert line(holder) == "|unset"
    assert "nvidia-smi did not answer" in holder.stderr.readline()


def test_more_gpus_than_there_are_is_one_clear_sentence(machine):
    machine.has(0, 0)
    assert machine.got(3) == (
        "3 GPUs are asked for, but this machine has 2; ask for no more, or limit the run with --resources gpu=2"
    )


def test_a_folder_of_locks_that_somebody_else_made_is_refused(machine, tmp_path):
    machine.has(0)
    (machine.folder / "elsewhere").mkdir()
    (machine.folder / "locks" / f"graft-gpus-{os.getuid()}").symlink_to(machine.folder / "elsewhere")
    assert "belongs to somebody else" in machine.got(1)


@pytest.mark.parametrize(("limit", "devices"), [(2, ["0", "1"]), (0, ["cpu", "cpu"])])
def test_jobs_that_snakemake_runs_at_once_have_a_device_each(machine, limit, devices):
    machine.has(0, 0)
    (machine.folder / "Snakefile").write_text(WORKFLOW)
    (machine.folder / "job.py").write_text(JOB)
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--resources", f"gpu={limit}", "--quiet"]
    subprocess.run(command, cwd=machine.folder, env=machine.environment(), check=True, timeout=60)
    assert sorted((machine.folder / name).read_text() for name in ("one", "two")) == devices
