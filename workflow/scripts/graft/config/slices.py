"""The part of the configuration that each rule uses, and no more, so that a change reruns just what it touches."""

from collections.abc import Callable, Mapping
from typing import Any

from graft.config.averaging import averaged_views
from graft.config.backbone import Backbone
from graft.config.experiment import (
    FineTuneSettings,
    HeadSettings,
    PredictSettings,
    UnlabelledSettings,
    choosing_of,
)
from graft.config.hub import is_hub
from graft.config.keys import canonical, features_key, views_key
from graft.config.model_table import ModelTable, Tabulated, Timing
from graft.config.provenance import RunRecord
from graft.config.resolution import Job, JobConfig, Run
from graft.config.submission import Submission
from graft.config.sweeps import Ranking
from graft.errors import UserError

WITHOUT_EFFECT = {"container", "figures", "model_table", "shards"}  # settings that change no result


def slice_of(job: Job, part: str, **wildcards: str) -> str:
    """Return the part of the configuration that a rule uses, as canonical JSON.

    Args:
        job: the configuration.
        part: a name in `SLICES`.
        wildcards: the rule's.
    """
    return canonical(SLICES[part](job, wildcards))


def head_settings(run: Run) -> HeadSettings:
    """Return what training the head depends on."""
    recipe = run.recipe
    return HeadSettings(
        backbone=run.experiment.backbone,
        preprocessing=recipe.preprocessing,
        head=recipe.head,
        class_weights=recipe.class_weights,
        frozen=recipe.frozen,
        choosing=choosing_of(recipe),
        pictures=run.pictures,
        seed=run.seed,
        fast_path=run.fast_path,
    )


def finetune_settings(run: Run) -> FineTuneSettings:
    """Return what fine-tuning depends on, beside the head's model."""
    recipe = run.recipe
    return FineTuneSettings(
        preprocessing=recipe.preprocessing,
        label_smoothing=recipe.head.label_smoothing,
        class_weights=recipe.class_weights,
        augmentation=recipe.augmentation,
        finetune=recipe.finetune,
        choosing=choosing_of(recipe),
        seed=run.seed,
        fast_path=run.fast_path,
    )


def predict_settings(run: Run) -> PredictSettings:
    """Return which photos a run's models are asked about."""
    return PredictSettings(
        roles=run.experiment.predict,
        choosing=choosing_of(run.recipe),
        fast_path=run.fast_path,
        test_views=averaged_views(run.recipe),
    )


def unlabelled_settings(run: Run) -> UnlabelledSettings:
    """Return how a run's models are asked about the photos without a label."""
    return UnlabelledSettings(fast_path=run.fast_path, test_views=averaged_views(run.recipe))


SLICES: dict[str, Callable[[Job, Mapping[str, str]], Any]] = {
    "source": lambda job, at: job.dataset(at["dataset"]).source.model_dump(mode="json", exclude={"labels"}),
    "labels": lambda job, at: job.dataset(at["dataset"]).source.labels or {},
    "ingest": lambda job, at: job.dataset(at["dataset"]).ingest,
    "pictures": lambda job, at: job.dataset(at["dataset"]).pictures,
    "split": lambda job, at: job.dataset(at["dataset"]).split,
    "grouping": lambda job, at: job.dataset(at["dataset"]).split.model_dump(mode="json", include={"group_by", "seed"}),
    "weights": lambda job, at: job.backbone(at["backbone"]),
    "embed": lambda job, at: job.embedding(at["features"]),
    "test_views": lambda job, at: job.viewed(at["views"]),
    "head": lambda job, at: head_settings(job.run(at["run"])),
    "finetune": lambda job, at: finetune_settings(job.run(at["run"])),
    "backbone_name": lambda job, at: job.run(at["run"]).experiment.backbone.name,
    "predict": lambda job, at: predict_settings(job.run(at["run"])),
    "unlabelled": lambda job, at: unlabelled_settings(job.run(at["run"])),
    "submission": lambda job, at: job.run(at["run"]).experiment.submission or Submission(),
    "export": lambda job, at: job.export(at["run"], at["export"]),
    "evaluation": lambda job, at: job.config.evaluation,
    "provenance": lambda job, at: run_record(job, job.run(at["run"])),
    "comparison": lambda job, at: job.config.evaluation,
    "figures": lambda job, at: job.config.figures,
    "figures_of_all": lambda job, at: {"dpi": job.config.figures.dpi},
    "timing": lambda job, at: timing(job, job.backbone(at["backbone"])),
    "model_table": lambda job, at: tabulated(job),
    "sweep": lambda job, at: ranking(job, at["sweep"]),
}


def ranking(job: Job, name: str) -> Ranking:
    """Return what ranking a sweep's runs depends on."""
    sweep = job.sweeps[name]
    runs = {run.name: sweep.settings[run.experiment_name] for run in job.runs_of_sweep(name)}
    return Ranking(name=name, choose=sweep.choose, runs=runs, evaluation=job.config.evaluation)


def timing(job: Job, backbone: Backbone) -> Timing:
    """Return what timing a network depends on; its weights do not matter, but where they describe it (KerasHub)."""
    table = job.config.model_table or ModelTable()
    timed = backbone if is_hub(backbone.name) else backbone.model_copy(update={"weights": "none"})
    return Timing(backbone=timed, repeats=table.repeats, threads=table.threads)


def tabulated(job: Job) -> Tabulated:
    """Return what the model table depends on, beside its runs and timings.

    Raises: UserError if the configuration has none.
    """
    if job.config.model_table is None:
        raise UserError("there is no model_table in the configuration; add --configfile config/model_table.yaml")
    networks = {run.name: run.experiment.backbone for run in job.runs_of_table}
    return Tabulated(table=job.config.model_table, networks=networks, evaluation=job.config.evaluation)


def run_record(job: Job, run: Run) -> RunRecord:
    """Return what repeats a run alone: the configuration with nothing else in it, its recipe in full as an override.

    Exports and the submission are no part of it: they change no result, and need packages that a machine may lack.
    """
    alone: dict[str, Any] = {
        "override": run.recipe.model_dump(mode="json", exclude={"expected"}),
        "choose": "none",  # the recipe has what a choice held out
        "exports": [],
        "submission": None,
    }
    experiment = run.experiment.model_copy(update=alone)
    config = JobConfig(
        runs=[run.name],
        datasets={experiment.dataset: job.dataset(experiment.dataset)},
        experiments={run.experiment_name: experiment},
        evaluation=job.config.evaluation,
        fast_path=job.config.fast_path,
    )
    return RunRecord(
        run=run.name,
        experiment=run.experiment_name,
        seed=run.seed,
        dataset=experiment.dataset,
        features=features_key(run.embedding),
        test_views=averaged_views(run.recipe),
        views=views_key(run.viewed) if run.viewed else None,
        config=config.model_dump(mode="json", exclude=WITHOUT_EFFECT),
    )
