"""Research objects as rocrate writes them, and as their public validator reads them (make test-crate)."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import crate as command
from graft.errors import UserError
from graft.reporting import crate_metadata, crate_reading
from graft.storage.files import read_json, sha256_of
from made_runs import made_predictions, write_run
from places import ROOT

try:
    import rocrate  # noqa: F401

    missing = False
except ImportError:
    missing = True
needs_rocrate = pytest.mark.skipif(missing, reason="rocrate is not installed here: make test-crate")
VALIDATOR = Path(os.environ.get("GRAFT_ROCRATE_VALIDATOR", ROOT / ".venv-crate/bin/python"))
needs_validator = pytest.mark.skipif(not VALIDATOR.exists(), reason="roc-validator is not here: make test-crate")

# What the profiles recommend, and a crate of Graft cannot have: no invented facts.
NOT_HAD = (
    "The Application SHOULD have a url",  # Graft has no public address
    "The SoftwareApplication id SHOULD be an absolute URI",  # the workflow is a file of the crate
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
    "Web-based Data Entity https://www.kaggle.com/datasets/ada/photos/ is not available",  # nobody asks the web here
    "The author SHOULD have an organizational affiliation.",
    "The author SHOULD have a Contextual Entity which specifies the organizational `affiliation`.",
)
NOT_SAID = (  # where the user says nothing
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the schema_org:license type",
    "The Root Data Entity SHOULD have a link to a Contextual Entity representing the `author` of the RO-Crate",
    "The Action SHOULD have an agent that is a Person or Organization",
)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return the results of one finished run, `lesson`; tests only read them, or copy them first."""
    results = tmp_path_factory.mktemp("made") / "results"
    run = write_run(results, "lesson", {"head": made_predictions(20)})
    (run / "figures").mkdir()
    for name in ("mistakes.png", "roc_pr.png"):
        (run / "figures" / name).write_text(name)
    return results


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory) -> Path:
    """Return the run as a crate, with all that a user can say, beside its zip file."""
    folder = tmp_path_factory.mktemp("crates") / "lesson"
    person = ("--agent", "Ada Lovelace", "--agent-id", "https://orcid.org/0000-0001-2345-6789")
    command.main([*of(made), "--output", str(folder), "--license", "cc-by-4.0", "--zip", *person])
    return folder


def of(results: Path) -> tuple[str, ...]:
    return ("--run", "lesson", "--results", str(results))


def entities(folder: Path) -> dict[str, dict]:
    return {entity["@id"]: entity for entity in read_json(folder / "ro-crate-metadata.json")["@graph"]}


def ids(references: dict | list) -> list[str]:
    return [one["@id"] for one in (references if isinstance(references, list) else [references])]


@needs_rocrate
def test_the_run_is_an_action_from_what_went_in_to_what_came_out(folder, made):
    found, record = entities(folder), read_json(made / "runs" / "lesson" / "provenance.json")
    action = found["#run"]
    assert action["@type"] == "CreateAction"
    assert action["endTime"] == record["recorded"] == found["./"]["datePublished"]
    assert "startTime" not in action  # no record of Snakemake's tells it
    assert ids(action["instrument"]) == ids(found["./"]["mainEntity"]) == ["workflow/Snakefile"]
    assert found["results/data/drawn/manifest.csv"]["sha256"] == record["data"]["manifest_sha256"]
    assert {"results/data/drawn/manifest.csv", "results/data/drawn/split.csv", "config/config.yaml"} <= {
        *ids(action["object"])
    }
    run = "results/runs/lesson"
    assert {f"{run}/{name}" for name in ("model.keras", "MODEL_CARD.md", "figures/roc_pr.png")} <= {
        *ids(action["result"])
    }
    evaluation = found[f"{run}/evaluation.csv"]
    assert evaluation["sha256"] == record["results"]["evaluation.csv"]
    assert evaluation["contentSize"] == str((made / "runs/lesson/evaluation.csv").stat().st_size)


