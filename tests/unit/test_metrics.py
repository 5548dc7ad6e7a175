"""Metrics against computations that a reader can follow, on small cases, ties and empty classes included."""

import math

import numpy as np
import pytest

from graft.judging import metrics
from graft.judging.outcomes import Outcomes, indices, outcomes_of
from made_runs import predictions_of


def one_hot(answers: list[int], n_classes: int) -> np.ndarray:
    """Return probabilities of a model that is certain of its answers."""
    return np.eye(n_classes)[answers]


def wilson(correct: float, n: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's interval by the formula of his paper."""
    share = correct / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


@pytest.mark.parametrize(("correct", "n"), [(19, 20), (0, 1), (1, 1), (5, 10), (90, 92), (2.5, 4), (4000, 4000)])
def test_accuracy_interval_is_wilsons_formula(correct, n):
    low, high = wilson(correct, n)
    assert metrics.accuracy_interval(correct, n) == pytest.approx((max(low, 0), min(high, 1)), abs=1e-12)


def test_groups_of_one_photo_have_wilsons_interval():
    correct = np.repeat([1.0, 0.0], [17, 3])
    assert metrics.grouped_interval(correct, np.arange(20)) == metrics.accuracy_interval(17, 20)


def test_ten_alike_photos_of_each_scene_tell_no_more_than_one():
    scenes = np.repeat([1.0, 0.0], [7, 3])
    low, high = metrics.grouped_interval(np.repeat(scenes, 10), np.repeat(np.arange(10), 10))
    alone_low, alone_high = metrics.accuracy_interval(7, 10)
    assert low < alone_low < alone_high < high  # a little wider: ten groups tell their own variance badly
    assert high - low < 1.35 * (alone_high - alone_low)


def test_where_all_are_right_a_group_counts_as_one_photo():
    assert metrics.grouped_interval(np.ones(30), np.repeat(np.arange(10), 3)) == metrics.accuracy_interval(10, 10)


def test_one_group_tells_nothing_of_others():
    assert metrics.grouped_interval(np.array([1.0, 1.0, 0.0]), np.zeros(3, int)) == (0.0, 1.0)


def test_an_accuracy_of_all_or_none_stays_within_0_and_1():
    assert metrics.accuracy_interval(7, 7)[1] == 1.0
    assert metrics.accuracy_interval(0, 7)[0] == 0.0


def test_a_wider_confidence_gives_a_wider_interval():
    low, high = metrics.accuracy_interval(15, 20, 0.99)
    narrow = metrics.accuracy_interval(15, 20, 0.95)
    assert low < narrow[0] < narrow[1] < high


@pytest.mark.parametrize(
    ("labels", "baseline"), [([0, 0, 1], 2 / 3), ([1, 1], 1.0), ([0, 1], 0.5), ([3], 1.0), ([0, 2, 2, 1], 0.5)]
)
def test_majority_baseline_is_the_share_of_the_largest_class(labels, baseline):
    assert metrics.majority_baseline(np.array(labels)) == pytest.approx(baseline)


def test_balanced_accuracy_is_the_mean_recall():
    labels, answers = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    assert metrics.balanced_accuracy(labels, answers) == pytest.approx((2 / 3 + 1) / 2)


def test_balanced_accuracy_leaves_out_a_class_without_photos(recwarn):
    assert metrics.balanced_accuracy(np.array([0, 0]), np.array([0, 2])) == 0.5
    assert not recwarn.list


def test_macro_f1_is_the_mean_over_classes_of_two_hits_by_answers_and_photos():
    labels, answers = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    f1_of_0 = 2 * 2 / (2 + 3)  # two hits; two answers, three photos
    f1_of_1 = 2 * 1 / (2 + 1)
    assert metrics.macro_f1(labels, answers) == pytest.approx((f1_of_0 + f1_of_1) / 2)


def test_macro_f1_counts_a_class_that_was_only_answered_as_zero():
    assert metrics.macro_f1(np.array([0, 0]), np.array([0, 2])) == pytest.approx((2 / 3 + 0) / 2)


def area_by_pairs(positive: list[float], negative: list[float]) -> float:
    """Return the ROC area as Mann and Whitney have it: the share of pairs in the right order, a tie for half."""
    wins = [1.0 if high > low else 0.5 if high == low else 0.0 for high in positive for low in negative]
    return sum(wins) / len(wins)


@pytest.mark.parametrize(
    ("positive", "negative"),
    [([0.9, 0.8], [0.1]), ([0.4], [0.4]), ([0.7, 0.5, 0.2], [0.5, 0.5, 0.1]), ([0.1], [0.9, 0.8])],
)
def test_roc_auc_is_the_share_of_pairs_in_order_ties_for_half(positive, negative):
    scores = np.array(positive + negative)
    labels = np.array([1] * len(positive) + [0] * len(negative))
    found = metrics.roc_auc(labels, np.stack([1 - scores, scores], axis=1))
    assert found == pytest.approx(area_by_pairs(positive, negative))


def test_roc_auc_of_one_class_is_undefined_not_an_error(recwarn):
    assert math.isnan(metrics.roc_auc(np.array([1, 1]), np.array([[0.5, 0.5], [0.2, 0.8]])))
    assert not recwarn.list


def test_roc_auc_of_many_classes_is_the_mean_over_those_with_photos(recwarn):
    labels = np.array([0, 0, 1, 1])
    chances = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.8, 0.1], [0.5, 0.2, 0.3]])
    of_0 = area_by_pairs([0.6, 0.2], [0.1, 0.5])
    of_1 = area_by_pairs([0.8, 0.2], [0.3, 0.5])  # class 2 has no photos
    assert metrics.roc_auc(labels, chances) == pytest.approx((of_0 + of_1) / 2)
    assert not recwarn.list


