"""The whole configuration, resolved: which runs there are, and what each consists of."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from graft.config.averaging import averaged_views
from graft.config.backbone import SHIPPED_WEIGHTS, Backbone
from graft.config.base import Settings, merged, nearest, parse
from graft.config.dataset import SQUASHED, Dataset, Pictures
from graft.config.evaluation import Evaluation
from graft.config.experiment import EmbedSettings, Experiment, ViewedSettings, embed_settings
from graft.config.export import Export, export_named
from graft.config.figures import Figures
from graft.config.hub import PRESET
from graft.config.keys import backbone_key, canonical, features_key, views_key
from graft.config.model_table import FINETUNED, ModelTable, check_probes, with_finetuned
from graft.config.recipe import Recipe, Selection
from graft.config.several import check_several
from graft.config.shards import Shards
from graft.config.sweeps import Sweep, expand
from graft.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class JobConfig(Settings):
    """The file config/config.yaml, or one that `--configfile` puts over it."""

    runs: list[str] = Field(min_length=1)
    """The experiments to build."""

    datasets: dict[str, Dataset]
    """Photo sets by name."""

    experiments: dict[str, Experiment]
    """Experiments by name."""

    evaluation: Evaluation = Evaluation()
    """How results are judged."""

    figures: Figures = Figures()
    """How results are drawn."""

    shards: Shards = Shards()
    """Into how many jobs the work on every photo is cut."""

    model_table: ModelTable | None = None
    """Which network? Every one of a sweep as a probe, timed on this machine; null: no table."""

    container: str = Field("graft.sif", min_length=1, pattern=r"^\S+$")
    """The image that jobs run in where the command has `--software-deployment-method apptainer`: a file, or an address
    such as docker://lab/graft:1. docs/containers.md says how to make one. Without that option it says nothing."""

    fast_path: bool = True
    """How networks compute and learn; results are the same but for rounding. `true`: features with batch normalisation
    folded into the convolutions, and training with Graft's own layers and optimiser steps where they were measured to
    be faster than Keras's: with TensorFlow, on a processor. `false`: Keras's own layers and steps alone, everywhere. A
    change embeds and trains anew."""


@dataclass(frozen=True)
class Run:
    """One training from start to end: an experiment with one of its seeds."""

    name: str
    experiment_name: str
    experiment: Experiment
    recipe: Recipe
    seed: int
    pictures: Pictures = SQUASHED
    fast_path: bool = True

    @property
    def stages(self) -> list[str]:
        """Return the stages that leave a model: the head, and the fine-tuned network if there is one."""
        return ["head", "finetuned"] if self.recipe.finetune else ["head"]

    @property
    def embedding(self) -> EmbedSettings:
        """Return what the features depend on."""
        return embed_settings(self.experiment.backbone, self.recipe, self.seed, self.pictures, self.fast_path)

    @property
    def viewed(self) -> ViewedSettings | None:
        """Return what the cached features of test-time views depend on; None where predictions cannot use any.

        They can where the head's stage computes in prediction what it was trained on: with one preprocessing, and in
        float32.
        """
        views, recipe = averaged_views(self.recipe), self.recipe
        if views is None or recipe.preprocessing != "consistent" or recipe.frozen.precision != "float32":
            return None
        return ViewedSettings(embedding=without_views(self.embedding), test_views=views)


