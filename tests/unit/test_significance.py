"""Comparisons on the same photos, against binomials and bootstraps that a reader can follow."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from graft import significance
from graft.config.evaluation import Evaluation
from made_runs import made_predictions, predictions_of

SETTINGS = Evaluation(bootstrap_resamples=2000)


def judged(correct: list[int], **columns: object) -> pd.DataFrame:
    """Return predictions that are right where `correct` is 1, at 0.8, and wrong elsewhere, at 0.8 too."""
    return predictions_of([0] * len(correct), [[0.8, 0.2] if right else [0.2, 0.8] for right in correct], **columns)


def sign_test(first_only: int, second_only: int) -> float:
    """Return the share of coin tosses at least as uneven, by counting them all."""
    tosses = list(itertools.product([0, 1], repeat=first_only + second_only))
    uneven = abs(first_only - second_only)
    return sum(abs(len(toss) - 2 * sum(toss)) >= uneven for toss in tosses) / len(tosses)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 0), (0, 5), (0, 6), (3, 3), (2, 9), (7, 1)])
def test_mcnemar_is_the_share_of_tosses_at_least_as_uneven(first, second):
    assert significance.mcnemar_p(first, second) == pytest.approx(sign_test(first, second))


def test_a_comparison_counts_what_only_one_has_right():
    found = significance.compare(judged([1, 1, 0, 0, 1]), judged([1, 0, 1, 1, 1]), SETTINGS)
    assert (found["n"], found["first_only"], found["second_only"]) == (5, 1, 2)
    assert found["difference"] == pytest.approx(1 / 5)
    assert found["p_value"] == 1
    assert found["log_loss_difference"] == pytest.approx((math.log(0.2) - math.log(0.8)) / 5)


def test_photos_are_matched_by_path_not_by_order():
    first = judged([1, 0, 1])
    found = significance.compare(first, first.iloc[::-1], SETTINGS)
    assert (found["first_only"], found["second_only"], found["difference"]) == (0, 0, 0)


def test_only_photos_that_both_judged_count():
    first, second = judged([1, 1, 1, 1]), judged([0, 0])
    assert significance.compare(first, second, SETTINGS)["n"] == 2
    assert significance.compare(first, second.assign(path=["x", "y"]), SETTINGS) is None


def test_the_bootstrap_interval_is_the_binomials_where_differences_are_0_and_1():
    # The mean of n resampled 0/1 values is binomial(n, share) / n: 20 photos, 5 gains.
    from scipy.stats import binom

    low, high = significance.bootstrap_interval(np.array([1.0] * 5 + [0.0] * 15), Evaluation())
    assert low == pytest.approx(binom.ppf(0.025, 20, 0.25) / 20, abs=0.051)
    assert high == pytest.approx(binom.ppf(0.975, 20, 0.25) / 20, abs=0.051)


def test_equal_models_have_an_interval_of_nothing():
    assert significance.bootstrap_interval(np.zeros(9), SETTINGS) == (0, 0)


def test_one_photo_has_no_interval_but_a_verdict(recwarn):
    found = significance.compare(judged([1]), judged([0]), SETTINGS)
    assert math.isnan(found["difference_low"])
    assert found["p_value"] == 1
    assert not recwarn.list


def test_the_same_seed_draws_the_same_interval():
    values = np.random.default_rng(1).normal(size=30)
    one, two = (significance.bootstrap_interval(values, SETTINGS) for _ in range(2))
    assert one == two
    assert significance.bootstrap_interval(values, SETTINGS.model_copy(update={"seed": 1})) != one


def test_a_photo_judged_in_several_repeats_counts_once():
    first = pd.concat([judged([1, 0], fold=fold) for fold in range(3)])
    second = pd.concat([judged([1, 1], fold=fold) for fold in range(3)])
    found = significance.compare(first, second, SETTINGS)
    assert (found["n"], found["second_only"]) == (2, 1)


def test_a_photo_that_repeats_judge_differently_counts_by_their_majority():
    # The first photo is right in 1 of 3 rounds by the first model, in 2 of 3 by the second; the other one always.
    first = pd.concat([judged([right, 1], fold=fold) for fold, right in enumerate([1, 0, 0])])
    second = pd.concat([judged([right, 1], fold=fold) for fold, right in enumerate([0, 1, 1])])
    found = significance.compare(first, second, SETTINGS)
    assert (found["first_only"], found["second_only"]) == (0, 1)
    assert found["difference"] == pytest.approx((1 / 3 + 0) / 2)


def test_many_photos_need_little_memory_and_time():
    tables = [made_predictions(20_000, skill=skill) for skill in (1.0, 1.2)]
    found = significance.compare(*tables, Evaluation(bootstrap_resamples=199))
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
    row = {"n": 20, "difference": difference, "first_only": 2, "second_only": 4}
    assert significance.verdict(row, p_value, ("head", "tuned"), 0.95) == says
