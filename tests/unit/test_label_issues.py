"""Labels that may be wrong: the scores by hand, against cleanlab's, and found where classes lie apart."""

import numpy as np
import pandas as pd
import pytest
from photo_files import photo, write_files
from test_figures_drawing import collisions

import find_label_issues
from figures_data import class_names
from graft.errors import UserError
from graft.figures import label_issues as figure
from graft.judging.label_issues import COLUMNS, issues_table, normalized_margin, self_confidence, suspects
from graft.storage.files import read_table, write_json, write_table
from graft.training.out_of_fold import out_of_fold


def clouds(n_classes=3, per_class=20, n_features=8, seed=0, spread=0.4):
    """Return features of classes that lie apart, and their labels."""
    draw = np.random.default_rng(seed)
    codes = np.repeat(np.arange(n_classes), per_class)
    centres = 3 * np.eye(n_classes, n_features)
    return (centres[codes] + draw.normal(0, spread, (len(codes), n_features))).astype(np.float32), codes


def each(codes):
    """Return a group of its own for each photo."""
    return np.arange(len(codes))


def test_a_row_says_label_suggestion_and_scores_worst_first():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
    table = issues_table(["a", "b", "c", "d"], ["cat", "dog"], np.array([0, 0, 1, 1]), probabilities)
    assert list(table.columns) == COLUMNS
    assert table["path"].tolist() == ["d", "b", "a", "c"]  # margins 0.05, 0.8, 0.9, 0.9
    assert table["normalized_margin"].round(9).tolist() == [0.05, 0.8, 0.9, 0.9]
    assert table["self_confidence"].tolist() == [0.05, 0.8, 0.9, 0.9]
    assert table["suggested"].tolist() == ["cat", "cat", "cat", "dog"]
    assert table["suspect"].tolist() == [1, 0, 0, 0]  # 0.95 is above what cats have on average: 0.85


def test_a_photo_below_its_rival_s_mean_is_listed_and_not_suspect():
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.8, 0.2]])  # 0.8 < 0.9, the mean of class 0
    assert suspects(probabilities, np.array([0, 0, 1, 1])).tolist() == [False] * 4


def test_a_photo_that_nothing_vouches_for_has_no_score_and_comes_last():
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [1.0, np.nan]])
    table = issues_table(["a", "b", "c"], ["cat", "dog"], np.array([0, 0, 1]), probabilities)
    assert table["path"].tolist() == ["b", "a", "c"]
    assert table["self_confidence"].isna().tolist() == [False, False, True]
    assert table["suspect"].sum() == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_scores_are_those_of_cleanlab(seed):
    rank = pytest.importorskip("cleanlab.rank", reason="cleanlab is not installed: the scores are also tested by hand")
    from cleanlab.filter import find_label_issues as find

    draw = np.random.default_rng(seed)
    codes = draw.integers(4, size=300)
    logits = draw.normal(size=(300, 4))
    logits[np.arange(300), np.where(draw.random(300) < 0.15, draw.integers(4, size=300), codes)] += 2.5
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert self_confidence(probabilities, codes) == pytest.approx(
        rank.get_self_confidence_for_each_label(codes, probabilities)
    )
    assert normalized_margin(probabilities, codes) == pytest.approx(
        rank.get_normalized_margin_for_each_label(codes, probabilities)
    )
    theirs = find(codes, probabilities, filter_by="confident_learning", n_jobs=1)
    assert suspects(probabilities, codes).tolist() == theirs.tolist()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_flipped_labels_come_first(n_classes):
    features, codes = clouds(n_classes)
    flipped = np.array([1, 7, 25])
    labels = codes.copy()
    labels[flipped] = (labels[flipped] + 1) % n_classes
    probabilities = out_of_fold(features, labels, each(codes), seed=0)
    assert probabilities.sum(1) == pytest.approx(1)
    table = issues_table([str(n) for n in each(codes)], [f"c{n}" for n in range(n_classes)], labels, probabilities)
    first = table.head(3)
    assert set(first["path"].astype(int)) == set(flipped)
    assert first["suspect"].all()
    assert (first["suggested"] == [f"c{codes[int(path)]}" for path in first["path"]]).all()
    assert table["suspect"].sum() == 3


