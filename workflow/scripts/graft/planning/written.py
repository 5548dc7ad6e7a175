"""A job's files of earlier runs, checked before any rule runs, so that one that was cut or edited is noticed at once.

Snakemake itself compares time stamps, by which an edited result is up to date. Snakemake reads this module each time it
starts, so it loads nothing that is slow to load, and reads no large file that looks untouched.
"""

from collections.abc import Iterator
from pathlib import Path

from graft import paths
from graft.config.keys import backbone_key, features_key, views_key
from graft.config.resolution import Job
from graft.data.placed import check_photos
from graft.errors import UserError
from graft.paths import below
from graft.storage import seals


def check_written(results: Path, job: Job) -> None:
    """Compare every sealed file of a job with its seal.

    Raises: UserError that names the files which are not as they were written.
    """
    for run in job.runs:
        forget_failed_figures(below(results, paths.FAILED_FIGURES, run=run))
    wrong = [path for path in files_of_job(results, job) if not seals.intact(path)]
    if wrong:
        raise UserError(seals.spoilt(wrong))
    for dataset in job.datasets:
        check_photos(below(results, paths.MANIFEST, dataset=dataset).parent)


def forget_failed_figures(failed: Path) -> None:
    """Remove the note of figures that could not be drawn, so that their run's figures are drawn again."""
    if failed.is_file() and failed.read_text(encoding="utf-8").strip() != "{}":
        failed.unlink()


def files_of_job(results: Path, job: Job) -> Iterator[Path]:
    """Yield the sealed files of a job's runs, and of what these share."""
    yield from seals.sealed_files(results)
    runs = [job.run(name) for name in job.runs]
    shared = {
        below(results, paths.FEATURES, dataset=run.experiment.dataset, features=features_key(run.embedding))
        for run in runs
    }
    shared |= {below(results, paths.WEIGHTS, backbone=backbone_key(run.experiment.backbone)) for run in runs}
    shared |= {
        below(results, paths.TEST_VIEWS, dataset=run.experiment.dataset, views=views_key(run.viewed))
        for run in runs
        if run.viewed
    }
    for folder in sorted({path.parent for path in shared}):
        yield from (path for path in seals.sealed_files(folder) if path in shared)
    for dataset in job.datasets:
        yield from seals.sealed_files(below(results, paths.MANIFEST, dataset=dataset).parent)
    for run in runs:
        folder = below(results, paths.RUN, run=run.name)
        yield from seals.sealed_files(folder)
        for fold in job.folds(run.name):
            for stage in run.stages:
                yield from seals.sealed_files(folder / f"fold{fold}" / stage)
