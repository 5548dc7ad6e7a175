"""Photos without a label: kept where the policy says so, with no part in training or judging."""

import numpy as np
import pandas as pd
import pytest
from photo_files import encoded, photo, picture, write_files
from test_labels import csv, flat, label  # noqa: F401 (a fixture)

import split_dataset
from graft.config.base import parse
from graft.config.dataset import Dataset, Split
from graft.config.experiment import Choosing
from graft.data.split import split
from graft.errors import UserError
from graft.predicting.unlabelled import answered
from graft.reporting.provenance import data_record
from graft.storage.files import read_json, read_table
from graft.training.roles import Roles

KEEP = {"policy": {"unlabelled": "keep", "photo_without_row": "keep"}}
ROWS = [(name, name[:3]) for name in ("cat_0", "cat_1", "dog_0", "dog_1")]


def with_test_photos(**more):
    """Return four photos that a table labels, in train/, and two that it does not, in test/."""
    files = {f"train/{name}": data for name, data in flat().items()}
    return files | {"test/7.png": photo(7), "test/8.png": photo(8), "train.csv": csv(ROWS), **more}


def roles_of(result):
    return dict(zip(result.manifest["path"], result.manifest["source_split"], strict=True))


def test_photos_without_a_row_are_dropped_unless_they_are_to_be_kept(label):  # noqa: F811
    dropped = label(with_test_photos(), {"table": "train.csv"})
    assert set(roles_of(dropped).values()) == {"train"}
    assert dropped.verdicts("dropped")["test/7.png"] == "photo_without_row"
    kept = label(with_test_photos(), {"table": "train.csv"}, **KEEP)
    assert roles_of(kept) | {"test/7.png": "unlabelled", "test/8.png": "unlabelled"} == roles_of(kept)
    assert kept.labels["test/7.png"] == ""
    assert kept.verdicts("warned")["test/8.png"] == "photo_without_row"
    assert read_json(kept.output / "classes.json") == ["cat", "dog"]


def test_a_photo_in_no_class_folder_is_kept_as_well(label):  # noqa: F811
    files = {f"train/{name[:3]}/{name}": data for name, data in flat().items()}
    result = label(files | {"test/7.png": photo(7)}, **KEEP)
    assert roles_of(result)["test/7.png"] == "unlabelled"
    assert result.verdicts("warned") == {"test/7.png": "unlabelled"}


def test_a_copy_of_a_training_photo_without_a_label_costs_neither_its_place(label):  # noqa: F811
    files = with_test_photos(**{"test/9.png": photo(0)})  # the bytes of train/cat_0.png
    assert len(roles_of(label(files, {"table": "train.csv"}, **KEEP))) == 7


def test_a_damaged_photo_without_a_label_is_kept_as_long_as_it_can_be_decoded(label):  # noqa: F811
    whole = encoded(picture(9, 200, 200), "JPEG")
    files = with_test_photos(**{"test/cut.jpg": whole[: len(whole) * 2 // 3], "test/none.jpg": b"\xff\xd8\xff no"})
    result = label(files, {"table": "train.csv"}, **KEEP)
    assert roles_of(result)["test/cut.jpg"] == "unlabelled"
    assert "test/none.jpg" not in roles_of(result)


def test_photos_without_a_label_alone_are_no_photo_set(label):  # noqa: F811
    files = {name: data for name, data in with_test_photos().items() if not name.startswith("train/")}
    with pytest.raises(UserError, match="names no photo that is there"):
        label(files, {"table": "train.csv"}, **KEEP)


def manifest_of(n_apart=2):
    """Return ten photos each of two classes and, between them, some without a label that copy the first."""
    rows = [("cat", "")] * 10 + [("", "unlabelled")] * n_apart + [("dog", "")] * 10
    return pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(len(rows))],
            "label": [name for name, _ in rows],
            "source_split": [role for _, role in rows],
            "sha256": [f"{0 if role else number:064x}" for number, (_, role) in enumerate(rows)],
            "duplicate_group": [0 if role else number for number, (_, role) in enumerate(rows)],
        }
    )


@pytest.mark.parametrize("settings", [Split(), Split(method="kfold", k=2)])
def test_they_have_no_part_in_the_split_and_are_in_every_fold_of_it(settings):
    apart = split(manifest_of(), settings)
    without = split(manifest_of(0), settings)
    of_labelled = apart[apart["role"] != "unlabelled"].reset_index(drop=True)
    assert of_labelled.drop(columns="path").equals(without.drop(columns="path"))
    assert (apart["role"] == "unlabelled").sum() == 2 * settings.n_folds
    group = apart.groupby(["fold", "role"])["group"].agg(set)
    assert not any(group[fold, "unlabelled"] & group[fold, "train"] for fold in range(settings.n_folds))


def test_they_neither_train_nor_choose_nor_are_watched():
    table = split(manifest_of(), Split())
    paths = manifest_of()["path"].tolist()
    roles = Roles.of_fold(table, 0, paths, ["cat", "dog"], Choosing(on="auto", chooses=True))
    apart = [10, 11]
    assert roles.codes[apart].tolist() == [-1, -1]
    assert not set(apart) & {*roles.train, *roles.choose, *roles.watch}
    assert len(roles.train) + len(roles.choose) + len(table[table["role"] == "val"]) == 20


def test_the_split_and_the_provenance_count_them_apart(tmp_path):
    table = split(manifest_of(), Split())
    assert split_dataset.story(table) == "16 train, 4 val, 2 unlabelled"
    for name, rows in (("manifest", manifest_of()), ("split", table)):
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    data = data_record("pets", tmp_path / "manifest.csv", tmp_path / "split.csv", tmp_path / "source.json")
    assert (data["photos"], data["classes"]) == (20, ["cat", "dog"])
    assert data["roles"]["fold0 unlabelled"] == 2


def test_a_competition_keeps_them_and_says_otherwise_where_the_user_does():
    source = {"source": {"competition": "leaves"}}
    assert parse(Dataset, source, "datasets.leaves").predicts_unlabelled
    own = {"ingest": {"policy": {"unlabelled": "drop", "photo_without_row": "drop", "leak": "error"}}}
    assert not parse(Dataset, source | own, "datasets.leaves").predicts_unlabelled
    assert not parse(Dataset, {"source": {"folder": "photos"}}, "datasets.photos").predicts_unlabelled
    with pytest.raises(UserError, match=r"datasets.leaves.source.competition: 'a/b' is no competition's name"):
        parse(Dataset, {"source": {"competition": "a/b"}}, "datasets.leaves")


def test_of_several_folds_the_mean_of_probabilities_and_thresholds_answers():
    folds = [{"threshold": 0.5, "unsure_below": 0.65}, {"threshold": 0.7, "unsure_below": 0.65}]
    table = answered(np.array(["a", "b"]), np.array([[0.42, 0.58], [0.3, 0.7]]), ["cat", "dog"], folds)
    assert table["predicted"].tolist() == ["cat", "dog"]  # dog from (0.5 + 0.7) / 2 up
    assert table["sure"].tolist() == [0, 1]  # 0.42 and 0.7 against 0.65


def test_no_such_photos_make_an_empty_table(tmp_path):
    table = answered(np.array([], object), np.zeros((0, 2)), ["cat", "dog"], [])
    assert list(table.columns) == ["path", "predicted", "calibrated_cat", "calibrated_dog", "sure"]
    assert len(table) == 0
    write_files(tmp_path, {"t.csv": table.to_csv(index=False).encode()})
    assert len(read_table(tmp_path / "t.csv")) == 0
