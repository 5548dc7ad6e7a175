"""Exports: what they are asked for, what they say against the model, what travels in them, and when they fail."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import export_model
import join_exports
from exported_run import CLASSES, JUDGED, SIZE, make_run
from graft.config.backbone import NATIVE_SIZE, SMALLEST_SIZE, Backbone
from graft.config.base import parse
from graft.config.experiment import Experiment
from graft.config.export import FORMATS, PRECISIONS, Export, export_named
from graft.config.recipe import Head
from graft.errors import UserError
from graft.exporting import packages, proof, runtimes, writing
from graft.exporting.answering import answering, facts_of_export
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.network.preprocessing import mode_of
from graft.predicting.classify import classify, load_classifier
from graft.predicting.predictions import class_probabilities
from graft.storage.files import read_table, write_table
from made_runs import predictions_of
from places import ROOT

EVERY = [Export(format=name, precision=precision) for name in FORMATS for precision in PRECISIONS[name]]


def skip_without(export: Export) -> None:
    if lacking := packages.missing(export):
        pytest.skip(f"{', '.join(lacking)} not installed: make exports-setup")


pytestmark = pytest.mark.usefixtures("quick_exports")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made"))


# What is asked for.


def test_a_name_is_short_for_a_section():
    experiment = parse(Experiment, {"dataset": "a", "recipe": "b", "exports": ["onnx", {"format": "litert"}]}, "e")
    assert [export.name for export in experiment.exports] == ["onnx", "litert"]
    assert [export_named(export.name) for export in EVERY] == EVERY


@pytest.mark.parametrize(
    ("exports", "sentence"),
    [
        (["onx"], "e.exports.0.format is 'onx'; did you mean 'onnx'?"),
        (["onnx", "onnx"], "e.exports: onnx stands there twice; name each format and precision once"),
        (
            [{"format": "saved_model", "precision": "int8"}],
            "e.exports.0: precision is 'int8', but a saved_model is float32; leave it out",
        ),
        ([{"format": "onnx", "tolerance": 2}], "e.exports.0.tolerance is 2; input should be less than or equal to 1"),
    ],
)
def test_a_wrong_export_is_one_sentence(exports, sentence):
    with pytest.raises(UserError) as told:
        parse(Experiment, {"dataset": "a", "recipe": "b", "exports": exports}, "e")
    assert str(told.value) == sentence


def test_missing_packages_are_named_with_what_installs_them(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="litert of mine needs ai_edge_litert: run make exports-setup, or leave it out"):
        packages.check_installed(Export(format="litert"), "mine")
    assert packages.missing(Export(format="openvino", precision="int8")) == [
        "openvino",
        "onnxruntime",
        "onnx",
        "tf2onnx",
    ]


def test_the_conda_environment_of_exports_has_the_versions_of_the_locks():
    spec = importlib.util.spec_from_file_location("conda_from_lock", ROOT / "envs" / "conda_from_lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = ("requirements.txt", "requirements-exports.txt")
    locks = "\n".join((ROOT / "envs" / name).read_text() for name in names)
    assert (ROOT / "envs" / "exports.yaml").read_text() == module.environment(locks, " and ".join(names)), "make pins"


# What an export is held against.


def test_the_photos_that_prove_are_those_that_judged_the_published_model():
    rows = predictions_of([0, 1, 0, 1], [[0.9, 0.1]] * 4, fold=[0, 0, 0, 1], role=["val", "test", "test", "test"])
    rows = rows.assign(stage=["finetuned"] * 4)
    rows = pd.concat([rows, rows.assign(stage="head")])
    judged = proof.judged_photos(rows, "finetuned", 0)
    assert judged["path"].tolist() == ["1.jpg", "2.jpg"]  # of fold 0, and of the role that judges where there is a test
    assert set(judged["stage"]) == {"finetuned"}
    with pytest.raises(UserError, match="no photo that judged the head of fold 3"):
        proof.judged_photos(rows, "head", 3)


def test_ranges_are_measured_on_training_photos_of_every_class():
    split = pd.DataFrame({"path": list("abcdefgh"), "fold": 0, "role": ["train"] * 6 + ["val", "test"]})
    assert proof.calibration_rows(split, 0, 3) == ["a", "c", "f"]  # places 0, 2.5 and 5 of six, 2.5 rounded to even
    assert proof.calibration_rows(split, 0, 100) == list("abcdef")
    assert proof.calibration_rows(split, 1, 3) == []


def judged(probabilities: list[list[float]], labels: list[int]) -> pd.DataFrame:
    rows = predictions_of(labels, probabilities, sure=1)
    return rows.assign(calibrated_a=rows["probability_a"], calibrated_b=rows["probability_b"])


def test_flips_accuracy_and_the_worst_photo_are_counted():
    rows = judged([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], [0, 1, 1])  # a, a, b: two of three right
    said = np.array([[0.9, 0.1], [0.3, 0.7], [0.25, 0.75]])  # a, b, b: three of three
    found = proof.compared(rows, said, {"threshold": 0.5, "unsure_below": 0.0})
    assert (found["photos"], found["flipped"]) == (3, 1)
    assert found["accuracy"] == 1.0
    assert found["model_accuracy"] == pytest.approx(2 / 3)
    assert found["largest_difference"] == pytest.approx(0.3)
    assert (found["worst_photo"], found["worst_class"]) == ("1.jpg", "a")


def test_an_answer_that_is_no_longer_sure_has_flipped():
    rows = judged([[0.9, 0.1], [0.6, 0.4]], [0, 0])
    found = proof.compared(rows, np.array([[0.79, 0.21], [0.6, 0.4]]), {"threshold": 0.5, "unsure_below": 0.8})
    assert found["flipped"] == 2  # the first is unsure now; the second was called sure, and is not


def test_beyond_the_tolerance_the_worst_photo_is_named():
    rows = judged([[0.9, 0.1], [0.6, 0.4]], [0, 0])
    found = proof.compared(rows, np.array([[0.9, 0.1], [0.3, 0.7]]), {"threshold": 0.5})
    proof.check(found, Export(format="onnx", tolerance=0.31), "mine")
    with pytest.raises(
        UserError,
        match=r"export onnx of mine gives 1\.jpg a probability of a of 0\.3000, and the model 0\.6000: further apart"
        r" than the export's tolerance of 0\.001; 1 of 2 answers flipped",
    ):
        proof.check(found, Export(format="onnx"), "mine")


def test_no_number_at_all_is_beyond_any_tolerance():
    found = proof.compared(judged([[0.9, 0.1]], [0]), np.array([[np.nan, np.nan]]), {"threshold": 0.5})
    with pytest.raises(UserError, match=r"gives 0\.jpg"):
        proof.check(found, Export(format="onnx", precision="int8", tolerance=1), "mine")


def test_a_short_batch_is_filled_up_and_its_filling_is_no_answer():
    asked = []

    def ask(pixels):
        asked.append(len(pixels))
        return pixels[:, 0, 0, :1] / 255.0

    pixels = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    said = proof.answers(ask, pixels, np.arange(40)[::-1])
    assert asked == [32, 32]
    assert said[:, 0] == pytest.approx(np.arange(40)[::-1] / 255)


# What an export says.


@pytest.mark.parametrize(("output", "n"), [("logit", 2), ("softmax", 2), ("softmax", 5)])
def test_the_exported_network_gives_the_calibrated_probabilities_of_the_chain(output, n):
    backbone = build_backbone(Backbone(name="Pixels16", size=32))
    head = build_head(Head(output=output), backbone.output_shape[-1], n, 0)
    model = assemble(backbone, head, mode_of("Pixels16"), "avg")
    pixels = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    logits = np.asarray(model.predict_on_batch(pixels.astype(np.float32)))
    said = np.asarray(answering(model, 3.0).predict_on_batch(pixels))
    assert np.ptp(logits) > 0.01
    assert said == pytest.approx(class_probabilities(logits, 3.0), abs=1e-6)


def test_layers_that_converters_stumble_over_are_exported_too(tmp_path):
    export = Export(format="onnx")
    skip_without(export)
    import keras

    inner = keras.Input((8, 8, 3))
    normal = keras.layers.Normalization(mean=[100.0, 120.0, 140.0], variance=[900.0, 400.0, 100.0])(inner)
    mixed = keras.layers.Conv2D(6, 1)(normal)
    apart = keras.layers.Conv2D(6, 3, groups=6, padding="same", bias_initializer="normal")(mixed)  # as in ConvNeXt
    backbone = keras.Model(inner, keras.layers.GlobalAveragePooling2D()(keras.layers.Activation("gelu")(apart)))
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Dense(3)(backbone(pixels)))
    photos = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    expected = class_probabilities(np.asarray(model.predict_on_batch(photos.astype(np.float32))))
    facts = facts_of_export({"classes": ["a", "b", "c"], "size": 8}, "onnx")
    path = writing.write(answering(model, 1.0), export, facts, photos[:0], tmp_path)
    assert runtimes.opened(export, path, 1)(photos) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("export", EVERY, ids=lambda export: export.name)
def test_an_export_answers_every_judged_photo_as_the_model_does(export, run, tmp_path):
    skip_without(export)
    loose = {"tolerance": 1.0} if export.precision == "int8" else {}  # of a random network, eight bits keep little
    name = export.name
    settings = export.model_dump(exclude_defaults=True) | loose
    export_model.main(run.arguments(name, **settings))
    (tmp_path / "card.md").write_text("# made\n\n## How it was made\n")
    outputs = ["--output", str(tmp_path / "exports.csv"), "--output-card", str(tmp_path / "with.md")]
    join_exports.main(["--tables", str(run.folder / f"{name}.csv"), "--card", str(tmp_path / "card.md"), *outputs])
    assert f"| exports/{name} |" in (tmp_path / "with.md").read_text()
    [row] = read_table(tmp_path / "exports.csv").to_dict("records")
    assert (row["run"], row["export"], row["photos"], row["threads"]) == ("made", name, JUDGED, 1)
    if export.precision == "float32":
        assert row["flipped"] == 0
        assert row["accuracy"] == row["model_accuracy"]
        assert 0 < row["largest_difference"] < 1e-4
        assert row["unlike_flipped"] == 0
    assert row["calibration_photos"] == (12 if export.precision == "int8" else 0)
    assert all(row[f"{who}ms_batch_{n}"] > 0 for who in ("", "keras_") for n in (1, 32))
    assert "openvino_telemetry" not in sys.modules  # nobody is told of a conversion
    facts = writing.facts_in(run.folder / name / writing.FILES[export.format])
    assert (facts["classes"], facts["threshold"], facts["size"]) == (list(CLASSES), 0.4, SIZE)
    assert "temperature" not in facts  # it is inside, and must not be applied again
    assert json.loads((run.folder / name / "graft.json").read_text()) == facts
    beside = {path.name for path in (run.folder / name).iterdir()}
    assert {"predict.py", "requirements.txt"} <= beside if export.format == "onnx" else "predict.py" not in beside


@pytest.mark.parametrize("precision", ["float16", "int8"])
def test_less_precision_makes_a_smaller_file(precision, run):
    skip_without(Export(format="onnx"))
    sizes = {}
    for name, settings in (("onnx", {}), (f"onnx-{precision}", {"precision": precision, "tolerance": 1.0})):
        if not (run.folder / f"{name}.csv").exists():
            export_model.main(run.arguments(name, format="onnx", **settings))
        [sizes[name]] = read_table(run.folder / f"{name}.csv")["megabytes"]
    assert sizes[f"onnx-{precision}"] < {"float16": 0.6, "int8": 0.45}[precision] * sizes["onnx"]


def test_an_export_that_says_something_else_fails_and_the_older_one_stays(run, monkeypatch):
    older = run.folder / "saved_model-older"
    older.mkdir()
    (older / "note.txt").write_text("still here")
    monkeypatch.setattr(writing, "write", lambda *arguments: Path("nowhere"))
    monkeypatch.setattr(runtimes, "opened", lambda *arguments: lambda pixels: np.tile([0.5, 0.5], (len(pixels), 1)))
    with pytest.raises(UserError, match=r"gives \d\d\.png a probability of rural of 0\.5000, and the model "):
        export_model.main(run.arguments("saved_model-older", format="saved_model"))
    assert (older / "note.txt").read_text() == "still here"
    assert not (run.folder / "saved_model-older.csv").exists()
    assert not list(run.folder.glob(".part-*"))


def test_a_network_that_does_not_fit_a_format_is_one_sentence(run, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("no such operation:\n  Origami")

    monkeypatch.setitem(writing.WRITERS, "saved_model", fail)
    with pytest.raises(UserError, match="the export saved_model cannot be written: no such operation: Origami"):
        export_model.main(run.arguments("saved_model-odd", format="saved_model"))
    assert not (run.folder / "saved_model-odd").exists()


def test_ranges_without_training_photos_are_one_sentence(run, tmp_path):
    skip_without(Export(format="onnx", precision="int8"))
    split = read_table(run.folder / "split.csv")
    write_table(split.assign(role="val"), tmp_path / "split.csv")
    arguments = run.arguments("onnx-unmeasured", format="onnx", precision="int8")
    arguments[arguments.index("--split") + 1] = str(tmp_path / "split.csv")
    with pytest.raises(UserError, match="measures ranges on training photos; it has none"):
        export_model.main(arguments)


def test_a_file_that_its_runtime_refuses_is_one_sentence(tmp_path):
    skip_without(Export(format="onnx"))
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(UserError, match="the export onnx does not load in its own runtime: "):
        runtimes.opened(Export(format="onnx"), tmp_path / "model.onnx", 1)


# The predictor beside it.


@pytest.fixture(scope="module")
def exported(run) -> Path:
    """Return the folder of the ONNX export."""
    skip_without(Export(format="onnx"))
    if not (run.folder / "onnx").is_dir():
        export_model.main(run.arguments("onnx", format="onnx"))
    return run.folder / "onnx"


def assert_same_verdicts(run, exported: Path, python: str) -> None:
    """Compare what predict.py says of every photo with what `classify` says with model.keras."""
    table = exported.parent / "said.csv"
    command = [python, "-I", str(exported / "predict.py"), str(run.photos), "--csv", str(table), "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=exported.parent)
    assert done.returncode == 0, done.stderr
    model, facts, likeness = load_classifier(run.model)
    paths = sorted(str(path) for path in run.photos.iterdir())
    expected = list(classify(model, facts, paths, likeness=likeness))
    found = pd.read_csv(table)
    assert found["path"].tolist() == paths
    assert found["predicted"].tolist() == [verdict.label for verdict in expected]
    assert found["sure"].tolist() == [int(verdict.sure) for verdict in expected]
    said = found[[f"probability_{name}" for name in facts["classes"]]].to_numpy()
    assert said == pytest.approx(np.array([verdict.probabilities for verdict in expected]), abs=1e-5)
    assert found["unlike"].tolist() == [int(verdict.unlike) for verdict in expected]
    assert 0 < found["unlike"].mean() < 1  # else nothing was told apart
    assert found["distance"].tolist() == pytest.approx([verdict.distance for verdict in expected], abs=1e-4)
    lines = done.stdout.splitlines()
    assert len(lines) == len(paths)
    assert ["unlike the training photos" in line for line in lines] == found["unlike"].astype(bool).tolist()
    label, probability = lines[0].split("  ")[-2:]
    assert (label, float(probability)) == (expected[0].label, pytest.approx(expected[0].probability, abs=0.006))


def test_the_predictor_gives_the_verdict_of_the_model_file(run, exported):
    assert_same_verdicts(run, exported, sys.executable)


def test_a_bad_file_is_named_and_the_others_are_answered(run, exported, tmp_path):
    (tmp_path / "good.png").write_bytes((run.photos / "00.png").read_bytes())
    (tmp_path / "bad.jpg").write_text("hello")
    command = [sys.executable, str(exported / "predict.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "bad.jpg: no readable picture (UnidentifiedImageError)" in done.stderr
    assert done.stderr.splitlines()[-1] == "predict: 1 of 2 files could not be read"


def test_a_model_that_asks_for_what_this_predictor_lacks_is_one_sentence(exported, tmp_path, capsys):
    import onnx

    from graft.exporting import onnx_graph, predictor

    model = onnx.load(exported / "model.onnx")
    onnx_graph.write_facts(model, facts_of_export({"classes": ["a"], "size": 32, "pictures": {"fit": "fold"}}, "onnx"))
    onnx.save(model, tmp_path / "model.onnx")
    (tmp_path / "1.png").write_bytes(b"")
    assert predictor.main([str(tmp_path / "1.png"), "--model", str(tmp_path / "model.onnx")]) == 1
    assert "prepares photos in a way that this predict.py does not know (fold); take its own" in capsys.readouterr().err


@pytest.mark.slow
def test_the_predictor_runs_in_a_fresh_environment_of_three_pinned_packages(run, exported, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "fresh")], check=True)
    python = tmp_path / "fresh" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", exported / "requirements.txt"]
    done = subprocess.run(list(map(str, install)), capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip could not install the predictor's packages: {done.stderr.splitlines()[-1]}")
    listed = [python, "-c", "import importlib.util as u; print([n for n in ('tensorflow', 'keras') if u.find_spec(n)])"]
    assert subprocess.run(list(map(str, listed)), capture_output=True, text=True, check=True).stdout.strip() == "[]"
    assert_same_verdicts(run, exported, str(python))


# Every backbone.


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NATIVE_SIZE))
def test_every_backbone_exports_to_onnx_and_says_the_same(name, tmp_path):
    export = Export(format="onnx")
    skip_without(export)
    import keras

    size = max(SMALLEST_SIZE.get(name, 32), 64)
    backbone = build_backbone(Backbone(name=name, weights="none", size=size))
    model = assemble(backbone, build_head(Head(), backbone.output_shape[-1], 3, 0), mode_of(name), "avg")
    pixels = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    whole = answering(model, 1.0)
    facts = facts_of_export({"classes": ["a", "b", "c"], "size": size}, "onnx")
    path = writing.write(whole, export, facts, pixels[:0], tmp_path)
    said = runtimes.opened(export, path, 2)(pixels)
    apart = np.abs(said - np.asarray(whole.predict_on_batch(pixels))).max()
    print(f"{name} at {size} pixels: {path.stat().st_size / 1e6:.0f} MB, largest difference {apart:.1g}")
    assert apart < 1e-3
    keras.backend.clear_session()