class Job:
    """A configuration that has been checked whole, before any rule runs.

    Args:
        values: the parsed YAML, as Snakemake's `config`.
        recipes: the folder of recipe files.

    Raises: UserError, one line that names the key and what to do.
    """

    def __init__(self, values: dict[str, Any], recipes: Path):
        expanded, self.sweeps = expand(values)
        for sweep in self.sweeps.values():
            check_points(sweep, expanded)
        expanded = self._with_table(expanded)
        self.config = parse(JobConfig, expanded, "")
        self._recipes = recipes
        for kind in ("datasets", "experiments"):
            for name in getattr(self.config, kind):
                check_name(name, kind)
        self._runs = {run.name: run for name in self.config.runs for run in self._runs_named(name)}
        self.check_names_differ()
        for sweep in self.sweeps.values():
            self.check_points_differ(sweep)
        recipes_of = {run.name: (run.experiment, run.recipe) for run in self._runs.values()}
        self.several = check_several(recipes_of, self.config.datasets, self.config.evaluation)
        if self.config.model_table:
            check_probes(self.config.model_table, self.runs_of_table)
            for run in self.runs_of_table if self.config.model_table.finetune else []:
                self._runs_of(run.experiment_name + FINETUNED)  # a mistake in them is said now, not after the table
        self.backbones = {backbone_key(run.experiment.backbone): run.experiment.backbone for run in self._runs.values()}
        for run in self._runs.values():
            check_shards(run, self.config.shards)
            check_submits(run.experiment_name, run.experiment, self.config.datasets[run.experiment.dataset])

    def _with_table(self, values: Any) -> Any:
        """Return a configuration with what its model table adds: the experiments that fine-tune its networks."""
        if not isinstance(values, dict) or values.get("model_table") is None:
            return values
        table = parse(ModelTable, values["model_table"], "model_table")
        if table.sweep not in self.sweeps:
            raise UserError(
                f"model_table.sweep is {table.sweep!r}, which is no experiment with a sweep"
                f"{nearest(table.sweep, list(self.sweeps))}"
            )
        return with_finetuned(values, self.sweeps[table.sweep].experiments)

    @property
    def runs_of_table(self) -> list[Run]:
        """Return the runs of the model table; none where there is no table."""
        return self.runs_of_sweep(self.config.model_table.sweep) if self.config.model_table else []

    def check_names_differ(self) -> None:
        """Refuse two experiments that would write into one folder: `a` with several seeds, and `a-seed0`."""
        owners: dict[str, str] = {}
        for experiment in self.config.experiments:
            for name in self.names_of(experiment):
                if name in owners:
                    raise UserError(
                        f"experiments {owners[name]!r} and {experiment!r} both make a run named {name!r}; rename one"
                    )
                owners[name] = experiment

    def check_points_differ(self, sweep: Sweep) -> None:
        """Refuse two points of a sweep that come to the same: their runs would be equal, to the byte."""
        seen: dict[tuple[str, int], str] = {}
        for run in self.runs_of_sweep(sweep.name):
            same = {"override", "recipe"}  # these two came to the run's own recipe
            what = canonical(run.experiment.model_dump(mode="json", exclude=same)) + canonical(run.recipe)
            other = seen.setdefault((what, run.seed), run.name)
            if other != run.name:
                raise UserError(
                    f"experiments.{sweep.name}.sweep makes two equal runs, {other!r} and {run.name!r}; leave one out"
                )

    def runs_of_sweep(self, name: str) -> list[Run]:
        """Return all runs of a sweep, whether `runs` lists them or not."""
        return [run for experiment in self.sweeps[name].experiments for run in self._runs_of(experiment)]

    def names_of(self, experiment: str) -> list[str]:
        """Return the names of an experiment's runs."""
        settings = self.config.experiments[experiment]
        if settings.seeds == 1:
            return [experiment]
        return [f"{experiment}-seed{seed}" for seed in range(settings.seed, settings.seed + settings.seeds)]

    @property
    def runs(self) -> list[str]:
        """Return the names of all runs, in the order of the configuration."""
        return list(self._runs)

    @property
    def datasets(self) -> list[str]:
        """Return the names of the datasets that the runs use."""
        return list(dict.fromkeys(run.experiment.dataset for run in self._runs.values()))

    def run(self, name: str) -> Run:
        """Return one run; a run that `runs` does not list, but `experiments` has, may be asked for too."""
        if name not in self._runs:
            for experiment in self.config.experiments:
                for run in self._runs_of(experiment):
                    if run.name == name:
                        return run
            raise UserError(f"there is no run {name!r}{nearest(name, self.runs)}")
        return self._runs[name]

    def dataset(self, name: str) -> Dataset:
        """Return the settings of a dataset."""
        return self.config.datasets[name]

    def dataset_of(self, run: str) -> str:
        """Return the name of a run's dataset."""
        return self.run(run).experiment.dataset

    def folds(self, run: str) -> list[int]:
        """Return the numbers of a run's folds."""
        return list(range(self.dataset(self.dataset_of(run)).split.n_folds))

    def stages(self, run: str) -> list[str]:
        """Return the stages of a run."""
        return self.run(run).stages

    def exports(self, run: str) -> list[str]:
        """Return the names of a run's exports."""
        return [export.name for export in self.run(run).experiment.exports]

    def export(self, run: str, name: str) -> Export:
        """Return the settings of an export; one that the run does not list may be asked for too, by its name.

        Raises: UserError if the run's predictions are averaged over views, which no export does.
        """
        if self.run(run).recipe.test_views:
            raise UserError(
                f"{run} has test_views, and an export answers from the photo as it is: leave out exports or test_views"
            )
        listed = (export for export in self.run(run).experiment.exports if export.name == name)
        return next(listed, None) or export_named(name)

    def embedding(self, key: str) -> EmbedSettings:
        """Return the settings of cached features by their name, of a run that `runs` does not list too.

        Raises: UserError if no experiment has such features.
        """
        for run in self._every_run():
            for embedding in (run.embedding, without_views(run.embedding)):
                if features_key(embedding) == key:
                    return embedding
        raise UserError(f"no experiment has features named {key!r}")

    def viewed(self, key: str) -> ViewedSettings:
        """Return the settings of cached features of test-time views by their name.

        Raises: UserError if no experiment has such views.
        """
        for run in self._every_run():
            if run.viewed and views_key(run.viewed) == key:
                return run.viewed
        raise UserError(f"no experiment has test-time views named {key!r}")

    def features_of_dataset(self, name: str) -> tuple[str, str]:
        """Return the names of the features that a dataset's first run is trained on, and of the same without views.

        Raises: UserError if no experiment is on the dataset, or there is no such dataset.
        """
        if name not in self.config.datasets:
            raise UserError(f"there is no dataset {name!r}{nearest(name, list(self.config.datasets))}")
        for run in self._every_run():
            if run.experiment.dataset == name:
                return features_key(run.embedding), features_key(without_views(run.embedding))
        raise UserError(
            f"no experiment is on the dataset {name!r}, so there is no backbone to look at it with; add one"
        )

    def backbone(self, key: str) -> Backbone:
        """Return the settings of a backbone by its name, of a run that `runs` does not list too.

        Raises: UserError if no experiment has such a backbone.
        """
        for run in self._every_run():
            if backbone_key(run.experiment.backbone) == key:
                return run.experiment.backbone
        raise UserError(f"no experiment has a backbone named {key!r}")

    def _every_run(self) -> Iterator[Run]:
        """Yield the runs to build, then those of the other experiments."""
        yield from self._runs.values()
        for experiment in self.config.experiments:
            yield from (run for run in self._runs_of(experiment) if run.name not in self._runs)

    def weights_file(self, key: str) -> list[str]:
        """Return the file that a backbone's weights are read from: the user's, or the one that Graft ships."""
        weights = self.backbone(key).weights
        if weights == "textures":
            return [os.path.relpath(SHIPPED_WEIGHTS)]
        return [] if weights in ("imagenet", "none", PRESET) else [weights]

    def _runs_named(self, name: str) -> list[Run]:
        """Return the runs of a sweep or an experiment, or the one run (a seed of it) that carries the name."""
        if name in self.sweeps:
            return self.runs_of_sweep(name)
        if name in self.config.experiments:
            return self._runs_of(name)
        every = [run for experiment in self.config.experiments for run in self._runs_of(experiment)]
        found = [run for run in every if run.name == name]
        if not found:
            raise UserError(
                f"runs names {name!r}, which experiments lacks{nearest(name, [*self.config.experiments, *self.sweeps])}"
            )
        return found

    def _runs_of(self, name: str) -> list[Run]:
        """Return a run for each seed of an experiment."""
        experiment = self.config.experiments[name]
        if experiment.dataset not in self.config.datasets:
            raise UserError(
                f"experiments.{name}.dataset is {experiment.dataset!r}, which datasets lacks"
                f"{nearest(experiment.dataset, list(self.config.datasets))}"
            )
        recipe, fast = self._recipe_of(name, experiment), self.config.fast_path
        pictures = self.config.datasets[experiment.dataset].pictures
        return [
            Run(own, name, experiment, recipe, experiment.seed + place, pictures, fast)
            for place, own in enumerate(self.names_of(name))
        ]

    def _recipe_of(self, name: str, experiment: Experiment) -> Recipe:
        """Return an experiment's recipe with its overrides merged in."""
        known = sorted(path.stem for path in self._recipes.glob("*.yaml"))
        path = self._recipes / f"{experiment.recipe}.yaml" if experiment.recipe in known else Path(experiment.recipe)
        if not path.is_file():
            raise UserError(
                f"experiments.{name}.recipe is {experiment.recipe!r}, which is neither a file "
                f"nor a recipe of {self._recipes}{nearest(experiment.recipe, known)}"
            )
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        except yaml.YAMLError as error:
            raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
        parse(Recipe, values, f"recipe {experiment.recipe}")
        recipe = parse(Recipe, merged(values, experiment.override), f"experiments.{name}.override")
        return recipe if experiment.choose == "none" else holding_out(name, recipe)


