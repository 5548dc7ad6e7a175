"""Temperature and threshold: right on cases worked by hand, and never fitted on the photos that they are judged by."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from graft.config.evaluation import Evaluation
from graft.judging import calibration
from graft.judging.outcomes import CALIBRATED
from made_runs import made_predictions, predictions_of

SETTINGS = Evaluation(threshold_photos=1)


def test_a_single_logit_of_always_2_that_is_right_three_times_in_four_is_cooled_to_its_accuracy():
    # n = 4: the targets of the true class are 5/6, so on average 3/4 * 5/6 + 1/4 * 1/6 = 2/3 for the answer.
    logits = np.tile([0.0, 2.0], (4, 1))
    temperature = calibration.fit_temperature(logits, np.array([1, 1, 1, 0]))
    assert expit(2.0 / temperature) == pytest.approx(2 / 3, abs=1e-6)


def test_photos_that_are_all_right_claim_no_more_than_the_rule_of_succession():
    logits = np.tile([3.0, 0.0], (20, 1))
    temperature = calibration.fit_temperature(logits, np.zeros(20, int))
    assert softmax(logits / temperature, axis=1)[0, 0] == pytest.approx(21 / 22, abs=1e-6)


class Known(ClassifierMixin, BaseEstimator):
    """A model whose inputs are its logits."""

    def fit(self, logits, labels):
        self.classes_ = np.unique(labels)
        return self

    def decision_function(self, logits):
        return logits

    def predict(self, logits):
        return logits.argmax(axis=1)


@pytest.mark.parametrize("n_classes", [3, 9])
def test_with_many_photos_the_temperature_is_scikit_learns(n_classes):
    rng = np.random.default_rng(0)
    labels = np.arange(3000) % n_classes
    logits = 3 * rng.normal(size=(3000, n_classes))
    logits[np.arange(3000), labels] += 3
    model = CalibratedClassifierCV(FrozenEstimator(Known().fit(logits, labels)), method="temperature", ensemble=False)
    theirs = 1 / model.fit(logits, labels).calibrated_classifiers_[0].calibrators[0].beta_
    assert calibration.fit_temperature(logits, labels) == pytest.approx(theirs, rel=0.01)


def test_a_saturated_probability_still_has_its_logit():
    table = predictions_of([1, 0], [[0.0, 1.0], [1.0, 0.0]]).assign(logit=[40.0, -60.0])
    assert calibration.logits_of(table).tolist() == [[0, 40], [0, -60]]


def test_logs_of_probabilities_serve_where_there_is_no_logit():
    chances = np.array([[0.7, 0.2, 0.1]])
    table = predictions_of([0], chances.tolist(), ("a", "b", "c"))
    assert softmax(calibration.logits_of(table), axis=1) == pytest.approx(chances)


@pytest.mark.parametrize(
    ("rule", "positive", "chance", "threshold"),
    [
        ("accuracy", [0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], 0.25),  # the gap 0.2 to 0.3 is perfect
        ("accuracy", [0, 1], [0.4, 0.6], 0.5),  # 0.5 lies in the gap
        ("accuracy", [0, 1], [0.5, 0.9], 0.7),  # a photo at 0.5 would be answered 1: the gap is above it
        ("accuracy", [0, 1], [0.1, 0.5], 0.5),  # and at 0.5 the answer is 1
        ("half", [0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9], 0.5),
        ("accuracy", [1, 0], [0.3, 0.3], 0.5),  # a tie that no threshold can part: nothing beats 0.5
        ("balanced_accuracy", [1, 1], [0.3, 0.9], 0.5),  # one class
        ("balanced_accuracy", [0, 0], [0.3, 0.9], 0.5),
        # One positive at 0.4 among negatives at 0.3, 0.6, 0.7: it is found at recall 1 for 2 of 3 alarms (2/3),
        # answering nothing gives 1/2.
        ("balanced_accuracy", [0, 1, 0, 0], [0.3, 0.4, 0.6, 0.7], 0.35),
        # From 0.7 up: half of the positives for no alarm (3/4); both positives cost all four alarms (1/2).
        ("balanced_accuracy", [1, 0, 0, 0, 0, 1], [0.3, 0.35, 0.4, 0.5, 0.6, 0.8], 0.7),
        ("accuracy", [0, 1, 0, 0], [0.3, 0.4, 0.6, 0.7], 0.85),  # answering nothing is right 3 times in 4
        # F1 of answering from 0.4 up: 2 * 1 / (3 + 1) = 0.5; from 0.3 up: 2 / 5.
        ("f1", [0, 1, 0, 0], [0.3, 0.4, 0.6, 0.7], 0.35),
    ],
)
def test_the_threshold_makes_its_rule_largest(rule, positive, chance, threshold):
    found = calibration.choose_threshold(np.array(positive, bool), np.array(chance), rule)
    assert found == pytest.approx(threshold)


def test_the_threshold_is_as_good_as_any_other():
    rng = np.random.default_rng(3)
    for _ in range(50):
        positive, chance = rng.random(15) < 0.4, np.round(rng.random(15), 1)
        if positive.all() or not positive.any():
            continue
        found = calibration.choose_threshold(positive, chance, "accuracy")
        best = max(np.mean((chance >= level) == positive) for level in np.linspace(0, 1.05, 211))
        assert np.mean((chance >= found) == positive) == pytest.approx(best)


@pytest.mark.parametrize(("photos", "chosen"), [(10, True), (11, False)])
def test_too_few_photos_of_a_class_choose_no_threshold(photos, chosen):
    # Ten photos of each class, and a threshold of 0.25 that parts them.
    table = predictions_of([0, 1] * 10, [[0.9, 0.1], [0.6, 0.4]] * 10)
    found = calibration.fit(table, Evaluation(threshold_photos=photos), "").threshold
    assert (found != 0.5) == chosen


def changed(table: pd.DataFrame, row: int) -> pd.DataFrame:
    """Return the table with another truth for one photo."""
    table = table.copy()
    table.loc[row, "label"] = "urban" if table.loc[row, "label"] == "rural" else "rural"
    return table


def calibrate(table: pd.DataFrame) -> pd.DataFrame:
    return calibration.calibrate(table, SETTINGS)[0]


def calibrated_columns(table: pd.DataFrame) -> np.ndarray:
    return table[[name for name in table if name.startswith(CALIBRATED)]].to_numpy()


def chosen_and_judged(role: str, judging: str) -> pd.DataFrame:
    """Return 30 photos that chose and 30 that judge."""
    chose = made_predictions(30, role=role, skill=1, seed=3, chose=True)
    return pd.concat([chose, made_predictions(30, role=judging, skill=1, seed=4)], ignore_index=True)


@pytest.mark.parametrize(("role", "judging"), [("val", "test"), ("inner", "val")])
def test_the_photos_that_chose_calibrate_those_that_judge(role, judging):
    table = chosen_and_judged(role, judging)
    found, calibrators = calibration.calibrate(table, SETTINGS)
    expected = calibration.fit(table[table["role"] == role], SETTINGS, calibration.SOURCES[role])
    assert expected.temperature != 1
    assert calibrators == {"0": expected}
    assert set(found["temperature"]) == {expected.temperature}
    assert set(found["threshold"]) == {expected.threshold}
    assert set(found["fitted_on"]) == {calibration.SOURCES[role]}


@pytest.mark.parametrize("row", [30, 45, 59])
def test_no_judging_label_has_a_part_in_any_calibration(row):
    table = chosen_and_judged("inner", "val")
    before, after = calibrate(table), calibrate(changed(table, row))
    assert np.array_equal(calibrated_columns(before), calibrated_columns(after))
    assert before["predicted"].tolist() == after["predicted"].tolist()


def k_fold() -> pd.DataFrame:
    tables = [
        made_predictions(18, fold=fold, role=role, skill=1, photos=[f"{fold}-{role}-{index}" for index in range(18)])
        for fold in range(5)
        for role in ("inner", "val")
    ]
    return pd.concat(tables, ignore_index=True)


def test_each_fold_is_calibrated_by_its_own_inner_part():
    table = k_fold()
    _, calibrators = calibration.calibrate(table, SETTINGS)
    for fold in range(5):
        inner = table[(table["fold"] == fold) & (table["role"] == "inner")]
        assert calibrators[str(fold)] == calibration.fit(inner, SETTINGS, calibration.SOURCES["inner"])
    assert len({one.temperature for one in calibrators.values()}) == 5


def test_where_no_photos_chose_probabilities_stay_as_they_are_and_the_likeliest_class_answers():
    table = made_predictions(20, skill=1)
    found, calibrators = calibration.calibrate(table, SETTINGS)
    assert calibrators == {"0": calibration.Calibrator(1.0, 0.5, calibration.NOTHING, 0)}
    assert calibrated_columns(found) == pytest.approx(table[["probability_rural", "probability_urban"]].to_numpy())
    assert found["predicted"].tolist() == table["predicted"].tolist()


def test_the_answer_is_that_of_the_threshold_and_of_a_sureness():
    # The photos that chose show that b starts at 0.3, or a temperature's version of it: 0.4 of b answers b.
    chose = predictions_of([0, 1] * 10, [[0.9, 0.1], [0.6, 0.4]] * 10, role="inner", chose=1)
    table = pd.concat([chose, predictions_of([1], [[0.6, 0.4]], role="val")], ignore_index=True)
    settings = Evaluation(threshold_photos=10, unsure_below=0.5, threshold="accuracy")
    found = calibration.calibrate(table, settings)[0].iloc[-1]
    assert found["predicted"] == "b"
    assert found["calibrated_b"] < 0.5  # as long as it is below, the largest probability would answer a
    assert found["sure"] == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_photos_is_calibrated_without_error(n):
    found = calibrate(made_predictions(n, role="inner"))
    assert len(found) == n
    assert calibrated_columns(found).sum(axis=1) == pytest.approx(np.ones(n))


def test_one_photo_is_too_few_to_choose():
    table = predictions_of([1], [[0.2, 0.8]], role="inner", chose=1)
    found = calibrate(table)
    assert calibrated_columns(found)[0] == pytest.approx([0.2, 0.8])
    assert found["fitted_on"].tolist() == [calibration.TOO_FEW]


def test_calibration_keeps_rows_and_their_order():
    table = k_fold().sample(frac=1, random_state=0)
    found = calibrate(table)
    assert list(found.index) == list(table.index)
    assert list(found["path"]) == list(table["path"])


def test_temperature_never_changes_which_class_is_most_likely():
    table = made_predictions(90, classes=tuple("abcdefghi"), skill=1)
    found = calibrated_columns(calibrate(table))
    raw = table[[name for name in table if name.startswith("probability_")]].to_numpy()
    assert np.array_equal(found.argmax(axis=1), raw.argmax(axis=1))


def test_an_overconfident_model_is_cooled_and_its_log_loss_falls():
    table = pd.concat(
        [made_predictions(400, role=role, skill=1, seed=2) for role in ("inner", "val")], ignore_index=True
    )
    hot = softmax(4 * np.log(table[["probability_rural", "probability_urban"]].to_numpy()), axis=1)
    table[["probability_rural", "probability_urban"]] = hot
    found = calibrate(table)
    assert found["temperature"].min() > 2
    truth = (table["label"] == "urban").astype(int).to_numpy()
    rows = np.arange(len(table))
    assert -np.log(calibrated_columns(found)[rows, truth]).mean() < -np.log(hot[rows, truth]).mean()


def test_hundreds_of_classes_raise_no_warning(recwarn):
    found = calibrate(made_predictions(400, tuple(f"species {index}" for index in range(200)), role="inner"))
    assert calibrated_columns(found).shape == (400, 200)
    assert not recwarn.list


def test_more_than_two_classes_have_no_threshold():
    table = made_predictions(30, classes=("a", "b", "c"))
    assert calibration.fit(table, SETTINGS, "").threshold is None
    assert math.isnan(calibrate(table)["threshold"].iloc[0])
