"""The reference of all settings, written from the models that check them."""

import json
import types
import typing
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from graft.config.base import Settings, models_in
from graft.config.recipe import Recipe
from graft.config.resolution import JobConfig

TITLE = """\
# Every setting

Written from the models in `workflow/scripts/graft/config/` by `make schema`; do not edit.

A configuration is a YAML file such as [config.yaml](config.yaml): `snakemake --cores 4 --configfile mine.yaml` lays
`mine.yaml` over it: dictionaries merge, lists replace. Any key that is not listed here stops the run with a sentence.
"""


def json_schema() -> str:
    """Return the JSON schema of a configuration file, for editors."""
    return json.dumps(JobConfig.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def catalog_schema() -> str:
    """Return the same schema as YAML, each section written out where it stands: the catalog follows no `$ref`."""
    schema = JobConfig.model_json_schema()
    named = schema.pop("$defs")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **written_out(schema, named)}
    text: str = yaml.safe_dump(whole, sort_keys=False, allow_unicode=True, width=120)
    return "# The schema of a configuration file, written from the code by `make schema`; do not edit.\n" + text


def written_out(schema: Any, named: dict[str, Any]) -> Any:
    """Return a schema with what it refers to in place of each reference.

    >>> written_out({"a": {"$ref": "#/$defs/A", "default": 1}}, {"A": {"type": "integer"}})
    {'a': {'type': 'integer', 'default': 1}}
    """
    if isinstance(schema, list):
        return [written_out(one, named) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        schema = named[schema["$ref"].removeprefix("#/$defs/")] | rest
    return {key: written_out(value, named) for key, value in schema.items() if key != "discriminator"}


def reference() -> str:
    """Return config/README.md: a table for every section, each section once, in the order of first mention."""
    waiting: list[tuple[str, type[Settings]]] = [("configuration", JobConfig), ("recipe", Recipe)]
    done, parts = set(), [TITLE]
    while waiting:
        where, model = waiting.pop(0)
        if model in done:
            continue
        done.add(model)
        parts.append(section(where, model))
        for name, field in model.model_fields.items():
            inner = [one for one in models_in(field.annotation) if one not in done]
            place = name if where in ("configuration", "recipe") else f"{where}.{name}"
            waiting += [(place, one) for one in inner]
    return "\n".join(parts)


def section(where: str, model: type[Settings]) -> str:
    """Return one model's heading, purpose and table."""
    rows = [f"| `{name}` | {kind(field)} | {default(field)} | {sentence(field)} |" for name, field in fields(model)]
    purpose = " ".join((model.__doc__ or "").split())
    return "\n".join(
        [f"## {where}", "", purpose, "", "| key | value | default | meaning |", "|---|---|---|---|", *rows, ""]
    )


def fields(model: type[Settings]) -> list[tuple[str, FieldInfo]]:
    """Return a model's fields by name."""
    return list(model.model_fields.items())


def sentence(field: FieldInfo) -> str:
    """Return a field's meaning, on one line, fit for a table."""
    return " ".join((field.description or "").split()).replace("|", "\\|")


def default(field: FieldInfo) -> str:
    """Return a field's default as YAML has it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Settings):
        return "see below"
    return f"`{json.dumps(value)}`"


def kind(field: FieldInfo) -> str:
    """Return what a field takes: a type and its bounds."""
    bounds = [bound for one in field.metadata if (bound := bound_of(one))]
    return ", ".join([in_words(field.annotation), *bounds])


def bound_of(constraint: Any) -> str:
    """Return a constraint of pydantic's in symbols, such as `>= 0`."""
    signs = {"ge": "&ge;", "gt": "&gt;", "le": "&le;", "lt": "&lt;"}
    return ", ".join(f"{sign} {getattr(constraint, key)}" for key, sign in signs.items() if hasattr(constraint, key))


def in_words(annotation: Any) -> str:
    """Return a type in words.

    >>> in_words(float), in_words(typing.Literal["avg", "max"]), in_words(list[int])
    ('number', '`avg`, `max`', 'list of integer')
    """
    if models := models_in(annotation):
        several = {dict: "sections by name", list: "list of sections"}
        names = several.get(typing.get_origin(annotation), "section")
        return names if types.NoneType not in typing.get_args(annotation) or not models else f"{names}, or `null`"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is typing.Annotated:
        return in_words(arguments[0])
    if origin is list:
        return f"list of {in_words(arguments[0])}"
    if origin is tuple:
        return f"[{', '.join(in_words(one) for one in arguments)}]"
    if origin is dict:
        return f"{in_words(arguments[1])} by name"
    if arguments:
        return " or ".join(in_words(one) for one in arguments)
    plain = {str: "text", int: "integer", float: "number", bool: "`true`, `false`", types.NoneType: "`null`"}
    return plain.get(annotation, "any")
