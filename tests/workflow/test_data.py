"""The data stages under Snakemake: what is fetched, what is checked again, what stops a run."""

import json

import pytest

from project import COLOURS, Project, draw_photos, quick
from server import SECRET, KaggleServer
from unit.photo_files import photo, zipped

SPLIT = ("--nolock", "results/data/photos/split.csv")  # an option first: --configfile takes all that follows it
QUICK = {"GRAFT_DOWNLOAD_PAUSE_SECONDS": "0.05", "GRAFT_DOWNLOAD_TRIES": "1"}


def archive():
    """Return a zip of 60 incompressible photos, larger than what the client writes at once."""
    files = {f"{label}/{n}.bmp": photo(n + 30 * (label == "b"), "BMP", (200, 130)) for label in "ab" for n in range(30)}
    return zipped(files)


def sentence(said):
    """Return the line that Graft said of a mistake, and see that it is the only one."""
    (line,) = {line for line in said.splitlines() if line.startswith("graft: ")}
    return line


@pytest.fixture
def photos(tmp_path):
    return draw_photos(tmp_path / "mine", COLOURS, 6)


@pytest.fixture
def project(tmp_path, photos):
    (tmp_path / "job").mkdir()
    return Project(tmp_path / "job", quick({"source": {"folder": str(photos)}}))


def test_without_a_network_the_default_job_says_in_one_sentence_what_to_do(tmp_path):
    with KaggleServer(b"") as server:
        pass  # closed again: nobody listens on its port
    project = Project(tmp_path, {}, {**server.environment(tmp_path), **QUICK})
    told = sentence(project.run("--nolock", "results/data/urban_rural/split.csv", fails=True))
    assert "cannot be reached" in told
    assert "KAGGLE_API_TOKEN" in told
    assert "source: {archive: PATH}" in told
    assert "make demo" in told


def test_a_cut_download_outlives_the_failed_run_and_the_whole_one_is_never_fetched_again(tmp_path):
    data = archive()
    configuration = quick({"source": {"kaggle": "somebody/photos"}})
    with KaggleServer(data, storage=["cut"]) as server:
        project = Project(tmp_path, configuration, {**server.environment(tmp_path), **QUICK})
        said = project.run(*SPLIT, fails=True)
        assert "run again, which resumes" in sentence(said)
    with KaggleServer(data) as server:
        project.environment |= server.environment(tmp_path)
        said += project.run(*SPLIT)
        assert "Range" in server.asked("/files/")[-1][3]
        n_requests = len(server.requests)
        said += project.run(*SPLIT, "--forcerun", "download_dataset")
        assert len(server.requests) == n_requests
    assert (tmp_path / "results/data/photos/archive.zip").read_bytes() == data
    assert len(project.table("data/photos/manifest.csv")) == 60
    assert project.json("data/photos/source.json")["licence"] == "CC0: Public Domain"
    assert SECRET not in said


def test_a_new_photo_is_noticed_and_a_leftover_is_not(project, photos):
    project.run(*SPLIT)
    (photos / ".DS_Store").write_bytes(b"x")
    assert "Nothing to be done" in project.run(*SPLIT)
    (photos / "sky" / "new.png").write_bytes(photo(99))
    project.run(*SPLIT)
    assert len(project.table("data/photos/manifest.csv")) == 19


def test_a_lock_is_written_on_request_and_then_enforced(project, photos):
    project.run(*SPLIT, "config/locks/photos.json")
    assert "Nothing to be done" in project.run(*SPLIT)  # a lock makes nothing new
    (photos / "sky" / "0.png").write_bytes(photo(99))
    told = sentence(project.run(*SPLIT, fails=True))
    assert "1 changed (sky/0.png); delete it to accept what is here" in told


def test_a_lock_that_comes_after_the_results_is_enforced_at_once(project):
    project.run(*SPLIT)
    lock = project.folder / "config" / "locks" / "photos.json"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"archive": None, "photos": {"sky/0.png": "0" * 64}}))
    said = project.run(*SPLIT, fails=True)
    assert "results/data/photos holds other photos than config/locks/photos.json names" in sentence(said)


def test_a_folder_that_is_missing_stops_before_any_job(project):
    project.configuration = quick({"source": {"folder": "nowhere"}})
    said = project.run(fails=True)
    assert sentence(said) == "graft: datasets.photos.source.folder is 'nowhere', which is no folder"
    assert "Job stats" not in said