@needs_rocrate
def test_code_packages_and_cost_are_those_of_the_provenance(folder, made):
    found, record = entities(folder), read_json(made / "runs" / "lesson" / "provenance.json")
    workflow = found["workflow/Snakefile"]
    assert workflow["version"] == record["code"]["commit"] or workflow["version"] == record["code"]["sha256"]
    assert workflow["description"].startswith("This is the code that the run ran with.")
    assert record["code"]["sha256"] in workflow["description"]
    assert found["https://keras.io/"]["softwareVersion"] == record["packages"]["keras"]
    assert found["#head-seconds"]["value"] == str(record["costs"]["head"]["seconds"])


@pytest.fixture(scope="module")
def outside(made, tmp_path_factory) -> Path:
    """Return a crate whose photos and weights were downloaded."""
    results = shutil.copytree(made, tmp_path_factory.mktemp("outside") / "results")
    path = results / "runs" / "lesson" / "provenance.json"
    shutil.rmtree(path.parent / ".seals")
    record = json.loads(path.read_text())
    record["weights"] = {"MobileNet.weights.h5": "a" * 64}
    record["data"]["source"] = {"photos": {"n": 20, "sha256": "b" * 64}, "sha256": "c" * 64}
    record["config"]["datasets"]["drawn"]["source"] = {"kaggle": "ada/photos"}
    path.write_text(json.dumps(record))
    command.main([*of(results)])
    return results / "crates" / "lesson"


@needs_rocrate
def test_inputs_that_stay_outside_are_there_by_their_digests(outside):
    found = entities(outside)
    values = {name: found[f"#sha256-of-{name}"]["value"] for name in ("MobileNet.weights.h5", "photos", "archive")}
    assert list(values.values()) == ["a" * 64, "b" * 64, "c" * 64]
    assert {f"#sha256-of-{name}" for name in values} <= {*ids(found["#run"]["object"])}
    assert ids(found["#input-weights"]["workExample"]) == ["#sha256-of-MobileNet.weights.h5"]
    assert "https://www.kaggle.com/datasets/ada/photos/" in ids(found["#run"]["object"])
    assert found["#input-download"]["additionalType"] == "Dataset"
    assert not (outside / "photos").exists()


@needs_rocrate
def test_a_person_and_a_licence_stand_only_where_they_were_given(folder, made, tmp_path):
    found = entities(folder)
    assert ids(found["#run"]["agent"]) == ["https://orcid.org/0000-0001-2345-6789"]
    assert found["https://orcid.org/0000-0001-2345-6789"]["name"] == "Ada Lovelace"
    assert ids(found["./"]["license"]) == ["https://spdx.org/licenses/CC-BY-4.0"]
    command.main([*of(made), "--output", str(tmp_path / "bare")])
    bare = entities(tmp_path / "bare")
    assert "agent" not in bare["#run"]
    assert bare["./"]["license"].startswith("No licence was given")
    assert "Ada" not in (tmp_path / "bare" / "ro-crate-metadata.json").read_text()


@needs_rocrate
def test_every_file_has_a_checksum_and_nothing_else_lies_there(folder):
    crate_reading.check(folder, folder)
    assert crate_reading.strange_files(folder) == []
    listed = crate_reading.sums(folder, folder)
    for name, digest in crate_reading.files_described(folder, folder).items():
        assert sha256_of(folder / name) == digest
        assert name == "SHA256SUMS" or listed[name] == digest


@needs_rocrate
def test_the_same_run_gives_the_same_bytes(folder, made, tmp_path):
    person = ("--agent", "Ada Lovelace", "--agent-id", "https://orcid.org/0000-0001-2345-6789")
    command.main([*of(made), "--output", str(tmp_path / "again"), "--license", "CC-BY-4.0", "--zip", *person])
    assert (tmp_path / "again.crate.zip").read_bytes() == folder.with_name("lesson.crate.zip").read_bytes()


@needs_rocrate
def test_figures_with_photos_stay_out_where_asked(made, tmp_path):
    command.main([*of(made), "--output", str(tmp_path / "crate"), "--no-photos"])
    figures = [path.name for path in (tmp_path / "crate/results/runs/lesson/figures").iterdir()]
    assert figures == ["roc_pr.png"]


