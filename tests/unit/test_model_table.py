"""The model table: which network is recommended, which cannot be told from it, and what the figure and pages show."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml

import compare_finetuned
import tabulate_networks
from graft.config.backbone import NATIVE_SIZE, Backbone
from graft.config.evaluation import Evaluation
from graft.config.keys import canonical
from graft.config.model_table import ModelTable, Tabulated
from graft.config.resolution import Job
from graft.errors import UserError, run_script
from graft.figures.model_table import draw
from graft.judging import model_table
from graft.judging.model_table import Found
from graft.reporting import model_table as reporting
from graft.storage.files import read_table, write_json, write_table
from made_runs import made_predictions, predictions_of, write_run
from places import ROOT

FAST = Evaluation(bootstrap_resamples=199)
NETWORKS = {"t-a": Backbone(name="MobileNet", weights="none"), "t-b": Backbone(name="VGG16"),
            "t-c": Backbone(name="MobileNet", alpha=0.25)}  # fmt: skip


def tabulated(**budget) -> Tabulated:
    return Tabulated(table=ModelTable(**budget), networks=NETWORKS, evaluation=FAST)


def found(network: str, loss: float, ms: float, megabytes: float, right: list[int], **columns) -> Found:
    """Return a network with this cross-validated loss and cost that has these of the photos right, 1 or 0 each."""
    judged = predictions_of([0] * len(right), [[0.9, 0.1] if one else [0.1, 0.9] for one in right])
    accuracy = float(np.mean(right))
    row = {"network": network, "cross_validated_loss": loss, "cpu_ms_1": ms, "megabytes": megabytes, "n": len(right)}
    row |= {"accuracy": accuracy, "accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.1, "threads": 2}
    return Found(row | {"size": 224, "parameters": 1e6, "gpu": "", "processor": "a processor"} | columns, judged)


GOOD = found("good", 0.1, 100, 50, [1] * 20)
ALIKE = found("alike", 0.2, 10, 20, [1] * 19 + [0])
POOR = found("poor", 0.5, 5, 2, [0] * 15 + [1] * 5)


def test_the_training_photos_order_the_networks_and_the_judging_ones_compare_them():
    table = model_table.table_of([POOR, ALIKE, GOOD], tabulated())
    assert table["network"].tolist() == ["good", "alike", "poor"]
    assert table["verdict"].tolist() == ["recommended", "not distinguishable", "worse"]
    assert table["pareto"].tolist() == [1, 1, 1]  # each is faster than those that are more accurate


def test_a_budget_leaves_out_what_is_too_slow_or_too_large():
    table = model_table.table_of([POOR, ALIKE, GOOD], tabulated(milliseconds=50, megabytes=20))
    assert table["fits"].tolist() == [0, 1, 1]
    assert table["verdict"].tolist() == ["", "recommended", "worse"]
    [said] = model_table.recommendation(table, ModelTable(milliseconds=50, megabytes=20), {})
    assert said.startswith("Within 50 ms a photo and 20 MB: alike, by cross-validation on the training photos")
    assert "accuracy 0.950 (0.850 to 1.050) on 20 judgements, 10.0 ms a photo on 2 threads, 20.0 MB" in said


def test_the_sentence_names_what_cannot_be_told_from_the_best_and_what_is_missing():
    table = model_table.table_of([POOR, ALIKE, GOOD], tabulated())
    best, missing = model_table.recommendation(table, ModelTable(), {"VGG16": "there is no network"})
    assert best.startswith("Of 3 networks: good")
    assert best.endswith("; cannot be told from it: alike.")
    assert missing == "Missing: VGG16, since there is no network."


def test_a_budget_that_nothing_fits_names_the_fastest():
    table = model_table.table_of([POOR, GOOD], tabulated(milliseconds=1))
    assert model_table.recommendation(table, ModelTable(milliseconds=1), {}) == [
        "Within 1 ms a photo there is no network; the fastest is poor, with 5.0 ms and 2.0 MB."
    ]


def test_a_table_without_networks_is_one_sentence():
    with pytest.raises(UserError, match="the weights of none could be fetched"):
        model_table.table_of([], tabulated())


def test_published_figures_are_those_of_the_whole_imagenet_network_alone():
    assert model_table.published(Backbone(name="ResNet50"))["top1"] == 0.749
    assert model_table.published(Backbone(name="ResNet50"))["source"] == "keras.io/api/applications"
    assert model_table.published(Backbone(name="ResNet50", weights="none")) == {}
    assert model_table.published(Backbone(name="MobileNet", alpha=0.25)) == {}
    assert set(model_table.published_rows()) == set(NATIVE_SIZE)


def made_table(n: int) -> pd.DataFrame:
    """Return a table of `n` networks, crowded as real ones are."""
    rng = np.random.default_rng(0)
    rows = [
        found(name, loss, 10 * 1.1**place * rng.uniform(0.8, 1.2), 10, [1] * 8 + [0] * 2)
        for place, (name, loss) in enumerate(zip(list(NATIVE_SIZE)[:n], rng.uniform(0.1, 1, n), strict=True))
    ]
    table = model_table.table_of(rows, tabulated(milliseconds=100))
    return table.assign(accuracy=rng.integers(160, 195, n) / 200)


@pytest.mark.parametrize("n", [1, 3, 40])
def test_no_label_of_the_figure_covers_another(n):
    figure = draw(made_table(n), ModelTable(milliseconds=100))
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == n
    overlaps = [(one, other) for place, one in enumerate(boxes) for other in boxes[:place] if text_overlap(one, other)]
    assert not overlaps


def text_overlap(one, other) -> bool:
    """Return whether the letters of two names meet; the leader line that an extent includes does not count."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    along = min(one.y1, other.y1) - max(one.y0, other.y0)
    return across > 1 and along > 1 and one.height < 20 and other.height < 20


