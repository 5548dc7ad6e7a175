"""Every fault that a download can meet: no damaged archive, no secret, always a sentence, no needless byte."""

import json
import os
import subprocess
import sys

import pytest

from downloading import ARCHIVE, DATASET, SCRIPT, TOKEN, Download, made_archive
from graft.data import transfer, url_source
from server import SECRET, KaggleServer, sha256


@pytest.fixture
def download(tmp_path):
    return Download(tmp_path)


def wire_bytes(server):
    """Return how many times the storage was asked for the whole, and for a part."""
    asked = server.asked("/files/")
    return sum("Range" not in headers for *_, headers in asked), sum("Range" in headers for *_, headers in asked)


def test_a_public_dataset_needs_no_credentials_and_is_recorded(download):
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server).arrived()
        assert wire_bytes(server) == (1, 0)
    assert download.record == {
        "source": {"kaggle": DATASET},
        "version": 7,
        "licence": "CC0: Public Domain",
        "n_bytes": len(ARCHIVE),
        "sha256": sha256(ARCHIVE),
    }


def test_a_pinned_version_is_asked_for_and_recorded(download):
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server, {"kaggle": f"{DATASET}/3"}).arrived()
    assert download.record["version"] == 3


def test_a_good_archive_is_never_downloaded_twice(download):
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server).arrived()
        download.archive.unlink()  # as Snakemake does before it runs a rule again
        assert download.run(server).arrived()
        assert wire_bytes(server) == (1, 0)
    assert "already downloaded" in download.output


@pytest.mark.parametrize("credentials", [{"KAGGLE_API_TOKEN": TOKEN}, {"KAGGLE_USERNAME": "me", "KAGGLE_KEY": TOKEN}])
def test_credentials_reach_the_api_and_never_the_storage_or_the_log(download, credentials):
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server, VERBOSE="1", VERBOSE_OUTPUT="true", **credentials).arrived()
        assert "Authorization" in server.asked("DownloadDataset")[0][3]
        assert "Authorization" not in server.asked("/files/")[0][3]


@pytest.mark.parametrize(
    ("status", "variables", "words"),
    [
        (401, {"KAGGLE_API_TOKEN": TOKEN}, ["refuses the credentials (401)", "renew KAGGLE_API_TOKEN", "make demo"]),
        (403, {}, ["denies access", "set KAGGLE_API_TOKEN", "make demo"]),
        (
            403,
            {"KAGGLE_API_TOKEN": TOKEN},
            ["denies access", "accept its terms at https://www.kaggle.com/datasets/dansb"],
        ),
        (404, {}, ["has no dataset or version", "check source.kaggle", "a private one looks the same"]),
    ],
)
def test_a_refusal_is_final_and_says_what_to_do(download, status, variables, words):
    with KaggleServer(ARCHIVE, api=[status]) as server:
        assert download.run(server, **variables).refused(*words)
        assert len(server.asked("DownloadDataset")) == 1


def test_retry_after_is_honoured_by_the_api_s_callers(download):
    with KaggleServer(ARCHIVE, api=[429, "ok"], retry_after=2) as server:
        assert download.run(server).arrived()
        first, second = (time for time, *_ in server.asked("DownloadDataset"))
        assert second - first >= 2


def test_retry_after_is_honoured_by_the_storage_s_callers(download):
    with KaggleServer(ARCHIVE, storage=[429, "ok"], retry_after=1) as server:
        assert download.run(server).arrived()
        first, second = (time for time, *_ in server.asked("/files/"))
        assert second - first >= 1


def test_a_server_that_asks_for_an_hour_gets_no_second_request(download):
    with KaggleServer(ARCHIVE, api=[429], retry_after=3600) as server:
        assert download.run(server).refused("429", "wait 3600 s", "run again then")
        assert len(server.asked("DownloadDataset")) == 1


@pytest.mark.parametrize("where", ["api", "storage"])
def test_a_503_passes(download, where):
    with KaggleServer(ARCHIVE, **{where: [503, 500, "ok"]}) as server:
        assert download.run(server).arrived()


@pytest.mark.parametrize("status", [503, 403, 404])
def test_a_storage_that_stays_away_is_told_without_its_signed_link(download, status):
    with KaggleServer(ARCHIVE, storage=[status]) as server:
        assert download.run(server, GRAFT_DOWNLOAD_TRIES="3").refused(
            "Kaggle's storage", str(status), "run again later"
        )
        assert len(server.asked("DownloadDataset")) == (3 if status == 503 else 2)  # a link may have expired, once


