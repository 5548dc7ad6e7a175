# Photos without a label, and the submissions that competitions take: who has them, and where their samples lie.
from graft.data.sample_name import check_sample


def keeps_unlabelled(run):
    """Return whether a run's data set keeps photos without a label."""
    return job.dataset(job.dataset_of(run)).predicts_unlabelled


def answers_to_unlabelled(wildcards):
    """Return what the default target builds of photos without a label: their predictions, and the submissions asked for."""
    predicted = [paths.UNLABELLED_PREDICTIONS.format(run=run) for run in job.runs if keeps_unlabelled(run)]
    submitted = [paths.SUBMISSION.format(run=run) for run in job.runs if job.run(run).experiment.submission]
    return predicted + submitted


def photo_set_of(wildcards):
    """Return where a run's photo set lies: the user's folder, or the archive."""
    dataset = job.dataset_of(wildcards.run)
    folder = job.dataset(dataset).source.folder
    return os.path.expanduser(folder) if folder else placed(paths.ARCHIVE.format(dataset=dataset))


def sample_of(wildcards):
    """Return the file that a submission's form is read from: the sample itself, where it is one, or the archive."""
    photos, submission = photo_set_of(wildcards), job.run(wildcards.run).experiment.submission
    asked = submission.sample if submission else "sample_submission.csv"
    own = [path for path in (os.path.expanduser(asked), os.path.join(photos, asked)) if os.path.isfile(path)]
    if own:
        return [local(own[0])]
    dataset = job.dataset_of(wildcards.run)
    return [] if job.dataset(dataset).source.folder else [paths.ARCHIVE.format(dataset=dataset)]


def check_samples():
    """End the run here, in one line, where a submission's sample is nowhere, as far as that can be told."""
    try:
        for run in job.runs:
            experiment = job.run(run).experiment
            if experiment.submission:
                key = f"experiments.{job.run(run).experiment_name}.submission.sample"
                check_sample(key, experiment.submission.sample, job.dataset(experiment.dataset).source)
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if workflow.is_main_process:
    check_samples()
