"""A preset of KerasHub through the official client: whole or not at all, and in a sentence where it does not come."""

import hashlib
import io
import os
import tarfile

import numpy as np
import pytest

from graft.config.backbone import Backbone
from graft.errors import UserError
from graft.network import hub_download
from server import SECRET, KaggleServer

SPEC = Backbone(name="hub/dinov2_small")
FILES = {"config.json": b"{}", "image_converter.json": b"{}", "assets/vocabulary.txt": b"a b"}
FILES |= {"./model.weights.h5": np.random.default_rng(0).bytes(3_000_000), "../model.weights.json": b"{}"}


def packed():
    """Return a model's archive as Kaggle has it, with a file that no network needs, and one that points outside."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


ARCHIVE = packed()


@pytest.fixture
def fetch(tmp_path, monkeypatch, capfd):
    """Return a function that downloads the preset from a server, and gives the archive's bytes."""
    (tmp_path / "home").mkdir()
    for name in [name for name in os.environ if name.startswith("KAGGLE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GRAFT_DOWNLOAD_PAUSE_SECONDS", "0.05")

    def fetched(server):
        for name, value in server.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        file = hub_download.downloaded(SPEC, tmp_path / "scratch")
        assert SECRET not in "".join(capfd.readouterr())
        return file

    return fetched


def same(file):
    return hashlib.sha256(file.read_bytes()).digest() == hashlib.sha256(ARCHIVE).digest()


def test_a_preset_arrives_whole_and_only_what_makes_a_network_is_unpacked(fetch, tmp_path):
    with KaggleServer(ARCHIVE) as server:
        file = fetch(server)
    assert same(file)
    assert server.asked("DownloadModelInstanceVersion")
    folder = hub_download.unpacked(file, tmp_path / "preset")
    assert sorted(path.name for path in folder.iterdir()) == [
        *("config.json", "image_converter.json", "model.weights.h5")
    ]
    assert (folder / "model.weights.h5").read_bytes() == FILES["./model.weights.h5"]


@pytest.mark.parametrize("storage", [["cut", "ok"], ["flip", "ok"], ["short", "ok"], [503, "ok"]])
def test_a_fault_on_the_way_is_mended(fetch, storage):
    with KaggleServer(ARCHIVE, storage=storage) as server:
        assert same(fetch(server))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (404, "Kaggle has no model or version keras/dinov2/keras/dinov2_small/1"),
        (403, "Kaggle denies access to keras/dinov2/keras/dinov2_small/1"),
        (401, "a public model needs none"),
    ],
)
def test_a_refusal_says_what_to_do(fetch, status, said):
    with KaggleServer(ARCHIVE, api=[status]) as server, pytest.raises(UserError) as error:
        fetch(server)
    assert said in str(error.value)
    assert str(error.value).endswith("or put the preset's folder on this machine and name it in backbone.weights")


def test_an_archive_without_a_network_is_refused(tmp_path):
    path = tmp_path / "other.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("readme.md"))
    with pytest.raises(UserError, match=r"holds no preset of KerasHub, since it has no config.json"):
        hub_download.unpacked(path, tmp_path / "preset")