def test_a_refused_connection_is_told_at_once(download):
    with KaggleServer(ARCHIVE) as server:
        pass  # closed again: nobody listens on its port
    assert download.run(server).refused("cannot be reached", "KAGGLE_API_TOKEN", "archive: PATH", "make demo")


@pytest.mark.parametrize("where", ["api", "storage"])
def test_a_stall_is_ended_and_tried_again(download, where):
    with KaggleServer(ARCHIVE, **{where: ["stall", "ok"]}) as server:
        assert download.run(server, GRAFT_DOWNLOAD_STALL_SECONDS="1").arrived()


def test_an_endless_stall_ends_in_a_sentence(download):
    with KaggleServer(ARCHIVE, api=["stall"]) as server:
        limits = {"GRAFT_DOWNLOAD_STALL_SECONDS": "1", "GRAFT_DOWNLOAD_TRIES": "2"}
        assert download.run(server, **limits).refused("no bytes came for 1 s", "run again, which resumes")


def test_a_cut_is_resumed_where_it_was(download):
    with KaggleServer(ARCHIVE, storage=["cut", "ok"]) as server:
        assert download.run(server).arrived()
        assert wire_bytes(server)[1] == 1


def test_what_is_always_cut_is_resumed_by_a_later_run(download):
    with KaggleServer(ARCHIVE, storage=["cut"], ranged=["cut"]) as server:
        assert download.run(server, GRAFT_DOWNLOAD_TRIES="2").refused(
            "the connection was cut", "run again, which resumes"
        )
    partial = download.folder / "scratch" / "urban-and-rural-photos.zip"
    have = partial.stat().st_size
    assert 0 < have < len(ARCHIVE)
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server).arrived()
        assert server.asked("/files/")[-1][3]["Range"] == f"bytes={have}-"


def test_an_error_message_is_never_taken_for_the_archive_s_start(download):
    # The client's own bug (kaggle-cli#1179): the body of the second 503 becomes the "partial" archive, and is resumed.
    with KaggleServer(ARCHIVE, storage=["cut", "ok", 503, "ok"], ranged=[503, "ok"]) as server:
        assert download.run(server).arrived()
    assert "damaged" not in download.output  # it was not even tried


def test_the_client_s_bug_across_two_runs_ends_in_a_good_archive(download):
    with KaggleServer(ARCHIVE, storage=["cut", "ok", 503], ranged=[503]) as server:
        download.run(server, GRAFT_DOWNLOAD_TRIES="2").refused("run again")
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server).arrived()
    assert "damaged" not in download.output


@pytest.mark.parametrize("fault", ["short", "zeros", "flip"])
def test_damage_is_found_and_downloaded_anew(download, fault):
    with KaggleServer(ARCHIVE, storage=[fault, "ok"]) as server:
        assert download.run(server).arrived()
        assert wire_bytes(server) == (2, 0)
    assert "arrived damaged" in download.output


@pytest.mark.parametrize("fault", ["short", "zeros", "flip"])
def test_what_always_arrives_damaged_is_never_called_good(download, fault):
    with KaggleServer(ARCHIVE, storage=[fault]) as server:
        assert download.run(server).refused("arrived damaged 3 times", "archive: PATH")


def test_a_file_that_changed_between_tries_is_not_mixed_with_its_old_half(download):
    with KaggleServer(made_archive(seed=1), storage=["cut"], etags=['"old"']) as server:
        download.run(server, GRAFT_DOWNLOAD_TRIES="1").refused("cut")
    with KaggleServer(ARCHIVE, etags=['"new"']) as server:
        assert download.run(server).arrived()


def test_a_file_that_changes_between_the_question_and_the_resumption_is_not_mixed(download):
    with KaggleServer(ARCHIVE, storage=["cut", "ok"], etags=['"1"', '"1"', '"2"']) as server:
        assert download.run(server).arrived()


def test_a_server_that_ignores_ranges_sends_the_whole(download):
    with KaggleServer(ARCHIVE, storage=["cut", "ok"], ranges=False) as server:
        assert download.run(server).arrived()


@pytest.mark.parametrize("where", ["api", "storage"])
def test_a_proxy_s_page_is_named_as_such_and_not_fetched_again(download, where):
    with KaggleServer(ARCHIVE, **{where: ["html"]}) as server:
        assert download.run(server).refused("it is a web page, not an archive", "proxy", "archive: PATH")
        assert len(server.asked("DownloadDataset")) == 1


