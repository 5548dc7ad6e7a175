"""Work that is done once: downloads and weights between checkouts, features between the runs of a sweep."""

import copy
import io
import zipfile

import pytest
from PIL import Image

from project import COLOURS, Project, quick
from server import KaggleServer

ARRIVED = ["results/data/photos/archive.zip", "results/weights/Rootstock-32-none.weights.h5"]


@pytest.fixture(scope="module")
def server():
    with KaggleServer(photo_archive()) as server:
        yield server


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory, server):
    """Return two projects that ask for the same, run one after the other with one cache."""
    cache = tmp_path_factory.mktemp("cache")
    pair = []
    for name in ("one", "two"):
        project = Project(
            tmp_path_factory.mktemp(name),
            quick({"source": {"url": server.url}}),
            {"SNAKEMAKE_OUTPUT_CACHE": str(cache), "no_proxy": "*"},
        )
        project.said = project.run("--cache", "--", *ARRIVED)
        pair.append(project)
    return pair


def photo_archive() -> bytes:
    """Return a zip of one plain photo per class."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        for name, colour in COLOURS.items():
            photo = io.BytesIO()
            Image.new("RGB", (40, 40), colour).save(photo, "PNG")
            members.writestr(f"{name}/0.png", photo.getvalue())
    return archive.getvalue()


def test_a_second_checkout_takes_downloads_and_weights_from_the_cache(checkouts, server):
    one, two = checkouts
    assert len([request for request in server.asked("archive.zip") if request[1] == "GET"]) == 1
    assert "fetch_weights: Rootstock" in one.said
    assert "fetch_weights: Rootstock" not in two.said
    for path in ARRIVED:
        assert (one.folder / path).read_bytes() == (two.folder / path).read_bytes()


def test_another_source_is_not_answered_from_the_cache(checkouts, tmp_path):
    other = Project(tmp_path, copy.deepcopy(checkouts[1].configuration), checkouts[1].environment)
    other.set("datasets.photos.source", {"url": "http://127.0.0.1:9/other.zip"})  # nobody listens there
    assert "127.0.0.1" in other.run("--cache", "--", ARRIVED[0], fails=True)


def test_another_backbone_is_not_answered_from_the_cache(checkouts, tmp_path):
    other = Project(tmp_path, copy.deepcopy(checkouts[1].configuration), checkouts[1].environment)
    other.set("experiments.quick.backbone.size", 64)
    assert "fetch_weights: Rootstock" in other.run("--cache", "--", "results/weights/Rootstock-64-none.weights.h5")


def test_a_sweep_of_twenty_runs_on_shared_features_embeds_once(tmp_path):
    sweep = Project(tmp_path, quick({"source": {"sample": {"name": "scenes"}}}, seeds=20))
    sweep.set("experiments.quick.override.frozen.views", 0)  # a view is drawn from the seed, a photo as it is from none
    counts = sweep.jobs_to_run()
    assert (counts["embed_images"], counts["pack_images"], counts["ingest_dataset"]) == (1, 1, 1)
    assert (counts["train_head"], counts["predict"]) == (20, 20)
    assert not {"join_pixels", "join_features"} & set(counts)


def test_a_sweep_of_twenty_runs_shares_the_features_of_all_shards(tmp_path):
    dataset = {"source": {"sample": {"name": "scenes"}}, "split": {"method": "kfold", "k": 3}}
    sweep = Project(tmp_path, quick(dataset, seeds=20))
    sweep.set("experiments.quick.override.frozen.views", 0)
    sweep.set("shards", {"pack": 4, "embed": 8})
    counts = sweep.jobs_to_run()
    assert (counts["pack_images"], counts["join_pixels"]) == (4, 1)
    assert (counts["embed_images"], counts["join_features"]) == (8, 1)
    assert (counts["train_head"], counts["fine_tune"], counts["predict"]) == (
        60,
        60,
        20,
    )  # 20 runs of 3 folds, whose models one job a run asks
