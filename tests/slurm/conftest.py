"""A Slurm cluster for a session, a Python that every user can read, and the local run that all others must equal."""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from checkouts import HERE, ORDINARY, Checkout
from runs import batter, kill_and_pick_up, run_locally


@pytest.fixture(scope="session")
def cluster():
    """Start the cluster, and stop what was started."""
    if os.geteuid() != 0:
        pytest.skip("a cluster of one's own needs root")
    subprocess.run([HERE / "start_slurm.sh", ORDINARY], check=True, timeout=300)
    yield
    subprocess.run([HERE / "stop_slurm.sh"], check=True, timeout=120)


@pytest.fixture(scope="session")
def ground(cluster):
    """Return a folder that every user can read, with this Python in it: root's own may be out of others' reach."""
    ground = Path(tempfile.mkdtemp(prefix="graft-slurm-", dir="/var/tmp"))
    ground.chmod(0o755)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    mounts = {ground / "base": sys.base_prefix, ground / "packages": packages}
    for place, source in mounts.items():
        place.mkdir()
        subprocess.run(["mount", "--bind", "-o", "ro", source, place], check=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    environment = ground / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "lib" / version).mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(f"home = {ground}/base/bin\ninclude-system-site-packages = false\n")
    (environment / "bin" / "python3").symlink_to(ground / "base" / "bin" / version)
    (environment / "lib" / version / "site-packages").symlink_to(ground / "packages")
    shutil.copy(HERE / "python_of_rules.sh", environment / "bin" / "python")
    (environment / "bin" / "python").chmod(0o755)
    yield ground
    for place in mounts:
        subprocess.run(["umount", "--lazy", place], check=True)  # a killed job may still be on its way out
    shutil.rmtree(ground)


@pytest.fixture(scope="session")
def python(ground) -> Path:
    return ground / "environment" / "bin" / "python3"


@pytest.fixture(scope="session")
def runs(ground, python) -> dict[str, Future]:
    """Start the three runs at once, since each mostly waits: for Slurm to be asked, or for a fault to end."""
    with ThreadPoolExecutor(3) as threads:
        local = threads.submit(run_locally, Checkout(ground / "local", python, "root"))
        user = threads.submit(kill_and_pick_up, Checkout(ground / "user", python, ORDINARY))
        root = threads.submit(lambda: batter(Checkout(ground / "root", python, "root"), local.result()))
        yield {"local": local, "user": user, "root": root}


@pytest.fixture(scope="session")
def local(runs) -> Checkout:
    """Return a run on this machine alone: what every run on the cluster must equal."""
    return runs["local"].result()


@pytest.fixture(scope="session")
def picked_up(runs) -> Checkout:
    """Return an ordinary user's run whose submitting process was killed in the middle and started again."""
    return runs["user"].result()


@pytest.fixture(scope="session")
def battered(runs) -> Checkout:
    """Return root's run in which five jobs met a fault each, and the controller went away for a while."""
    return runs["root"].result()