def without_views(embedding: EmbedSettings) -> EmbedSettings:
    """Return settings of features of the photos as they are, without augmented views."""
    return embedding.model_copy(update={"views": None})


def check_shards(run: Run, shards: Shards) -> None:
    """Refuse shards of features whose precision each machine would choose for itself."""
    if shards.embed > 1 and run.recipe.frozen.precision == "auto":
        raise UserError(
            f"shards.embed is {shards.embed}, but frozen.precision of {run.experiment_name} is 'auto', which every "
            "machine decides for itself; name float32 or bfloat16 in its override"
        )


def check_submits(name: str, experiment: Experiment, dataset: Dataset) -> None:
    """Refuse a submission where no photo is without a label, and photos without one where others have several."""
    if dataset.predicts_unlabelled and dataset.source.several_labels:
        raise UserError(
            f"datasets.{experiment.dataset} keeps photos without a label to predict them, which is for one label a "
            "photo; set its ingest.policy.unlabelled and photo_without_row to 'drop'"
        )
    if experiment.submission and not dataset.predicts_unlabelled:
        raise UserError(
            f"experiments.{name}.submission answers for photos without a label, and datasets.{experiment.dataset} "
            "drops these; set its ingest.policy.unlabelled (class folders) or photo_without_row (a table) to 'keep'"
        )