def test_log_loss_is_the_mean_surprise_at_the_truth():
    chances = np.array([[0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])
    expected = -(math.log(0.8) + math.log(0.6) + math.log(0.3)) / 3
    assert metrics.log_loss(np.array([0, 1, 0]), chances) == pytest.approx(expected)


def test_log_loss_of_a_certain_mistake_is_finite():
    assert 30 < metrics.log_loss(np.array([0]), np.array([[0.0, 1.0]])) < 40


def test_brier_is_half_the_squared_distance_for_two_classes_and_for_three():
    assert metrics.brier(np.array([0]), np.array([[0.7, 0.3]])) == pytest.approx(0.3**2)
    three = np.array([[0.5, 0.3, 0.2]])
    assert metrics.brier(np.array([2]), three) == pytest.approx((0.5**2 + 0.3**2 + 0.8**2) / 2)
    assert metrics.brier(np.array([0]), one_hot([1], 3)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("confidence", "correct", "error"),
    [
        (0.8, [True, False], 0.3),  # |0.5 - 0.8|
        (0.8, [True, True], 0.2),  # |1 - 0.8|
        (1.0, [True], 0.0),
        (1.0, [False], 1.0),
        (0.5, [False], 0.5),
    ],
)
def test_calibration_error_is_the_gap_of_a_single_bin(confidence, correct, error):
    labels = np.array([0 if right else 1 for right in correct])
    chances = np.tile([confidence, 1 - confidence], (len(correct), 1))
    assert metrics.calibration_error(labels, chances) == pytest.approx(error)


def test_calibration_error_weighs_bins_by_their_photos():
    # Three photos at 0.6, one of them right; one at 0.95, right. Two bins, of 0.5 to 0.75 and above, among four.
    chances = np.array([[0.6, 0.4], [0.6, 0.4], [0.6, 0.4], [0.95, 0.05]])
    expected = 3 / 4 * abs(1 / 3 - 0.6) + 1 / 4 * abs(1 - 0.95)
    assert metrics.calibration_error(np.array([0, 1, 1, 0]), chances, bins=4) == pytest.approx(expected)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    # 0.75 and 0.7 share the bin from 0.5 to 0.75, so that their errors of opposite sign cancel.
    chances = np.array([[0.75, 0.25], [0.70, 0.30]])
    expected = abs((1 - 0.75) + (0 - 0.70)) / 2
    assert metrics.calibration_error(np.array([0, 1]), chances, bins=4) == pytest.approx(expected)


def test_forty_classes_with_one_photo_each():
    labels = np.arange(40)
    answers = np.roll(labels, 1)
    chances = one_hot(answers, 40)
    assert metrics.balanced_accuracy(labels, answers) == 0
    assert metrics.macro_f1(labels, answers) == 0
    assert metrics.brier(labels, chances) == pytest.approx(1)
    assert metrics.majority_baseline(labels) == pytest.approx(1 / 40)
    assert metrics.roc_auc(labels, one_hot(list(labels), 40)) == 1


def test_per_class_counts_hits_answers_and_photos():
    outcomes = Outcomes(
        ["a", "b", "c"], np.array([0, 0, 1]), np.array([0, 1, 1]), one_hot([0, 1, 1], 3), np.arange(3), np.arange(3)
    )
    table = metrics.per_class(outcomes).set_index("class")
    assert list(table["support"]) == [2, 1, 0]
    assert list(table["answered"]) == [1, 2, 0]
    assert list(table["precision"])[:2] == [1.0, 0.5]
    assert list(table["recall"])[:2] == [0.5, 1.0]
    assert table.loc["a", "f1"] == pytest.approx(2 / 3)
    assert table.loc["a", ["recall_low", "recall_high"]].tolist() == pytest.approx(list(wilson(1, 2)))
    assert table.loc["c", ["precision", "recall", "recall_low", "f1"]].isna().all()


def test_one_photo_has_every_number_but_the_roc_area():
    outcomes = outcomes_of(predictions_of([1], [[0.2, 0.8]]))
    assert outcomes.correct.tolist() == [True]
    assert metrics.balanced_accuracy(outcomes.labels, outcomes.predicted) == 1
    assert metrics.log_loss(outcomes.labels, outcomes.probabilities) == pytest.approx(-math.log(0.8))
    assert math.isnan(metrics.roc_auc(outcomes.labels, outcomes.probabilities))


def test_rounded_probabilities_sum_to_1_again():
    table = predictions_of([0], [[0.333333333, 0.333333333, 0.333333333]], ("a", "b", "c"))
    assert outcomes_of(table).probabilities.sum() == pytest.approx(1, abs=1e-15)


def test_a_label_that_is_no_class_is_named():
    from graft.errors import UserError

    table = predictions_of([0], [[0.5, 0.5]]).assign(label="zebra")
    with pytest.raises(UserError, match="'zebra', which is none of a, b"):
        outcomes_of(table)
    assert indices(table["predicted"], ["a", "b"]).tolist() == [0]
