"""Photos unlike the training photos: the distance, the threshold and what sets it, and the file that carries both."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from classify import tell
from graft.config.backbone import Backbone
from graft.config.experiment import Choosing
from graft.config.recipe import Head
from graft.judging import strangers
from graft.network.assembly import assemble
from graft.network.backbones import build_backbone
from graft.network.features_of import with_features
from graft.network.head import build_head
from graft.network.model_file import copy_model, read_facts, save_model
from graft.predicting.classify import classify, load_classifier
from graft.predicting.likeness import MEMBER, of_length_1, read_likeness
from graft.predicting.predictions import predict_logits, predict_outputs
from graft.predicting.run_features import read_features, training_sample, write_features
from graft.predicting.verdicts import Verdict
from networks import lively

RNG = np.random.default_rng(0)


def cloud(n: int, centre: list[float], seed: int = 0) -> np.ndarray:
    """Return features around a direction, (n, 6)."""
    return np.array(centre) + np.random.default_rng(seed).normal(0, 0.1, (n, 6)) * [3, 1, 1, 1, 1, 1]


@pytest.fixture
def known():
    """Return features of two classes, 60 photos each, and their labels."""
    features = np.concatenate([cloud(60, [9, 9, 1, 1, 1, 1], 1), cloud(60, [1, 1, 9, 9, 1, 1], 2)])
    return features, np.repeat(["cat", "dog"], 60)


def test_the_distance_is_mahalanobis_of_features_of_length_1(known):
    features, labels = known
    z = of_length_1(features).astype(float)
    means = {name: z[labels == name].mean(axis=0) for name in ("cat", "dog")}
    residuals = z - np.stack([means[name] for name in labels])
    covariance = residuals.T @ residuals / len(z)
    from sklearn.covariance import ledoit_wolf_shrinkage

    share = ledoit_wolf_shrinkage(residuals, assume_centered=True)
    shrunk = (1 - share) * covariance + share * np.trace(covariance) / 6 * np.eye(6)
    asked = of_length_1(cloud(10, [5, 5, 5, 5, 1, 1], 3)).astype(float)
    inverse = np.linalg.inv(shrunk)
    exact = [min((one - mean) @ inverse @ (one - mean) for mean in means.values()) for one in asked]
    found = strangers.fit(features, labels).distances(asked)
    assert found == pytest.approx(np.array(exact) * np.linalg.eigvalsh(shrunk)[0], rel=0.01, abs=2e-4)  # half precision


def test_more_features_than_photos_and_a_constant_feature_are_no_trouble():
    features = np.concatenate([RNG.random((20, 300)), np.zeros((20, 1))], axis=1)
    likeness = strangers.fit(features, np.repeat(["a", "b"], 10))
    assert likeness.directions.shape == (301, 19)
    assert np.isfinite(likeness.distances(np.concatenate([features, np.zeros((1, 301))]))).all()


def table_of(n_trained: int, n_chose: int, n_judged: int) -> pd.DataFrame:
    n = n_trained + n_chose + n_judged
    roles = ["train"] * n_trained + ["inner"] * n_chose + ["val"] * n_judged
    chose = [int(role == "inner") for role in roles]
    return pd.DataFrame({"label": np.resize(["cat", "dog"], n), "group": range(n), "role": roles, "chose": chose})


def features_of(rows: pd.DataFrame) -> np.ndarray:
    dogs = (rows["label"] == "dog").to_numpy()[:, None]
    return np.where(dogs, cloud(len(rows), [1, 1, 9, 9, 1, 1], 5), cloud(len(rows), [9, 9, 1, 1, 1, 1], 4))


def test_photos_that_chose_set_the_threshold_and_those_that_judge_have_no_part_in_it():
    rows = table_of(60, 39, 30)
    features = features_of(rows)
    found = strangers.stranger_of(rows, features, "val", 0.05)
    assert (found.set_on, found.n) == (strangers.CHOSE, 39)
    distances = found.likeness.distances(features[60:99])
    assert found.threshold == np.sort(distances)[37]  # the 38th of 39: (39 + 1) x 0.95
    features[99:] = 0
    assert strangers.stranger_of(rows, features, "val", 0.05).threshold == found.threshold


def test_where_too_few_chose_training_photos_are_held_out_in_turn():
    rows = table_of(60, 10, 30)
    found = strangers.stranger_of(rows, features_of(rows), "val", 0.05)
    assert (found.set_on, found.n) == (strangers.HELD_OUT, 60)
    held = strangers.distances_held_out(features_of(rows)[:60], rows["label"][:60].to_numpy(str), np.arange(60))
    assert found.threshold == np.sort(held)[57]  # the 58th of 60: 61 x 0.95 = 57.95


def test_photos_that_chose_and_judge_set_nothing():
    rows = table_of(60, 0, 40).assign(chose=lambda table: (table["role"] == "val").astype(int))
    assert strangers.stranger_of(rows, features_of(rows), "val", 0.05).set_on == strangers.HELD_OUT


@pytest.mark.parametrize(("rows", "rate"), [(table_of(18, 0, 5), 0.05), (table_of(60, 0, 5), 0.0)])
def test_too_few_photos_or_a_rate_of_nought_tell_no_strangers(rows, rate):
    assert strangers.stranger_of(rows, features_of(rows), "val", rate) is None


def test_copies_of_a_photo_are_held_out_with_it():
    features = np.repeat(RNG.random((30, 40)), 2, axis=0)
    labels, pairs = np.resize(["a", "a", "b", "b"], 60), np.repeat(np.arange(30), 2)
    together = strangers.distances_held_out(features, labels, pairs)
    apart = strangers.distances_held_out(features, labels, np.arange(60))
    assert together.mean() > 1.2 * apart.mean()


def test_of_new_photos_of_the_same_kind_the_stated_share_is_called_unlike():
    alarms, n = 0, 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows, features = table_of(100, 0, 100), rng.normal(1, 0.3, (200, 8))
        found = strangers.stranger_of(rows, features, "val", 0.1)
        alarms, n = alarms + int((found.likeness.distances(features[100:]) > found.threshold).sum()), n + 100
    assert 0.07 < alarms / n < 0.12  # 0.1 of 2,000


def test_the_facts_say_how_many_judged_photos_were_called_unlike():
    found = strangers.Stranger(strangers.fit(*[np.eye(4), np.arange(4)]), 0.5, strangers.CHOSE, 39)
    facts = found.facts(0.05, pd.DataFrame({"group": range(4)}), np.array([0.1, 0.5, 0.6, 0.2]))
    assert facts["judged"] == {"photos": 4, "unlike": 1, "low": 0.0456, "high": 0.6994}  # Wilson of 1 in 4
    assert json.loads(json.dumps(facts)) == facts


# The features.


@pytest.mark.parametrize("pooling", ["avg", "avg+max", "flatten"])
def test_features_are_what_the_head_gets_and_logits_stay_as_they_are(pooling):
    backbone = lively(build_backbone(Backbone(name="MobileNet", alpha=0.25, weights="none", size=64)))
    width = {"avg": 256, "avg+max": 512, "flatten": 4 * 256}[pooling]
    model = assemble(backbone, build_head(Head(), width, 3, 0), "tf", pooling)
    pixels = RNG.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    logits, features = predict_outputs(with_features(model), pixels, np.arange(3), "test")
    assert np.array_equal(logits, predict_logits(model, pixels, np.arange(3), "test"))
    maps = backbone.predict(pixels / 127.5 - 1, verbose=0)
    expected = {"avg+max": np.hstack([maps.mean(axis=(1, 2)), maps.max(axis=(1, 2))])}.get(pooling, maps.mean((1, 2)))
    assert features == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_a_network_without_a_feature_map_has_features_too():
    backbone = build_backbone(Backbone(name="Pixels16", size=32))
    model = assemble(backbone, build_head(Head(), backbone.output_shape[-1], 2, 0), "none", "avg")
    assert with_features(model).output_shape == [(None, 2), (None, backbone.output_shape[-1])]


def test_few_training_photos_of_every_class_are_described():
    split = pd.DataFrame({"path": [f"{n}.jpg" for n in range(3000)], "label": np.repeat(list("abc"), 1000)})
    split = split.assign(fold=0, role="train", group=range(3000), inner=(np.arange(3000) % 2))
    sample = training_sample(split, 0, Choosing(on="inner"))
    assert len(sample) == 400
    assert set(sample["inner"]) == {0}
    assert sample["label"].value_counts().min() >= 130


def test_features_of_shards_are_joined_and_each_photo_is_there_once(tmp_path):
    rows = table_of(4, 2, 2).assign(path=[f"{n}.jpg" for n in range(8)])
    features = np.arange(16.0).reshape(8, 2)
    write_features(rows[:5], features[:5], tmp_path / "features-1-of-2.npz")
    write_features(rows[4:], features[4:], tmp_path / "features-2-of-2.npz")
    read, joined = read_features(sorted(tmp_path.glob("*.npz")))
    assert read["path"].tolist() == rows["path"].tolist()
    assert np.array_equal(joined, features)


# The model file.


@pytest.fixture(scope="module")
def carrying(tmp_path_factory):
    """Return a model file that takes dark photos for its own, and the folder of photos beside it."""
    folder = tmp_path_factory.mktemp("carrying")
    backbone = build_backbone(Backbone(name="Pixels16", size=32))
    head = build_head(Head(), backbone.output_shape[-1], 2, 0)
    facts = {"classes": ["left", "right"], "size": 32}
    save_model(assemble(backbone, head, "none", "avg"), facts, folder / "plain.keras")
    half = np.array([255, 255, 255, 255, 40, 40, 40, 40], np.uint8)
    for index in range(40):
        noise = RNG.integers(0, 40, (32, 32, 3), dtype=np.uint8)
        side = np.repeat(half if index % 2 else half[::-1], 4)[None, :, None] // 2
        Image.fromarray((noise + side).astype(np.uint8)).save(folder / f"{index:02}.png")
    Image.fromarray(np.tile(np.uint8([0, 255]), (32, 16, 3)).reshape(32, 32, 3)).save(folder / "stripes.png")
    model = with_features(keras.models.load_model(folder / "plain.keras"))
    pixels = np.stack([np.asarray(Image.open(folder / f"{index:02}.png")) for index in range(40)])
    _, features = predict_outputs(model, pixels, np.arange(40), "test")
    rows = table_of(40, 0, 0).assign(label=["left", "right"] * 20)
    found = strangers.stranger_of(rows, features, "val", 0.05)
    unlike = {"unlike": found.facts(0.05, rows[:0], np.zeros(0))}
    copy_model(folder / "plain.keras", unlike, folder / "model.keras", {MEMBER: found.likeness.to_bytes()})
    return folder


def test_a_model_file_carries_it_and_keras_still_loads_the_file(carrying):
    likeness = read_likeness(carrying / "model.keras")
    assert likeness.directions.dtype == likeness.slopes.dtype == np.float16
    assert read_facts(carrying / "model.keras")["unlike"]["rate"] == 0.05
    assert keras.models.load_model(carrying / "model.keras").output_shape == (None, 2)


def test_a_photo_unlike_the_training_photos_is_told_from_one_that_is_like_them(carrying, capsys):
    model, facts, likeness = load_classifier(carrying / "model.keras")
    paths = [str(carrying / "05.png"), str(carrying / "none.png"), str(carrying / "stripes.png")]
    like, missing, stripes = classify(model, facts, paths, likeness=likeness)
    assert (like.unlike, like.doubt) == (False, "")
    assert missing.fault == "no such file"
    assert stripes.unlike
    assert stripes.distance > facts["unlike"]["threshold"] > like.distance
    tell(stripes)
    told = capsys.readouterr().out.split("  ", 1)[1]
    assert told == f"unlike the training photos  {stripes.label}  {stripes.probability:.2f}\n"


def test_a_model_of_an_earlier_version_calls_nothing_unlike(carrying):
    model, facts, likeness = load_classifier(carrying / "plain.keras")
    assert likeness is None
    (verdict,) = classify(model, facts, [str(carrying / "stripes.png")])
    assert (verdict.distance, verdict.unlike) == (None, False)


def test_unlike_is_said_before_not_sure():
    assert Verdict("a.jpg", "urban", 0.5, sure=False, unlike=True).answer == "unlike the training photos (urban 0.50)"
