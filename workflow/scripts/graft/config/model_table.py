"""The model table: which network for these photos, on this machine, within a budget."""

from typing import Any

from pydantic import Field

from graft.config.backbone import Backbone
from graft.config.base import Settings
from graft.config.evaluation import Evaluation
from graft.errors import UserError

FINETUNED = "-finetuned"  # ends the name of a network's run that is fine-tuned after the table


class ModelTable(Settings):
    """Every network of a sweep as a probe on frozen features: how good, how large, how fast (docs/sweeps.md)."""

    sweep: str = "table"
    """The experiment whose sweep over backbones is tabulated; its recipe is a probe."""

    milliseconds: float = Field(0, ge=0)
    """The budget of time: a photo at a time, on this processor; 0: none."""

    megabytes: float = Field(0, ge=0)
    """The budget of size: the network's weights in float32; 0: none."""

    threads: int = Field(2, ge=1, le=256)
    """Processor threads that a network is timed with; nothing of the workflow runs beside it on the machine."""

    repeats: int = Field(20, ge=3, le=1000)
    """Times that a batch is repeated; the median counts. A slow network is repeated for 20 seconds, at least thrice."""

    finetune: int = Field(0, ge=0, le=40)
    """How many of the best networks within the budget are then fine-tuned; 0: none."""

    recipe: str = "graft"
    """The recipe that they are fine-tuned with."""


class Timing(Settings):
    """What `time_network` uses."""

    backbone: Backbone
    """The network."""

    repeats: int
    """As in the model table."""

    threads: int
    """As in the model table."""


class Tabulated(Settings):
    """What `tabulate_networks` uses."""

    table: ModelTable
    """The budget."""

    networks: dict[str, Backbone]
    """The network of each run."""

    evaluation: Evaluation
    """How numbers are judged."""


def with_finetuned(values: Any, experiments: list[str]) -> Any:
    """Return a configuration in which every network of the table has an experiment that fine-tunes it too.

    Args:
        values: the configuration, its sweeps expanded.
        experiments: those that the table's sweep became.
    """
    table = values["model_table"]
    if not isinstance(table, dict) or not table.get("finetune"):
        return values
    kept = {name: without_override(values["experiments"][name]) for name in experiments}
    recipe = table.get("recipe", ModelTable.model_fields["recipe"].default)
    tuned = {name + FINETUNED: settings | {"recipe": recipe, "choose": "none"} for name, settings in kept.items()}
    return values | {"experiments": values["experiments"] | tuned}


def without_override(settings: dict[str, Any]) -> dict[str, Any]:
    """Return an experiment without its changes of the probe, which another recipe would not stand, but for its labels.

    >>> without_override({"dataset": "a", "override": {"head": {"output": "sigmoid"}, "frozen": {"views": 2}}})
    {'dataset': 'a', 'override': {'head': {'output': 'sigmoid'}}}
    """
    kept = {key: one for key, one in settings.items() if key != "override"}
    override = settings.get("override")
    head = override.get("head") if isinstance(override, dict) else None
    several = isinstance(head, dict) and head.get("output") == "sigmoid"
    return kept | ({"override": {"head": {"output": "sigmoid"}}} if several else {})


def check_probes(table: ModelTable, runs: list[Any]) -> None:
    """Refuse a table of anything but one probe for each backbone.

    Raises: UserError, one line that names the key.
    """
    for run in runs:
        if run.recipe.frozen.method != "probe" or run.recipe.finetune:
            raise UserError(
                f"model_table.sweep is {table.sweep!r}, but {run.name} is no probe; give that experiment recipe: probe"
            )
    backbones = [run.experiment.backbone for run in runs]
    if len(set(backbones)) < len(backbones):
        raise UserError(
            f"model_table.sweep is {table.sweep!r}, which has a network more than once; vary its backbone alone"
        )
