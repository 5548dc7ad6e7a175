"""GPUs of one machine, each leased to one process before a framework loads, which would otherwise take all of them.

Snakemake counts GPUs (`--resources gpu=2` lets two GPU jobs run at once) but tells no job which one is its own. A lease
does: a lock on a file per device, which the kernel drops with the process, however that ends. Take it before TensorFlow
or JAX loads: they read CUDA_VISIBLE_DEVICES when they first look for devices.
"""

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from graft.errors import UserError

FILLED = 0.5  # a device with more than this fraction of its memory in use belongs to somebody else
POLL_SECONDS = 1.0
QUIET_SECONDS = 3.0  # shorter waits are not reported: a job that just ended frees its device
REMINDER_SECONDS = 600.0
WAIT_SECONDS = "GRAFT_GPU_WAIT_SECONDS"  # how long to wait for devices that other programs fill; 3600 unless set
QUERY = ("nvidia-smi", "--query-gpu=index,uuid,memory.used,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Gpu:
    """A device: as CUDA_VISIBLE_DEVICES names it, as its lock is named, and the fraction of its memory in use."""

    name: str
    key: str
    used: float = 0.0


@contextlib.contextmanager
def lease(n: int) -> Iterator[tuple[str, ...]]:
    """Take `n` GPUs of this machine for the time of the block, and hide the others from this process.

    Without a GPU on the machine the block runs on the CPU. While too few devices are free, it waits and reports who
    holds them. Earlier choices hold: devices that Slurm gave are taken as they are, and devices that the user listed
    are those to choose among. A whole workflow inside one Slurm job chooses among that job's devices.

    Args:
        n: devices to take; 0 hides every GPU.

    Yields: the devices, as CUDA_VISIBLE_DEVICES names them; empty on the CPU.
    Raises: UserError if the machine, or the user's CUDA_VISIBLE_DEVICES, offers some GPUs but fewer than `n`.

    >>> with lease(0) as devices:
    ...     devices, os.environ["CUDA_VISIBLE_DEVICES"]
    ((), '')
    """
    listed = listed_devices()
    if n < 1:
        with visible(()):
            yield ()
    elif "SLURM_JOB_ID" in os.environ and len(listed or ()) <= n:
        yield tuple(listed or ())
    elif not (found := candidates(listed)):
        yield ()
    elif len(found) < n:
        raise UserError(
            f"{n} GPUs are asked for, but {'this machine has' if listed is None else 'CUDA_VISIBLE_DEVICES lists'} "
            f"{len(found)}; ask for no more, or limit the run with --resources gpu={len(found)}"
        )
    else:
        with locked(n, lambda: candidates(listed)) as devices, visible(devices):
            yield devices


def offered() -> bool:
    """Return whether this machine, and the user's CUDA_VISIBLE_DEVICES, offer any GPU."""
    return bool(candidates(listed_devices()))


def listed_devices() -> list[str] | None:
    """Return what CUDA_VISIBLE_DEVICES names, up to the first that is no name, as CUDA reads it; None if it is not set.

    >>> with visible(("1", "GPU-8f", "-1", "0")):
    ...     listed_devices()
    ['1', 'GPU-8f']
    """
    if (text := os.environ.get("CUDA_VISIBLE_DEVICES")) is None:
        return None
    devices = []
    for name in text.split(","):
        if not re.fullmatch(r"\d+|(GPU|MIG)-.+", name.strip()):
            break
        devices.append(name.strip())
    return devices


def candidates(listed: list[str] | None) -> list[Gpu]:
    """Return the devices to choose among: those that the user listed, or all of the machine."""
    known = machine_gpus()
    if listed is None:
        return known
    return [described(name, known) for name in listed]


def described(name: str, known: list[Gpu]) -> Gpu:
    """Return what the machine says of a device that the user named by its index or the start of its UUID."""
    for gpu in known:
        if name == gpu.name or (name.startswith("GPU-") and gpu.key.startswith(name)):
            return Gpu(name, gpu.key, gpu.used)
    return Gpu(name, f"{os.environ.get('SLURM_JOB_ID', 'machine')}-{name}")  # two Slurm jobs may each call theirs 0


def machine_gpus() -> list[Gpu]:
    """Ask nvidia-smi, which comes with the driver, for every GPU; none if it is missing or does not answer."""
    try:
        answer = subprocess.run(QUERY, capture_output=True, text=True, timeout=60, check=True).stdout
    except FileNotFoundError:
        return []
    except (OSError, subprocess.SubprocessError) as error:
        print(f"graft: no GPU is leased, since nvidia-smi did not answer: {error}", file=sys.stderr)
        return []
    return [gpu_of(line) for line in answer.splitlines() if line.count(",") == 3]


def gpu_of(line: str) -> Gpu:
    """Read a line of nvidia-smi's answer; memory that it does not know counts as free.

    >>> gpu_of("1, GPU-8f4a, 6000, 24000")
    Gpu(name='1', key='GPU-8f4a', used=0.25)
    >>> gpu_of("0, GPU-11c2, [N/A], [N/A]")
    Gpu(name='0', key='GPU-11c2', used=0.0)
    """
    index, uuid, used, total = (part.strip() for part in line.split(","))
    share = int(used) / int(total) if used.isdigit() and total.isdigit() and int(total) else 0.0
    return Gpu(index, uuid, share)


@contextlib.contextmanager
def locked(n: int, offered: Callable[[], list[Gpu]]) -> Iterator[tuple[str, ...]]:
    """Wait until `n` of the offered devices are free, and hold their locks."""
    folder = lock_folder()
    began = reported = possible = time.monotonic()
    while True:
        with contextlib.ExitStack() as held:  # lets go of what it holds before the next try
            gpus = offered()
            if devices := take(n, gpus, folder, held):
                yield devices
                return
        now = time.monotonic()
        filled = [gpu for gpu in gpus if gpu.used > FILLED and not held_by_graft(gpu, folder)]
        possible = now if len(gpus) - len(filled) >= n else possible
        if now - possible > (limit := float(os.environ.get(WAIT_SECONDS, 3600))):
            raise UserError(
                f"other programs have filled the memory of the GPUs for {limit:g} s ({state_of(gpus, folder)}); end "
                f"them, run without with --resources gpu=0, or wait longer with {WAIT_SECONDS}"
            )
        if now - reported > (QUIET_SECONDS if reported == began else REMINDER_SECONDS):
            reported = now
            print(f"graft: waiting for {n} of {len(gpus)} GPUs: {state_of(gpus, folder)}", file=sys.stderr, flush=True)
        time.sleep(POLL_SECONDS)


def take(n: int, gpus: list[Gpu], folder: Path, held: contextlib.ExitStack) -> tuple[str, ...]:
    """Lock the `n` emptiest of the free devices, or none.

    With fewer than `n`, two jobs could each hold what the other waits for, for ever. Another lock lets one process
    choose at a time.
    """
    with (folder / "choice.lock").open("a") as choice:
        fcntl.flock(choice, fcntl.LOCK_EX)
        taken: list[Gpu] = []
        for gpu in sorted((gpu for gpu in gpus if gpu.used <= FILLED), key=lambda gpu: gpu.used):
            lock = (folder / lock_name(gpu)).open("a+")
            if len(taken) < n and lock_is_ours(lock):
                held.enter_context(lock)
                taken.append(gpu)
            else:
                lock.close()
        return tuple(gpu.name for gpu in gpus if gpu in taken) if len(taken) == n else ()


def lock_is_ours(lock: TextIO) -> bool:
    """Lock an open file without waiting and write who holds it into it; False if another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    lock.truncate(0)
    lock.write(f"process {os.getpid()} ({Path(sys.argv[0]).name})")
    lock.flush()
    return True


def held_by_graft(gpu: Gpu, folder: Path) -> bool:
    """Return whether one of Graft's jobs holds a device's lock, so that its use of memory is expected."""
    path = folder / lock_name(gpu)
    if not path.exists():
        return False
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def state_of(gpus: list[Gpu], folder: Path) -> str:
    """Say in one clause who has each device."""
    parts = []
    for gpu in gpus:
        if gpu.used > FILLED:
            parts.append(f"{gpu.name} has {gpu.used:.0%} of its memory in use")
        else:
            path = folder / lock_name(gpu)
            parts.append(f"{gpu.name} is held by {(path.read_text() if path.exists() else '') or 'another process'}")
    return ", ".join(parts)


def lock_name(gpu: Gpu) -> str:
    """Return a device's lock file name: by UUID, so that its index and its UUID lead to the same lock.

    >>> lock_name(Gpu("0", "MIG-GPU-8f4a/1/0"))
    'MIG-GPU-8f4a_1_0.lock'
    """
    return re.sub(r"[^\w.-]", "_", gpu.key) + ".lock"


def lock_folder() -> Path:
    """Return this user's folder of locks on this machine's own disk: a lock in a shared home would bind other machines.

    XDG_RUNTIME_DIR would not do: a job started by cron or left behind by a login has none, and would see other locks.
    """
    folder = Path(tempfile.gettempdir()) / f"graft-gpus-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise UserError(
            f"{folder} belongs to somebody else, so GPUs cannot be leased; set TMPDIR to a folder of your own"
        )
    return folder


@contextlib.contextmanager
def visible(devices: tuple[str, ...]) -> Iterator[None]:
    """Show CUDA these devices alone for the time of the block, counted as nvidia-smi counts them."""
    before = {name: os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")}
    if before["CUDA_VISIBLE_DEVICES"] is None:  # else keep the order in which the user counted
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(devices)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
