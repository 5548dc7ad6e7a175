"""Sweeps and the model table of several labels a photo: the number that chooses, judges and recommends."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score
from test_multilabel_evaluation import CLASSES, made, run  # noqa: F401

import compare_finetuned
import rank_sweep
import tabulate_networks
from graft.config.backbone import Backbone
from graft.config.evaluation import Evaluation
from graft.config.keys import canonical
from graft.config.model_table import ModelTable, Tabulated
from graft.config.sweeps import Ranking
from graft.data.label_sets import multi_hot
from graft.figures.model_table import draw
from graft.judging import model_table
from graft.judging.model_table import Found
from graft.judging.ranking import Candidate, ranking_table
from graft.reporting import model_table as reporting
from graft.storage.files import read_table, write_json, write_table

FAST = Evaluation(bootstrap_resamples=199)
BACKBONES = {name: Backbone(name=name, weights="none") for name in ("MobileNet", "VGG16")}


def settings(choose, **runs):
    return Ranking(name="s", choose=choose, runs=runs, evaluation=FAST)


def candidate(setting, skill, judged_skill=2.0):
    return Candidate(setting, made(120, skill, role="inner", seed=3), made(80, judged_skill, seed=5), 1)


def mean_precision(table):
    truth = multi_hot(table["labels"], CLASSES)
    chances = table[[f"probability_{name}" for name in CLASSES]].to_numpy()
    return np.mean([average_precision_score(truth[:, label], chances[:, label]) for label in range(len(CLASSES))])


@pytest.mark.parametrize("choose", ["log_loss", "mean_average_precision"])
def test_the_winner_is_the_best_on_the_photos_that_chose_and_has_the_number_of_the_others(choose):
    poor, good = candidate("poor", 0.2), candidate("good", 3.0, judged_skill=1.0)
    table = ranking_table([poor, good], settings(choose))
    assert table["setting"].tolist() == ["good", "poor"]
    assert table["mean_average_precision"].tolist() == pytest.approx(
        [mean_precision(good.chose), mean_precision(poor.chose)]
    )
    assert table["judged_mean_average_precision"].iloc[0] == pytest.approx(mean_precision(good.judged))
    assert table["judged_mean_average_precision"].isna().tolist() == [False, True]
    low, high = table.loc[0, ["judged_mean_average_precision_low", "judged_mean_average_precision_high"]]
    assert low < table["judged_mean_average_precision"].iloc[0] < high
    assert table["verdict"].tolist() == ["the winner", "worse than the winner"]
    assert table["behind"].iloc[1] > 0
    assert "accuracy" not in table


def test_settings_that_differ_by_noise_are_said_to():
    one = candidate("one", 1.5)
    other = Candidate("other", made(120, 1.5, role="inner", seed=3).assign(probability_car=0.31), one.judged, 1)
    again = Candidate("again", one.chose, one.judged, 1)
    table = ranking_table([one, again, other], settings("mean_average_precision"))
    assert table.set_index("setting").loc["again", "verdict"] == "not distinguishable from the winner"


def test_the_ranking_says_who_won(run, tmp_path, capsys):  # noqa: F811
    folders = [
        run({"head": pd.concat([made(), made(100, skill, role="inner", seed=7)], ignore_index=True)}, name)
        for name, skill in (("s-a", 0.3), ("s-b", 3.0))
    ]
    given = ["--settings", canonical(settings("mean_average_precision", **{"s-a": "a", "s-b": "b"}))]
    predictions = [f"{folder}/predictions.csv" for folder in folders]
    rank_sweep.main([*given, "--predictions", *predictions, "--ranking", f"{tmp_path}/s.csv"])
    assert read_table(tmp_path / "s.csv")["setting"].tolist() == ["b", "a"]
    said = capsys.readouterr().out
    assert "rank_sweep: s: b wins by mean average precision on the photos that chose" in said
    assert "on the photos that judge: mean average precision 0." in said


# The model table.


def tabulated(**budget):
    return Tabulated(table=ModelTable(**budget), networks=BACKBONES, evaluation=FAST)


def found(network, loss, ms, skill):
    judged = made(60, skill)
    value = mean_precision(judged)
    row = {"network": network, "cross_validated_loss": loss, "cpu_ms_1": ms, "megabytes": 10, "n": 60, "threads": 2}
    row |= {"mean_average_precision": value, "mean_average_precision_low": value - 0.1, "macro_f1": 0.5}
    row |= {"mean_average_precision_high": value + 0.1, "size": 224, "parameters": 1e6, "gpu": "", "processor": "one"}
    return Found(row, judged)


def test_networks_are_compared_by_their_mean_average_precision():
    table = model_table.table_of([found("poor", 0.6, 5, 0.1), found("good", 0.2, 50, 4.0)], tabulated())
    assert table["network"].tolist() == ["good", "poor"]
    assert table["verdict"].tolist() == ["recommended", "worse"]
    assert table["pareto"].tolist() == [1, 1]
    assert "accuracy" not in table
    [said] = model_table.recommendation(table, ModelTable(), {})
    assert "(log loss 0.200): mean average precision 0.9" in said
    axes = draw(table, ModelTable()).axes[0]
    assert axes.get_ylabel() == "mean average precision of a probe, with its interval"
    text = reporting.latex(table, [])
    assert "& mAP & Interval &" in text
    (page := reporting.columns_for(table))
    assert [one[0] for one in page][2:5] == ["mAP", "interval", "macro F1"]
    assert "mean average precision is that of photos that chose nothing" in reporting.measured(table)


def test_the_scripts_tabulate_networks_and_compare_the_fine_tuned(run, tmp_path, capsys):  # noqa: F811
    for name, skill in (("MobileNet", 0.5), ("VGG16", 3.0)):
        folder = run({"head": made(skill=skill)}, name)
        rows = {"epoch": [1], "loss": [0.1], "cross_validated_loss": [1 / skill]}
        write_table(pd.DataFrame(rows), folder / "fold0" / "head" / "history.csv")
        told = {"parameters": 1_000_000, "depth": 50, "multiply_adds": 1e9, "cpu_ms_1": 10, "cpu_ms_32": 5}
        write_json(told | {"threads": 2, "processor": "one", "peak_memory_mb": 600}, tmp_path / f"{name}.json")
    given = ["--settings", canonical(tabulated()), "--embedded", "none", "none"]
    given += ["--evaluations", *(f"{tmp_path}/runs/{name}/evaluation.csv" for name in BACKBONES)]
    given += ["--timings", *(f"{tmp_path}/{name}.json" for name in BACKBONES)]
    files = {"table": "table.csv", "figure": "figure.png", "latex": "table.tex", "page": "page.html"}
    files |= {"recommendation": "recommendation.txt"}
    tabulate_networks.main(
        [*given, *(word for key, file in files.items() for word in (f"--{key}", f"{tmp_path}/{file}"))]
    )
    assert read_table(tmp_path / "table.csv")["network"].tolist() == ["VGG16, random", "MobileNet, random"]
    assert "<th>mAP</th>" in (tmp_path / "page.html").read_text()

    folder = run({"head": made(skill=0.5), "finetuned": made(skill=5.0)}, "MobileNet-finetuned")
    capsys.readouterr()
    given = ["--settings", canonical(tabulated()), "--table", f"{tmp_path}/table.csv"]
    given += ["--evaluations", f"{folder}/evaluation.csv"]
    compare_finetuned.main([*given, "--output", f"{tmp_path}/finetuned.csv"])
    [row] = read_table(tmp_path / "finetuned.csv").to_dict("records")
    assert row["probe_mean_average_precision"] < row["mean_average_precision"]
    assert row["verdict"].startswith("fine-tuned is better: mean average precision +")
    assert "compare_finetuned: MobileNet, random: 0." in capsys.readouterr().out
