"""Runs of several labels a photo: what goes with them, and what cannot."""

from collections.abc import Mapping

from graft.config.dataset import Dataset
from graft.config.evaluation import Evaluation
from graft.config.experiment import Experiment
from graft.config.recipe import Recipe
from graft.errors import UserError


def check_several(
    runs: Mapping[str, tuple[Experiment, Recipe]], datasets: Mapping[str, Dataset], evaluation: Evaluation
) -> bool:
    """Return whether the runs of a job are of photos with several labels; all are, or none.

    Args:
        runs: the experiment and the recipe of each, by name.
        datasets: by name.
        evaluation: how they are judged.

    Raises: UserError, one sentence that names the key, if a head does not go with its photos, or something else that is
        asked for does not go with several labels.
    """
    several = {name: datasets[experiment.dataset].source.several_labels for name, (experiment, _) in runs.items()}
    for name, (experiment, recipe) in runs.items():
        check_head(name, experiment.dataset, recipe.head.output, several[name])
        check_choice(name, experiment.choose, several[name])
        if several[name]:
            check_run(name, recipe, evaluation)
    if len(set(several.values())) > 1:
        one, other = (next(name for name, has in several.items() if has == kind) for kind in (False, True))
        raise UserError(
            f"runs has {one!r}, of one label a photo, and {other!r}, of several, which have no number in common to be "
            "compared by; build them in two jobs"
        )
    return any(several.values())


def check_head(name: str, dataset: str, output: str, several: bool) -> None:
    """Refuse a head that is not for the photos' labels."""
    if several and output != "sigmoid":
        raise UserError(
            f"head.output of {name} is {output!r}, which gives a photo one label, but those of {dataset} may have "
            "several (source.labels); write override: {head: {output: sigmoid}}"
        )
    if output == "sigmoid" and not several:
        raise UserError(
            f"head.output of {name} is 'sigmoid', which is for several labels a photo, but those of {dataset} have "
            "one; say in source.labels how several stand in the table (separator or columns), or use 'softmax'"
        )


def check_choice(name: str, choose: str, several: bool) -> None:
    """Refuse a sweep that would choose by a number that its runs do not have."""
    if several and choose == "accuracy":
        raise UserError(
            f"choose of {name} is 'accuracy', which is for one label a photo; take 'mean_average_precision' or "
            "'log_loss'"
        )
    if choose == "mean_average_precision" and not several:
        raise UserError(
            f"choose of {name} is 'mean_average_precision', which is for several labels a photo; take 'accuracy' or "
            "'log_loss'"
        )


def check_run(name: str, recipe: Recipe, evaluation: Evaluation) -> None:
    """Refuse what does not go with several labels."""
    if recipe.test_views:
        raise UserError(f"test_views of {name} is for one label a photo; leave it out")
    if evaluation.metrics:
        raise UserError(
            "evaluation.metrics is for one label a photo; evaluation.csv of several has mean average precision, F1 and "
            "areas under the curves of its own, so leave it out"
        )
    if evaluation.unsure_below:
        raise UserError(
            "evaluation.unsure_below is for one label a photo; several have a threshold each (evaluation."
            "label_thresholds), so leave it out"
        )
