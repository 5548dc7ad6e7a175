"""A competition: its files come as a dataset's do, and a submission goes out once, only after a yes."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from downloading import ARCHIVE, TOKEN, Download, made_archive
from graft import paths
from graft.paths import below
from graft.storage.files import write_json, write_table
from server import SECRET, KaggleServer

SUBMIT = Path(__file__).resolve().parents[2] / "workflow" / "commands" / "submit.py"
SLUG = "leaves-of-trees"
SOURCE = {"competition": SLUG}
SIGNED_IN = {"KAGGLE_API_TOKEN": TOKEN}
PAGE = f"https://www.kaggle.com/competitions/{SLUG}"


@pytest.fixture
def download(tmp_path):
    return Download(tmp_path)


def test_a_competition_is_fetched_once_with_credentials_and_recorded(download):
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server, SOURCE, **SIGNED_IN).arrived()
        assert "Authorization" in server.asked("DownloadDataFiles")[0][3]
        assert "Authorization" not in server.asked("/files/")[0][3]
        download.archive.unlink()  # as Snakemake does before it runs a rule again
        assert download.run(server, SOURCE, **SIGNED_IN).arrived()
        assert len(server.asked("DownloadDataFiles")) == 1
    assert download.record["source"] == SOURCE
    assert download.record["version"] is None
    assert download.record["licence"] == f"the rules of the competition, {PAGE}/rules"


@pytest.mark.parametrize(
    ("status", "variables", "words"),
    [
        (403, SIGNED_IN, ["its rules were not accepted", f"accept them at {PAGE}/rules", "archive: PATH"]),
        (401, SIGNED_IN, ["refuses the credentials (401)", "renew KAGGLE_API_TOKEN"]),
        (401, {}, ["without signing in (401)", "set KAGGLE_API_TOKEN"]),
        (404, SIGNED_IN, [f"no competition {SLUG} (404)", PAGE]),
    ],
)
def test_a_refusal_is_final_and_names_the_page(download, status, variables, words):
    with KaggleServer(ARCHIVE, api=[status]) as server:
        assert download.run(server, SOURCE, **variables).refused(*words)
        assert len(server.asked("DownloadDataFiles")) == 1


@pytest.mark.parametrize(
    "faults",
    [
        {"storage": ["cut"], "ranged": ["cut", "ok"]},
        {"storage": ["cut", "ok"], "ranged": [503, "ok"]},
        {"storage": ["flip", "ok"]},
        {"api": [429, "ok"], "retry_after": 1},
    ],
)
def test_faults_that_pass_are_passed(download, faults):
    with KaggleServer(ARCHIVE, **faults) as server:
        assert download.run(server, SOURCE, **SIGNED_IN).arrived()


def test_what_is_always_cut_is_resumed_by_a_later_run(download):
    with KaggleServer(ARCHIVE, storage=["cut"], ranged=["cut"]) as server:
        download.run(server, SOURCE, GRAFT_DOWNLOAD_TRIES="2", **SIGNED_IN).refused("was cut", "which resumes")
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server, SOURCE, **SIGNED_IN).arrived()
        assert "Range" in server.asked("/files/")[-1][3]


def test_a_dataset_of_the_same_name_does_not_resume_a_competition_s_bytes(download):
    with KaggleServer(made_archive(seed=1), storage=["cut"]) as server:
        download.run(server, SOURCE, GRAFT_DOWNLOAD_TRIES="1", **SIGNED_IN).refused("cut")
    with KaggleServer(ARCHIVE) as server:
        assert download.run(server, {"kaggle": f"someone/{SLUG}"}).arrived()


class Submitting:
    """A run's submission in a folder of results, and calls of the command that hands it in."""

    def __init__(self, folder, source):
        self.folder, self.results = folder, folder / "results"
        (folder / "home").mkdir()
        table = pd.DataFrame({"id": ["b", "a"], "label": ["oak", "elm"]})
        write_table(table, below(self.results, paths.SUBMISSION, run="trees"))
        record = {"dataset": "leaves", "config": {"datasets": {"leaves": {"source": source}}}}
        write_json(record, below(self.results, paths.PROVENANCE, run="trees"))
        row = {"stage": "head", "role": "val", "fold": "all", "photos": 20, "accuracy": 0.95, "log_loss": 0.25}
        write_table(pd.DataFrame([row]), below(self.results, paths.EVALUATION, run="trees"))

    def say(self, answer, server, *arguments, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KAGGLE")}
        environment |= server.environment(self.folder / "home") | SIGNED_IN | {"VERBOSE": "1"} | variables
        command = [sys.executable, SUBMIT, "trees", "--results", self.results, *arguments]
        done = subprocess.run(command, env=environment, input=answer, capture_output=True, text=True, timeout=120)
        self.output, self.code = done.stdout + done.stderr, done.returncode
        assert SECRET not in self.output
        assert TOKEN not in self.output
        assert "Traceback" not in self.output, self.output
        return self.output


@pytest.fixture
def submitting(tmp_path):
    return Submitting(tmp_path, SOURCE)


def test_a_yes_hands_the_very_file_in_once(submitting):
    with KaggleServer(ARCHIVE) as server:
        said = submitting.say("yes\n", server, "--message", "the first")
        assert server.submissions == [(SLUG, "the first", b"id,label\nb,oak\na,elm\n")]
    assert submitting.code == 0
    assert "2 rows, columns id, label" in said
    assert "accuracy on 20 val photos: 0.950, log loss 0.250" in said
    assert f"Kaggle says: Successfully submitted to {SLUG}; its score will stand at {PAGE}/submissions" in said


@pytest.mark.parametrize("answer", ["no\n", "", "y\n"])
def test_anything_but_a_yes_sends_nothing(submitting, answer):
    with KaggleServer(ARCHIVE) as server:
        assert "nothing was handed in" in submitting.say(answer, server)
        assert server.requests == []
    assert submitting.code == 0


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"api": [403]}, ["its rules were not accepted", f"{PAGE}/rules", "nothing was handed in"]),
        ({"submits": [400]}, ["You have used all 5 submissions of today; nothing was handed in"]),
        ({"uploads": [403]}, ["Kaggle did not take the submission", "nothing was handed in"]),
        ({"submits": [500]}, ["Kaggle answered 500", f"look at {PAGE}/submissions first: it may have arrived"]),
    ],
)
def test_a_submission_that_fails_is_not_tried_again_and_says_what_happened(submitting, faults, words):
    with KaggleServer(ARCHIVE, **faults) as server:
        sentence = submitting.say("yes\n", server).splitlines()[-1]
        assert server.submissions == []
        assert len(server.asked("StartSubmissionUpload")) == 1
        assert len(server.asked("CreateSubmission")) <= 1
    assert submitting.code == 1
    assert [word for word in words if word not in sentence] == [], sentence


def test_an_edited_submission_is_not_sent(submitting):
    path = below(submitting.results, paths.SUBMISSION, run="trees")
    path.write_text(path.read_text().replace("oak", "elm"))
    with KaggleServer(ARCHIVE) as server:
        assert "is not as it was written" in submitting.say("yes\n", server)
        assert server.requests == []


def test_photos_that_come_from_no_competition_need_its_name(tmp_path):
    other = Submitting(tmp_path, {"folder": "photos"})
    with KaggleServer(ARCHIVE) as server:
        assert "come from no competition; name it with --competition" in other.say("yes\n", server)
        other.say("yes\n", server, "--competition", SLUG)
        assert server.submissions[0][:2] == (SLUG, "Graft, run trees")
