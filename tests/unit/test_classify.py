"""New photos: the same probabilities as the chain's, whatever the batch, and broken files said and skipped."""

import csv
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from photo_files import huge_png
from PIL import Image

from classify import tell
from graft.config.backbone import Backbone
from graft.config.recipe import Head
from graft.data.pixels import square
from graft.errors import UserError
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.network.model_file import save_model
from graft.predicting.classify import annotate, classify, find_photos
from graft.predicting.decision import decide
from graft.predicting.decoding import open_square
from graft.predicting.predictions import class_probabilities, predict_logits
from graft.predicting.verdicts import Verdict
from graft.storage.files import sha256_of
from networks import lively
from places import ROOT

FACTS = {"classes": ["rural", "urban"], "size": 32, "temperature": 2.0, "threshold": 0.5}


@pytest.fixture(scope="module")
def model() -> keras.Model:
    backbone = lively(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=32)))
    head = build_head(Head(output="logit"), 256, 2, 0)
    head.get_layer("logits").set_weights([np.random.default_rng(0).normal(0, 1, (256, 1)), np.zeros(1)])
    return assemble(backbone, head, "tf", "avg")


@pytest.fixture
def photos(tmp_path):
    """Return a folder of eleven photos of several sizes."""
    rng = np.random.default_rng(0)
    for index in range(11):
        Image.fromarray(rng.integers(0, 256, (40 + index, 60, 3), dtype=np.uint8)).save(tmp_path / f"{index:02}.png")
    return tmp_path


def test_new_photos_get_the_probabilities_of_the_chain(model, photos):
    paths = sorted(str(path) for path in photos.glob("*.png"))
    pixels = np.stack([square(path, sha256_of(path), 32) for path in paths])
    expected = class_probabilities(predict_logits(model, pixels, np.arange(11), "test"), temperature=2.0)
    found = [verdict.probabilities for verdict in classify(model, FACTS, paths)]
    assert np.ptp(expected[:, 1]) > 1e-3  # else equal probabilities would show nothing
    assert np.allclose(found, expected, atol=1e-5)


def test_a_broken_file_is_named_and_the_others_are_judged(model, photos):
    (photos / "bad.jpg").write_text("hello")
    paths = [str(photos / "00.png"), str(photos / "bad.jpg"), str(photos / "no.jpg"), str(photos / "01.png")]
    verdicts = list(classify(model, FACTS, paths))
    assert [bool(verdict.fault) for verdict in verdicts] == [False, True, True, False]
    assert verdicts[1].fault == "no readable picture (UnidentifiedImageError)"
    assert verdicts[2].fault == "no such file"


@pytest.mark.parametrize(("threshold", "answer"), [(None, 0), (0.5, 0), (0.3, 1), (0.4, 1)])
def test_the_threshold_decides_between_two_classes(threshold, answer):
    answers, _ = decide(np.array([[0.6, 0.4]]), threshold)
    assert answers.tolist() == [answer]


@pytest.mark.parametrize(("bound", "sure"), [(0.0, True), (0.4, True), (0.41, False)])
def test_an_answer_is_sure_by_its_own_probability_not_by_the_largest(bound, sure):
    assert decide(np.array([[0.6, 0.4]]), 0.3, bound)[1].tolist() == [sure]


def test_the_printed_probability_is_that_of_the_answer_and_an_unsure_answer_says_so(model, photos, capsys):
    facts = FACTS | {"threshold": 0.0, "unsure_below": 1.0}  # answers urban always, and is never sure
    verdict = next(classify(model, facts, [str(photos / "00.png")]))
    assert verdict.label == "urban"
    assert verdict.probability == verdict.probabilities[1]
    tell(verdict)
    assert capsys.readouterr().out.split("  ", 1)[1] == f"not sure  urban  {verdict.probabilities[1]:.2f}\n"


def test_a_picture_of_too_many_pixels_is_a_fault_of_its_own(photos):
    (photos / "bomb.png").write_bytes(huge_png(60_000, 60_000))
    assert open_square(str(photos / "bomb.png"), 32) == "3,600,000,000 pixels, more than the 178,956,970 that are read"


def test_folders_patterns_and_pipes_stand_for_photos(photos, monkeypatch):
    (photos / "notes.txt").write_text("no photo")
    (photos / "deep").mkdir()
    Image.new("RGB", (20, 20)).save(photos / "deep" / "x.jpeg")
    assert len(find_photos([str(photos)])) == 12
    assert [path[-6:] for path in find_photos([str(photos / "0[12].png")])] == ["01.png", "02.png"]
    monkeypatch.setattr("sys.stdin", ["a b.jpg\n", "\n", "c.jpg\n"])
    assert find_photos(["-"]) == ["a b.jpg", "c.jpg"]
    with pytest.raises(UserError, match="no file matches"):
        find_photos([str(photos / "*.webp")])


def test_annotated_copies_never_overwrite_each_other(photos):
    taken: set[str] = set()
    verdict = Verdict(str(photos / "00.png"), "urban", 0.9, True, (0.1, 0.9))
    written = {annotate(verdict, photos / "out", taken) for _ in range(3)}
    assert len(written) == 3
    with Image.open(written.pop()) as image:
        assert image.width == 60
        assert image.height > 40


def test_the_command_needs_the_model_file_alone(model, photos, tmp_path):
    save_model(model, FACTS, tmp_path / "model.keras")
    (photos / "bad.jpg").write_text("hello")
    command = [sys.executable, str(ROOT / "workflow/commands/classify.py"), str(tmp_path / "model.keras"), str(photos)]
    command += ["--csv", str(tmp_path / "t.csv"), "--json", str(tmp_path / "t.json"), "--threads", "1"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) == 11
    path, label, probability = lines[0].rsplit("  ", 2)
    assert path.endswith("00.png")
    assert label in FACTS["classes"]
    assert 0.5 <= float(probability) <= 1
    said = [line for line in done.stderr.splitlines() if "bad.jpg" in line or line.startswith("graft")]
    assert said[-1] == "graft: 1 of 12 files could not be read"
    with open(tmp_path / "t.csv", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == 11
    assert abs(float(table[0]["probability_rural"]) + float(table[0]["probability_urban"]) - 1) < 1e-6
    assert sum("fault" in row for row in json.loads((tmp_path / "t.json").read_text())) == 1


def test_a_model_that_is_none_is_one_line(photos):
    command = [sys.executable, str(ROOT / "workflow/commands/classify.py"), str(photos / "00.png"), str(photos)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("graft: ")
    assert done.stderr.count("\n") == 1
