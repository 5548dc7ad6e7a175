"""What Snakemake's workflow catalog reads of this repository."""

import json

import jsonschema
import pytest
import yaml

from places import ROOT

SCHEMAS = ROOT / "workflow" / "schemas"


@pytest.fixture(scope="module")
def schemas() -> list[dict]:
    """Return the schema of a configuration, as editors and as the catalog read it."""
    return [
        json.loads((SCHEMAS / "config.schema.json").read_text()),
        yaml.safe_load((SCHEMAS / "config.schema.yaml").read_text()),
    ]


def test_the_schema_of_the_catalog_refers_to_nothing(schemas):
    assert "$ref" not in json.dumps(schemas[1])
    assert "$defs" not in schemas[1]


def test_the_catalogs_table_of_settings_goes_down_to_each_key(schemas):
    evaluation = schemas[1]["properties"]["evaluation"]["properties"]
    assert evaluation["confidence"]["default"] == 0.95
    assert all(one.get("description") for one in evaluation.values())


@pytest.mark.parametrize("name", ["config.yaml", "demo.yaml", "model_table.yaml"])
def test_both_schemas_take_what_ships(name, schemas):
    values = yaml.safe_load((ROOT / "config" / name).read_text())
    for schema in schemas:
        required = {key for key in schema["required"] if key in values}  # a file may be laid over another
        jsonschema.validate(values, schema | {"required": sorted(required)})


def test_both_schemas_refuse_a_misspelt_key(schemas):
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text()) | {"evaluation": {"confidnce": 0.9}}
    for schema in schemas:
        with pytest.raises(jsonschema.ValidationError, match="confidnce"):
            jsonschema.validate(values, schema)


def test_the_catalog_finds_what_it_asks_for():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
    assert usage["report"] is True
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert (ROOT / "config" / "README.md").is_file()
    assert all(word in (ROOT / "README.md").read_text().lower() for word in ("snakemake", "workflow"))


def test_the_profile_that_loads_by_itself_changes_no_result():
    profile = yaml.safe_load((ROOT / "workflow" / "profiles" / "default" / "config.yaml").read_text())
    assert set(profile) == {"show-failed-logs", "rerun-incomplete"}
