"""The files of a paper: numbers are those of the tables, and bold is what can be told."""

import json
import re

import pandas as pd
import pytest

import paper as command
from graft.config import hub
from graft.config.backbone import NATIVE_SIZE
from graft.errors import UserError
from graft.reporting import paper, references
from graft.storage.files import write_table

ROW = {"role": "val", "fold": "all", "photos": 100, "balanced_accuracy": 0.9, "log_loss": 0.25}


def evaluation(run: str, accuracy: float) -> pd.DataFrame:
    """Return the columns of evaluation.csv that a paper reads: a head, a fine-tuned network, and one fold of it."""
    rows = [
        {**ROW, "stage": "head", "accuracy": 0.5},
        {**ROW, "stage": "finetuned", "accuracy": accuracy},
        {**ROW, "stage": "finetuned", "accuracy": 0.1, "fold": "0"},
    ]
    bounds = {"accuracy_low": accuracy - 0.05, "accuracy_high": accuracy + 0.04}
    return pd.DataFrame([{"run": run, **row, **bounds} for row in rows])


def pairs(*rows: tuple[str, str, float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["first", "second", "first_accuracy", "second_accuracy", "p_adjusted"])


@pytest.fixture
def results(tmp_path):
    """Return a folder of results with three runs, good_1, good_2 and bad, of which only bad is told apart."""
    folder = tmp_path / "results"
    for run, accuracy in {"good_1": 0.9234, "good_2": 0.9, "bad": 0.6}.items():
        write_table(evaluation(run, accuracy), folder / "runs" / run / "evaluation.csv")
        backbone = {"name": "ResNet50", "weights": "imagenet", "size": 224}
        record = {
            "run": run,
            "experiment": run,
            "dataset": "photos",
            "seed": 7,
            "code": {"commit": "0123456789abcdef"},
            "packages": {"keras": "3.15.1", "snakemake": "9.27.1"},
            "data": {"photos": 500, "classes": ["a", "b"], "roles": {"fold0 train": 400, "fold0 val": 100}},
            "config": {
                "experiments": {run: {"backbone": backbone, "recipe": "graft"}},
                "datasets": {"photos": {"split": {"method": "stratified"}}},
                "evaluation": {"confidence": 0.95},
            },
        }
        (folder / "runs" / run / "provenance.json").write_text(json.dumps(record))
    told = pairs(
        ("good_1", "good_2", 0.9234, 0.9, 0.3),
        ("good_1", "bad", 0.9234, 0.6, 0.001),
        ("good_2", "bad", 0.9, 0.6, 0.001),
    )
    write_table(told, folder / "comparison_significance.csv", sealed=False)
    return folder


def test_numbers_are_those_of_the_tables(results):
    command.main(["--results", str(results)])
    table = (results / "paper" / "results.tex").read_text()
    assert r"good\_1 & 100 & 0.923 (0.873 to 0.963) & 0.900 & 0.250 \\" in table
    assert r"bad & 100 & 0.600 (0.550 to 0.640) & 0.900 & 0.250 \\" in table
    assert table.count(r"\\") == 4
    assert r"Accuracy (95\% interval)" in table


def test_nothing_is_bold_where_the_best_cannot_be_told(results):
    command.main(["--results", str(results)])
    table = (results / "paper" / "results.tex").read_text()
    assert "textbf" not in table
    assert "% No run is in bold" in table


@pytest.mark.parametrize(
    ("p_value", "best"),
    [(0.049, "good"), (0.05, ""), (1.0, "")],  # of good against bad; the level is 0.05
)
def test_the_best_is_told_by_the_corrected_p_value(p_value, best):
    rows = pd.DataFrame({"run": ["bad", "good"], "accuracy": [0.6, 0.9]})
    assert paper.told_best(rows, pairs(("bad", "good", 0.6, 0.9, p_value)), 0.05) == best


def test_one_run_is_not_the_best_of_anything():
    assert paper.told_best(pd.DataFrame({"run": ["good"], "accuracy": [0.9]}), pd.DataFrame(), 0.05) == ""


def test_methods_say_what_was_done_and_cite_what_is_listed(results):
    command.main(["--results", str(results)])
    text = (results / "paper" / "methods.tex").read_text()
    assert r"on ResNet50~\cite{resnet} (weights: imagenet~\cite{imagenet}, 224 pixels) by" in text
    assert "by the recipe graft, on 500 photos" in text
    assert "split once (stratified), seed 7" in text
    assert r"commit 0123456789ab, ran with Keras 3.15.1~\cite{keras}, Snakemake 9.27.1" in text
    entries = set(re.findall(r"^@\w+\{(\w+),", (results / "paper" / "references.bib").read_text(), re.MULTILINE))
    assert entries == set(re.findall(r"\\cite\{(\w+)\}", text))


def test_every_entry_is_one_of_its_key_with_balanced_braces():
    for key, entry in references.entries().items():
        assert re.match(rf"@\w+\{{{key},\n  author = \{{", entry), key
        assert entry.count("{") == entry.count("}"), key
        assert re.search(r"year = \{\d{4}\}", entry), key
    assert {*references.PAPERS.values(), *references.FAMILIES.values()} <= set(references.entries())


def test_every_network_of_keras_has_its_paper():
    assert all(references.network(name) for name in NATIVE_SIZE)
    assert {preset.family for preset in hub.presets().values()} - set(references.FAMILIES) == {
        *("HGNetV2Backbone", "MobileNetV5Backbone")
    }


def test_the_figure_is_as_wide_as_a_column_and_has_its_fonts(results):
    command.main(["--results", str(results)])
    content = (results / "paper" / "accuracy.pdf").read_bytes()
    [width] = {round(float(found)) for found in re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ", content)}
    assert width == round(72 * 3.35)
    assert b"/FontFile2" in content  # the font itself, as TrueType
    assert b"/Type3" not in content


def test_a_folder_with_other_files_is_left_alone(results):
    (results / "paper").mkdir()
    (results / "paper" / "mine.tex").write_text("")
    with pytest.raises(UserError, match="holds other files"):
        command.main(["--results", str(results)])
    (results / "paper" / "mine.tex").unlink()
    (results / "paper").rmdir()
    command.main(["--results", str(results)])
    command.main(["--results", str(results)])  # its own files are replaced


def test_without_a_run_there_is_no_paper(tmp_path):
    with pytest.raises(UserError, match="no run has been evaluated"):
        command.main(["--results", str(tmp_path)])
