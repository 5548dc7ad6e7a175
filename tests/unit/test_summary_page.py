"""The report's first page: every run named, judged and priced, and nothing that needs a network."""

import re

import pytest
from PIL import Image
from test_summary import job

import report_runs
from graft.reporting.summary_page import number, picture
from made_runs import made_predictions


def page_of(results, **runs):
    """Return the page of made-up runs, each {stage: predictions}, with pictures in their places."""
    job(results, **{run: {"stages": stages} for run, stages in runs.items()})
    for run in runs:
        for name in ("mistakes", "confusion_matrix", "learning_curves"):
            save_picture(results / "runs" / run / "figures" / f"{name}.png")
    output = results / "summary.html"
    folders = [str(results / "runs" / run) for run in runs]
    figures = [str(results / f"{name}.png") for name in ("comparison", "cost")]
    report_runs.main(["--runs", *folders, "--results", str(results), "--figures", *figures, "--summary", str(output)])
    return output.read_text(encoding="utf-8")


def save_picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (40, 30), "white").save(path)


def test_each_stage_has_a_row_with_its_accuracy_and_interval(tmp_path):
    page = page_of(tmp_path / "results", lesson={"head": made_predictions(20, skill=9)})
    row = next(row for row in re.findall("<tr>.*?</tr>", page) if "<td>lesson</td>" in row)
    assert "20 of 20 validation photos" in row
    assert "<td>1.000</td><td>0.839 to 1.000</td>" in row  # Wilson: 20 / (20 + 1.96 ** 2)


def test_the_pictures_are_those_of_the_most_accurate_run(tmp_path):
    good, poor = made_predictions(20, skill=9), made_predictions(20, skill=0)
    page = page_of(tmp_path / "results", poor={"head": poor}, good={"head": good})
    assert "least sure answers: good" in page
    assert "Accuracy of every run" in page
    assert "good and poor: " in page or "poor and good: " in page


def test_the_page_needs_nothing_beside_itself(tmp_path):
    page = page_of(tmp_path / "results", lesson={"head": made_predictions(20)})
    assert not re.search(r"(src|href)=.(?!data:)", page)
    assert page == page_of(tmp_path / "again", lesson={"head": made_predictions(20)})


def test_a_class_may_be_called_like_a_tag(tmp_path):
    page = page_of(tmp_path / "results", lesson={"head": made_predictions(20, classes=("<b>", "a&b"))})
    assert "&lt;b&gt;, a&amp;b" in page
    assert "<b>" not in page


def test_a_wide_picture_is_made_small(tmp_path):
    Image.effect_noise((3000, 1500), 90).save(tmp_path / "wide.png")
    assert len(picture(tmp_path / "wide.png", "wide")) < 1_000_000


@pytest.mark.parametrize(("value", "said"), [(0.12345, "0.123"), (float("nan"), "–")])
def test_what_was_not_measured_is_a_dash(value, said):
    assert number(value, ".3f") == said
