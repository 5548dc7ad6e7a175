"""Work in shards: jobs of their own, the bytes of one job, and nothing left behind."""

import copy

import pytest

from project import COLOURS, Project, draw_photos, quick

JOINED = ["results/data/photos/pixels-32.npy", "results/features/photos/*.npy"]
TARGET = "results/runs/quick/predictions.csv"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Return two projects on the same 75 photos, three batches: the work in one job each, and in shards."""
    folder = draw_photos(tmp_path_factory.mktemp("photos") / "mine", COLOURS, 25)
    projects = []
    for name, shards in (("one", {}), ("many", {"pack": 3, "embed": 4, "predict": 2})):  # the fourth has nothing to do
        project = Project(tmp_path_factory.mktemp(name), quick({"source": {"folder": str(folder)}}))
        project.set("shards", shards)
        project.said = project.run("--", TARGET)
        projects.append(project)
    return projects


def test_shards_are_jobs_of_their_own_and_change_no_byte(pair):
    one, many = pair
    assert "Packing the photos of photos at 32 pixels, shard 2-of-3" in many.said
    assert many.said.count("embed_images: ") > one.said.count("embed_images: ")
    names = ("pixels-32.npy", "Rootstock-*.npy", "predictions.csv", "history.csv")
    assert many.results(*names) == one.results(*names)
    assert len(one.results(*names)) == 5  # a history of either phase
    assert many.results("*-of-*.npy*", "*.npy.*-of-*", "*.csv.*-of-*") == {}  # neither shards nor their seals


def test_a_second_run_in_shards_does_nothing(pair):
    assert "Nothing to be done" in pair[1].run("--", TARGET)


@pytest.mark.parametrize(
    ("built", "shards"), [(0, {"pack": 2, "embed": 2}), (1, {"predict": 2}), (1, {"pack": 2, "embed": 5, "predict": 2})]
)
def test_what_was_built_is_kept_with_another_number_of_shards(pair, built, shards):
    """As docs/cluster.md says: Snakemake would repeat it, unless it forgets what it was built from."""
    project = copy.deepcopy(pair[built])
    project.set("shards", shards)
    assert "Nothing to be done" not in project.run("--dry-run", "--", TARGET)
    records = project.folder / ".snakemake" / "metadata"
    kept = {path: path.read_bytes() for path in records.rglob("*") if path.is_file()}
    files = [str(path.relative_to(project.folder)) for name in JOINED for path in project.folder.glob(name)]
    project.run("--cleanup-metadata", *files)
    assert "Nothing to be done" in project.run("--dry-run", "--", TARGET)
    for path, record in kept.items():
        path.write_bytes(record)
