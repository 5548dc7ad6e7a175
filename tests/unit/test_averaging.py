"""Test-time views: the mean over the same views of every photo, in the tables and in the published model alike."""

import re

import numpy as np
import pytest
import yaml
from photo_files import photo

from graft.config.averaging import DRAWN, AveragedViews, averaged_views
from graft.config.backbone import Backbone
from graft.config.base import parse
from graft.config.experiment import EmbedSettings, ViewedSettings
from graft.config.keys import views_key
from graft.config.recipe import Augmentation, Head, Recipe
from graft.config.resolution import Job
from graft.config.slices import slice_of
from graft.errors import UserError
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.head import build_head
from graft.network.preprocessing import modes
from graft.predicting.averaging import averaged_outputs, is_cached, logits_from_cache
from graft.predicting.classify import classify
from graft.predicting.decoding import open_square
from graft.predicting.predictions import class_probabilities, predict_logits
from graft.reporting.model_card import of_views
from graft.training.augment import maps_of
from graft.training.viewed import embed_views
from places import ROOT

MIRRORED = AveragedViews(count=4, augmentation=Augmentation(horizontal_flip=True, shift=0.1), seed=0)


def job(override) -> Job:
    """Return the default job with an override of its recipe."""
    values = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    values["experiments"]["lesson"] |= {"override": override}
    return Job(values, ROOT / "config" / "recipes")


def test_the_logits_of_all_views_count_alike():
    answers = iter([[[1.0]], [[2.0]], [[3.0]], [[6.0]]])
    images = np.zeros((1, 8, 8, 3), np.float32)
    assert averaged_outputs(lambda _: np.array(next(answers)), images, MIRRORED)[0].tolist() == [[3.0]]


def test_without_views_the_model_is_asked_once_about_the_photo_as_it_is():
    asked = []
    images = np.ones((2, 8, 8, 3), np.float32)
    averaged_outputs(lambda given: asked.append(given) or np.zeros((2, 1)), images, None)
    assert len(asked) == 1
    assert asked[0] is images


def test_the_views_are_the_same_for_every_photo_and_come_from_the_seed():
    images = np.repeat(np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)), 3, axis=0).astype(np.float32)
    seen = []
    averaged_outputs(lambda given: seen.append(np.asarray(given)) or np.zeros((3, 1)), images, MIRRORED)
    assert len(seen) == 4
    assert all((one == one[0]).all() for one in seen)
    assert (seen[0] == images).all()
    assert len({one.tobytes() for one in seen}) == 4
    assert (maps_of(MIRRORED, 16) == maps_of(MIRRORED, 16)).all()
    assert (maps_of(MIRRORED, 16) != maps_of(MIRRORED.model_copy(update={"seed": 1}), 16)).any()


def test_a_number_is_short_for_a_section_and_takes_the_recipe_s_own_augmentation():
    own = Recipe(test_views=2, augmentation=Augmentation(rotation=5))
    assert averaged_views(own) == AveragedViews(count=2, augmentation=Augmentation(rotation=5), seed=0)
    assert averaged_views(Recipe(test_views=2)).augmentation == DRAWN
    other = Recipe(test_views={"count": 2, "augmentation": {"vertical_flip": True}}, augmentation=DRAWN)
    assert averaged_views(other).augmentation == Augmentation(vertical_flip=True)
    assert averaged_views(Recipe()) is None


@pytest.mark.parametrize("count", [0, 1, 101])
def test_one_view_is_no_average(count):
    with pytest.raises(UserError, match=rf"recipe.test_views.count is {count}; input should be"):
        parse(Recipe, {"test_views": count}, "recipe")


def test_what_is_not_asked_for_changes_no_setting_of_any_rule():
    plain, averaged = job({}), job({"test_views": 3})
    at = {"run": "lesson"}
    for part in ("head", "finetune", "predict", "unlabelled", "provenance"):
        assert "test_views" not in slice_of(plain, part, **at)
    for part in ("head", "finetune"):
        assert slice_of(plain, part, **at) == slice_of(averaged, part, **at)
    assert '"test_views":{"augmentation"' in slice_of(averaged, "predict", **at)


@pytest.mark.parametrize(
    ("more", "cached"),
    [({}, True), ({"preprocessing": "as_published"}, False), ({"frozen": {"precision": "bfloat16"}}, False)],
)
def test_features_of_views_are_cached_where_the_head_was_trained_on_what_it_predicts_from(more, cached):
    assert (job({"test_views": 3, **more}).run("lesson").viewed is not None) == cached
    assert job(more).run("lesson").viewed is None


