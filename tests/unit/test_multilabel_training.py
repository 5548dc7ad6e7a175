"""Training of several labels a photo: the loss, its weights, the probe of each label, and its own thresholds."""

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from graft.config.backbone import Backbone
from graft.config.experiment import Choosing, HeadSettings
from graft.config.recipe import FrozenPhase, Head
from graft.errors import UserError
from graft.training import label_calibration
from graft.training.frozen import train_head
from graft.training.label_probe import fit_label_probes
from graft.training.roles import Roles
from graft.training.several import LabelLoss, label_weights
from graft.training.thresholds import RULES

CLASSES = ["car", "tree", "water"]
ONES = (np.ones(3, np.float32), np.ones(3, np.float32))


def drawn(n=120, seed=0, noise=0.7):
    """Return features (1, n, 6) and labels (n, 3): each label is a direction, with noise, of shares near a half."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 6)).astype(np.float32)
    scores = features[:, :3] + noise * rng.normal(size=(n, 3)) + [0.0, 0.5, -0.8]
    return features[None], (scores > 0).astype(np.float32)


def test_the_loss_without_weights_is_keras_s_mean_over_the_labels():
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(5, 3)).astype(np.float32), (rng.random((5, 3)) < 0.5).astype(np.float32)
    for smoothing in (0.0, 0.1):
        own = LabelLoss(*ONES, smoothing)(truth, logits)
        theirs = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing)(truth, logits)
        assert float(own) == pytest.approx(float(theirs), rel=1e-5)


def test_a_weight_weighs_the_side_of_the_label_that_it_is_for():
    present, absent = np.array([3.0], np.float32), np.array([0.5], np.float32)
    losses = [float(LabelLoss(present, absent)([[truth]], [[0.0]])) for truth in (1.0, 0.0)]
    assert losses == pytest.approx([3 * np.log(2), 0.5 * np.log(2)])


def test_balanced_weights_give_both_sides_of_a_label_the_same_weight_together():
    truth = np.array([[1, 1, 0]] * 2 + [[0, 1, 0]] * 5 + [[0, 0, 1]] * 1)
    present, absent = label_weights(truth, CLASSES, "balanced")
    assert (present * truth.sum(0)).tolist() == pytest.approx([4, 4, 4])  # half of 8 photos
    assert (absent * (8 - truth.sum(0))).tolist() == pytest.approx([4, 4, 4])
    given = label_weights(truth, CLASSES, {"water": 2.0})
    assert given[0].tolist() == given[1].tolist() == [1, 1, 2]
    with pytest.raises(UserError, match="class_weights has 'waters', which is no label; did you mean 'water'"):
        label_weights(truth, CLASSES, {"waters": 2.0})


def test_a_probe_is_scikit_learns_regression_of_each_label():
    views, truth = drawn()
    probe = fit_label_probes(views, truth, ONES, seed=0)
    standard = StandardScaler().fit_transform(views[0])
    logits = views[0] @ probe.kernel + probe.bias
    for label in range(3):
        regressions = [LogisticRegression(C=strength, max_iter=5000) for strength in np.logspace(-5, 2, 15)]
        fitted = [one.fit(standard, truth[:, label]).decision_function(standard) for one in regressions]
        nearest = min(np.abs(one - logits[:, label]).max() for one in fitted)
        assert nearest < 1e-2
    assert 0 < probe.log_loss < np.log(2)
    assert probe.mistakes == int(((probe.out_of_fold >= 0.5) != (truth > 0)).any(1).sum())


def test_probabilities_out_of_fold_know_nothing_of_the_photo_or_of_its_group():
    """Copies in one group: features of pure noise, by which a regression that saw a copy would know the label."""
    rng = np.random.default_rng(0)
    features, truth = rng.normal(size=(40, 60)), (rng.random((40, 1)) < 0.5).astype(np.float32)
    views, twice, groups = (
        np.repeat(features, 2, axis=0)[None],
        np.repeat(truth, 2, axis=0),
        np.repeat(np.arange(40), 2),
    )
    sides = (np.ones(1), np.ones(1))
    together = fit_label_probes(views, twice, sides, seed=0, groups=groups)
    apart = fit_label_probes(views, twice, sides, seed=0)
    assert together.log_loss > 0.6
    assert apart.log_loss < 0.3


def test_a_label_that_all_training_photos_have_is_answered_with_its_frequency():
    views, truth = drawn(30)
    truth[:, 1] = 1
    probe = fit_label_probes(views, truth, ONES, seed=0)
    assert expit(views[0] @ probe.kernel + probe.bias)[:, 1].tolist() == pytest.approx([31 / 32] * 30, rel=1e-4)


def test_thresholds_and_temperature_come_from_cross_validation_for_every_rule():
    views, truth = drawn(200)
    found = label_calibration.cross_validated(fit_label_probes(views, truth, ONES, seed=0).out_of_fold, truth)
    assert set(found["thresholds"]) == set(RULES)
    assert all(0 < one < 1 for thresholds in found["thresholds"].values() for one in thresholds)
    assert found["photos"] == 200
    assert found["fewer"] == np.minimum(truth.sum(0), 200 - truth.sum(0)).tolist()
    assert 0.3 < found["temperature"] < 3


def test_a_temperature_makes_up_for_logits_that_are_too_large():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 2)) * 2
    truth = rng.random(logits.shape) < expit(logits)
    assert label_calibration.fit_temperature(logits, truth) == pytest.approx(1.0, abs=0.1)
    assert label_calibration.fit_temperature(3 * logits, truth) == pytest.approx(3.0, abs=0.3)


def test_a_threshold_needs_enough_photos_on_both_sides():
    chances, truth = np.array([[0.1], [0.2], [0.3], [0.4]]), np.array([[False], [False], [True], [True]])
    assert label_calibration.fit_thresholds(chances, truth, "f1", fewest=2) == pytest.approx([0.25])
    assert label_calibration.fit_thresholds(chances, truth, "f1", fewest=3) == [0.5]
    assert label_calibration.fit_thresholds(chances, truth, "half", fewest=2) == [0.5]


def roles_of(truth):
    """Return the roles of photos of which every fourth validates."""
    names = ["|".join(np.array(CLASSES)[row > 0]) for row in truth]
    split = pd.DataFrame(
        {
            "path": [str(number) for number in range(len(truth))],
            "labels": names,
            "fold": 0,
            "role": ["val" if number % 4 == 3 else "train" for number in range(len(truth))],
            "group": range(len(truth)),
            "inner": [int(number % 4 == 2) for number in range(len(truth))],
        }
    )
    return Roles.of_fold(split, 0, split["path"].tolist(), CLASSES, Choosing(chooses=True))


@pytest.mark.parametrize("method", ["probe", "gradient"])
def test_a_head_of_several_labels_learns_each_of_them(method, tmp_path):
    views, truth = drawn(400, noise=0.2)
    roles = roles_of(truth)
    assert roles.several
    assert (len(roles.train), len(roles.choose)) == (200, 100)
    settings = HeadSettings(
        backbone=Backbone(name="Rootstock", weights="none", size=32),
        preprocessing="consistent",
        head=Head(output="sigmoid"),
        class_weights="balanced",
        frozen=FrozenPhase(method=method, epochs=30, batch_size=16, optimizer={"learning_rate": 0.02}),
        seed=0,
    )
    head, history, remembered = train_head(settings, views, roles, "test", tmp_path / "state")
    judged = truth[3::4] > 0
    assert head.output_shape == (None, 3)
    assert (((head.predict(views[0, 3::4], verbose=0) >= 0) == judged).mean(0) > 0.85).all()
    assert history["val_accuracy"].iloc[-1] > 0.85
    assert ("cross_validated" in remembered) == (method == "probe")