def test_latex_escapes_names_and_leaves_out_a_gpu_that_was_not_there():
    table = made_table(2).assign(network=["my_net", "VGG16"])
    text = reporting.latex(table, ["Take it."])
    assert text.startswith("% Take it.\n\\begin{tabular}")
    assert "my\\_net & 224 &" in text
    assert "GPU" not in text
    assert text.count(r"\\") == 3


def write_network(results, run: str, skill: float, ms: float) -> None:
    """Write what a network's run and timing leave."""
    folder = write_run(results, run, {"head": made_predictions(20, skill=skill)})
    history = pd.DataFrame({"epoch": [1], "loss": [0.1], "cross_validated_loss": [1 / skill]})
    write_table(history, folder / "fold0" / "head" / "history.csv")
    told = {"parameters": 1_000_000, "depth": 50, "multiply_adds": 1e9, "cpu_ms_1": ms, "cpu_ms_32": ms / 2}
    write_json(told | {"threads": 2, "processor": "a processor", "peak_memory_mb": 600}, results / f"{run}.json")


def test_the_script_writes_table_figure_page_latex_and_recommendation(tmp_path, capsys):
    for run, skill, ms in (("t-a", 2.0, 10), ("t-c", 4.0, 20)):
        write_network(tmp_path, run, skill, ms)
    capsys.readouterr()
    runs = ("t-a", "t-c")
    tabulate_networks.main(
        [
            *("--settings", canonical(tabulated())),
            *("--evaluations", *(f"{tmp_path}/runs/{run}/evaluation.csv" for run in runs)),
            *("--timings", *(f"{tmp_path}/{run}.json" for run in runs)),
            *("--embedded", f"{tmp_path}/benchmarks/embed_images/drawn-features.tsv", f"{tmp_path}/none.tsv"),
            *("--missing", json.dumps({"t-b": "it could not be downloaded"})),
            *("--table", f"{tmp_path}/o/table.csv", "--figure", f"{tmp_path}/o/figure.png"),
            *("--latex", f"{tmp_path}/o/table.tex", "--page", f"{tmp_path}/o/page.html"),
            *("--recommendation", f"{tmp_path}/o/recommendation.txt"),
        ]
    )
    table = read_table(tmp_path / "o" / "table.csv")
    assert table["network"].tolist() == ["MobileNet 0.25", "MobileNet"]
    assert table["megabytes"].tolist() == [4.0, 4.0]  # a million numbers of four bytes
    assert table["embed_seconds"].iloc[1] == 2.0
    assert np.isnan(table["embed_seconds"].iloc[0])
    said = (tmp_path / "o" / "recommendation.txt").read_text()
    assert "Missing: VGG16, since it could not be downloaded." in said
    page = (tmp_path / "o" / "page.html").read_text()
    assert "MobileNet 0.25" in page
    assert "<img" in page
    assert "tabulate_networks: Of 2 networks: MobileNet 0.25" in capsys.readouterr().out
    assert model_table.best_runs(tmp_path / "o" / "table.csv", 1) == ["t-c"]


