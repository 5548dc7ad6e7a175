"""A folder to give away: what is in it, what is not, and what the Hub reads of it."""

import json
import shutil

import pandas as pd
import pytest
import yaml
from photo_files import picture
from PIL import Image

import bundle as command
from graft.errors import UserError
from graft.machine import runtime
from graft.network.model_file import add_facts
from graft.reporting import bundle, exported, model_card
from graft.storage.files import read_json, read_table, sha256_of, write_table
from made_runs import EXPORTED, made_predictions, write_run


def card_of(run) -> str:
    tables = [read_table(run / f"{name}.csv") for name in ("evaluation", "per_class", "significance")]
    return model_card.card(read_json(run / "provenance.json"), *tables, read_json(run / "calibration.json"))


@pytest.fixture(autouse=True)
def started_already(monkeypatch):
    """Keep the threads that TensorFlow has in this process, since it takes no others once it has computed."""
    monkeypatch.setattr(runtime, "start", lambda seed, threads: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return results with a run `mine` that has a card and one export; its model is a stub."""
    results = tmp_path_factory.mktemp("made") / "results"
    run = write_run(results, "mine", {"head": made_predictions(20)})
    (run / "MODEL_CARD.md").write_text(card_of(run))
    add_facts(run / "model.keras", {"classes": ["rural", "urban"], "size": 32})  # and no network
    add_export(run)
    return results


@pytest.fixture
def results(made, tmp_path):
    """Return a copy of them that a test may change."""
    return shutil.copytree(made, tmp_path / "results")


def add_export(run) -> None:
    folder = run / "exports" / "onnx"
    folder.mkdir(parents=True)
    for name in ("model.onnx", "predict.py", "requirements.txt", ".snakemake_timestamp"):
        (folder / name).write_text(name)
    (folder / "graft.json").write_text(json.dumps({"model_sha256": sha256_of(run / "model.keras")}))
    write_table(pd.DataFrame([EXPORTED]), run / "exports.csv")


def bundled(results, *options: str):
    command.main(["--run", "mine", "--results", str(results), "--license", "cc-by-4.0", *options])
    return results / "bundles" / "mine"


def front_matter(folder) -> dict:
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


def test_model_exports_predictor_card_and_tables_are_in_it_and_nothing_else(results, capsys):
    folder = bundled(results)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    exports = {f"exports/onnx/{name}" for name in ("model.onnx", "predict.py", "requirements.txt", "graft.json")}
    assert files == {"model.keras", "README.md", "evaluation.csv", "per_class.csv", "exports.csv"} | exports
    assert (folder / "model.keras").read_bytes() == (results / "runs" / "mine" / "model.keras").read_bytes()
    assert not [name for name in files if b"private/7.jpg" in (folder / name).read_bytes()]  # the worst photo's name
    assert "9 files" in capsys.readouterr().out


def test_the_card_says_what_the_exports_cost(results):
    text = (bundled(results) / "README.md").read_text()
    assert "| exports/onnx | onnxruntime 1.32.0 | 0.950 | 1 of 20 | 0.0002 | 0.91 | 1.2 | 20.0 |" in text
    assert "| model.keras | Keras | 0.900 | | | 2.17 | 9.0 | 55.0 |" in text
    assert "milliseconds are of 2 threads" in text


def test_a_card_that_tells_of_the_exports_already_does_not_tell_twice(results):
    card = results / "runs" / "mine" / "MODEL_CARD.md"
    card.write_text(card.read_text() + "\n" + exported.section(pd.DataFrame([EXPORTED])))
    assert (bundled(results) / "README.md").read_text().count("## Exports") == 1


def test_the_hub_s_own_library_reads_the_card(results, capsys):
    hub = pytest.importorskip("huggingface_hub", reason="needs make exports-setup")
    card = hub.ModelCard.load(bundled(results) / "README.md")
    assert "read by the Hub's own library" in capsys.readouterr().out
    assert (card.data.license, card.data.pipeline_tag, card.data.library_name) == (
        "cc-by-4.0",
        "image-classification",
        "keras",
    )
    assert {"onnx", "keras", "image-classification"} <= set(card.data.tags)
    accuracy = next(found for found in card.data.eval_results if found.metric_type == "accuracy")
    assert accuracy.metric_value == pytest.approx(
        read_table(results / "runs/mine/evaluation.csv").accuracy.iloc[0], abs=1e-4
    )
    assert card.data.model_name == "mine"
    assert not hasattr(card.data, "datasets") or card.data.datasets is None  # no data set of the Hub's


def test_a_card_that_the_hub_cannot_read_is_one_sentence(tmp_path):
    pytest.importorskip("huggingface_hub", reason="needs make exports-setup")
    path = tmp_path / "README.md"
    path.write_text("---\nlicense: mit\nmodel-index: 3\n---\n")
    with pytest.raises(UserError, match=r"the Hub cannot read .*README\.md"):
        bundle.check_card(path, bundle.Licence("mit"))
    path.write_text("---\nlicense: mit\n---\n")
    with pytest.raises(UserError, match="would not show the license and pipeline_tag and model-index of"):
        bundle.check_card(path, bundle.Licence("cc-by-4.0"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "say under which licence the model may be used: make bundle RUN=name LICENSE=cc-by-4.0"),
        (("--license", "MIT"), "the licence 'MIT' is none of the Hub's; did you mean 'mit'?"),
        (
            ("--license", "our own terms"),
            "the licence 'our own terms' is none of the Hub's; take 'other', with --license-name and --license-link",
        ),
        (("--license", "other"), "the licence 'other' needs --license-name and --license-link too"),
    ],
)
def test_a_licence_that_is_missing_or_unknown_is_one_sentence(results, options, sentence):
    with pytest.raises(UserError) as told:
        command.main(["--run", "mine", "--results", str(results), *options])
    assert str(told.value) == sentence
    assert not (results / "bundles").exists()


def test_terms_of_one_s_own_have_a_name_and_a_link(results):
    folder = bundled(results, "--license", "other", "--license-name", "house-rules", "--license-link", "LICENSE.md")
    matter = front_matter(folder)
    assert (matter["license"], matter["license_name"], matter["license_link"]) == ("other", "house-rules", "LICENSE.md")


def test_a_run_that_is_not_there_is_one_sentence(results):
    with pytest.raises(UserError, match=r"runs/yours/model\.keras does not exist: name a run that was built"):
        command.main(["--run", "yours", "--results", str(results), "--license", "mit"])


def test_an_older_bundle_is_never_overwritten(results):
    folder = bundled(results)
    (folder / "README.md").write_text("my own words")
    with pytest.raises(UserError, match="bundles/mine is there already: move it away"):
        bundled(results)
    assert (folder / "README.md").read_text() == "my own words"


def test_an_export_of_another_model_is_refused_and_nothing_is_left(results):
    (results / "runs" / "mine" / "model.keras").write_text("a newer model")
    with pytest.raises(UserError, match="exports/onnx was made from another model than"):
        bundled(results)
    assert not list((results / "bundles").iterdir())


def test_an_export_that_is_gone_is_one_sentence(results):
    shutil.rmtree(results / "runs" / "mine" / "exports")
    with pytest.raises(
        UserError, match=r"exports/onnx does not exist, which exports\.csv names: run the workflow again"
    ):
        bundled(results)


def test_examples_are_pixels_alone_with_the_model_s_answer(results, tmp_path):
    from exported_run import make_run  # loads Keras, which no other test here needs

    network = make_run(tmp_path / "made")
    run = results / "runs" / "mine"
    shutil.copyfile(network.model, run / "model.keras")
    shutil.rmtree(run / "exports")
    (run / "exports.csv").unlink()
    exif = Image.Exif()
    exif[0x0112] = 6  # lying on its side
    exif.get_ifd(0x8825)[1] = "N"  # where it was taken
    photo = tmp_path / "grandmother at home.jpg"
    picture(0, 1600, 900).save(photo, exif=exif, comment="private")
    folder = bundled(results, "--share", str(photo))
    with Image.open(folder / "examples" / "1.jpg") as image:
        assert image.size == (576, 1024)  # upright, and no larger than it needs to be
        assert not image.getexif()
        assert "comment" not in image.info
    [example] = front_matter(folder)["widget"]
    assert example["src"] == "examples/1.jpg"
    assert sum(one["score"] for one in example["output"]) == pytest.approx(1, abs=1e-3)
    assert "grandmother" not in (folder / "README.md").read_text()


def test_an_example_that_cannot_be_read_is_one_sentence_and_nothing_is_left(results, tmp_path):
    (tmp_path / "bad.jpg").write_text("hello")
    for name, sentence in (("bad.jpg", r"cannot be read \(UnidentifiedImageError\)"), ("no.jpg", "does not exist")):
        with pytest.raises(UserError, match=f"the example photo .*{name} {sentence}"):
            bundled(results, "--share", str(tmp_path / name))
    assert not list((results / "bundles").iterdir())