def test_runs_of_several_seeds_share_the_features_of_views():
    one, other = (job({"test_views": 3}), job({"test_views": 3, "head": {"dropout": 0.5}}))
    key = views_key(one.run("lesson").viewed)
    assert key == views_key(other.run("lesson").viewed)
    assert one.viewed(key) == other.run("lesson").viewed
    with pytest.raises(UserError, match="no experiment has test-time views named 'x'"):
        one.viewed("x")


def test_logits_from_the_cache_are_those_of_the_whole_model(tmp_path):
    spec = Backbone(name="Rootstock", weights="none", size=32)
    backbone = build_backbone(spec)
    backbone.save_weights(tmp_path / "b.weights.h5")
    pixels = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    embedding = EmbedSettings(backbone=spec, pooling="avg", preprocessing="consistent", precision="float32", views=None)
    settings, rows = ViewedSettings(embedding=embedding, test_views=MIRRORED), np.arange(3, 40)
    shape = embed_views(settings, tmp_path / "b.weights.h5", tmp_path / "pixels.npy", rows, tmp_path / "views.npy")
    assert shape == (3, 40, backbone.output_shape[-1])
    viewed = np.load(tmp_path / "views.npy")
    assert is_cached(viewed, rows)
    assert not is_cached(viewed, np.arange(40))
    head = build_head(Head(output="softmax"), backbone.output_shape[-1], 2, seed=0)
    model = assemble(backbone, head, modes("Rootstock", "consistent")[1], "avg")
    found = logits_from_cache(model, predict_logits(model, pixels, rows, "test"), viewed, rows)
    assert np.allclose(found, predict_logits(model, pixels, rows, "test", MIRRORED), atol=1e-5)


def test_an_export_answers_from_one_view_and_is_refused():
    with pytest.raises(UserError, match="lesson has test_views, and an export answers from the photo as it is"):
        job({"test_views": 3}).export("lesson", "onnx")


@pytest.mark.parametrize(
    ("dataset", "override", "more", "sentence"),
    [
        ({}, {"test_views": 2}, {}, "test_views of tags is for one label a photo"),
        ({}, {}, {"evaluation": {"metrics": ["map_at_5"]}}, "evaluation.metrics is for one label a photo"),
        (
            {"ingest": {"policy": {"photo_without_row": "keep"}}},
            {},
            {},
            "datasets.tags keeps photos without a label to predict them, which is for one label a photo",
        ),
    ],
)
def test_what_is_for_one_label_a_photo_is_refused_of_several(dataset, override, more, sentence):
    source = {"folder": "photos", "labels": {"table": "tags.csv", "separator": " "}}
    experiment = {"dataset": "tags", "recipe": "probe", "override": {"head": {"output": "sigmoid"}, **override}}
    values = {
        "runs": ["tags"],
        "datasets": {"tags": {"source": source, **dataset}},
        "experiments": {"tags": experiment},
    }
    with pytest.raises(UserError, match=re.escape(sentence)):
        Job(values | more, ROOT / "config" / "recipes")


def test_a_new_photo_is_seen_as_those_that_judged(tmp_path):
    spec = Backbone(name="Rootstock", weights="none", size=32)
    backbone = build_backbone(spec)
    head = build_head(Head(output="softmax"), backbone.output_shape[-1], 2, seed=0)
    model = assemble(backbone, head, "tf", "avg")
    paths = []
    for seed in range(3):
        paths.append(str(tmp_path / f"{seed}.png"))
        (tmp_path / f"{seed}.png").write_bytes(photo(seed))
    facts = {"classes": ["a", "b"], "size": 32, "temperature": 1.5, "test_views": MIRRORED.model_dump(mode="json")}
    pixels = np.stack([open_square(path, 32) for path in paths])
    logits = predict_logits(model, pixels, np.arange(3), "test", MIRRORED)
    expected = class_probabilities(logits, 1.5)
    assert np.allclose([one.probabilities for one in classify(model, facts, paths)], expected, atol=1e-6)
    alone = class_probabilities(predict_logits(model, pixels, np.arange(3), "test"), 1.5)
    assert np.abs(expected - alone).max() > 1e-4


def test_the_card_says_how_predictions_are_averaged():
    assert "averaged over 4 views of each photo" in of_views(MIRRORED.model_dump())
    assert of_views(None) == ""
