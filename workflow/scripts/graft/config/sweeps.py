"""Sweeps: an experiment with lists in it becomes one experiment for each combination, with a name that says which."""

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from graft.config.backbone import NATIVE_SIZE
from graft.config.base import Settings, merged, nearest
from graft.config.evaluation import Evaluation
from graft.config.keys import canonical, digest
from graft.errors import UserError

MOST = 1000  # experiments of one sweep; more are more likely a mistake than a wish
SWEPT = ("backbone", "dataset", "recipe", "seed", "override")
EVERY_BACKBONE = "all"
LONGEST_NAME = 100  # a name is a folder, and part of the names of logs beside it


@dataclass(frozen=True)
class Sweep:
    """What an experiment with lists became.

    Attributes:
        name: the experiment, as the user named it.
        experiments: the experiments that it became, in order.
        settings: for each of these, what it is a repeat of: its name without the seed.
        choose: by which number a setting is chosen; `none`: none is.
    """

    name: str
    experiments: list[str]
    settings: dict[str, str]
    choose: str = "none"


def expand(values: Any) -> tuple[Any, dict[str, Sweep]]:
    """Return a configuration whose experiments hold no lists to expand, and the sweeps that they came from.

    Args:
        values: the parsed YAML; whatever is not laid out as a configuration is left for its models to refuse.

    Raises: UserError, one line that names the key, if a sweep is not one or holds a point twice.

    >>> job = {"experiments": {"a": {"recipe": "probe", "sweep": {"seed": [0, 1]}}}}
    >>> expand(job)[0]["experiments"]
    {'a-seed0': {'recipe': 'probe', 'seed': 0}, 'a-seed1': {'recipe': 'probe', 'seed': 1}}
    """
    experiments = values.get("experiments") if isinstance(values, dict) else None
    if not isinstance(experiments, dict):
        return values, {}
    made: dict[str, Any] = {}
    sweeps: dict[str, Sweep] = {}
    for name, settings in experiments.items():
        check_lists(name, settings)
        if not isinstance(settings, dict) or not settings.get("sweep"):
            check_choice(name, settings)
            own = {name: settings}
        else:
            own, sweeps[name] = expand_experiment(str(name), settings)
        if twice := sorted(set(own) & set(made)):
            raise UserError(
                f"experiments.{name} makes an experiment named {twice[0]!r}, and so does another; rename one"
            )
        made |= own
    return values | {"experiments": made}, sweeps


def expand_experiment(name: str, settings: dict[str, Any]) -> tuple[dict[str, Any], Sweep]:
    """Return the experiments that one with a sweep becomes, by name, and the sweep."""
    points = points_of(name, settings["sweep"])
    rest = {key: value for key, value in settings.items() if key != "sweep"}
    made: dict[str, dict[str, Any]] = {}
    owners: dict[str, dict[str, Any]] = {}
    labels = labels_of(points)
    alone = labels_of([{key: value for key, value in point.items() if key != "seed"} for point in points])
    repeats = {}
    for point, label, setting in zip(points, labels, alone, strict=True):
        own = f"{name}-{label}" if label else name
        if own in made and owners[own] == point:
            raise UserError(f"experiments.{name}.sweep has {in_words(point)} twice; leave one out")
        if own in made or len(own) > LONGEST_NAME:
            own = f"{own[:LONGEST_NAME]}-{digest(canonical(point))}"
        values = rest
        for key, value in point.items():
            values = merged(values, nested(key, value))
        made[own], owners[own] = values, point
        repeats[own] = f"{name}-{setting}" if setting else name
    return made, Sweep(name, list(made), repeats, str(rest.get("choose", "none")))


def points_of(name: str, sweep: Any) -> list[dict[str, Any]]:
    """Return the points of a sweep: every combination of a section of lists, or the points that a list names.

    Raises: UserError if the sweep is neither, is empty or too large, or varies what cannot be varied.
    """
    where = f"experiments.{name}.sweep"
    if isinstance(sweep, dict):
        grid = {str(key): listed(f"{where}.{key}", str(key), value) for key, value in sweep.items()}
        count = 1
        for values in grid.values():
            count *= len(values)
        check_count(where, count)
        points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    elif isinstance(sweep, list) and all(isinstance(point, dict) and point for point in sweep):
        check_count(where, len(sweep))
        points = [{str(key): value for key, value in point.items()} for point in sweep]
    else:
        raise UserError(
            f"{where} is {sweep!r}; write a section of lists, such as {{seed: [0, 1]}}, for every combination, or a "
            "list of points, such as [{recipe: probe}, {recipe: graft}]"
        )
    return [{key: checked(where, key, value) for key, value in point.items()} for point in points]


def listed(where: str, key: str, value: Any) -> list[Any]:
    """Return the values of one key of a grid; `all` stands for every backbone of Keras."""
    if key == "backbone" and value == EVERY_BACKBONE:
        return list(NATIVE_SIZE)
    if not isinstance(value, list) or not value:
        raise UserError(f"{where} is {value!r}; write a list with at least one value")
    return value