def test_fine_tuned_networks_are_compared_with_their_probes(tmp_path, capsys):
    write_run(tmp_path, "t-a", {"head": made_predictions(40, skill=1.0)})
    stages = {"head": made_predictions(40, skill=1.0), "finetuned": made_predictions(40, skill=9.0)}
    folder = write_run(tmp_path, "t-a-finetuned", stages)
    probe = {"run": "t-a", "network": "MobileNet", "accuracy": 0.6, "log_loss": 0.9, "cpu_ms_1": 10.0}
    write_table(pd.DataFrame([probe]), tmp_path / "table.csv")
    arguments = ["--settings", canonical(tabulated()), "--table", f"{tmp_path}/table.csv"]
    compare_finetuned.main([*arguments, "--evaluations", f"{folder}/evaluation.csv", "--output", f"{tmp_path}/o.csv"])
    [row] = read_table(tmp_path / "o.csv").to_dict("records")
    assert (row["network"], row["probe_accuracy"], row["accuracy"]) == ("MobileNet", 0.6, 1.0)
    assert row["verdict"].startswith("fine-tuned is more accurate")


def job(**table) -> Job:
    """Return the shipped model table's job with changes to its table."""
    values = yaml.safe_load((ROOT / "config" / "model_table.yaml").read_text())
    values["model_table"] |= table
    return Job(values, ROOT / "config" / "recipes")


def test_the_shipped_table_has_more_than_a_dozen_networks_and_fine_tunes_none():
    shipped = job()
    assert len(shipped.runs_of_table) >= 12
    assert not [name for name in shipped.config.experiments if name.endswith("-finetuned")]


def test_the_best_may_be_fine_tuned_by_another_recipe():
    tuned = job(finetune=3).run("table-VGG16-finetuned")
    assert (tuned.experiment.recipe, tuned.experiment.backbone.name) == ("graft", "VGG16")
    assert "table-VGG16-finetuned" not in job(finetune=3).runs


@pytest.mark.parametrize(
    ("experiment", "table", "sentence"),
    [
        (
            {},
            {"sweep": "tabel"},
            "model_table.sweep is 'tabel', which is no experiment with a sweep; did you mean 'table'",
        ),
        ({}, {"miliseconds": 3}, "model_table.miliseconds is not a setting; did you mean 'milliseconds'?"),
        ({}, {"megabytes": -1}, "model_table.megabytes is -1; input should be greater than or equal to 0"),
        ({}, {"finetune": 1, "recipe": "grft"}, "recipe is 'grft', which is neither a file nor a recipe"),
        ({"recipe": "graft"}, {}, "is no probe; give that experiment recipe: probe"),
        (
            {"sweep": {"backbone": ["VGG16"], "seed": [0, 1]}},
            {},
            "has a network more than once; vary its backbone alone",
        ),
    ],
)
def test_a_mistake_is_one_sentence(experiment, table, sentence):
    values = yaml.safe_load((ROOT / "config" / "model_table.yaml").read_text())
    values["experiments"]["table"] |= experiment
    values["model_table"] |= table
    with pytest.raises(UserError) as caught:
        Job(values, ROOT / "config" / "recipes")
    assert sentence in str(caught.value)


def test_weights_that_cannot_be_had_leave_a_note(tmp_path, capsys):
    import fetch_weights

    file = tmp_path / "mine.weights.h5"
    spec = {"name": "MobileNet", "alpha": 0.25, "size": 32, "weights": str(tmp_path / "none.h5")}
    with pytest.raises(SystemExit):
        run_script(lambda: fetch_weights.main(["--settings", json.dumps(spec), "--output", str(file)]))
    assert "there is no such file" in (tmp_path / "mine.weights.h5.missing").read_text()
    fetch_weights.main(["--settings", json.dumps(spec | {"weights": "none"}), "--output", str(file)])
    assert not (tmp_path / "mine.weights.h5.missing").exists()