@needs_rocrate
def test_today_s_code_in_place_of_the_run_s_is_told(made, tmp_path):
    results = shutil.copytree(made, tmp_path / "results")
    path = results / "runs" / "lesson" / "provenance.json"
    shutil.rmtree(path.parent / ".seals")
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"code": {"commit": None, "clean": None, "sha256": "0" * 64}}))
    with pytest.raises(UserError, match="the code has changed since lesson was made"):
        command.main([*of(results)])
    assert not list((results / "crates").iterdir())
    command.main([*of(results), "--changed-code"])
    description = entities(results / "crates" / "lesson")["workflow/Snakefile"]["description"]
    assert description.startswith("This is NOT the code that the run ran with.")


@needs_rocrate
def test_a_crate_is_written_anew_but_never_over_somebody_s_work(made, tmp_path):
    output = tmp_path / "crate"
    command.main([*of(made), "--output", str(output)])
    command.main([*of(made), "--output", str(output)])
    (output / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"would be replaced, but it holds notes\.txt, which is none of its files"):
        command.main([*of(made), "--output", str(output)])
    (output / "notes.txt").unlink()
    (output / "README.md").write_text("my own words")
    with pytest.raises(UserError, match=r"would be replaced, but .* was edited .*: README\.md has another checksum"):
        command.main([*of(made), "--output", str(output)])
    assert (output / "README.md").read_text() == "my own words"


@needs_rocrate
def test_a_run_that_is_not_there_is_one_sentence(made):
    with pytest.raises(UserError, match=r"has no finished run 'lessen'; did you mean 'lesson'\?"):
        command.main(["--run", "lessen", "--results", str(made)])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--license", "mine"), "the licence 'mine' is no identifier of SPDX; write one, such as CC-BY-4.0, or"),
        (("--agent-id", "https://orcid.org/1"), "an address of the person needs the person's name too: AGENT="),
        (("--agent", "A", "--agent-id", "1"), "the person's address is '1'; write one that begins with https://"),
    ],
)
def test_what_a_user_says_wrongly_is_one_sentence(made, options, sentence):
    with pytest.raises(UserError, match=re.escape(sentence)):
        command.main([*of(made), *options])


def test_without_rocrate_it_says_how_to_get_it(made, monkeypatch):
    monkeypatch.setattr(crate_metadata.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="a crate needs the library rocrate, which is an optional install: make crate"):
        command.main([*of(made)])


@needs_rocrate
def test_the_context_that_the_validator_is_given_knows_every_term(folder):
    terms = set(read_json(ROOT / "tests" / "crates" / "context-1.1.json")["@context"]) | {"sha256", "resourceUsage"}
    graph = entities(folder).values()
    used = {name for entity in graph for name in entity if not name.startswith("@")}
    kinds = [entity["@type"] for entity in graph]
    used |= {name for kind in kinds for name in (kind if isinstance(kind, list) else [kind])}
    assert used <= terms


def validated(*crates: Path) -> list[list[dict]]:
    """Return what the public validator finds in each crate."""
    script = ROOT / "tests" / "crates" / "validate.py"
    done = subprocess.run([VALIDATOR, script, *crates], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return [found[str(crate)] for crate in crates]


@needs_rocrate
@needs_validator
def test_the_public_validator_finds_nothing_wrong(folder, outside):
    *full, bare = validated(folder, folder.with_name("lesson.crate.zip"), outside)
    for found in full:
        assert [issue["message"] for issue in found if issue["message"] not in NOT_HAD] == []
    assert [issue["message"] for issue in bare if issue["message"] not in (*NOT_HAD, *NOT_SAID)] == []
    assert "REQUIRED" not in {issue["severity"] for found in (*full, bare) for issue in found}


@needs_rocrate
@needs_validator
def test_the_public_validator_would_notice_a_fault(folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    path = broken / "ro-crate-metadata.json"
    text = json.loads(path.read_text())
    for entity in text["@graph"]:
        entity.pop("instrument", None)
    path.write_text(json.dumps(text))
    [found] = validated(broken)
    assert "REQUIRED" in {issue["severity"] for issue in found}