def check_name(name: str, kind: str) -> None:
    """Refuse a name that cannot be a folder."""
    if not NAME.fullmatch(name):
        raise UserError(f"{kind} has {name!r}; a name takes letters, digits, '_', '-' and '.', and starts with no dot")


def check_points(sweep: Sweep, values: dict[str, Any]) -> None:
    """Refuse a sweep's first faulty experiment, and only that: a mistake that all share is said once."""
    for name in sweep.experiments:
        parse(Experiment, values["experiments"][name], f"experiments.{name}")
    datasets = {values["experiments"][name]["dataset"] for name in sweep.experiments}
    if sweep.choose != "none" and len(datasets) > 1:
        raise UserError(
            f"experiments.{sweep.name}.choose cannot choose among runs of different datasets; make a sweep for each"
        )


def holding_out(name: str, recipe: Recipe) -> Recipe:
    """Return the recipe of a run of a sweep that chooses: some photos choose, even if training chooses nothing.

    Raises: UserError if the recipe has no such photos, or the photos that judge would choose.
    """
    if recipe.selection.on not in ("auto", "inner", "held_out"):
        raise UserError(
            f"selection.on of {name} is {recipe.selection.on!r}, but its sweep chooses, which needs photos that do "
            "not judge; leave selection.on out, or write 'inner'"
        )
    on = "held_out" if recipe.selection.on == "auto" else recipe.selection.on
    return recipe.model_copy(update={"selection": Selection(on=on)})
