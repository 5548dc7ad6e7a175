include: "source.smk"


import functools
import sys

CHECKOUT = folder_of_workflow(workflow.current_basedir)
SCRIPTS = CHECKOUT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Rules call `python` and mean this environment's, activated or not. A conda environment's comes before it.
PATH = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
os.environ.update(PATH=os.pathsep.join(PATH), GRAFT_SCRIPTS=os.path.relpath(SCRIPTS))

from graft import paths
from graft.config.figures import OF_A_MULTILABEL_RUN, OF_A_RUN
from graft.config.figures import OF_ALL_RUNS as FIGURES_OF_ALL_RUNS
from graft.config.keys import backbone_key, features_key, pictures_key
from graft.config.resolution import Job
from graft.config.slices import slice_of
from graft.errors import UserError
from graft.machine import gpus
from graft.code import code_digest, remember
from graft.planning.threads import training_threads


def checked_job():
    """Return the whole configuration, checked; a mistake in it ends the run here, in one line."""
    try:
        return Job(config, CHECKOUT / "config" / "recipes")
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None


job = checked_job()
FIGURES_OF_A_RUN = OF_A_MULTILABEL_RUN if job.several else OF_A_RUN

# Where another workflow takes Graft as a module, its `prefix` moves the files that rules declare.
moved = workflow.modifier.path_modifier.replace_prefix


def placed(path):
    """Return where a result lies that is no rule's input or output: Snakemake moves those by itself, and no others."""
    return str(moved(path))


RESULTS = Path(placed(paths.COMPARISON)).parent

# One GPU job at a time unless the command line says otherwise, as `--resources gpu=1` would; and one download at a
# time, the photos first, so that a machine without a network says so once.
for limited in ("gpu", "network"):
    if workflow.is_main_process and limited not in workflow.global_resources:
        workflow.register_resource(limited, 1)


scattergather:
    pack=job.config.shards.pack,
    embed=job.config.shards.embed,
    predict=job.config.shards.predict,


wildcard_constraints:
    dataset="[^/]+",
    run="[^/]+",
    fold=r"\d+",
    stage="head|finetuned",
    size=r"\d+",
    fit=r"(-[^/]+)?",  # and window and page, where they are not the default ones
    backbone="[^/]+",
    features="[^/]+",
    views="[^/]+",


def code_of(script):
    """Return a digest of a script and the modules that it imports: another code is another result, a comment is not."""
    return code_digest(script)


def in_shards(stage, text, shard="-{scatteritem}"):
    """Return a rule's text with its {shard} filled in, or without one where a stage is one job."""
    return text.replace("{shard}", "" if getattr(job.config.shards, stage) == 1 else shard)


def output_of(stage, path):
    """Return a stage's output, or, where it works in shards, a shard's, which goes once all are joined."""
    if getattr(job.config.shards, stage) == 1:
        return path
    return temp(f"{path}.{{scatteritem}}")  # the suffix last: a shard must not look like features of another name


def shard_of(wildcards):
    """Return which shard a job is, as i-of-n."""
    return wildcards.get("scatteritem", "1-of-1")


def settings_of(part):
    """Return a rule's params function: the slice of the configuration that the rule uses, as one JSON string."""

    def settings(wildcards):
        return slice_of(job, part, **dict(wildcards.items()))

    return settings


def gpus_of_job(wildcards):
    """Return how many GPUs a job asks for: one, unless it runs on this machine and this machine has none."""
    return 0 if on_this_machine() and not gpu_offered() else 1


gpu_offered = functools.cache(gpus.offered)  # it asks the driver, which a job on a cluster need not do


