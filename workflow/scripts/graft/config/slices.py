"""The part of the configuration that each rule uses, and no more, so that a change reruns just what it touches."""

from collections.abc import Callable, Mapping
from typing import Any

from graft.config.experiment import FineTuneSettings, HeadSettings, PredictSettings, choosing_of
from graft.config.figures import OF_A_RUN, OF_ALL_RUNS
from graft.config.keys import canonical, features_key
from graft.config.provenance import RunRecord
from graft.config.resolution import Job, JobConfig, Run


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
    )


def predict_settings(run: Run) -> PredictSettings:
    """Return which photos a run's models are asked about."""
    return PredictSettings(roles=run.experiment.predict, choosing=choosing_of(run.recipe))


SLICES: dict[str, Callable[[Job, Mapping[str, str]], Any]] = {
    "source": lambda job, at: job.dataset(at["dataset"]).source,
    "ingest": lambda job, at: job.dataset(at["dataset"]).ingest,
    "pictures": lambda job, at: job.dataset(at["dataset"]).pictures,
    "split": lambda job, at: job.dataset(at["dataset"]).split,
    "weights": lambda job, at: job.backbone(at["backbone"]),
    "embed": lambda job, at: job.embedding(at["features"]),
    "head": lambda job, at: head_settings(job.run(at["run"])),
    "finetune": lambda job, at: finetune_settings(job.run(at["run"])),
    "backbone_name": lambda job, at: job.run(at["run"]).experiment.backbone.name,
    "last_stage": lambda job, at: job.stages(at["run"])[-1],
    "predict": lambda job, at: predict_settings(job.run(at["run"])),
    "export": lambda job, at: job.export(at["run"], at["export"]),
    "evaluation": lambda job, at: job.config.evaluation,
    "provenance": lambda job, at: run_record(job, job.run(at["run"])),
    "comparison": lambda job, at: job.config.evaluation,
    **{
        f"figure:{name}": lambda job, at, name=name: job.config.figures.slice(name)
        for name in (*OF_A_RUN, *OF_ALL_RUNS)
    },
}


def run_record(job: Job, run: Run) -> RunRecord:
    """Return what repeats a run alone: the configuration with nothing else in it, its recipe in full as an override.

    Exports are no part of it: they change no result, and need packages that a machine may lack.
    """
    experiment = run.experiment.model_copy(update={"override": run.recipe.model_dump(mode="json"), "exports": []})
    config = JobConfig(
        runs=[run.name],
        datasets={experiment.dataset: job.dataset(experiment.dataset)},
        experiments={run.experiment_name: experiment},
        evaluation=job.config.evaluation,
    )
    return RunRecord(
        run=run.name,
        experiment=run.experiment_name,
        seed=run.seed,
        dataset=experiment.dataset,
        features=features_key(run.embedding),
        config=config.model_dump(mode="json", exclude={"figures", "shards"}),  # neither changes a result
    )