def test_a_home_that_cannot_be_written_does_no_harm(download):
    with KaggleServer(ARCHIVE) as server:
        variables = {"HOME": "/proc/nowhere", "KAGGLE_CONFIG_DIR": "", "XDG_CONFIG_HOME": ""}
        assert download.run(server, **variables).arrived()


def test_another_dataset_does_not_resume_the_first_one_s_bytes(download):
    with KaggleServer(made_archive(seed=1), storage=["cut"]) as server:
        download.run(server, {"kaggle": "someone/urban-and-rural-photos"}, GRAFT_DOWNLOAD_TRIES="1").refused("cut")
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server).arrived()
        assert wire_bytes(server) == (1, 0)


def test_a_long_download_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(transfer, "PROGRESS_S", 0.2)
    patience = transfer.Patience(stall_s=1, tries=1, pause_s=0)
    with KaggleServer(ARCHIVE, storage=["stall"]) as server, pytest.raises(transfer.Failed):
        transfer.download(url_source.fetch_url, {"url": server.url}, tmp_path / "partial", patience)
    assert "1 of 5 MB\n" in capsys.readouterr().out  # a third of 4.5 MB


class TestAnAddress:
    """The same faults for `source: {url: ...}`."""

    def run(self, download, server, **variables):
        return download.run(server, {"url": server.url}, no_proxy="*", **variables)

    def test_an_archive_is_fetched_once_and_recorded_without_a_secret(self, download):
        with KaggleServer(ARCHIVE) as server:
            assert self.run(download, server).arrived()
            assert wire_bytes(server) == (1, 0)
        assert download.record["source"] == {"url": server.url}  # the variable's name, not its value
        written = [path for path in download.folder.rglob("*") if path.is_file()]
        assert len(written) == 6  # two names of the archive, its record with a seal, and two notes
        assert not any(SECRET.encode() in path.read_bytes() for path in written)

    @pytest.mark.parametrize(
        "faults",
        [
            {"storage": ["cut", "ok"]},
            {"storage": ["cut"], "ranged": ["cut", "ok"]},
            {"storage": ["cut", "ok"], "ranged": [503, "ok"]},
            {"storage": ["cut", "ok"], "ranges": False},
            {"storage": ["cut", "ok"], "etags": ['"1"', '"2"']},
            {"storage": ["short", "ok"]},
            {"storage": ["zeros", "ok"]},
            {"storage": ["flip", "ok"]},
            {"storage": ["stall", "ok"]},
            {"storage": [429, 503, "ok"]},
        ],
    )
    def test_faults_that_pass_are_passed(self, download, faults):
        with KaggleServer(ARCHIVE, **faults) as server:
            assert self.run(download, server, GRAFT_DOWNLOAD_STALL_SECONDS="1").arrived()

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (404, ["does not exist"]),
            (403, ["denies access"]),
            ("html", ["it is a web page"]),
            ("flip", ["damaged 3 times"]),
        ],
    )
    def test_faults_that_stay_are_told(self, download, fault, words):
        with KaggleServer(ARCHIVE, storage=[fault]) as server:
            assert self.run(download, server).refused(f"http://127.0.0.1:{server.server_port}/files", *words)

    def test_a_cut_download_is_resumed_by_a_later_run(self, download):
        with KaggleServer(ARCHIVE, storage=["cut"], port=0) as server:
            self.run(download, server, GRAFT_DOWNLOAD_TRIES="1").refused("the connection was cut")
            have = (download.folder / "scratch" / "partial").stat().st_size
            assert self.run(download, server).arrived()
            assert server.asked("/files/")[-1][3]["Range"] == f"bytes={have}-"


class TestALock:
    """A lock file is enforced where it is, and nothing is where it is not."""

    def test_another_archive_than_the_locked_one_is_refused(self, download):
        lock = download.folder / "lock.json"
        lock.write_text(json.dumps({"archive": {"sha256": "0" * 64}, "photos": {}}))
        with KaggleServer(ARCHIVE) as server:
            command = [sys.executable, SCRIPT, "--source", json.dumps({"url": server.url}), "--lock", lock]
            command += ["--scratch", download.folder / "scratch", "--archive", download.archive]
            command += ["--record", download.folder / "download.json"]
            done = subprocess.run(command, env={**os.environ, "no_proxy": "*"}, capture_output=True, text=True)
        assert done.returncode == 1
        assert "names 0000000000000000..." in done.stderr.splitlines()[-1]
        assert not download.archive.exists()
