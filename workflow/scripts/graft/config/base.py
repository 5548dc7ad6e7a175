"""The base of every configuration model, and its errors in one sentence each."""

import difflib
import types
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from graft.errors import UserError


class Settings(BaseModel):
    """A section of the configuration: unknown keys are errors, and values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Model = TypeVar("Model", bound=Settings)


def parse(model: type[Model], values: Any, where: str) -> Model:
    """Return `values` as `model`; `where` is the key under which a user wrote them.

    Raises: UserError, one line that names each faulty key, what came, and what is allowed.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        faults = [sentence(model, fault, where) for fault in error.errors()]
        raise UserError("; ".join(dict.fromkeys(faults))) from None


def sentence(model: type[Settings], fault: Any, where: str) -> str:
    """Say one of pydantic's faults in a sentence that names the key and, for a typo, the nearest."""
    location = [str(part) for part in fault["loc"]]
    key = ".".join([where, *location] if where else location)
    if fault["type"] == "extra_forbidden":
        known = keys_at(model, location[:-1])
        return f"{key} is not a setting{nearest(location[-1], known)}"
    if fault["type"] == "missing":
        return f"{key} is missing"
    if fault["type"] == "literal_error":
        allowed = [part.strip().strip("'") for part in fault["ctx"]["expected"].replace(" or ", ", ").split(",")]
        return f"{key} is {fault['input']!r}{nearest(str(fault['input']), allowed)}"
    if fault["type"] == "value_error":
        return f"{key}: {fault['ctx']['error']}"
    return f"{key} is {fault['input']!r}; {fault['msg'][0].lower()}{fault['msg'][1:]}"


def nearest(word: str, allowed: list[str]) -> str:
    """Return the end of a sentence: the closest allowed word, or all of them if none is close.

    >>> nearest("ResNet5O", ["ResNet50", "VGG16"])
    "; did you mean 'ResNet50'?"
    >>> nearest("x", ["avg", "max"])
    '; choose from avg, max'
    """
    match = difflib.get_close_matches(word, allowed, n=1)
    if match:
        return f"; did you mean '{match[0]}'?"
    return f"; choose from {', '.join(sorted(allowed))}" if allowed else ""


def keys_at(model: Any, location: list[str]) -> list[str]:
    """Return the keys allowed at `location` below `model`; none where it cannot be told."""
    models = [model]
    for part in location:
        fields = [one.model_fields[part].annotation for one in models if part in one.model_fields]
        models = [inner for field in fields for inner in models_in(field)] or models
    return [name for one in models for name in one.model_fields]


def models_in(annotation: Any) -> list[type[Settings]]:
    """Return the Settings classes that an annotation such as `Head | None` or `dict[str, Head]` names."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    if isinstance(annotation, types.UnionType) or typing.get_args(annotation):
        return [inner for argument in typing.get_args(annotation) for inner in models_in(argument)]
    return []


def merged(base: Any, over: Any) -> Any:
    """Return `base` with `over` laid on it: dictionaries merge, anything else replaces.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: merged(base.get(key), value) for key, value in over.items()}
    return over
