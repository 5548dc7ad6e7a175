"""A sweep's winner: picked by photos that do not judge, and its number is that of those that do."""

import numpy as np
import pandas as pd
import pytest

import rank_sweep
from graft.config.evaluation import Evaluation
from graft.config.keys import canonical
from graft.config.sweeps import Ranking
from graft.errors import UserError
from graft.judging.ranking import Candidate, ranking_table, read_candidates
from graft.storage.files import read_table
from made_runs import predictions_of, write_run

FAST = Evaluation(bootstrap_resamples=199)


def said(sure: list[float], **columns) -> pd.DataFrame:
    """Return predictions of photos of class `a`, each with this probability of the truth."""
    return predictions_of([0] * len(sure), [[one, 1 - one] for one in sure], **columns)


def candidate(setting: str, chose: list[float], judged: list[float], fold: int = 0) -> Candidate:
    return Candidate(setting, said(chose, role="inner", chose=1, fold=fold), said(judged, fold=fold), 1)


def settings(choose="log_loss", **runs) -> Ranking:
    return Ranking(name="s", choose=choose, runs=runs, evaluation=FAST)


def test_the_winner_is_the_best_on_the_photos_that_chose_however_others_judge():
    one = candidate("one", chose=[0.9, 0.9, 0.9, 0.9], judged=[0.9, 0.2, 0.2, 0.2])
    other = candidate("other", chose=[0.6, 0.6, 0.6, 0.6], judged=[0.9, 0.9, 0.9, 0.9])
    table = ranking_table([other, one], settings())
    assert table["setting"].tolist() == ["one", "other"]
    assert table["judged_accuracy"].iloc[0] == 0.25  # 1 of 4
    assert np.isnan(table["judged_accuracy"].iloc[1])  # a number to choose by is not shown
    assert table["log_loss"].round(4).tolist() == [0.1054, 0.5108]  # -ln 0.9, -ln 0.6
    assert table["verdict"].tolist() == ["the winner", "worse than the winner"]


def test_accuracy_may_choose_and_log_loss_breaks_its_ties():
    sure = candidate("sure", chose=[0.9, 0.9, 0.1, 0.9], judged=[0.9])
    right = candidate("right", chose=[0.6, 0.6, 0.6, 0.6], judged=[0.9])
    surer = candidate("surer", chose=[0.7, 0.7, 0.7, 0.7], judged=[0.9])
    table = ranking_table([sure, right, surer], settings("accuracy"))
    assert table["setting"].tolist() == ["surer", "right", "sure"]
    assert table["accuracy"].tolist() == [1, 1, 0.75]


def test_settings_that_differ_by_noise_are_said_to():
    one = candidate("one", chose=[0.9, 0.2, 0.8, 0.7], judged=[0.9])
    other = candidate("other", chose=[0.2, 0.9, 0.7, 0.7], judged=[0.9])
    assert ranking_table([one, other], settings())["verdict"].iloc[1] == "not distinguishable from the winner"


def test_each_fold_is_judged_by_the_winner_that_its_own_photos_chose():
    def both(setting, first, second):
        parts = [candidate(setting, *first, fold=0), candidate(setting, *second, fold=1)]
        chose, judged = pd.concat([one.chose for one in parts]), pd.concat([one.judged for one in parts])
        return Candidate(setting, chose, judged, 1)

    one = both("one", ([0.99, 0.99], [0.9, 0.9]), ([0.6, 0.6], [0.1, 0.1]))
    other = both("other", ([0.8, 0.8], [0.1, 0.1]), ([0.8, 0.8], [0.9, 0.2]))
    table = ranking_table([one, other], settings())
    assert table["setting"].iloc[0] == "other"  # by all folds together: 0.8 * 0.8 is more than 0.99 * 0.6
    assert table["judged_accuracy"].iloc[0] == 0.75  # `one` in fold 0: 2 of 2; `other` in fold 1: 1 of 2
    assert table["folds_won"].tolist() == [1, 1]
    assert "one in 1, other in 1 of 2 folds" in table["note"].iloc[0]


def test_seeds_of_one_setting_are_one_candidate(tmp_path):
    folders = [made(tmp_path, f"s-seed{seed}", [0.9, 0.8]) for seed in range(2)]
    [one] = read_candidates(folders, settings(**{"s-seed0": "s", "s-seed1": "s"}))
    assert (one.setting, one.runs, len(one.chose)) == ("s", 2, 4)


def made(results, run: str, sure: list[float], chose: int = 1, role: str = "inner"):
    """Write a run whose photos of a role were predicted with these probabilities of the truth; return its folder."""
    labels = [0, 1] * (len(sure) // 2)
    chances = [[one, 1 - one] if label == 0 else [1 - one, one] for one, label in zip(sure, labels, strict=True)]
    held = predictions_of(labels, chances, role=role, chose=chose)
    held["path"] = [f"inner{index}.jpg" for index in range(len(held))]
    judged = predictions_of([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    return write_run(results, run, {"head": pd.concat([held, judged], ignore_index=True)})


def test_a_run_without_photos_that_chose_is_one_sentence(tmp_path):
    folder = made(tmp_path, "s-a", [0.9, 0.8], chose=0, role="train")
    with pytest.raises(UserError, match="sweep s cannot choose: no photos were held out in s-a, since no class can"):
        read_candidates([folder], settings(**{"s-a": "s-a"}))


def test_photos_that_judge_never_choose(tmp_path):
    folder = write_run(tmp_path, "s-a", {"head": predictions_of([0, 1], [[0.9, 0.1], [0.2, 0.8]], chose=1)})
    with pytest.raises(UserError, match="the photos that judge s-a chose in it"):
        read_candidates([folder], settings(**{"s-a": "s-a"}))


def test_the_script_writes_the_ranking_and_says_who_won(tmp_path, capsys):
    folders = [made(tmp_path, "s-a", [0.9, 0.8]), made(tmp_path, "s-b", [0.6, 0.6])]
    rank_sweep.main(
        [
            *("--settings", canonical(settings(**{"s-a": "s-a", "s-b": "s-b"}))),
            *("--predictions", *(f"{folder}/predictions.csv" for folder in folders)),
            *("--ranking", f"{tmp_path}/s.csv"),
        ]
    )
    assert read_table(tmp_path / "s.csv")["setting"].tolist() == ["s-a", "s-b"]
    assert "rank_sweep: s: s-a wins by log loss on the photos that chose" in capsys.readouterr().out
