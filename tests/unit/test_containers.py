"""Images and what they see: both definitions say the same, and a container is shown all that a configuration names."""

import os
import re
from pathlib import Path

import pytest

from graft.config.resolution import Job
from graft.config.slices import slice_of
from graft.errors import UserError
from graft.planning import containers
from places import ROOT

DOCKERFILE = (ROOT / "envs" / "container" / "Dockerfile").read_text()
DEFINITION = (ROOT / "envs" / "container" / "graft.def").read_text()
INSTALL = (ROOT / "envs" / "container" / "install.sh").read_text()


def settings_of(text: str) -> dict[str, str]:
    """Return the build arguments of a definition, with their defaults."""
    return dict(re.findall(r"^(?:ARG |    )(BASE|LOCKS)=(\S+)$", text, re.MULTILINE))


def test_both_definitions_take_the_same_base_and_the_same_lock():
    assert settings_of(DOCKERFILE) == settings_of(DEFINITION)
    assert (ROOT / "envs" / settings_of(DOCKERFILE)["LOCKS"]).is_file()


def test_the_base_is_a_pinned_python_that_the_lock_supports_and_names_no_registry():
    name, _, tag = settings_of(DOCKERFILE)["BASE"].partition(":")
    assert name == "python"
    assert re.fullmatch(r"3\.(11|12|13)-slim", tag)
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text()
    assert "(3, 11) <= sys.version_info[:2] <= (3, 13)" in INSTALL


def test_both_definitions_install_by_the_same_script_into_the_same_path():
    assert "sh /opt/locks/install.sh ${LOCKS}" in DOCKERFILE
    assert "sh /opt/locks/install.sh {{ LOCKS }}" in DEFINITION
    path = re.compile(r"\bPATH=(\S+)")
    assert path.search(DOCKERFILE)[1] == path.search(DEFINITION)[1]
    assert path.search(DOCKERFILE)[1].startswith("/opt/graft/bin:")


def test_nothing_is_installed_without_its_hash():
    assert re.findall(r"pip install(.*)", INSTALL) == re.findall(r"pip install(.* --require-hashes .*)", INSTALL) != []


@pytest.fixture
def job(tmp_path, monkeypatch):
    """Return a function from a dataset's source and other settings to a checked job, in an empty working directory."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def checked(source: dict, backbone: dict | None = None, **settings) -> Job:
        experiment = {"dataset": "photos", "recipe": "probe"} | ({"backbone": backbone} if backbone else {})
        values = {"runs": ["mine"], "datasets": {"photos": {"source": source}}, "experiments": {"mine": experiment}}
        return Job(values | settings, ROOT / "config" / "recipes")

    return checked


def shown(job: Job, environment: dict[str, str], home: Path) -> list[str]:
    return containers.variables(job, [ROOT], environment, home)["APPTAINER_BIND"].split(",")


def test_a_container_sees_the_checkout_and_photos_that_lie_elsewhere(job, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.csv").touch()
    (tmp_path / "own.weights.h5").touch()
    source = {"folder": "../photos", "labels": str(tmp_path / "labels.csv")}
    mine = job(source, backbone={"name": "MobileNet", "weights": str(tmp_path / "own.weights.h5")})
    elsewhere = [tmp_path / "photos", tmp_path / "labels.csv", tmp_path / "own.weights.h5"]
    assert set(shown(mine, {}, tmp_path)) == {str(ROOT), *map(str, elsewhere)}


def test_a_container_sees_where_a_link_leads(job, tmp_path):
    (tmp_path / "scratch").mkdir()
    mine = job({"folder": "photos"})
    Path("photos").symlink_to(tmp_path / "scratch")
    assert shown(mine, {}, tmp_path) == [str(ROOT), str(tmp_path / "scratch")]


def test_what_lies_in_the_working_directory_is_seen_without(job, tmp_path):
    mine = job({"folder": "photos"})
    Path("photos").mkdir()
    assert shown(mine, {}, tmp_path) == [str(ROOT)]


def test_what_the_user_shows_already_stays(job, tmp_path):
    found = containers.variables(job({"folder": "p"}), [ROOT], {"APPTAINER_BIND": "/data:/mnt"}, tmp_path)
    assert found["APPTAINER_BIND"] == f"/data:/mnt,{ROOT}"
    assert found["SINGULARITY_BIND"] == str(ROOT)


def test_programs_find_their_own_folders_of_the_home_folder_or_a_spare_one(job, tmp_path):
    (tmp_path / "home" / ".keras").mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    environment = {"KAGGLE_CONFIG_DIR": str(tmp_path / "mine")}
    found = containers.variables(job({"folder": "p"}), [ROOT], environment, tmp_path / "home")
    assert found["KERAS_HOME"] == str(tmp_path / "home" / ".keras")
    assert found["KAGGLE_CONFIG_DIR"] == str(tmp_path / "mine")
    assert found["MPLCONFIGDIR"] == str(Path(".snakemake", "home").absolute())
    assert {str(tmp_path / "home" / ".keras"), str(tmp_path / "mine")} < set(found["APPTAINER_BIND"].split(","))


@pytest.mark.parametrize(("driver", "wanted"), [(True, "1"), (False, None)])
def test_the_driver_of_a_card_is_shown_where_there_is_one(job, tmp_path, monkeypatch, driver, wanted):
    monkeypatch.setattr(containers, "NVIDIA", tmp_path if driver else tmp_path / "none")
    found = containers.variables(job({"folder": "p"}), [ROOT], {}, tmp_path)
    assert found.get("APPTAINER_NV") == wanted


def test_a_path_that_apptainers_list_cannot_hold_is_refused(job, tmp_path):
    (tmp_path / "a,b").mkdir()
    with pytest.raises(UserError, match="comma or a colon"):
        shown(job({"folder": str(tmp_path / "a,b")}), {}, tmp_path)


def test_a_table_named_by_way_of_the_home_folder_is_refused(job):
    with pytest.raises(UserError, match="begins with ~"):
        containers.check_home(job({"folder": "photos", "labels": "~/labels.csv"}))


def test_an_image_that_is_not_there_is_told_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"graft\.sif is not there; `make image-apptainer`"):
        containers.check_image("graft.sif")
    (tmp_path / "graft.sif").touch()
    containers.check_image("graft.sif")


def test_another_image_changes_no_part_of_the_configuration_that_a_result_depends_on(job):
    ways = [job({"folder": "p"}, **settings) for settings in ({}, {"container": "docker://lab/graft:1"})]
    assert slice_of(ways[0], "provenance", run="mine") == slice_of(ways[1], "provenance", run="mine")


def test_the_ignored_image_and_the_default_one_have_one_name(job):
    assert job({"folder": "p"}).config.container == "graft.sif"
    assert "/*.sif" in (ROOT / ".gitignore").read_text().split()
    assert "IMAGE ?= graft\n" in (ROOT / "Makefile").read_text()
    assert os.sep not in job({"folder": "p"}).config.container