def threads_of_short_job(wildcards):
    """Return the threads of a job that mostly starts up: on a processor, half the cores, so that two run at once."""
    if gpus_of_job(wildcards):
        return 2
    cores = workflow.resource_settings.cores or 4  # a report is made without
    return max(1, min(2, cores // 2))


def threads_of_training(wildcards):
    """Return the threads of a training: the cores that trainings beside it leave free."""
    if gpus_of_job(wildcards) or not on_this_machine():
        return 2
    return training_threads(cores_here(), n_trainings())


def threads_of_embedding(wildcards):
    """Return the threads of a job that computes features: the cores that such jobs beside it leave free."""
    if gpus_of_job(wildcards) or not on_this_machine():
        return 2
    kinds = {known_of_run(run)["features"] for run in job.runs}
    return training_threads(cores_here(), len(kinds) * job.config.shards.embed)


def cores_here():
    """Return the cores that Snakemake may use, as far as this machine has them."""
    cores = workflow.resource_settings.cores or 4  # a report is made without
    return min(cores, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())


@functools.cache
def n_trainings():
    """Return how many trainings of one phase the whole job has: folds of all runs."""
    return sum(len(job.folds(run)) for run in job.runs)


def on_this_machine():
    """Return whether jobs run here; which executor runs them is known to functions of rules, not while they are read."""
    return workflow.local_exec and not workflow.remote_exec


def fit_of(dataset):
    """Return what the name of packed pixels says of fit, window and page; nothing where these are the default."""
    return pictures_key(job.dataset(dataset).pictures)


@functools.cache
def known_of_run(run):
    """Return the wildcards that a run decides."""
    backbone = job.run(run).experiment.backbone
    return {
        "run": run,
        "dataset": job.dataset_of(run),
        "size": backbone.size,
        "fit": fit_of(job.dataset_of(run)),
        "backbone": backbone_key(backbone),
        "features": features_key(job.run(run).embedding),
    }


def of_run(pattern):
    """Return an input function: a file that the run decides, such as its data set's split or its weights."""

    def path(wildcards):
        return pattern.format(**known_of_run(wildcards.run))

    return path


def of_all_runs(pattern):
    """Return a file of every run."""
    return [pattern.format(run=run) for run in job.runs]


def of_folds(pattern):
    """Return an input function: a file of every fold and stage of a run."""

    def files(wildcards):
        run = wildcards.run
        return [pattern.format(run=run, fold=fold, stage=stage) for stage in job.stages(run) for fold in job.folds(run)]

    return files


def last_models_of_run(wildcards):
    """Return the models of a run's last stage, fold by fold."""
    run, stage = wildcards.run, job.stages(wildcards.run)[-1]
    return [paths.MODEL_OF_STAGE.format(run=run, fold=fold, stage=stage) for fold in job.folds(run)]


def pixels_of_features(wildcards):
    """Return the packed pixels that features are computed from."""
    size = job.embedding(wildcards.features).backbone.size
    return paths.PIXELS.format(dataset=wildcards.dataset, size=size, fit=fit_of(wildcards.dataset))


def split_of_views(wildcards):
    """Return the split where augmented views are cached, since only training photos have any; else nothing."""
    views = job.embedding(wildcards.features).views
    return [paths.SPLIT.format(dataset=wildcards.dataset)] if views else []


def weights_of_features(wildcards):
    """Return the backbone's weights that features are computed with."""
    return paths.WEIGHTS.format(backbone=backbone_key(job.embedding(wildcards.features).backbone))


def own_weights(wildcards):
    """Return the weights file that the user names for a backbone, or the one that Graft ships, or nothing."""
    return [local(path) for path in job.weights_file(wildcards.backbone)]


def shards_of_predictions(wildcards):
    """Return a run's raw predictions, in as many files as jobs made them."""
    if job.config.shards.predict == 1:
        return [paths.RAW_PREDICTIONS.format(run=wildcards.run)]
    pattern = paths.RAW_PREDICTIONS.format(run=wildcards.run) + ".{scatteritem}"
    return gather.predict(pattern)


def shards_of_features(wildcards):
    """Return the features of a run's photos, in as many files as jobs made them."""
    pattern = paths.FEATURES_OF_RUN.replace("{run}", wildcards.run)
    if job.config.shards.predict == 1:
        return [pattern.format(shard="")]
    return gather.predict(pattern.format(shard="-{scatteritem}"))


def features_for_labels(wildcards):
    """Return features of a dataset: those that its first run has cached, or, before any run, without views."""
    try:
        keys = job.features_of_dataset(wildcards.dataset)
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    cached, plain = (paths.FEATURES.format(dataset=wildcards.dataset, features=key) for key in keys)
    return cached if os.path.exists(placed(cached)) else plain


def formats_of_figures():
    """Return the formats in which every figure is written."""
    return ["png", *job.config.figures.vector_copies]


def exports_of_all_runs(wildcards):
    """Return the tables of exports that the default target builds: of the runs that list any."""
    return [paths.EXPORTS.format(run=run) for run in job.runs if job.exports(run)]


def results_of_all_runs(wildcards):
    """Return what the default target builds."""
    of_a_run = [paths.EVALUATION, paths.PREDICTIONS, paths.PER_CLASS, paths.SIGNIFICANCE, paths.PROVENANCE]
    of_a_run += [paths.MODEL_CARD, paths.MODEL]
    results = [pattern.format(run=run) for run in job.runs for pattern in of_a_run]
    results += collect(paths.FIGURE, run=job.runs, figure=FIGURES_OF_A_RUN, format=formats_of_figures())
    results += collect(paths.FIGURE_OF_ALL, figure=FIGURES_OF_ALL_RUNS, format=formats_of_figures())
    return [*results, paths.COMPARISON, paths.SUMMARY]
