import functools
import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))
# Rules call `python` and mean this environment's, activated or not. A conda environment's comes before it.
PATH = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
os.environ.update(PATH=os.pathsep.join(PATH))

from graft.machine import gpus
from graft.planning.code import code_files
from graft.config.figures import OF_A_RUN as FIGURES_OF_A_RUN
from graft.config.figures import OF_ALL_RUNS as FIGURES_OF_ALL_RUNS
from graft.config.keys import backbone_key, features_key, pictures_key
from graft.config.resolution import Job
from graft.config.slices import slice_of
from graft.errors import UserError


def checked_job():
    """Return the whole configuration, checked; a mistake in it ends the run here, in one line."""
    try:
        return Job(config, Path(workflow.basedir) / "config" / "recipes")
    except UserError as error:
        print(f"graft: {error}", file=sys.stderr)
        raise SystemExit(1) from None


job = checked_job()

# One GPU job at a time unless the command line says otherwise, as `--resources gpu=1` would; and one download at a
# time, the photos first, so that a machine without a network says so once.
for limited in ("gpu", "network"):
    if workflow.is_main_process and limited not in workflow.global_resources:
        workflow.register_resource(limited, 1)


scattergather:
    pack=job.config.shards.pack,
    embed=job.config.shards.embed,


wildcard_constraints:
    dataset="[^/]+",
    run="[^/]+",
    fold=r"\d+",
    stage="head|finetuned",
    size=r"\d+",
    fit=r"(-[^/]+)?",  # and window and page, where they are not the default ones
    backbone="[^/]+",
    features="[^/]+",


def code_of(script):
    """Return a script and the modules that it imports, relative to the working directory where they lie below it."""
    return [os.path.relpath(path) for path in code_files(script)]


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


def short_threads(wildcards):
    """Return the threads of a job that mostly starts up: on a processor, half the cores, so that two run at once."""
    if gpus_of_job(wildcards):
        return 2
    cores = workflow.resource_settings.cores or 4  # a report is made without
    return max(1, min(2, cores // 2))


def on_this_machine():
    """Return whether jobs run here; which executor runs them is known to functions of rules, not while they are read."""
    return workflow.local_exec and not workflow.remote_exec


def data_of_run(name):
    """Return an input function: a file of the run's dataset."""

    def path(wildcards):
        return f"results/data/{job.dataset_of(wildcards.run)}/{name}"

    return path


def pixels_of(dataset, size):
    """Return a dataset's packed pixels; those of another fit, window or page are another file."""
    return f"results/data/{dataset}/pixels-{size}{pictures_key(job.dataset(dataset).pictures)}.npy"


def pixels_of_run(wildcards):
    """Return the packed pixels that a run trains on."""
    size = job.run(wildcards.run).experiment.backbone.size
    return pixels_of(job.dataset_of(wildcards.run), size)


def pixels_of_features(wildcards):
    """Return the packed pixels that features are computed from."""
    size = job.embedding(wildcards.features).backbone.size
    return pixels_of(wildcards.dataset, size)


def split_of_views(wildcards):
    """Return the split where augmented views are cached, since only training photos have any; else nothing."""
    views = job.embedding(wildcards.features).views
    return [f"results/data/{wildcards.dataset}/split.csv"] if views else []


def weights_of_features(wildcards):
    """Return the backbone's weights that features are computed with."""
    key = backbone_key(job.embedding(wildcards.features).backbone)
    return f"results/weights/{key}.weights.h5"


def weights_of_run(wildcards):
    """Return the backbone's weights that a run starts from."""
    key = backbone_key(job.run(wildcards.run).experiment.backbone)
    return f"results/weights/{key}.weights.h5"


def own_weights(wildcards):
    """Return the weights file that the user names for a backbone, or the one that Graft ships, or nothing."""
    return job.weights_file(wildcards.backbone)


def features_of_run(wildcards):
    """Return the cached features that a run's head is trained on."""
    key = features_key(job.run(wildcards.run).embedding)
    return f"results/features/{job.dataset_of(wildcards.run)}/{key}.npy"


def files_of_folds(name):
    """Return an input function: a file of every fold and stage of a run."""

    def paths(wildcards):
        return [
            f"results/runs/{wildcards.run}/fold{fold}/{stage}/{name}"
            for fold in job.folds(wildcards.run)
            for stage in job.stages(wildcards.run)
        ]

    return paths


def last_models_of_run(wildcards):
    """Return the models of a run's last stage, fold by fold."""
    stage = job.stages(wildcards.run)[-1]
    return [f"results/runs/{wildcards.run}/fold{fold}/{stage}/model.keras" for fold in job.folds(wildcards.run)]


def last_model_of_run(wildcards):
    """Return the model of a run's last stage, of its first fold."""
    return f"results/runs/{wildcards.run}/fold0/{job.stages(wildcards.run)[-1]}/model.keras"


def results_of_all_runs(wildcards):
    """Return what the default target builds."""
    of_a_run = [
        "evaluation.csv",
        "predictions.csv",
        "per_class.csv",
        "significance.csv",
        "provenance.json",
        "MODEL_CARD.md",
        "model.keras",
    ]
    formats = ["png", *job.config.figures.vector_copies]
    of_a_run += [f"figures/{name}.{kind}" for name in FIGURES_OF_A_RUN for kind in formats]
    results = [f"results/runs/{run}/{name}" for run in job.runs for name in of_a_run]
    results += [f"results/{name}.{kind}" for name in FIGURES_OF_ALL_RUNS for kind in formats]
    return [*results, "results/comparison.csv", "results/summary.html"]
