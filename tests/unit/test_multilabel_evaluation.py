"""The tables of a run of several labels a photo: what judges, what chose, what is published, what is said."""

import numpy as np
import pandas as pd
import pytest

import compare_runs
import report_runs
from figures_data import history, write_photos
from graft import tables
from graft.config.evaluation import Evaluation
from graft.config.figures import OF_A_MULTILABEL_RUN, Figures
from graft.data.label_sets import texts_of
from graft.figures.drawing import Inputs, draw_all
from graft.judging.multilabel_calibration import CROSS_VALIDATED, LabelCalibrator, apply, fit
from graft.network.model_file import add_facts, read_facts
from graft.predicting.verdicts import label_verdict
from graft.reporting.summary import summary
from graft.storage.files import read_json, read_table
from made_runs import write_run

CLASSES = ["car", "tree", "water"]


def made(n=80, skill=2.0, seed=0, role="val", chose=0, stage_skill=0.0):
    """Return predictions of several labels, by a model that is better the higher its skill."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.3, 0.7, 0.15]
    logits = np.random.default_rng(seed + 100).normal(size=truth.shape) + (skill + stage_skill) * (truth - 0.5)
    chances = 1 / (1 + np.exp(-logits))
    table = pd.DataFrame(
        {
            "path": [f"{role}/{number}.png" for number in range(n)],
            "labels": texts_of(truth, CLASSES),
            "fold": 0,
            "role": role,
            "group": np.arange(n) + (1000 if role == "inner" else 0),
            "chose": int(chose or role == "inner"),
            "predicted": texts_of(chances >= 0.5, CLASSES),
        }
    )
    return table.assign(**{f"probability_{name}": chances[:, place] for place, name in enumerate(CLASSES)})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that judges predictions by stage, as if they were a run's, and returns the run's folder."""
    import made_runs

    plain = made_runs.write_table

    def with_sets(table, path, **options):  # made_runs knows one label a photo: it takes `label` into its stubs
        plain(table.rename(columns={"label": "labels"}), path, **options)

    def write(stages, name="mine", **settings):
        monkeypatch.setattr(made_runs, "write_table", with_sets)
        stages = {stage: table.rename(columns={"labels": "label"}) for stage, table in stages.items()}
        return write_run(tmp_path, name, stages, **settings)

    return write


def test_the_tables_are_those_of_the_reference_and_the_verdict_is_against_the_frequencies(run):
    folder = run({"head": made(), "finetuned": made(stage_skill=1.5)})
    evaluation = tables.MultilabelEvaluation.checked(read_table(folder / "evaluation.csv"))
    row = evaluation[(evaluation["fold"] == "all") & (evaluation["stage"] == "finetuned")].iloc[0]
    assert row["verdict"].startswith("better than answering the labels' frequencies")
    assert row["mean_average_precision_low"] < row["mean_average_precision"] < row["mean_average_precision_high"]
    assert row["baseline"] < row["mean_average_precision_low"]
    per_label = tables.PerLabel.checked(read_table(folder / "per_class.csv"))
    assert per_label[per_label["stage"] == "head"]["label"].tolist() == CLASSES
    assert per_label[per_label["stage"] == "head"]["average_precision"].mean() == pytest.approx(
        evaluation.iloc[0]["mean_average_precision"]
    )
    compared = tables.MultilabelSignificance.checked(read_table(folder / "significance.csv"))
    assert compared["verdict"].iloc[0].startswith("finetuned is better: mean average precision +")
    tables.MultilabelPredictions.checked(read_table(folder / "predictions.csv"))
    card = (folder / "MODEL_CARD.md").read_text()
    assert "says which of car, tree and water a photo shows" in card
    assert "| Mean average precision of the labels' frequencies |" in card


def test_thresholds_come_from_photos_that_chose_and_travel_in_the_model(run):
    folder = run({"head": pd.concat([made(), made(300, role="inner", seed=7)], ignore_index=True)})
    published = read_json(folder / "calibration.json")["stages"]["head"]["folds"]["0"]
    assert published["fitted_on"] == "the inner part of the training photos"
    assert published["n"] == 300
    facts = read_facts(folder / "model.keras")
    assert facts["thresholds"] == published["thresholds"] != [0.5] * 3
    predictions = read_table(folder / "predictions.csv")
    calibrated = predictions[[f"calibrated_{name}" for name in CLASSES]].to_numpy()
    assert predictions["predicted"].tolist() == texts_of(calibrated >= published["thresholds"], CLASSES)
    row = read_table(folder / "evaluation.csv").query("role == 'val' and fold == 'all'").iloc[0]
    assert row["chose_n"] == 300
    assert row["optimism"] == pytest.approx(row["chose_mean_average_precision"] - row["mean_average_precision"])
    verdict = label_verdict("a.jpg", np.array([5.0, -5.0, 5.0]), facts)
    assert (verdict.label, verdict.labels) == ("car|water", ("car", "water")) or verdict.labels == ("water", "car")


def test_a_probe_of_which_no_photos_choose_has_the_thresholds_of_its_cross_validation():
    remembered = {
        "temperature": 2.0,
        "thresholds": {"f1": [0.2, 0.6, 0.3], "accuracy": [0.4, 0.5, 0.6], "balanced_accuracy": [0.1, 0.2, 0.3]},
        "photos": 90,
        "fewer": [40, 30, 29],
    }
    nobody = made().iloc[:0]
    found = fit(nobody, CLASSES, Evaluation(), remembered)
    assert found == LabelCalibrator(2.0, [0.2, 0.6, 0.5], CROSS_VALIDATED, 90)  # 29 photos are too few for `water`
    assert fit(nobody, CLASSES, Evaluation(label_thresholds="half"), remembered).thresholds == [0.5] * 3
    assert fit(nobody, CLASSES, Evaluation(), None) == LabelCalibrator(1.0, [0.5] * 3, "nothing: no photos choose", 0)
    applied = apply(made(10), LabelCalibrator(1.0, [0.0, 1.1, 1.1], "", 0))
    assert set(applied["predicted"]) == {"car"}


