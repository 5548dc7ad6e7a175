"""The whole configuration, resolved: which runs there are, and what each consists of."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from graft.config.backbone import SHIPPED_WEIGHTS, Backbone
from graft.config.base import Settings, nearest, parse
from graft.config.dataset import SQUASHED, Dataset, Pictures
from graft.config.evaluation import Evaluation
from graft.config.experiment import EmbedSettings, Experiment, embed_settings
from graft.config.export import Export, export_named
from graft.config.figures import Figures
from graft.config.keys import backbone_key, features_key
from graft.config.recipe import Recipe
from graft.config.shards import Shards
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


@dataclass(frozen=True)
class Run:
    """One training from start to end: an experiment with one of its seeds."""

    name: str
    experiment_name: str
    experiment: Experiment
    recipe: Recipe
    seed: int
    pictures: Pictures = SQUASHED

    @property
    def stages(self) -> list[str]:
        """Return the stages that leave a model: the head, and the fine-tuned network if there is one."""
        return ["head", "finetuned"] if self.recipe.finetune else ["head"]

    @property
    def embedding(self) -> EmbedSettings:
        """Return what the features depend on."""
        return embed_settings(self.experiment.backbone, self.recipe, self.seed, self.pictures)


class Job:
    """A configuration that has been checked whole, before any rule runs.

    Args:
        values: the parsed YAML, as Snakemake's `config`.
        recipes: the folder of recipe files.

    Raises: UserError, one line that names the key and what to do.
    """

    def __init__(self, values: dict[str, Any], recipes: Path):
        self.config = parse(JobConfig, values, "")
        self._recipes = recipes
        for kind in ("datasets", "experiments"):
            for name in getattr(self.config, kind):
                check_name(name, kind)
        self._runs = {run.name: run for name in self.config.runs for run in self._runs_named(name)}
        self.check_names_differ()
        self.backbones = {backbone_key(run.experiment.backbone): run.experiment.backbone for run in self._runs.values()}
        for run in self._runs.values():
            check_shards(run, self.config.shards)

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
        """Return the settings of an export; one that the run does not list may be asked for too, by its name."""
        listed = (export for export in self.run(run).experiment.exports if export.name == name)
        return next(listed, None) or export_named(name)

    def embedding(self, key: str) -> EmbedSettings:
        """Return the settings of cached features by their name, of a run that `runs` does not list too.

        Raises: UserError if no experiment has such features.
        """
        for run in self._every_run():
            if features_key(run.embedding) == key:
                return run.embedding
        raise UserError(f"no experiment has features named {key!r}")

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
        return [] if weights in ("imagenet", "none") else [weights]

    def _runs_named(self, name: str) -> list[Run]:
        """Return the runs of an experiment, or the one run (a seed of it) that carries the name."""
        if name in self.config.experiments:
            return self._runs_of(name)
        every = [run for experiment in self.config.experiments for run in self._runs_of(experiment)]
        found = [run for run in every if run.name == name]
        if not found:
            raise UserError(
                f"runs names {name!r}, which experiments lacks{nearest(name, list(self.config.experiments))}"
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
        recipe = self._recipe_of(name, experiment)
        pictures = self.config.datasets[experiment.dataset].pictures
        return [
            Run(own, name, experiment, recipe, experiment.seed + place, pictures)
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
        return parse(Recipe, merged(values, experiment.override), f"experiments.{name}.override")


def check_shards(run: Run, shards: Shards) -> None:
    """Refuse shards of features whose precision each machine would choose for itself."""
    if shards.embed > 1 and run.recipe.frozen.precision == "auto":
        raise UserError(
            f"shards.embed is {shards.embed}, but frozen.precision of {run.experiment_name} is 'auto', which every "
            "machine decides for itself; name float32 or bfloat16 in its override"
        )


def check_name(name: str, kind: str) -> None:
    """Refuse a name that cannot be a folder."""
    if not NAME.fullmatch(name):
        raise UserError(f"{kind} has {name!r}; a name takes letters, digits, '_', '-' and '.', and starts with no dot")


def merged(base: Any, over: Any) -> Any:
    """Return `base` with `over` laid on it: dictionaries merge, anything else replaces.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base.get(key), value) for key, value in over.items()}
    return over
