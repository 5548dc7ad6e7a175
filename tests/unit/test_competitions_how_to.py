"""docs/competitions.md: its configurations are taken, and say what the page says of them."""

import re

import pytest
import yaml

from graft.config.base import parse
from graft.config.evaluation import MAP, ON_REQUEST
from graft.config.experiment import Experiment
from graft.config.resolution import Job
from places import ROOT

PAGE = (ROOT / "docs" / "competitions.md").read_text(encoding="utf-8")
WHOLE, PART = (yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))


def test_the_page_s_job_predicts_photos_without_a_label_and_writes_a_submission():
    job = Job(WHOLE, ROOT / "config" / "recipes")
    run = job.run("leaves")
    assert job.dataset("leaves").predicts_unlabelled
    assert run.experiment.submission.sample == "sample_submission.csv"
    assert len(job.folds("leaves")) == 5


def test_its_other_form_is_taken():
    (values,) = PART["experiments"].values()
    submission = parse(Experiment, values, "experiments.spots").submission
    assert (submission.values, submission.positive) == ("probabilities", "malignant")
    assert submission.names == {"malignant": "1", "benign": "0"}


@pytest.mark.parametrize("name", re.findall(r"metrics: \[(\w+)\]", PAGE))
def test_its_metrics_exist(name):
    assert name in ON_REQUEST or MAP.fullmatch(name)
