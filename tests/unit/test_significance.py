"""Comparisons on the same photos, against binomials and bootstraps that a reader can follow."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from graft.config.evaluation import Evaluation
from graft.judging import significance
from graft.judging.outcomes import outcomes_of
from made_runs import made_predictions, predictions_of

SETTINGS = Evaluation(bootstrap_resamples=2000)


def judged(correct: list[int], **columns: object) -> pd.DataFrame:
    """Return predictions that are right where `correct` is 1, at 0.8, and wrong elsewhere, at 0.8 too."""
    return predictions_of([0] * len(correct), [[0.8, 0.2] if right else [0.2, 0.8] for right in correct], **columns)


def compared(first: pd.DataFrame, second: pd.DataFrame, settings: Evaluation) -> dict[str, float] | None:
    """Return the comparison of two tables of predictions."""
    return significance.compare(outcomes_of(first), outcomes_of(second), settings)


def sign_test(first_only: int, second_only: int) -> float:
    """Return the share of coin tosses at least as uneven, by counting them all."""
    tosses = list(itertools.product([0, 1], repeat=first_only + second_only))
    uneven = abs(first_only - second_only)
    return sum(abs(len(toss) - 2 * sum(toss)) >= uneven for toss in tosses) / len(tosses)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (0, 5), (0, 6), (3, 3), (2, 9), (7, 1)])
def test_mcnemar_is_the_share_of_tosses_at_least_as_uneven(first, second):
    assert significance.mcnemar_p(first, second) == pytest.approx(sign_test(first, second))


def test_a_comparison_counts_what_only_one_has_right():
    found = compared(judged([1, 1, 0, 0, 1]), judged([1, 0, 1, 1, 1]), SETTINGS)
    assert (found["n"], found["first_only"], found["second_only"]) == (5, 1, 2)
    assert found["difference"] == pytest.approx(1 / 5)
    assert found["p_value"] == 1
    assert found["log_loss_difference"] == pytest.approx((math.log(0.2) - math.log(0.8)) / 5)


def test_photos_are_matched_by_path_not_by_order():
    first = judged([1, 0, 1])
    found = compared(first, first.iloc[::-1], SETTINGS)
    assert (found["first_only"], found["second_only"], found["difference"]) == (0, 0, 0)


def test_only_photos_that_both_judged_count():
    first, second = judged([1, 1, 1, 1]), judged([0, 0])
    assert compared(first, second, SETTINGS)["n"] == 2
    assert compared(first, second.assign(path=["x", "y"]), SETTINGS) is None


def test_the_bootstrap_interval_is_the_binomials_where_differences_are_0_and_1():
    # The mean of n resampled 0/1 values is binomial(n, share) / n: 20 photos, 5 gains.
    from scipy.stats import binom

    low, high = significance.bootstrap_interval(np.array([1.0] * 5 + [0.0] * 15), np.arange(20), Evaluation())
    assert low == pytest.approx(binom.ppf(0.025, 20, 0.25) / 20, abs=0.051)
    assert high == pytest.approx(binom.ppf(0.975, 20, 0.25) / 20, abs=0.051)


def test_equal_models_have_an_interval_of_nothing():
    assert significance.bootstrap_interval(np.zeros(9), np.arange(9), SETTINGS) == (0, 0)


def test_one_photo_has_no_interval_but_a_verdict(recwarn):
    found = compared(judged([1]), judged([0]), SETTINGS)
    assert math.isnan(found["difference_low"])
    assert found["p_value"] == 1
    assert not recwarn.list


def test_the_same_seed_draws_the_same_interval():
    values = np.random.default_rng(1).normal(size=30)
    one, two = (significance.bootstrap_interval(values, np.arange(30), SETTINGS) for _ in range(2))
    assert one == two
    assert significance.bootstrap_interval(values, np.arange(30), SETTINGS.model_copy(update={"seed": 1})) != one


def test_a_photo_judged_in_several_repeats_counts_once():
    first = pd.concat([judged([1, 0], fold=fold) for fold in range(3)])
    second = pd.concat([judged([1, 1], fold=fold) for fold in range(3)])
    found = compared(first, second, SETTINGS)
    assert (found["n"], found["second_only"]) == (2, 1)


def test_a_photo_that_repeats_judge_differently_counts_by_their_majority():
    # The first photo is right in 1 of 3 rounds by the first model, in 2 of 3 by the second; the other one always.
    first = pd.concat([judged([right, 1], fold=fold) for fold, right in enumerate([1, 0, 0])])
    second = pd.concat([judged([right, 1], fold=fold) for fold, right in enumerate([0, 1, 1])])
    found = compared(first, second, SETTINGS)
    assert (found["first_only"], found["second_only"]) == (0, 1)
    assert found["difference"] == pytest.approx((1 / 3 + 0) / 2)


def test_many_photos_need_little_memory_and_time():
    tables = [made_predictions(20_000, skill=skill) for skill in (1.0, 1.2)]
    found = compared(*tables, Evaluation(bootstrap_resamples=199))
    assert found["n"] == 20_000
    assert found["difference_low"] < found["difference"] < found["difference_high"]


@pytest.mark.parametrize(
    ("p_value", "difference", "says"),
    [
        (0.05, 0.1, "not distinguishable from noise: 6 of 20 photos tell them apart, p = 0.05"),
        (0.049, 0.1, "tuned is more accurate, by 0.100: 6 of 20 photos tell them apart, p = 0.049"),
        (0.001, -0.3, "head is more accurate, by 0.300: 6 of 20 photos tell them apart, p = 0.001"),
    ],
)
def test_the_verdict_follows_the_p_value(p_value, difference, says):
    row = {"n": 20, "groups": 20, "difference": difference, "first_only": 2, "second_only": 4}
    assert significance.verdict(row, p_value, ("head", "tuned"), 0.95) == says


def grouped(outcomes: list[int], size: int) -> pd.DataFrame:
    """Return judged photos, `size` in a row to a group."""
    return judged(outcomes).assign(group=np.arange(len(outcomes)) // size)


def test_photos_of_one_group_count_as_one_disagreement():
    # Ten photos of one scene, all gained: one group says nothing, where ten single photos would say p = 0.002.
    found = compared(grouped([0] * 10, 10), grouped([1] * 10, 10), SETTINGS)
    assert (found["n"], found["groups"], found["second_only"], found["p_value"]) == (10, 1, 10, 1.0)
    assert math.isnan(found["difference_low"])
    assert compared(judged([0] * 10), judged([1] * 10), SETTINGS)["p_value"] == pytest.approx(2 / 2**10)


def test_the_p_value_of_groups_is_the_share_of_signs_that_make_as_large_a_sum():
    # Sums 3, 2, 1: of the eight signs, 3 + 2 + 1 = 6 is reached by two, 4 or more by four.
    assert significance.sign_flip_p(np.array([3, 2, 1]), SETTINGS) == pytest.approx(2 / 8)
    assert significance.sign_flip_p(np.array([3, 2, -1]), SETTINGS) == pytest.approx(4 / 8)


def test_groups_of_one_give_mcnemars_exact_test():
    for first, second in [(0, 5), (3, 9), (7, 7)]:
        sums = np.array([-1] * first + [1] * second + [0] * 4)
        assert significance.sign_flip_p(sums, SETTINGS) == significance.mcnemar_p(first, second)


def test_signs_drawn_at_random_agree_with_the_exact_table(monkeypatch):
    sums = np.array([5, 4, -3, 2, 2, 1, -1, 6])
    exact = significance.sign_flip_p(sums, SETTINGS)
    monkeypatch.setattr(significance, "LARGEST_TABLE", 0)
    assert significance.sign_flip_p(sums, SETTINGS) == pytest.approx(exact, abs=0.03)


def test_the_winner_is_the_one_that_the_tested_sum_favours():
    # Four photos are a little better by the second model, two much better by the first: the sum favours the first.
    first = pd.concat([judged([1, 1, 0, 0, 0, 0], fold=fold) for fold in range(10)])
    second = pd.concat([judged([0, 0, *[int(fold == 0)] * 4], fold=fold) for fold in range(10)])
    found = compared(first, second, SETTINGS)
    assert (found["first_only"], found["second_only"]) == (2, 4)
    assert found["difference"] == pytest.approx((4 * 0.1 - 2) / 6)
    # The sums are -10, -10, 1, 1, 1, 1: as far from 0 as 16 are those with both tens of one sign and the ones against
    # them or not: 2 x 16 of 64.
    assert found["p_value"] == pytest.approx(32 / 64)
    assert significance.verdict(found, 0.01, ("head", "tuned"), 0.95).startswith("head is more accurate")


def test_a_verdict_names_groups_and_the_number_of_pairs():
    row = {"n": 30, "groups": 10, "difference": 0.1, "first_only": 2, "second_only": 5}
    assert significance.verdict(row, 0.2, ("a", "b"), 0.95, n_pairs=3) == (
        "not distinguishable from noise: 7 of 30 photos in 10 groups tell them apart, p = 0.2"
        " after Holm's correction for 3 pairs"
    )


def test_the_bootstrap_draws_whole_groups():
    values = np.repeat(np.random.default_rng(0).normal(size=20), 5)
    alone = significance.bootstrap_interval(values, np.arange(100), SETTINGS)
    together = significance.bootstrap_interval(values, np.arange(100) // 5, SETTINGS)
    assert together[1] - together[0] > 1.8 * (alone[1] - alone[0])  # five alike say as little as one: root of 5
