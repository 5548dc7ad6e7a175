"""Jobs in a container (`--software-deployment-method apptainer`): their image, and what of this machine they see.

Apptainer shows a job its working directory and /tmp. What else a run reads, such as photos that lie elsewhere or the
cards' driver, has to be named, and Apptainer takes names from variables too. So this module says them all.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from graft.config.resolution import Job
from graft.data.preflight import tables_here, tables_of
from graft.errors import UserError

# A program's own folder, by the variable that names it, and where it lies below the user's home folder. In a container
# the working directory is the home folder, where these programs would leave files that git sees.
OWN_FOLDERS = {
    "KERAS_HOME": (".keras",),
    "KAGGLE_CONFIG_DIR": (".kaggle", ".config/kaggle"),
    "MPLCONFIGDIR": (".config/matplotlib",),
}
SPARE = Path(".snakemake", "home")  # for a program without a folder in the user's home
NAMING_FOLDERS = (*OWN_FOLDERS, "SNAKEMAKE_OUTPUT_CACHE", "TMPDIR")
NVIDIA = Path("/dev/nvidiactl")  # there where the driver of an NVIDIA card is


def check_image(image: str) -> None:
    """Refuse an image that is a file of this machine and is not there.

    Raises: UserError that says how to make it.

    >>> check_image("docker://lab/graft:1")
    """
    if "://" not in image and not Path(image).exists():
        raise UserError(
            f"the container image {image} is not there; `make image-apptainer` builds it, or name yours: "
            "container: /path/to/graft.sif, or docker://NAME"
        )


def check_home(job: Job) -> None:
    """Refuse files that are named by way of the home folder, which is another one in a container.

    Raises: UserError that names the file.
    """
    named = [path for name in job.datasets for path in tables_of(job.dataset(name)).values()]
    named += [job.run(run).experiment.backbone.weights for run in job.runs]
    for path in named:
        if path.startswith("~"):
            raise UserError(f"{path!r} begins with ~, which is another folder in a container; write the whole path")


def variables(job: Job, own: Iterable[Path], environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables by which Apptainer, and Singularity, show a job all that it reads.

    Args:
        job: the checked configuration.
        own: the folders of Graft's own files, and of results.
        environment: the variables as they are.
        home: the user's home folder.

    Returns: those to set; what the user has set in them already stays.
    Raises: UserError for a folder that cannot be shown.
    """
    found = {name: own_folder(name, environment, home) for name in OWN_FOLDERS}
    named = [found.get(name) or environment.get(name) for name in NAMING_FOLDERS]
    shown = ",".join(to_show([*own, *folders_of(job), *(Path(path) for path in named if path)]))
    for program in ("APPTAINER", "SINGULARITY"):
        already = environment.get(f"{program}_BIND", "")
        found[f"{program}_BIND"] = ",".join(filter(None, [already, shown]))
        if NVIDIA.exists():
            found[f"{program}_NV"] = environment.get(f"{program}_NV", "1")
    return found


def own_folder(name: str, environment: Mapping[str, str], home: Path) -> str:
    """Return the folder of a program: the one that the user names, the one in the user's home, or a spare one."""
    there = [str(path) for below in OWN_FOLDERS[name] if (path := home / below).is_dir()]
    return environment.get(name) or next(iter(there), str(SPARE.absolute()))


def folders_of(job: Job) -> list[Path]:
    """Return the files and folders of this machine that a job's configuration names."""
    found: list[Path] = []
    for name in job.datasets:
        source, split = job.dataset(name).source, job.dataset(name).split
        found += [Path(path) for path in (source.folder, source.archive, split.file) if path]
        found += map(Path, tables_here(job.dataset(name)))
    for run in job.runs:
        weights = job.run(run).experiment.backbone.weights
        found += [Path(weights)] if Path(weights).exists() else []
    return [path.expanduser() for path in found]


def to_show(paths: Iterable[Path]) -> list[str]:
    """Return the paths that a container has to be told of: where each is, and where it leads if it is a link.

    What lies in the working directory, or in another folder of the list, is seen without.

    Raises: UserError for a path that Apptainer's list cannot hold.
    """
    shown = [Path.cwd()]
    both = {one for path in paths if path.exists() for one in (Path(os.path.abspath(path)), path.resolve())}  # noqa: PTH100
    for path in sorted(both, key=lambda path: len(path.parts)):
        if any(path.is_relative_to(folder) for folder in shown):
            continue
        if set(str(path)) & set(",:"):
            raise UserError(f"{path} has a comma or a colon in its name, and Apptainer cannot show it; rename it")
        shown.append(path)
    return [str(path) for path in shown[1:]]
