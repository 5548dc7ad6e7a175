"""Wrong labels of photos that may have several: which are doubted, which photos come first, and how they are mended."""

import numpy as np
import pandas as pd
import pytest
from photo_files import photo, write_files
from test_figures_drawing import collisions

import find_label_issues
from figures_data import class_names
from graft.errors import UserError
from graft.figures import label_set_issues as figure
from graft.judging.label_set_issues import COLUMNS, issues_table, suspects
from graft.storage.files import read_table, write_json, write_table
from graft.training.out_of_fold import labels_out_of_fold

CLASSES = ["car", "tree", "water"]


def clouds(n=120, seed=0):
    """Return features (n, 8) in which each label has a direction of its own, and which photos have it."""
    rng = np.random.default_rng(seed)
    truth = rng.random((n, 3)) < [0.3, 0.5, 0.4]
    features = rng.normal(0, 0.4, (n, 8))
    features[:, :3] += 3 * truth
    return features.astype(np.float32), truth


def test_each_label_is_judged_by_itself_there_or_missing():
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.1], [0.2, 0.1]])
    truth = np.array([[True, False], [True, False], [False, True], [False, False], [False, True]])
    # 0.95 of a car that the table lacks is above the mean of photos with one, 0.85. The last photo's tree of 0.1 is
    # below a half, and its 0.9 of no tree above the mean of photos without one, 0.867.
    assert suspects(chances, truth).tolist() == [[False] * 2] * 3 + [[True, False], [False, True]]


def test_a_label_that_all_photos_have_is_never_suspect():
    assert not suspects(np.array([[0.1], [0.9]]), np.array([[True], [True]])).any()


def test_a_row_says_what_is_doubted_what_is_suggested_and_how_sure_worst_first():
    chances = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.1], [0.2, 0.1]])
    truth = np.array([[True, False], [True, False], [False, True], [False, False], [False, True]])
    table = issues_table(list("abcde"), ["car", "tree"], truth, chances)
    assert list(table.columns) == COLUMNS
    assert table["path"].tolist() == ["d", "e", "b", "a", "c"]  # 0.05, 0.1, 0.8, 0.9, 0.9
    assert table["self_confidence"].tolist() == pytest.approx([0.05, 0.1, 0.8, 0.9, 0.9])
    assert table["doubted"].tolist() == ["+car", "-tree", "", "", ""]
    assert table["label"].tolist() == ["", "tree", "car", "car", "tree"]
    assert table["suggested"].tolist() == ["car", "", "car", "car", "tree"]
    assert table["least_sure"].tolist()[:2] == ["car", "tree"]
    assert set(table["action"]) == {"relabel"}


def test_flipped_labels_come_first():
    features, truth = clouds()
    rng = np.random.default_rng(1)
    flipped = rng.choice(120, 12, replace=False)
    which = rng.integers(3, size=12)
    wrong = truth.copy()
    wrong[flipped, which] ^= True
    chances = labels_out_of_fold(features, wrong, np.arange(120), 0)
    table = issues_table([str(n) for n in range(120)], CLASSES, wrong, chances)
    signs = {str(n): f"{'+' if truth[n, one] else '-'}{CLASSES[one]}" for n, one in zip(flipped, which, strict=True)}
    assert len(set(table["path"].head(12)) & set(signs)) >= 10
    found = table[table["suspect"] == 1].set_index("path")["doubted"].to_dict()
    assert len(found) >= 6
    assert found.items() <= signs.items()


def test_no_copy_vouches_for_a_wrong_label():
    features, truth = clouds(40)
    features, truth = np.vstack([features, features[:1], features[:1]]), np.vstack([truth, truth[:1], truth[:1]])
    truth[[0, -1, -2], 0] = not truth[0, 0]  # one photo, three times, wrong in all
    groups = np.arange(42)
    apart = labels_out_of_fold(features, truth, groups, 0)[0, 0]
    groups[-2:] = 0
    together = labels_out_of_fold(features, truth, groups, 0)[0, 0]
    assert abs(together - truth[0, 0]) > abs(apart - truth[0, 0])  # further from the wrong label


@pytest.fixture
def made(tmp_path):
    """Write features, manifest, classes and photos; the first photo lacks a label that it shows."""
    features, truth = clouds(40)
    place = int(np.flatnonzero(truth[:, 0])[0])
    truth[place, 0] = False
    features[place, 0] += 3  # no car could be plainer
    np.save(tmp_path / "features.npy", features[None])
    sets = ["|".join(name for name, has in zip(CLASSES, row, strict=True) if has) for row in truth]
    names = [f"{n}.png" for n in range(40)]
    manifest = pd.DataFrame({"path": names, "labels": sets, "sha256": names}).assign(source_split="")
    write_table(manifest.assign(duplicate_group=range(40)), tmp_path / "manifest.csv")
    write_json(CLASSES, tmp_path / "classes.json")
    write_files(tmp_path / "images", {name: photo(n) for n, name in enumerate(names)})
    return tmp_path, names[place]


def run(folder):
    files = {"features": "features.npy", "manifest": "manifest.csv", "classes": "classes.json", "images": "images"}
    files |= {"output": "label_issues.csv", "figure": "label_issues.png"}
    given = [word for key, name in files.items() for word in (f"--{key}", str(folder / name))]
    find_label_issues.main(["--dataset", "streets", *given])
    return read_table(folder / "label_issues.csv")


def test_the_script_lists_every_photo_and_draws_the_first(made, capsys):
    folder, wrong = made
    table = run(folder)
    assert len(table) == 40
    assert table.iloc[0][["path", "doubted", "suspect"]].tolist() == [wrong, "+car", 1]
    assert (folder / "label_issues.png").stat().st_size > 10_000
    said = capsys.readouterr().out
    assert f"find_label_issues: 1 of 40 photos have a suspect label: {wrong} (+car)\n" in said
    assert "as source.labels.corrections" in said


def test_photos_of_one_group_are_refused_in_words(made):
    folder, _ = made
    write_table(read_table(folder / "manifest.csv").assign(duplicate_group=0), folder / "manifest.csv")
    with pytest.raises(UserError, match="streets: all photos are of one group: none can vouch for another; a label"):
        run(folder)


@pytest.mark.parametrize("suspect", [1, 0])
def test_the_figure_keeps_its_texts_apart(suspect, tmp_path):
    names = class_names(12)
    rows = []
    for n in range(50):
        doubted = f"+{names[0]}|-{names[n % 12]}" * suspect
        rows.append((f"{n}.png", "|".join(names[n % 12 :]), names[0], suspect, doubted, 0.1, names[3], "relabel"))
    issues = pd.DataFrame(rows, columns=COLUMNS)
    write_files(tmp_path, {row[0]: photo(n) for n, row in enumerate(rows)})
    assert collisions(figure.draw(issues, tmp_path, "birds")) == []
