"""The numbers of several labels a photo, against scikit-learn and against what can be worked out by hand."""

import numpy as np
import pytest
from sklearn import metrics as scores

from graft.config.evaluation import Evaluation
from graft.judging import multilabel_metrics as metrics
from graft.judging import multilabel_significance as significance
from graft.judging.multilabel_outcomes import LabelOutcomes, label_losses

QUICK = Evaluation(bootstrap_resamples=499)
FEW = Evaluation(bootstrap_resamples=199)


def outcomes(n=60, n_labels=4, skill=1.5, seed=0, groups=None):
    """Return made-up answers: a score that is higher, by the skill, where a photo has the label."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, n_labels)) < np.linspace(0.15, 0.7, n_labels)
    chances = 1 / (1 + np.exp(-np.round(rng.normal(size=truth.shape) + skill * (truth - 0.5), 1)))  # with ties
    return LabelOutcomes(
        [f"label {place}" for place in range(n_labels)], truth, chances >= 0.5, chances,
        np.arange(n) if groups is None else groups, np.array([f"{number}.png" for number in range(n)]),
    )  # fmt: skip


def by_hand():
    """Return four photos and two labels: `a` on the first two, `b` on the last, answers as below."""
    truth = np.array([[1, 0], [1, 0], [0, 0], [0, 1]], bool)
    chances = np.array([[0.9, 0.2], [0.4, 0.8], [0.6, 0.1], [0.2, 0.7]])
    return LabelOutcomes(["a", "b"], truth, chances >= 0.5, chances, np.arange(4), np.array(list("wxyz")))


def test_the_numbers_of_four_photos_are_those_worked_out_by_hand():
    made = by_hand()
    # a: sorted w, y, x, z: found at ranks 1 and 3: (1 + 2/3) / 2. b: z is second, after x: 1/2.
    assert metrics.value_of("average_precision", made).tolist() == pytest.approx([5 / 6, 1 / 2])
    assert metrics.value_of("mean_average_precision", made) == pytest.approx(2 / 3)
    # a is answered to w (right) and y (wrong), and missed on x: F1 = 2 / (2 + 2). b to x (wrong) and z: 2 / (1 + 2).
    assert metrics.value_of("f1", made).tolist() == pytest.approx([1 / 2, 2 / 3])
    assert metrics.value_of("macro_f1", made) == pytest.approx(7 / 12)
    assert metrics.value_of("micro_f1", made) == pytest.approx(4 / 7)  # 2 x 2 right of 3 labels and 4 answers
    assert made.right_sets.tolist() == [True, False, False, True]
    assert label_losses(made)[0] == pytest.approx(-np.log(0.9 * 0.8) / 2)
    blind = metrics.frequency_baseline(made)
    # In random order: b is at place 1 to 4 alike, so (1 + 1/2 + 1/3 + 1/4) / 4 = 25/48; a, by all six orders, 49/72.
    assert blind["baseline"] == pytest.approx((25 / 48 + 49 / 72) / 2)
    assert blind["baseline_micro_f1"] == pytest.approx(4 / 7)  # `a` for all: 2 x 2 / (4 answers + 3 labels)
    assert blind["baseline_macro_f1"] == pytest.approx((2 / 3 + 2 / 5) / 2)


def test_the_numbers_are_scikit_learns_where_it_has_them():
    made = outcomes()
    assert metrics.value_of("mean_average_precision", made) == pytest.approx(
        scores.average_precision_score(made.truth, made.probabilities, average="macro")
    )
    for name in ("micro", "macro"):
        expected = scores.f1_score(made.truth, made.predicted, average=name)
        assert metrics.value_of(f"{name}_f1", made) == pytest.approx(expected)
    assert np.mean(metrics.roc_areas(made)) == pytest.approx(scores.roc_auc_score(made.truth, made.probabilities))


def test_a_resample_s_average_precision_is_scikit_learns_of_the_repeated_photos():
    made = outcomes()
    weights = np.random.default_rng(1).multinomial(60, [1 / 60] * 60, size=20)
    found = metrics.average_precision(made.truth[:, 1], made.probabilities[:, 1], weights)
    for value, counts in zip(found, weights, strict=True):
        truth, chances = np.repeat(made.truth[:, 1], counts), np.repeat(made.probabilities[:, 1], counts)
        assert value == pytest.approx(scores.average_precision_score(truth, chances))


def test_a_label_that_all_photos_have_or_none_is_left_out_of_the_means():
    made = by_hand()
    more = LabelOutcomes(
        ["a", "b", "all", "never"],
        np.hstack([made.truth, np.ones((4, 1), bool), np.zeros((4, 1), bool)]),
        np.hstack([made.predicted, np.ones((4, 1), bool), np.zeros((4, 1), bool)]),
        np.hstack([made.probabilities, np.full((4, 1), 0.9), np.full((4, 1), 0.1)]),
        made.groups,
        made.paths,
    )
    for name in ("mean_average_precision", "macro_f1"):
        assert metrics.value_of(name, more) == pytest.approx(metrics.value_of(name, made))
    assert np.isnan(metrics.value_of("average_precision", more)[2:]).all()
    assert metrics.frequency_baseline(more)["baseline"] == pytest.approx((25 / 48 + 49 / 72) / 2)


def test_an_interval_holds_its_number_and_is_wider_where_photos_are_alike():
    alone = outcomes(120)
    copies = alone.take(np.repeat(np.arange(30), 4))  # each four times: more photos, and no more that is known
    low, high = metrics.intervals(["mean_average_precision"], alone, QUICK)["mean_average_precision"]
    assert low < metrics.value_of("mean_average_precision", alone) < high
    wide = metrics.intervals(["mean_average_precision"], copies, QUICK)["mean_average_precision"]
    thirty = metrics.intervals(["mean_average_precision"], alone.take(np.arange(30)), QUICK)["mean_average_precision"]
    assert wide[1] - wide[0] > 1.4 * (high - low)
    assert wide.tolist() == pytest.approx(thirty.tolist(), abs=1e-9)


def test_an_interval_of_few_photos_holds_the_truth_about_as_often_as_it_says():
    """Of 150 draws of 20 photos, 142 should, and do; percentiles of the same resamples hold it 131 and 135 times."""
    names = ["mean_average_precision", "macro_f1"]
    large = outcomes(200_000)
    truth = {name: metrics.value_of(name, large) for name in names}
    held = dict.fromkeys(names, 0)
    for seed in range(150):
        for name, (low, high) in metrics.intervals(names, outcomes(20, seed=seed + 1), FEW).items():
            held[name] += low <= truth[name] <= high
    assert min(held.values()) >= 138


def test_an_interval_ends_where_the_number_can_be_and_holds_the_number():
    perfect = np.ones(3)
    low, high = metrics.interval_in_log_odds(perfect, np.ones((50, 3)), 20, 20, 0.95)
    assert (low < 1).all()
    assert high.tolist() == [1, 1, 1]
    drawn = np.random.default_rng(0).uniform(0.7, 1.0, (199, 1))
    low, high = metrics.interval_in_log_odds(np.array([0.97]), drawn, 60, 3, 0.95)
    assert 0 < low[0] < 0.97 < high[0] <= 1  # of three groups it may be nearly anything, and never beyond 0 and 1
    unknown = metrics.interval_in_log_odds(np.array([np.nan]), np.full((9, 1), np.nan), 5, 5, 0.95)
    assert np.isnan(unknown).all()


def test_one_group_says_nothing_of_others():
    made = outcomes(20, groups=np.zeros(20, int))
    assert np.isnan(metrics.intervals(["micro_f1", "f1"], made, QUICK)["f1"]).all()
    found = significance.compare(made, outcomes(20, skill=4, groups=np.zeros(20, int)), QUICK)
    assert found["p_value"] == 1.0
    assert significance.verdict(found, 1.0, ("head", "finetuned"), 0.95).startswith("not distinguishable from noise")


def test_a_model_that_is_surely_better_is_told_from_one_that_is_not():
    good, poor = outcomes(200, skill=3), outcomes(200, skill=0.5)
    found = significance.compare(poor, good, QUICK)
    assert found["difference"] == pytest.approx(
        metrics.value_of("mean_average_precision", good) - metrics.value_of("mean_average_precision", poor)
    )
    assert found["difference_low"] > 0
    assert found["p_value"] == pytest.approx(2 / 500)
    assert found["log_loss_difference"] == pytest.approx(label_losses(good).mean() - label_losses(poor).mean())
    assert significance.verdict(found, found["p_value"], ("head", "finetuned"), 0.95).startswith("finetuned is better")
    same = significance.compare(good, good, QUICK)
    assert (same["difference"], same["p_value"]) == (0.0, 1.0)


def test_models_of_different_photos_are_not_compared():
    made = outcomes(10)
    others = LabelOutcomes(made.classes, made.truth, made.predicted, made.probabilities, made.groups, made.paths + "x")
    assert significance.compare(made, others, QUICK) is None


def test_luck_is_called_a_difference_about_as_often_as_the_level_says():
    """Two models of equal skill on 80 photos, 60 times: at a level of 0.05, three are expected."""
    called = 0
    for seed in range(60):
        one, other = outcomes(80, seed=seed), outcomes(80, seed=seed)
        rng = np.random.default_rng(1000 + seed)
        noise = [1 / (1 + np.exp(-(2 * one.truth - 1 + rng.normal(size=one.truth.shape)))) for _ in range(2)]
        one = LabelOutcomes(one.classes, one.truth, noise[0] > 0.5, noise[0], one.groups, one.paths)
        other = LabelOutcomes(other.classes, other.truth, noise[1] > 0.5, noise[1], other.groups, other.paths)
        called += significance.compare(one, other, Evaluation(bootstrap_resamples=199))["p_value"] < 0.05
    assert called <= 8  # of 60 at 0.05, more than 8 come once in 200
