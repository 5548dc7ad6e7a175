"""The numbers that competitions grade by, on answers that can be worked out by hand."""

import numpy as np
import pytest

from graft.config.base import parse
from graft.config.evaluation import Evaluation
from graft.errors import UserError
from graft.judging import evaluation
from graft.judging.graded import average_precision_at, graded, quadratic_kappa
from graft.judging.outcomes import outcomes_of
from made_runs import predictions_of

LABELS = [0, 1, 2, 2]
CHANCES = [[0.6, 0.3, 0.1], [0.5, 0.35, 0.15], [0.1, 0.2, 0.7], [0.5, 0.38, 0.12]]
ALL = ["map_at_3", "quadratic_kappa", "map_at_1", "mean_column_auc", "log_loss"]


def made():
    return outcomes_of(predictions_of(LABELS, CHANCES, ("0", "1", "2")))


def test_quadratic_kappa_weighs_a_mistake_by_its_distance_squared():
    # Answers 0, 0, 2, 0: squared distances 0, 1, 0, 4, mean 1.25. Of every label with every answer:
    # 0 against (0, 0, 2, 0): 4; 1: 1 + 1 + 1 + 1 = 4; 2, twice: 12 each; mean 32 / 16 = 2. 1 - 1.25 / 2 = 0.375.
    assert quadratic_kappa(np.array(LABELS), np.array([0, 0, 2, 0]), 3) == pytest.approx(0.375)
    assert quadratic_kappa(np.array([0, 2]), np.array([2, 0]), 3) == pytest.approx(-1)
    assert np.isnan(quadratic_kappa(np.array([1, 1]), np.array([1, 1]), 3))


@pytest.mark.parametrize(("k", "expected"), [(1, [1, 0, 1, 0]), (2, [1, 1 / 2, 1, 0]), (3, [1, 1 / 2, 1, 1 / 3])])
def test_average_precision_is_one_over_the_rank(k, expected):
    assert average_precision_at(np.array(LABELS), np.array(CHANCES), k) == pytest.approx(expected)


def test_what_is_asked_for_comes_in_the_order_of_the_columns():
    found = graded(made(), ALL)
    assert list(found) == ["quadratic_kappa", "mean_column_auc", "map_at_1", "map_at_3"]
    assert found["map_at_1"] == 0.5
    assert found["map_at_3"] == pytest.approx((1 + 1 / 2 + 1 + 1 / 3) / 4)
    # Class 0: 0.6 against 0.5, 0.1, 0.5: all. Class 1: 0.35 against 0.3, 0.2, 0.38: 2 of 3.
    # Class 2: 0.7 and 0.12 against 0.1 and 0.15: 3 of 4.
    assert found["mean_column_auc"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert graded(made(), []) == {}


def test_the_evaluation_has_the_columns_that_are_asked_for_and_no_others():
    answers = {}
    for metrics in ([], ALL):
        settings = Evaluation(metrics=metrics)
        rows, _ = evaluation.calibrated(predictions_of(LABELS, CHANCES, ("0", "1", "2"), stage="head"), settings)
        answers[len(metrics)] = evaluation.evaluation_table("r", evaluation.answers_by_stage_and_role(rows), settings)
    more = set(answers[5].columns) - set(answers[0].columns)
    assert more == {"quadratic_kappa", "mean_column_auc", "map_at_1", "map_at_3"}
    assert answers[5].drop(columns=list(more)).equals(answers[0])


def test_an_unknown_metric_names_the_nearest():
    with pytest.raises(UserError, match="there is no metric 'quadratic_kapa'; did you mean 'quadratic_kappa'"):
        parse(Evaluation, {"metrics": ["quadratic_kapa"]}, "evaluation")


def test_what_is_not_asked_for_is_no_part_of_the_settings():
    assert "metrics" not in Evaluation().model_dump()
