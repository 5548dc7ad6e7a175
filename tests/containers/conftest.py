"""An image from the Dockerfile and one from the definition for Apptainer, on a base that needs no registry."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from machine_of_images import HERE, PATIENCE_SECONDS, PIP, STATE, Machine


@pytest.fixture(scope="session")
def machine() -> Machine:
    """Return a machine with Buildah, Apptainer, and a base image made from Debian's packages."""
    if os.geteuid() != 0:
        pytest.skip("building images and a small Debian takes root")
    if not shutil.which("apt-get"):
        pytest.skip("Buildah, Apptainer and the base image come from Debian's packages, and there is no apt-get here")
    subprocess.run([HERE / "prepare.sh", STATE], check=True, timeout=PATIENCE_SECONDS)
    machine = Machine(STATE)
    if "localhost/base" not in machine.buildah("images"):
        container = machine.buildah("from", "scratch").strip()
        machine.buildah("add", "--quiet", container, STATE / "base", "/")
        machine.buildah("commit", "--quiet", container, "localhost/base")
        machine.buildah("rm", container)
    return machine


@pytest.fixture(scope="session")
def image(machine) -> str:
    """Return the name of the image that the Dockerfile makes, with the lock of a default install."""
    shown = [option for path in PIP if path.exists() for option in ("--volume", f"{path}:{path}:ro")]
    options = ["--layers", "--pull-never", "--build-arg", "BASE=localhost/base", "--network", "host", *shown]
    machine.buildah("build", *options, "--tag", "graft", "--file", "envs/container/Dockerfile", "envs")
    return "localhost/graft"


@pytest.fixture(scope="session")
def sif(machine, image) -> Path:
    """Return the image as Apptainer's file, as docs/containers.md turns one into the other."""
    folder = STATE / "images"
    made = folder / f"{machine.buildah('images', '--quiet', image).strip()}.sif"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier lock
        folder.mkdir()
        machine.buildah("push", "--quiet", image, f"oci-archive:{folder}/graft.tar")
        machine.run("apptainer", "build", folder / "part.sif", f"oci-archive:{folder}/graft.tar")
        (folder / "graft.tar").unlink()
        (folder / "part.sif").rename(made)
    return made
