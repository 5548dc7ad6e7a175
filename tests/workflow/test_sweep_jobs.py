"""A sweep that chooses, from a folder of photos to its ranking."""

import pytest

from project import Project, quick


@pytest.fixture(scope="module")
def swept(tmp_path_factory, photos) -> Project:
    """Return a project with a sweep of two heads, run to its ranking."""
    sweep = {"sweep": {"override.frozen.epochs": [1, 30]}, "choose": "log_loss"}
    project = Project(tmp_path_factory.mktemp("swept"), quick({"source": {"folder": str(photos)}}, **sweep))
    project.set("experiments.quick.override.finetune", None)
    project.set("experiments.quick.override.frozen", {"views": 0, "steps_per_epoch": 4, "optimizer": {"name": "adam"}})
    project.said = project.run("--", "results/sweeps/quick.csv")
    return project


def test_the_plan_is_told_before_it_runs_and_features_are_shared(swept):
    before, _, _ = swept.said.partition("Checking the photos")
    assert "graft: sweep quick: 2 runs: quick-epochs1, quick-epochs30" in before
    assert "1 set of features" in before
    assert swept.said.count("Embedding the photos of photos") == 1


def test_the_winner_is_chosen_by_photos_that_judge_nothing(swept):
    table = swept.table("sweeps/quick.csv")
    assert table["setting"].tolist() == ["quick-epochs30", "quick-epochs1"]
    predictions = swept.table("runs/quick-epochs30/predictions.csv")
    chose, judged = (set(predictions.loc[predictions["chose"] == one, "path"]) for one in (1, 0))
    assert chose
    assert not chose & judged
    evaluation = swept.table("runs/quick-epochs30/evaluation.csv")
    own = evaluation[(evaluation["role"] == "val") & (evaluation["fold"].astype(str) == "all")]
    assert table["judged_accuracy"].iloc[0] == pytest.approx(own["accuracy"].iloc[0])
    assert table["judged_accuracy"].isna().tolist() == [False, True]


def test_a_ranking_that_is_done_repeats_nothing(swept):
    assert "Nothing to be done" in swept.run("--dry-run", "--", "results/sweeps/quick.csv")
