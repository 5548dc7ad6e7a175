"""Exports and bundles of several labels a photo: each label's own probability and threshold, and the same answers."""

import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from photo_files import picture

import bundle as command
import export_model
from exported_run import JUDGED, SIZE, make_label_run
from graft.config.export import Export
from graft.config.recipe import Head
from graft.exporting import packages, predictor, proof, writing
from graft.exporting.answering import answering, facts_of_export
from graft.network.head import build_head
from graft.predicting.classify import classify, load_classifier
from graft.predicting.label_predictions import decide_labels, label_probabilities
from graft.storage.files import read_table
from made_runs import EXPORTED

THRESHOLDS = [0.3, 0.5, 0.7]
CLASSES = ["label 0", "label 1", "label 2"]
FORMATS = ("onnx", "litert", "openvino", "saved_model")
EVERY = [*(Export(format=name) for name in FORMATS), Export(format="onnx", precision="int8")]


def skip_without(export):
    if lacking := packages.missing(export):
        pytest.skip(f"{', '.join(lacking)} not installed: make exports-setup")


pytestmark = pytest.mark.usefixtures("quick_exports")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_label_run(tmp_path_factory.mktemp("labels"), THRESHOLDS)


def judged(sets, predicted, chances):
    """Return rows of predictions.csv with labels a and b."""
    rows = pd.DataFrame({"path": [f"{n}.jpg" for n in range(len(sets))], "labels": sets, "predicted": predicted})
    values = np.array(chances)
    for kind in ("probability", "calibrated"):
        rows = rows.assign(**{f"{kind}_a": values[:, 0], f"{kind}_b": values[:, 1]})
    return rows


