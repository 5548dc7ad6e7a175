# Where photo sets come from, and what can be said of them before any job runs.
import re
import shlex

from graft.data.lock import check_results
from graft.data.preflight import check_source, fingerprint, tables_here
from graft.planning.written import check_written


def names_of(kinds):
    """Return a pattern of the datasets with a source of these kinds."""
    names = [name for name, dataset in job.config.datasets.items() if dataset.source.kind in kinds]
    return "|".join(re.escape(name) for name in names) or "(?!)"


def check_sources():
    """End the run here, in one line, where a local source cannot make a photo set, or results are not what they were."""
    try:
        check_written(RESULTS, job)
        for name in job.datasets:
            check_source(name, job.dataset(name), RESULTS)
            check_results(RESULTS / "data" / name, Path(placed(paths.LOCK.format(dataset=name))))
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def local_archive(wildcards):
    """Return the user's own archive, if that is the source."""
    path = job.dataset(wildcards.dataset).source.archive
    return [local(os.path.expanduser(path))] if path else []


def arrived(wildcards):
    """Return the archive and its record, if the source has one; a folder is used in place."""
    if job.dataset(wildcards.dataset).source.folder:
        return []
    return [pattern.format(dataset=wildcards.dataset) for pattern in (paths.ARCHIVE, paths.DOWNLOAD)]


def photos_of(wildcards):
    """Return the arguments that say where the photos are."""
    folder = job.dataset(wildcards.dataset).source.folder
    if folder:
        return f"--photos {shlex.quote(os.path.expanduser(folder))}"
    archive, record = map(placed, arrived(wildcards))
    return f"--photos {archive} --arrived {record}"


def state_of_folder(wildcards):
    """Return a digest of a folder's files, so that a change in it is noticed; an archive is an input of its own."""
    folder = job.dataset(wildcards.dataset).source.folder
    return fingerprint(folder) if folder else ""


def label_tables(wildcards):
    """Return the user's own tables of labels and corrections, where they lie outside the archive."""
    return [local(path) for path in tables_here(job.dataset(wildcards.dataset))]


def split_file(wildcards):
    """Return the user's own table of the split, if there is one."""
    path = job.dataset(wildcards.dataset).split.file
    return [local(path)] if path else []


if workflow.is_main_process:
    check_sources()