def test_no_copy_vouches_for_a_wrong_label():
    features, codes = clouds(spread=0.05)
    features, codes = np.vstack([features, features[:1], features[:1]]), np.append(codes, [1, 1])
    codes[0] = 1  # one photo of class 0, three times, all called class 1
    apart = out_of_fold(features, codes, each(codes), seed=0)
    groups = each(codes)
    groups[-2:] = 0
    together = out_of_fold(features, codes, groups, seed=0)
    assert together[0, 1] < 0.1 < 0.3 < apart[0, 1]


def test_classes_of_fewer_photos_than_folds_are_judged_in_fewer_folds():
    features, codes = clouds(2, 3)
    assert out_of_fold(features, codes, each(codes), seed=0).shape == (6, 2)
    with pytest.raises(ValueError, match="no class has two photos"):
        out_of_fold(features[:2], np.array([0, 1]), each(codes)[:2], seed=0)


def test_a_class_of_one_photo_is_no_suspect_and_stops_nothing():
    features, codes = clouds(3, 10)
    features, codes = np.vstack([features, np.full((1, 8), 9, np.float32)]), np.append(codes, 3)
    probabilities = out_of_fold(features, codes, each(codes), seed=0)
    assert np.isnan(probabilities[-1, 3])
    table = issues_table([str(n) for n in each(codes)], list("abcd"), codes, probabilities)
    assert table.iloc[-1]["path"] == "30"
    assert table["suspect"].sum() == 0


class TestScript:
    """find_label_issues.py on made features."""

    @pytest.fixture
    def made(self, tmp_path):
        features, codes = clouds(2, 6)
        np.save(tmp_path / "features.npy", features[None])
        names = np.array(["cat", "dog"])[codes]
        names[0] = "dog"
        manifest = pd.DataFrame(
            {"path": [f"{n}.png" for n in range(12)], "label": names, "sha256": [f"{n}" for n in range(12)]}
        ).assign(source_split="")
        write_table(manifest.assign(duplicate_group=range(12)), tmp_path / "manifest.csv")
        write_json(["cat", "dog"], tmp_path / "classes.json")
        write_files(tmp_path / "images", {f"{n}.png": photo(n) for n in range(12)})
        return tmp_path

    def run(self, folder):
        inputs = {"features": "features.npy", "manifest": "manifest.csv", "classes": "classes.json", "images": "images"}
        outputs = {"output": "label_issues.csv", "figure": "label_issues.png"}
        given = [word for key, name in (inputs | outputs).items() for word in (f"--{key}", str(folder / name))]
        find_label_issues.main(["--dataset", "pets", *given])
        return read_table(folder / "label_issues.csv")

    def test_it_lists_every_photo_draws_the_first_and_says_what_to_do(self, made, capsys):
        table = self.run(made)
        assert len(table) == 12
        assert table.iloc[0][["path", "label", "suggested", "suspect"]].tolist() == ["0.png", "dog", "cat", 1]
        assert (made / "label_issues.png").stat().st_size > 10_000
        said = capsys.readouterr().out
        assert "find_label_issues: 1 of 12 labels are suspect: 0.png (dog, looks like cat)\n" in said
        assert "as source.labels.corrections" in said

    def test_its_table_may_be_edited(self, made):
        self.run(made)
        assert not (made / ".seals" / "label_issues.csv.json").exists()

    def test_features_of_other_photos_are_refused(self, made):
        np.save(made / "features.npy", np.zeros((1, 5, 8), np.float32))
        with pytest.raises(UserError, match=r"features.npy has 5 photos, .*manifest.csv 12"):
            self.run(made)

    def test_photos_of_one_group_are_refused_in_words(self, made):
        write_table(read_table(made / "manifest.csv").assign(duplicate_group=0), made / "manifest.csv")
        with pytest.raises(UserError, match="pets: all photos are of one group: none can vouch for another; a label"):
            self.run(made)


@pytest.mark.parametrize("suspect", [1, 0])
def test_the_figure_keeps_its_texts_apart(suspect, tmp_path):
    names = class_names(12)
    rows = [
        (f"{names[n % 12]}/{n}.png", names[n % 12], names[(n + 1) % 12], suspect, 0.01, 0.02, 0.9, "")
        for n in range(50)
    ]
    issues = pd.DataFrame(rows, columns=COLUMNS)
    write_files(tmp_path, {row[0]: photo(n) for n, row in enumerate(rows)})
    assert collisions(figure.draw(issues, tmp_path, "birds")) == []