def test_a_set_of_labels_is_right_as_a_whole_and_flips_where_one_of_them_does():
    rows = judged(["a|b", "", "b"], ["a|b", "a", "b"], [[0.9, 0.6], [0.4, 0.1], [0.2, 0.8]])
    said = np.array([[0.9, 0.6], [0.2, 0.1], [0.35, 0.8]])  # a and b; neither, which is right; a and b, which is not
    found = proof.compared(rows, said, {"thresholds": [0.3, 0.5]})
    assert (found["photos"], found["flipped"]) == (3, 2)
    assert (found["accuracy"], found["model_accuracy"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found["largest_difference"] == pytest.approx(0.2)
    assert (found["worst_photo"], found["worst_class"]) == ("1.jpg", "a")


@pytest.mark.parametrize("n", [1, 2, 4])
def test_each_label_has_a_calibrated_probability_of_its_own_in_the_exported_network(n):
    import keras

    head = build_head(Head(output="sigmoid"), 12, n, 0)
    pixels = keras.Input((2, 2, 3))
    model = keras.Model(pixels, head(keras.layers.Flatten()(pixels) / 255.0))
    photos = np.random.default_rng(0).integers(0, 256, (6, 2, 2, 3), dtype=np.uint8)
    logits = np.asarray(model.predict_on_batch(photos.astype(np.float32)))
    said = np.asarray(answering(model, 3.0, several_labels=True).predict_on_batch(photos))
    assert said.shape == (6, n)
    assert said == pytest.approx(label_probabilities(logits, 3.0), abs=1e-6)


def test_labels_and_thresholds_travel_and_the_temperature_does_not():
    published = {"classes": ["a", "b"], "size": 32, "temperature": 2.0, "thresholds": [0.3, 0.6], "output": "sigmoid"}
    facts = facts_of_export(published, "onnx")
    assert facts["several_labels"]
    assert facts["thresholds"] == [0.3, 0.6]
    assert facts["output"] == "probabilities: calibrated, one a label, float32, (n, 2)"
    assert "temperature" not in facts
    assert "several_labels" not in facts_of_export({"classes": ["a", "b"], "size": 32, "output": "softmax"}, "onnx")


@pytest.mark.parametrize("export", EVERY, ids=lambda export: export.name)
def test_an_export_gives_every_judged_photo_the_labels_of_the_model(export, run):
    skip_without(export)
    loose = {"tolerance": 1.0} if export.precision == "int8" else {}  # of a random network, eight bits keep little
    export_model.main(run.arguments(export.name, **export.model_dump(exclude_defaults=True), **loose))
    [row] = read_table(run.folder / f"{export.name}.csv").to_dict("records")
    assert row["photos"] == JUDGED
    if export.precision == "float32":
        assert row["flipped"] == 0
        assert row["largest_difference"] < 1e-4
    facts = writing.facts_in(run.folder / export.name / writing.FILES[export.format])
    assert (facts["classes"], facts["thresholds"], facts["size"]) == (CLASSES, THRESHOLDS, SIZE)


def test_the_predictor_gives_the_labels_of_the_model_file(run):
    skip_without(Export(format="onnx"))
    if not (run.folder / "onnx").is_dir():
        export_model.main(run.arguments("onnx", format="onnx"))
    table = run.folder / "said.csv"
    command = [sys.executable, "-I", str(run.folder / "onnx" / "predict.py"), str(run.photos), "--csv", str(table)]
    done = subprocess.run([*command, "--threads", "1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    model, facts, _ = load_classifier(run.model)
    paths = sorted(str(path) for path in run.photos.iterdir())
    expected = list(classify(model, facts, paths))
    found = read_table(table)
    assert list(found.columns) == ["path", "predicted", *(f"probability_{name}" for name in CLASSES)]
    assert found["predicted"].tolist() == [verdict.label for verdict in expected]
    assert len({verdict.label for verdict in expected}) > 1  # else nothing was told apart
    said = found[[f"probability_{name}" for name in CLASSES]].to_numpy()
    assert said == pytest.approx(np.array([verdict.probabilities for verdict in expected]), abs=1e-5)
    words = [line.split("  ")[1] for line in done.stdout.splitlines()]
    close = [one == verdict.answer for one, verdict in zip(words, expected, strict=True)]
    assert np.mean(close) > 0.9  # a second digit may be rounded the other way


def model_of(**facts):
    """Return a model of the predictor's that holds facts alone."""
    model = object.__new__(predictor.Model)
    model.classes, model.facts = ["car", "tree"], facts
    return model


@pytest.mark.parametrize(
    ("chances", "words", "names"),
    [
        ([0.6, 0.9], "tree 0.90, car 0.60", "car|tree"),
        ([0.5, 0.29], "car 0.50", "car"),  # on the threshold itself it is given
        ([0.49, 0.1], "none", ""),
    ],
)
def test_the_predictor_names_the_labels_that_reach_their_threshold(chances, words, names):
    answer = predictor.labels_of(model_of(thresholds=[0.5, 0.3]), np.array(chances))
    assert (answer.words, answer.cells) == (words, [names, *chances])


@pytest.mark.parametrize("thresholds", [[0.25, 0.5], [0.75, 1.0], None])
def test_it_decides_labels_as_the_chain_does_also_on_the_threshold_itself(thresholds):
    steps = np.linspace(0, 1, 5)  # exact in binary, so they meet the thresholds
    rows = np.stack([steps, steps[::-1]], axis=1)
    expected = decide_labels(rows, thresholds or 0.5).tolist()
    assert [predictor.decide_labels(row, thresholds) for row in rows] == expected


def test_a_bundle_of_several_labels_shows_each_of_them(run, tmp_path):
    folder = tmp_path / "results" / "runs" / "mine"
    folder.mkdir(parents=True)
    shutil.copyfile(run.model, folder / "model.keras")
    matter = {"pipeline_tag": "image-classification", "tags": ["keras"]}
    (folder / "MODEL_CARD.md").write_text(f"---\n{yaml.safe_dump(matter)}---\n# mine\n")
    for name in ("evaluation.csv", "per_class.csv"):
        (folder / name).write_text("run\nmine\n")
    picture(0, 90, 60).save(tmp_path / "1.png")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(command.bundle, "check_card", lambda path, licence: True)
        patched.setattr(command.bundle, "copy_exports", lambda run, folder: pd.DataFrame([EXPORTED]))
        given = ["--run", "mine", "--results", str(tmp_path / "results"), "--license", "mit"]
        command.main([*given, "--share", str(tmp_path / "1.png")])
    text = (tmp_path / "results" / "bundles" / "mine" / "README.md").read_text()
    [example] = yaml.safe_load(text.split("---\n")[1])["widget"]
    assert [one["label"] for one in example["output"]] == CLASSES
    model, facts, _ = load_classifier(run.model)
    [verdict] = classify(model, facts, [str(tmp_path / "results/bundles/mine/examples/1.jpg")])
    assert f"(examples/1.jpg) {verdict.answer}\n" in text
    assert "| file | runtime | sets of labels right |" in text
    assert "labels and their thresholds in its metadata" in text