def check_count(where: str, count: int) -> None:
    """Refuse a sweep that is larger than anybody means."""
    if count > MOST:
        raise UserError(f"{where} makes {count:,} experiments; {MOST:,} are the most, so take some values out")


def checked(where: str, key: str, value: Any) -> Any:
    """Return a point's value as an experiment takes it; a backbone may be written as its name alone.

    Raises: UserError if the key cannot be varied.
    """
    first, _, rest = key.partition(".")
    if first == "override" and not rest:
        raise UserError(f"{where}.override needs the key that it changes, such as override.finetune.epochs")
    if first not in SWEPT or (rest and first not in ("backbone", "override")):
        known = ["backbone", "backbone.size", "dataset", "recipe", "seed", "override.finetune.epochs"]
        raise UserError(f"{where}.{key} cannot be varied{nearest(key, known)}")
    return {"name": value} if key == "backbone" and isinstance(value, str) else value


def check_lists(name: Any, settings: Any) -> None:
    """Say where a list belongs that stands in place of a single value."""
    for key in SWEPT[:4]:
        if isinstance(settings, dict) and isinstance(value := settings.get(key), list):
            raise UserError(
                f"experiments.{name}.{key} is a list; to make a run of each, write it under sweep: {{{key}: {value}}}"
            )


def check_choice(name: Any, settings: Any) -> None:
    """Refuse to choose among the runs of an experiment that is no sweep."""
    if isinstance(settings, dict) and settings.get("choose", "none") != "none":
        raise UserError(
            f"experiments.{name}.choose has nothing to choose among; give the experiment a sweep, or drop it"
        )


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return a dotted key as dictionaries in each other.

    >>> nested("override.finetune.epochs", 5)
    {'override': {'finetune': {'epochs': 5}}}
    """
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def labels_of(points: list[dict[str, Any]]) -> list[str]:
    """Return what tells each point from the others, fit for a name.

    >>> labels_of([{"recipe": "graft", "seed": 0}, {"recipe": "graft", "seed": 1}])
    ['seed0', 'seed1']
    """
    keys = list(dict.fromkeys(key for point in points for key in point))
    same = [key for key in keys if all(key in point and point[key] == points[0].get(key) for point in points)]
    kept = [key for key in keys if key not in same]
    short = short_keys(kept)
    return ["-".join(label(key, short[key], point[key]) for key in kept if key in point) for point in points]


def short_keys(keys: list[str]) -> dict[str, str]:
    """Return each dotted key's last part, or its last two where two keys end alike.

    >>> short_keys(["override.frozen.epochs", "override.finetune.epochs", "seed"])
    {'override.frozen.epochs': 'frozen.epochs', 'override.finetune.epochs': 'finetune.epochs', 'seed': 'seed'}
    """
    last = {key: key.rpartition(".")[2] for key in keys}
    ends = list(last.values())
    return {key: end if ends.count(end) == 1 else ".".join(key.split(".")[-2:]) for key, end in last.items()}


def label(key: str, short: str, value: Any) -> str:
    """Return one value as part of a name: with its key, unless the value says what it is.

    >>> label("seed", "seed", 3), label("override.head.pooling", "pooling", "max"), label("recipe", "recipe", "probe")
    ('seed3', 'pooling-max', 'probe')
    """
    word = re.sub(r"[^A-Za-z0-9_.]+", "-", backbone_in_name(value) if key == "backbone" else in_name(value)).strip("-.")
    if key in ("backbone", "recipe", "dataset", "backbone.name"):
        return word
    return f"{short}{word}" if word[:1].isdigit() else f"{short}-{word}"


def backbone_in_name(value: Any) -> str:
    """Return what a point says of its backbone.

    >>> backbone_in_name({"name": "MobileNet", "alpha": 0.25, "size": 96})
    'MobileNet-a0.25-96'
    """
    if not isinstance(value, dict):
        return in_name(value)
    parts = {key: in_name(one) for key, one in value.items()}
    return "-".join(f"a{part}" if key == "alpha" else part for key, part in parts.items())


def in_name(value: Any) -> str:
    """Return a value in letters and digits; of a path its file's name.

    >>> in_name(0.00001), in_name([100, 50]), in_name(None), in_name("mine/quick.yaml")
    ('1e-05', '100-50', 'none', 'quick')
    """
    if isinstance(value, dict):
        return "-".join(map(in_name, value.values())) or "none"
    if isinstance(value, list):
        return "-".join(map(in_name, value)) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return Path(text).stem if "/" in text or text.endswith(".yaml") else text


def in_words(point: dict[str, Any]) -> str:
    """Return a point as a reader would say it.

    >>> in_words({"seed": 0, "recipe": "graft"})
    'seed 0, recipe graft'
    """
    return ", ".join(f"{key} {value}" for key, value in point.items())


class Ranking(Settings):
    """What `rank_sweep` uses."""

    name: str
    """The sweep's."""

    choose: Literal["log_loss", "accuracy", "mean_average_precision"]
    """By which number of the photos that choose."""

    runs: dict[str, str]
    """Each run's setting: the runs of one setting are repeats of it with other seeds."""

    evaluation: Evaluation
    """How the judging photos' number and its interval are made."""