def test_a_label_that_no_judging_photo_has_is_named_and_left_out(run):
    table = made()
    table["labels"] = [text.replace("water", "").strip("|") for text in table["labels"]]
    row = read_table(run({"head": table}) / "evaluation.csv").iloc[0]
    assert row["n_labels"] == 2
    assert "these photos cannot judge water, which none of them has, or each" in row["note"]


def test_every_fold_has_thresholds_of_its_own_and_all_folds_are_judged_together(run):
    parts = [
        pd.concat([made(40, seed=fold), made(200, role="inner", seed=10 + fold)]).assign(fold=fold) for fold in (0, 1)
    ]
    for fold, part in enumerate(parts):
        part["path"] = [f"{fold}/{path}" for path in part["path"]]
        part["group"] += 5000 * fold
    folder = run({"head": pd.concat(parts, ignore_index=True)})
    folds = read_json(folder / "calibration.json")["stages"]["head"]["folds"]
    assert folds["0"]["thresholds"] != folds["1"]["thresholds"]
    evaluation = read_table(folder / "evaluation.csv")
    judged = evaluation[evaluation["role"] == "val"].set_index("fold")
    assert judged["n"].to_dict() == {"all": 80, "0": 40, "1": 40}
    assert judged.loc["all", "temperature"] == pytest.approx(np.mean([folds[fold]["temperature"] for fold in "01"]))
    assert read_facts(folder / "model.keras")["thresholds"] == folds["0"]["thresholds"]  # the first fold is published


def test_runs_are_compared_reported_and_summed_up(run, tmp_path):
    folders = [
        run({"head": made(skill=0.3)}, "poor"),
        run({"head": made(skill=3.0)}, "good", experiment={"recipe": "probe"}),
    ]
    provenance = [f"{folder}/provenance.json" for folder in folders]
    compare_runs.main(["--provenance", *provenance, "--comparison", f"{tmp_path}/comparison.csv",
                       "--significance", f"{tmp_path}/comparison_significance.csv"])  # fmt: skip
    comparison = tables.MultilabelComparison.checked(read_table(tmp_path / "comparison.csv"))
    assert comparison["recipe"].tolist() == ["lesson", "probe"]
    pairs = tables.MultilabelComparisonSignificance.checked(read_table(tmp_path / "comparison_significance.csv"))
    assert pairs["verdict"].iloc[0].startswith("good is better: mean average precision +")
    said = summary(tmp_path)
    assert "mAP" in said
    assert "good is better" in said
    for folder in folders:
        draw(folder, tmp_path / "images")
    pictures = [f"{tmp_path}/comparison.png", f"{tmp_path}/cost.png"]
    report_runs.main(["--runs", *map(str, folders), "--results", str(tmp_path), "--figures", *pictures,
                      "--summary", f"{tmp_path}/summary.html"])  # fmt: skip
    page = (tmp_path / "summary.html").read_text()
    assert "mean average precision" in page
    assert "Which labels stand together" in page


def draw(folder, images):
    """Draw a run's figures; return why some could not be drawn."""
    predictions = read_table(folder / "predictions.csv")
    write_photos(predictions["path"].unique(), images)
    written = folder / "fold0" / "head" / "history.csv"
    history(3).to_csv(written, index=False)
    manifest = folder.parents[1] / "data" / "drawn" / "manifest.csv"
    n = len(read_table(manifest))
    np.save(folder / "pixels.npy", np.zeros((n, 16, 16, 3), np.uint8))
    np.save(folder / "features.npy", np.random.default_rng(0).normal(size=(1, n, 8)).astype(np.float32))
    add_facts(folder / "stub.keras", {"backbone": "Pixels16"})  # a baseline, which needs no framework
    arrays = folder / "pixels.npy", folder / "features.npy"
    models = [folder / "stub.keras"]
    inputs = Inputs(folder.name, folder / "predictions.csv", [written], models, images, *arrays, manifest)
    files = [folder / "figures" / f"{name}.png" for name in OF_A_MULTILABEL_RUN]
    failed = draw_all(inputs, Figures(dpi=50), files, [])
    assert failed == {}
    assert all(file.is_file() for file in files)
    return failed


def test_what_a_model_remembers_of_its_cross_validation_reaches_the_answers(run, tmp_path, monkeypatch):
    import made_runs

    plain = made_runs.add_facts
    remembered = {"temperature": 1.5, "thresholds": {"f1": [0.1, 0.9, 0.4]}, "photos": 50, "fewer": [30, 30, 30]}
    monkeypatch.setattr(
        made_runs, "add_facts", lambda path, facts: plain(path, facts | {"cross_validated": remembered})
    )
    folder = run({"head": made()})
    found = read_json(folder / "calibration.json")["stages"]["head"]["folds"]["0"]
    assert found == {"temperature": 1.5, "thresholds": [0.1, 0.9, 0.4], "fitted_on": CROSS_VALIDATED, "n": 50}
    assert "cross-validation of the probe" in (folder / "MODEL_CARD.md").read_text()
