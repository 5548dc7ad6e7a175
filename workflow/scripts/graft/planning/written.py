"""A job's files of earlier runs, checked before any rule runs, so that one that was cut or edited is noticed at once.

Snakemake itself compares time stamps, by which an edited result is up to date. Snakemake reads this module each time it
starts, so it loads nothing that is slow to load, and reads no large file that looks untouched.
"""

from collections.abc import Iterator
from pathlib import Path

from graft.config.keys import backbone_key, features_key
from graft.config.resolution import Job
from graft.data.placed import check_photos
from graft.errors import UserError
from graft.storage import seals


def check_written(results: Path, job: Job) -> None:
    """Compare every sealed file of a job with its seal.

    Raises: UserError that names the files which are not as they were written.
    """
    wrong = [path for path in files_of_job(results, job) if not seals.intact(path)]
    if wrong:
        raise UserError(seals.spoilt(wrong))
    for dataset in job.datasets:
        check_photos(results / "data" / dataset)


def files_of_job(results: Path, job: Job) -> Iterator[Path]:
    """Yield the sealed files of a job's runs, and of what these share."""
    yield from seals.sealed_files(results)
    runs = [job.run(name) for name in job.runs]
    shared = {results / "features" / run.experiment.dataset / f"{features_key(run.embedding)}.npy" for run in runs}
    shared |= {results / "weights" / f"{backbone_key(run.experiment.backbone)}.weights.h5" for run in runs}
    for folder in sorted({path.parent for path in shared}):
        yield from (path for path in seals.sealed_files(folder) if path in shared)
    for dataset in job.datasets:
        yield from seals.sealed_files(results / "data" / dataset)
    for run in runs:
        folder = results / "runs" / run.name
        yield from seals.sealed_files(folder)
        for fold in job.folds(run.name):
            for stage in run.stages:
                yield from seals.sealed_files(folder / f"fold{fold}" / stage)
