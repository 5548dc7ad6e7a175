"""The report's first page: every run named, judged and priced, and nothing that needs a network."""

import re

import pandas as pd
import pytest
from PIL import Image
from test_summary import compare, job

import report_runs
from graft.reporting.summary_best import best_of, lead
from graft.reporting.summary_page import number
from graft.reporting.summary_pictures import picture
from graft.storage.files import read_table, write_table
from made_runs import made_predictions


def page_of(results, **runs):
    """Return the page of made-up runs, each {stage: predictions}, with pictures in their places."""
    job(results, **{run: {"stages": stages} for run, stages in runs.items()})
    return page_of_finished(results, *runs)


def page_of_finished(results, *runs):
    """Return the page of runs that were compared."""
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
    row = next(row for row in re.findall("<tr.*?</tr>", page) if "<td>lesson</td>" in row)
    assert "20 of 20 validation photos" in row
    assert row.count("<td>") == page.count("<th>")  # each number under its own heading
    assert "<td><strong>1.000</strong>, 0.839 to 1.000</td>" in row  # Wilson: 20 / (20 + 1.96 ** 2)


def test_the_page_opens_with_the_best_run_and_the_pictures_of_it(tmp_path):
    good, poor = made_predictions(20, skill=9), made_predictions(20, skill=0)
    page = page_of(tmp_path / "results", poor={"head": poor}, good={"head": good})
    assert "Most accurate is good (head) with 20 of 20 validation photos right (1.000, 95% interval 0.839" in page
    assert page.index("Most accurate") < page.index("<table>") < page.index("Accuracy of every run")
    assert re.findall(r"<details[^>]*>", page) == [
        '<details name="graft-pictures">',
        '<details name="graft-pictures" open>',
    ]
    assert "least sure answers: poor" in page  # hers to open
    assert [name in page.split("<details")[2] for name in ("answers: good", "answers: poor")] == [True, False]
    assert page.index("<td>good</td>") < page.index("<td>poor</td>")  # most accurate first


def test_a_caveat_stands_with_the_number_that_it_is_about(tmp_path):
    poor = made_predictions(20, skill=0)
    page = page_of(
        tmp_path / "results", guess={"head": poor}, chose={"head": made_predictions(20, skill=9, chose=True)}
    )
    rows = {
        run: next(row for row in re.findall("<tr.*?</tr>", page) if f">{run}<" in row) for run in ("guess", "chose")
    }
    assert "<small>these photos also chose" in rows["chose"]
    assert "always answering" in rows["guess"]
    assert "always answering" not in rows["chose"]
    assert "The photos that judge it also chose in its training, which flatters it." in page


def test_exports_have_a_column_where_a_run_has_some(tmp_path):
    results = tmp_path / "results"
    stages = {"head": made_predictions(20), "finetuned": made_predictions(20, skill=3)}
    job(results, mine={"stages": stages}, other={"stages": stages})
    table = results / "comparison.csv"
    assert "exports" not in read_table(table)
    exports = [{"export": "onnx", "flipped": 1, "photos": 20}, {"export": "litert", "flipped": 0, "photos": 20}]
    write_table(pd.DataFrame(exports), results / "runs" / "mine" / "exports.csv")
    compare(results, "mine", "other")
    told = read_table(table).set_index(["run", "stage"])["exports"]
    assert told["mine", "finetuned"] == "onnx (1 of 20 answers flipped), litert (0 of 20)"
    assert [told[row] for row in told.index if row != ("mine", "finetuned")] == ["", "", ""]
    page = page_of_finished(results, "mine", "other")
    assert page.count("onnx (1 of 20 answers flipped), litert (0 of 20)") == 1
    assert page.count("<th>exports</th>") == 1


def judged_runs(**accuracies):
    """Return rows as evaluation.csv has them, a run each, 100 photos."""
    rows = [
        {"run": run, "stage": "head", "role": "val", "n": 100, "correct": round(100 * accuracy), "accuracy": accuracy}
        | {"accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.1, "selected_on": "", "chose_n": 0}
        for run, accuracy in accuracies.items()
    ]
    return pd.DataFrame(rows)


def test_the_opening_says_which_runs_the_best_one_can_be_told_from():
    pairs = pd.DataFrame(
        [
            {"first": "a", "second": "b", "p_adjusted": 0.4, "verdict": "not distinguishable from noise: ..."},
            {"first": "c", "second": "b", "p_adjusted": 0.01, "verdict": "b is more accurate, by 0.2: ..."},
            {"first": "a", "second": "c", "p_adjusted": 0.02, "verdict": "a is more accurate, by 0.19: ..."},
        ]
    )
    best = best_of(judged_runs(a=0.89, b=0.9, c=0.7, elsewhere=0.5), pairs)
    assert (best.run, best.level, best.behind, best.apart) == ("b", {"a": 0.4}, ["c"], ["elsewhere"])
    assert best.order == ["b", "a", "c", "elsewhere"]
    text = " ".join(lead(best))
    assert "It cannot be told from a (p = 0.4)" in text
    assert "It is better beyond noise than c." in text
    assert "Other photos judged elsewhere" in text
    assert "also made it the best of 4 runs" in text


def test_one_run_alone_is_the_best_of_nothing():
    none = pd.DataFrame(columns=["first", "second", "p_adjusted", "verdict"])
    sentences = lead(best_of(judged_runs(only=0.9), none))
    assert sentences[0].startswith("only (head): 90 of 100")
    assert "best" not in " ".join(sentences)


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
