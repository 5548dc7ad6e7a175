"""What each figure shows, on cases small enough to work out by hand."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.stats import binomtest
from sklearn.decomposition import PCA
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from figures_data import history, predictions
from graft.config.figures import GradCam
from graft.errors import UserError
from graft.figures import comparison, confusion, feature_map, gradcam, learning_curves, mistakes, prediction_grid
from graft.figures.judged import judged
from graft.figures.photos import thumbnail
from graft.figures.reliability import bins_of
from graft.figures.roc_pr import curves_of
from graft.figures.style import class_look
from graft.judging.outcomes import outcomes_of


def rows(labels: str, answers: str, confidence=0.9, stage="head", role="val") -> pd.DataFrame:
    """Return predictions of classes a and b: one letter a photo, each answer equally sure."""
    of_a = [confidence if answer == "a" else 1 - confidence for answer in answers]
    return pd.DataFrame(
        {
            "stage": stage,
            "path": [f"{number}.jpg" for number in range(len(labels))],
            "label": list(labels),
            "fold": 0,
            "role": role,
            "predicted": list(answers),
            "probability_a": of_a,
            "probability_b": [1 - value for value in of_a],
        }
    )


def test_test_photos_judge_where_there_are_any():
    table = pd.concat([rows("ab", "ab", role="val"), rows("b", "b", role="test"), rows("aaa", "aaa", role="train")])
    assert judged(table, "head")["role"].tolist() == ["test"]


def test_a_class_without_photos_has_no_rate():
    assert np.isnan(confusion.rates_of(np.array([[0, 0], [1, 3]]))[0]).all()


def test_fine_tuning_starts_after_the_longest_head_phase_of_any_fold():
    histories = {(0, "head"): history(3), (1, "head"): history(5), (0, "finetuned"): history(2)}
    curves = learning_curves.curves_of(histories, "loss")
    assert [curve.epochs.tolist() for curve in curves[0]] == [[1, 2, 3], [6, 7]]
    assert learning_curves.boundary_of(histories) == 5


def test_an_epoch_without_a_value_is_left_out():
    table = history(3).assign(val_loss=[0.5, np.nan, 0.3])
    (curve,) = learning_curves.curves_of({(0, "head"): table}, "val_loss")[0]
    assert curve.epochs.tolist() == [1, 3]


def test_a_history_without_a_column_gives_an_empty_curve():
    (curve,) = learning_curves.curves_of({(0, "head"): history(3).drop(columns="val_loss")}, "val_loss")[0]
    assert len(curve.epochs) == 0


def test_a_path_that_is_no_history_is_refused():
    with pytest.raises(UserError, match="expected a path that ends in foldN/STAGE/history"):
        learning_curves.read_histories(["results/history.csv"])


def test_the_operating_point_lies_where_the_answers_are():
    curves = curves_of(np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool), np.array([0.9, 0.2, 0.8, 0.1]))
    assert curves.point == (0.5, 0.5, 0.5)  # one of two strangers, one of two found, one of two claims true


def test_a_sample_depends_on_its_seed_alone():
    table = pd.DataFrame({"path": [f"{number}.jpg" for number in range(50)]})
    first, again, other = (prediction_grid.sample(table, 5, seed).path.tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_fewer_photos_than_places_are_all_shown():
    assert len(prediction_grid.sample(pd.DataFrame({"path": ["a", "b"]}), 12, 0)) == 2


@pytest.mark.parametrize("shape", [(1, 5), (2, 5), (5, 1), (3, 2)])
def test_the_feature_map_takes_the_smallest_sets(shape):
    places, shares = feature_map.principal(np.random.default_rng(0).normal(size=shape))
    assert places.shape == (shape[0], 2)
    assert np.isfinite(places).all()
    assert (shares <= 1 + 1e-9).all()


def test_grad_cam_forgets_what_lowers_the_answer():
    features = np.ones((1, 2, 2, 1))
    assert gradcam.heat_from(features, -np.ones((1, 2, 2, 1))).max() == 0


def test_grad_cams_slopes_are_the_weights_of_a_linear_head():
    keras = pytest.importorskip("keras")
    inputs = keras.Input((2, 2, 1))
    head = keras.layers.Dense(1)
    model = keras.Model(inputs, head(keras.layers.Flatten()(inputs)))
    kernel = np.array([[1.0], [2.0], [3.0], [4.0]], np.float32)
    head.set_weights([kernel, np.zeros(1, np.float32)])
    features = keras.ops.ones((2, 2, 2, 1))
    slopes = np.asarray(gradcam.slopes_of(model, features, np.array([1, 0])))
    np.testing.assert_allclose(slopes[0].ravel(), kernel.ravel())  # the logit is the second class's
    np.testing.assert_allclose(slopes[1].ravel(), -kernel.ravel())


def test_an_interval_that_is_not_known_reaches_nowhere():
    table = pd.DataFrame({"accuracy": [0.9], "accuracy_low": [0.7], "accuracy_high": [np.nan]})
    assert comparison.reach(table).ravel().tolist() == pytest.approx([0.2, 0])


def test_a_photo_is_shown_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    Image.new("RGB", (40, 20), "red").save(tmp_path / "side.jpg", exif=exif)
    assert thumbnail(tmp_path / "side.jpg").shape == (40, 20, 3)


def test_a_photo_that_cannot_be_read_is_a_grey_square(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 and no more")
    for name in ("broken.jpg", "missing.jpg"):
        assert set(thumbnail(tmp_path / name).ravel().tolist()) == {210}


def test_the_made_up_run_is_fit_for_these_tests():
    table = predictions(["a", "b"], 400)
    right = (table["label"] == table["predicted"]).groupby(table["stage"]).mean()
    assert 0.5 < right["head"] < right["finetuned"] < 1


def test_confusion_counts_truth_by_row_and_answer_by_column():
    assert confusion.counts_of(rows("aaab", "aabb")).tolist() == [[2, 1], [0, 1]]


def test_roc_and_precision_recall_are_scikit_learns_ties_included():
    draw = np.random.default_rng(0)
    truth = draw.random(200) < 0.3
    score = np.round(draw.random(200) * 0.6 + truth * 0.3, 1)  # about ten photos share each score
    curves = curves_of(truth, score > 0.5, score)
    false_rate, recall, _ = roc_curve(truth, score, drop_intermediate=False)
    np.testing.assert_allclose(curves.false_rate, false_rate)
    np.testing.assert_allclose(curves.recall, recall)
    assert curves.area == pytest.approx(roc_auc_score(truth, score))
    assert curves.average_precision == pytest.approx(average_precision_score(truth, score))


def test_photos_of_one_class_have_no_curve():
    assert curves_of(np.ones(3, bool), np.ones(3, bool), np.ones(3)) is None


def test_reliability_bins_hold_every_photo_and_wilsons_interval():
    confidence = np.array([0.55, 0.65, 0.65, 0.95, 1.0])
    table = bins_of(confidence, np.array([True, False, True, True, True]), 10)
    assert table["n"].tolist() == [1, 2, 2]
    assert table["accuracy"].tolist() == [1, 0.5, 1]
    interval = binomtest(1, 2).proportion_ci(method="wilson")
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([interval.low, interval.high], abs=1e-6)


def test_the_surest_mistake_comes_first():
    table = pd.concat(
        [rows("ab", "ba", confidence=0.7), rows("a", "b", confidence=0.95), rows("aa", "aa", confidence=0.99)]
    )
    table = table.reset_index(drop=True)
    chosen = table.iloc[mistakes.chosen(outcomes_of(table), 2)]
    assert chosen[["probability_a", "probability_b"]].max(axis=1).tolist() == pytest.approx([0.95, 0.7])
    assert (chosen["label"] != chosen["predicted"]).all()


def test_without_mistakes_the_least_sure_answers_are_shown():
    table = pd.concat([rows("a", "a", confidence=0.9), rows("b", "b", confidence=0.6)]).reset_index(drop=True)
    assert table.iloc[mistakes.chosen(outcomes_of(table), 1)]["label"].tolist() == ["b"]


def test_the_feature_map_is_scikit_learns_pca():
    features = np.random.default_rng(0).normal(size=(60, 30)) * np.linspace(3, 0.1, 30)
    places, shares = feature_map.principal(features)
    pca = PCA(2, svd_solver="full").fit(features)
    np.testing.assert_allclose(np.abs(places), np.abs(pca.transform(features)), atol=1e-3)
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_, rtol=1e-4)


def test_grad_cam_shows_right_examples_before_wrong_ones_of_every_class():
    chosen = gradcam.chosen(rows("aaabbb", "aabbba"), GradCam(examples=1))
    assert [*chosen["label"] + chosen["predicted"]] == ["aa", "ab", "bb", "ba"]


def test_grad_cam_prefers_the_classes_with_the_most_mistakes():
    assert set(gradcam.chosen(rows("aabb", "aaba"), GradCam(classes=1))["label"]) == {"b"}


def test_forty_classes_have_forty_looks():
    assert len({tuple(class_look(number).values()) for number in range(40)}) == 40
