"""The three runs that the tests look at: on this machine alone, killed and picked up again, and battered by faults."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from checkouts import HERE, ORDINARY, Checkout

# Two runs of the demo up to their results, so that GPU jobs meet; figures are drawn where the run was started anyway.
TARGETS = ["results/runs/lesson/evaluation.csv", "results/runs/probe/evaluation.csv"]

FAULTS = {  # for the first call of a script whose arguments hold the words after the plus
    "train_head+lesson, fold 0": "scancel $SLURM_JOB_ID; sleep 60",
    "train_head+probe, fold 0": "scontrol update JobId=$SLURM_JOB_ID TimeLimit=1; sleep 200",
    "fine_tune+lesson, fold 0": (
        'GRAFT_CHECKPOINT_SECONDS=0 "$@" & until ls results/state/*/*/*.npz; do sleep 0.02; done 2>/dev/null; '
        "sleep 0.3; kill -9 $!; exit 137"
    ),
    "predict+--tag lesson": 'exec "$1" -c \'import time; hog = b"1" * (1500 << 20); time.sleep(60)\'',
    "predict+--tag probe": "exit 1",
}


def run_locally(checkout: Checkout) -> Checkout:
    """Run the job without a cluster."""
    checkout.run(checkout.command("--cores", "2", *TARGETS, "--resources", "gpu=2"))
    return checkout


def kill_and_pick_up(checkout: Checkout) -> Checkout:
    """Kill the submitting process in the middle of the run, and start it again as docs/cluster.md says."""
    first = checkout.start(checkout.on_slurm(*TARGETS))
    checkout.wait_for("train_head", "end", first)
    checkout.wait_until_finished("embed_images", 2, first)  # one for each run
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    subprocess.run(["scancel", "--user", checkout.user], check=True, timeout=120)
    checkout.run(checkout.command("--unlock"))
    checkout.run(checkout.on_slurm(*TARGETS))
    return checkout


def batter(checkout: Checkout, local: Checkout) -> Checkout:
    """Train on features that are there already, while faults strike and the controller goes away for a while."""
    for name in ("results", ".snakemake"):
        shutil.rmtree(checkout.folder / name, ignore_errors=True)
        subprocess.run(["cp", "-a", local.folder / name, checkout.folder / name], check=True)
    shutil.rmtree(checkout.folder / "results" / "runs")
    for fault, text in FAULTS.items():
        checkout.lay(fault, text)
    run = checkout.start(checkout.on_slurm("--set-resources", "predict:mem_mb=1000*attempt", "--", *TARGETS))
    checkout.wait_for("fine_tune", "start", run)
    restart_controller()
    checkout.finish(run)
    return checkout


def restart_controller():
    """Stop Slurm's controller as an administrator does, and start it five seconds later.

    Killed with -9 it may forget jobs that another run submitted a moment before, and give their numbers to others:
    nothing that submits through it can tell.
    """
    state = Path(os.environ.get("SLURM_STATE", "/var/tmp/graft-slurm"))
    controller = int((state / "run" / "slurmctld.pid").read_text())
    os.kill(controller, signal.SIGTERM)
    wait_until_gone(controller)  # start_slurm.sh would take one that is still saving its state for one that runs
    time.sleep(5)
    subprocess.run([HERE / "start_slurm.sh", ORDINARY], check=True, timeout=120)
    subprocess.run(["scontrol", "reconfigure"], check=True, timeout=60)  # or it may wait for ever for its node's GPUs


def wait_until_gone(process: int, seconds: float = 120):
    """Wait until a process that was told to stop has stopped."""
    deadline = time.monotonic() + seconds
    while Path(f"/proc/{process}").exists():
        assert time.monotonic() < deadline, f"process {process} did not stop within {seconds} s"
        time.sleep(0.1)
