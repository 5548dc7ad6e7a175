"""The default job without the network: the real client, the real photos, real ImageNet weights, the lesson."""

import pytest

from places import SHARED
from project import Project
from server import KaggleServer

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def default_job(tmp_path_factory, keras_home):
    """Return the default job after a run; only the host and the backbone are not its own."""
    home = tmp_path_factory.mktemp("home")
    archive = (SHARED / "data" / "urban-and-rural-photos.zip").read_bytes()
    with KaggleServer(archive) as server:
        environment = server.environment(home) | {"KERAS_HOME": str(keras_home)}
        backbone = {"name": "MobileNet", "alpha": 0.25, "weights": "imagenet", "size": 224}
        project = Project(
            tmp_path_factory.mktemp("job"), {"experiments": {"lesson": {"backbone": backbone}}}, environment
        )
        project.said = project.run()
    return project


@pytest.mark.parametrize("stage", ["head", "finetuned"])
def test_the_lesson_gets_at_least_18_of_20_right(default_job, stage):
    evaluation = default_job.table("runs/lesson/evaluation.csv")
    row = evaluation[(evaluation.stage == stage) & (evaluation.role == "val")].iloc[0]
    assert row.n == 20
    assert row.accuracy >= 0.90


def test_the_doubled_archive_gives_92_photos_in_the_published_split(default_job):
    split = default_job.table("data/urban_rural/split.csv")
    assert split.groupby(["role", "label"]).size().to_dict() == {
        ("train", "rural"): 36,
        ("train", "urban"): 36,
        ("val", "rural"): 10,
        ("val", "urban"): 10,
    }


def test_no_secret_and_no_signed_link_is_said(default_job):
    for text in (
        default_job.said,
        *(path.read_text() for path in (default_job.folder / "results/logs").rglob("*.log")),
    ):
        assert "SIGNED-LINK-SECRET" not in text
