"""Splits, by property: everybody has one role, nothing alike has two, classes stay in balance."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import split_dataset
from graft.config.dataset import Split
from graft.data.split import split
from graft.errors import UserError
from graft.storage.files import read_table, write_table


def manifest_of(labels, groups=None, splits=None, paths=None):
    n = len(labels)
    return pd.DataFrame(
        {
            "path": paths or [f"{label}/{number}.jpg" for number, label in enumerate(labels)],
            "label": labels,
            "source_split": splits or [""] * n,
            "sha256": [f"{number:064x}" for number in range(n)],
            "duplicate_group": groups or list(range(n)),
        }
    )


def roles_of(table, fold=0):
    rows = table[table["fold"] == fold]
    return dict(zip(rows["path"], rows["role"], strict=True))


def counts(table, fold=0):
    """Return {(label, role): n} of one fold."""
    return table[table["fold"] == fold].groupby(["label", "role"]).size().to_dict()


sets = st.integers(2, 4).flatmap(
    lambda n_classes: st.lists(
        st.tuples(st.integers(0, n_classes - 1), st.integers(1, 3)), min_size=8 * n_classes, max_size=60
    )
)


def grouped_manifest(groups):
    """Return a manifest of groups, each (class, photos), with eight more single photos of each class."""
    labels, numbers = [], []
    extra = [(label, 1) for label in range(4) for _ in range(8)]
    for number, (label, size) in enumerate([*groups, *extra]):
        labels += [f"class{label}"] * size
        numbers += [number] * size
    return manifest_of(labels, numbers)


@settings(max_examples=40, deadline=None)
@given(sets, st.integers(0, 5), st.sampled_from([0.0, 0.2]))
def test_a_stratified_split_covers_all_photos_and_divides_no_group(groups, seed, test):
    manifest = grouped_manifest(groups)
    table = split(manifest, Split(method="stratified", val=0.25, test=test, seed=seed))
    assert table["path"].tolist() == manifest["path"].tolist()
    roles = table["role"].to_numpy()
    for group in set(manifest["duplicate_group"]):
        assert len(set(roles[manifest["duplicate_group"] == group])) == 1
    for label in set(manifest["label"]):
        own = roles[manifest["label"] == label]
        assert 0.08 <= np.mean(own == "val") <= 0.45
        assert "train" in own
        assert ("test" in own) == bool(test)


@settings(max_examples=25, deadline=None)
@given(sets, st.integers(2, 5), st.integers(1, 2), st.sampled_from([0.0, 0.2]))
def test_k_folds_validate_every_photo_once_per_repeat(groups, k, repeats, test):
    manifest = grouped_manifest(groups)
    table = split(manifest, Split(method="kfold", k=k, repeats=repeats, test=test))
    assert table["fold"].nunique() == k * repeats
    tested = set(table[table["role"] == "test"]["path"])
    for repeat in range(repeats):
        rows = table[(table["fold"] // k == repeat) & (table["role"] == "val")]
        assert sorted([*rows["path"], *tested]) == sorted(manifest["path"])
    for fold in range(k * repeats):
        own = table[table["fold"] == fold]
        assert set(own[own["role"] == "test"]["path"]) == tested
        assert own.merge(manifest, on="path").groupby("duplicate_group")["role"].nunique().max() == 1


shares = st.integers(1, 99).map(lambda percent: percent / 100)
sizes = st.lists(st.integers(1, 50), min_size=2, max_size=5)


def ends_in_one_sentence(manifest, settings):
    """Return the split, or None where it ends in one sentence that says what to do."""
    try:
        return split(manifest, settings)
    except UserError as error:
        sentence = str(error)
    assert "\n" not in sentence
    assert re.search(r"too few|add photos|group otherwise|has no", sentence)
    return None


@settings(max_examples=300, deadline=None)
@given(sizes, shares, shares | st.just(0.0), st.integers(0, 3))
def test_single_photos_are_shared_out_to_the_nearest_photo_or_refused(class_sizes, val, test, seed):
    if val + test >= 0.995:
        return
    manifest = manifest_of([f"class{label}" for label, n in enumerate(class_sizes) for _ in range(n)])
    table = ends_in_one_sentence(manifest, Split(method="stratified", val=val, test=test, seed=seed))
    roles = 3 if test else 2
    assert (table is None) == (min(class_sizes) < roles)
    if table is None:
        return
    for label, n in enumerate(class_sizes):
        found = counts(table)
        n_test, n_val, n_train = (found.get((f"class{label}", role), 0) for role in ("test", "val", "train"))
        expected = min(max(test * n, 1), n - 2) if test else 0
        assert abs(n_test - expected) <= 0.5 + 1e-9
        expected = min(max(val / (1 - test) * (n - n_test), 1), n - n_test - 1)
        assert abs(n_val - expected) <= 0.5 + 1e-9
        assert n_train == n - n_test - n_val >= 1


group_sets = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 12), st.booleans()), min_size=4, max_size=40)


@settings(max_examples=300, deadline=None)
@given(group_sets, shares, shares | st.just(0.0), st.integers(2, 6), st.booleans())
def test_groups_of_any_size_end_in_whole_groups_or_in_one_sentence(groups, val, test, k, folds):
    """Some groups hold photos of two classes, as a patient with several findings does."""
    labels, numbers = [], []
    for number, (label, size, mixed) in enumerate(groups):
        labels += [f"class{(label + (mixed and place % 2)) % 4}" for place in range(size)]
        numbers += [number] * size
    if val + test >= 0.995:
        return
    method = {"method": "kfold", "k": k} if folds else {"method": "stratified", "val": val}
    table = ends_in_one_sentence(manifest_of(labels, numbers), Split(test=test, **method))
    if table is None:
        return
    for _, fold in table.groupby("fold"):
        assert fold.groupby("group")["role"].nunique().max() == 1
        assert set(fold["label"]) == set(fold.loc[fold["role"] == "train", "label"])
        assert fold.loc[fold["inner"] == 1, "role"].isin(["train"]).all()
        assert fold[fold["role"] == "train"].groupby("group")["inner"].nunique().max() == 1
        training = fold[fold["role"] == "train"]
        left = training[training["inner"] == 0].groupby("label")["group"].nunique()
        assert (left >= np.minimum(2, training.groupby("label")["group"].nunique()).reindex(left.index)).all()
        assert set(left.index) == set(training["label"])


@pytest.mark.parametrize(("n", "inner"), [(1, 0), (2, 0), (3, 1), (5, 1), (20, 4), (50, 10)])
def test_a_class_gives_a_fifth_to_the_inner_part_and_keeps_two_photos_and_half(n, inner):
    splits = ["train"] * (n + 30) + ["val"] * 2
    table = split(manifest_of(["a"] * n + ["b"] * 30 + ["a", "b"], splits=splits), Split())
    assert table.loc[table["label"] == "a", "inner"].sum() == inner


def test_other_validation_photos_leave_the_inner_part_as_it_is():
    labels = ["a", "b"] * 40
    roles = [["train"] * 60 + ["val"] * 10 + [""] * 10, ["train"] * 60 + [""] * 10 + ["val"] * 10]
    found = []
    for own in roles:
        used = [place for place in range(80) if own[place]]
        manifest = manifest_of(labels, splits=own).iloc[used].reset_index(drop=True)
        table = split(manifest, Split(method="folders"))
        found.append(table.loc[table["role"] == "train", ["path", "inner"]].values.tolist())
    assert found[0] == found[1]
    assert sum(inner for _, inner in found[0]) == 12


def test_the_group_of_a_photo_is_the_place_of_its_groups_first():
    table = split(manifest_of(["a", "b"] * 8, [0, 1, 0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]), Split())
    assert table["group"].tolist()[:4] == [0, 1, 0, 3]


def test_single_photos_are_shared_out_exactly():
    manifest = manifest_of(["a"] * 50 + ["b"] * 100)
    table = split(manifest, Split(method="stratified", val=0.2, test=0.1))
    assert counts(table) == {
        ("a", "test"): 5, ("a", "train"): 35, ("a", "val"): 10,
        ("b", "test"): 10, ("b", "train"): 70, ("b", "val"): 20,
    }  # fmt: skip


def test_equal_seeds_split_alike_and_others_do_not():
    manifest = manifest_of(["a"] * 30 + ["b"] * 30)
    first, again, other = (split(manifest, Split(method="stratified", seed=seed)) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


def test_repeats_draw_the_folds_anew():
    table = split(manifest_of(["a"] * 20 + ["b"] * 20), Split(method="kfold", k=2, repeats=2))
    assert roles_of(table, 0) != roles_of(table, 2)


def test_small_classes_are_in_every_role():
    table = split(manifest_of(["a"] * 40 + ["b"] * 3), Split(method="stratified", val=0.2, test=0.2))
    assert {key: n for key, n in counts(table).items() if key[0] == "b"} == {
        ("b", "test"): 1, ("b", "train"): 1, ("b", "val"): 1,
    }  # fmt: skip


def test_folders_are_taken_as_they_are():
    manifest = manifest_of(["a", "b"] * 3, splits=["train"] * 2 + ["val"] * 2 + ["test"] * 2)
    assert list(roles_of(split(manifest, Split())).values()) == ["train"] * 2 + ["val"] * 2 + ["test"] * 2


def test_val_is_drawn_from_train_where_there_is_only_a_test_folder():
    manifest = manifest_of(["a", "b"] * 12, splits=["train"] * 20 + ["test"] * 4)
    table = split(manifest, Split())
    assert counts(table) == {(label, role): n for label in "ab" for role, n in (("train", 8), ("val", 2), ("test", 2))}


def test_without_folders_the_split_is_stratified():
    manifest = manifest_of(["a"] * 10 + ["b"] * 10)
    assert split(manifest, Split()).equals(split(manifest, Split(method="stratified")))


@pytest.mark.parametrize("pattern", [r"patient\d+", r"(patient\d+)_scan\d"])
def test_the_user_s_groups_stay_together(pattern):
    paths = [
        f"{label}/patient{label}{patient}_scan{scan}.jpg" for label in "01" for patient in range(8) for scan in range(4)
    ]
    table = split(manifest_of(["0"] * 32 + ["1"] * 32, paths=paths), Split(method="stratified", group_by=pattern))
    patients = table.assign(patient=table["path"].str.extract(r"(patient\d+)")[0])
    assert patients.groupby("patient")["role"].nunique().max() == 1
    assert set(table["role"]) == {"train", "val"}


def test_the_groups_of_the_user_s_table_stay_together_and_photos_without_one_are_alone():
    groups = [f"patient{number // 4}" if number % 8 < 4 else "" for number in range(64)]
    table = split(manifest_of(["0"] * 32 + ["1"] * 32).assign(source_group=groups), Split(method="stratified"))
    patients = table.assign(patient=groups)[np.array(groups) != ""]
    assert patients.groupby("patient")["role"].nunique().max() == 1
    assert table["group"].nunique() == 8 + 32


@pytest.mark.parametrize(
    ("manifest", "options", "text"),
    [
        (manifest_of(["a"] * 9 + ["b"]), {"method": "stratified"}, "class 'b' has 1 photo, too few for 2 parts"),
        (
            manifest_of(["a"] * 9 + ["b"] * 2),
            {"method": "stratified", "test": 0.2},
            "class 'b' has 2 photos, too few for 3",
        ),
        (manifest_of(["a"] * 9 + ["b"] * 4), {"method": "kfold"}, "class 'b' has 4 photos, too few for 5 parts"),
        (
            manifest_of(["a"] * 9 + ["b"] * 4, groups=[*range(9), 9, 9, 9, 9]),
            {"method": "stratified"},
            "class 'b' has 4 photos in 1 group of like ones, too few for 2",
        ),
        (manifest_of(["a", "b"] * 4), {"method": "folders"}, "takes a train and a val folder; there is no such folder"),
        (manifest_of(["a", "b"] * 4), {"group_by": "patient"}, "matches none of the paths, such as a/0.jpg"),
        (
            manifest_of(["Rural", "urban", "rural", "urban"], splits=["train", "train", "val", "val"]),
            {},
            "no photo to train class 'rural' on; did you mean 'Rural'",
        ),
        (
            manifest_of(["a", "b", "a", "b"], groups=[0, 1, 0, 3], splits=["train", "train", "val", "val"]),
            {},
            "alike have different roles: a/0.jpg in train and a/2.jpg in val; give each group one role",
        ),
        (
            manifest_of(
                ["a", "b"] * 2, splits=["train", "train", "val", "val"], paths=["a/p1x", "b/p2x", "a/p1y", "b/p3x"]
            ),
            {"group_by": r"p\d"},
            "of one group of split.group_by have different roles: a/p1x in train and a/p1y in val",
        ),
        (
            manifest_of(["a", "b"] * 2, splits=["train", "train", "val", "val"]).assign(
                source_group=["p", "", "p", ""]
            ),
            {},
            "alike or of one group of source.labels.group have different roles: a/0.jpg in train and a/2.jpg in val",
        ),
    ],
)
def test_what_cannot_be_split_well_is_refused_in_words(manifest, options, text):
    with pytest.raises(UserError, match=text):
        split(manifest, Split(**options))


class TestATableOfTheUser:
    """`method: file`."""

    manifest = manifest_of(["a", "b"] * 4, groups=[0, 1, 0, 3, 4, 5, 6, 7])

    def split(self, tmp_path, table, **options):
        path = tmp_path / "own.csv"
        path.write_text(table if isinstance(table, str) else table.to_csv(index=False))
        return split(self.manifest, Split(method="file", file=str(path), **options))

    def table(self, roles="train train train train train train val val"):
        return self.manifest[["path", "label"]].assign(fold=0, role=roles.split())

    def test_it_is_followed(self, tmp_path):
        assert list(roles_of(self.split(tmp_path, self.table())).values()) == ["train"] * 6 + ["val"] * 2

    def test_a_split_that_was_written_can_be_given_back(self, tmp_path):
        drawn = split(self.manifest, Split(method="kfold", k=2))
        assert self.split(tmp_path, drawn, folds=2).equals(drawn)

    def test_photos_that_it_leaves_out_have_no_role(self, tmp_path):
        assert len(self.split(tmp_path, self.table().drop(index=3))) == 7

    def test_it_needs_no_labels(self, tmp_path):
        assert len(self.split(tmp_path, self.table().drop(columns="label"))) == 8

    def test_one_fold_needs_no_column(self, tmp_path):
        assert len(self.split(tmp_path, self.table().drop(columns="fold"))) == 8

    @pytest.mark.parametrize(
        ("change", "text"),
        [
            (
                {"roles": "train val val train train train val val"},
                "alike have different roles: a/0.jpg in train and a/2.jpg in val",
            ),
            ({"roles": "train train train train train train val valid"}, "has the role 'valid'; did you mean 'val'"),
            ({"roles": "train train train train train train train train"}, "fold 0 of the split has no val photo"),
        ],
    )
    def test_its_mistakes_are_named(self, change, text, tmp_path):
        with pytest.raises(UserError, match=text):
            self.split(tmp_path, self.table(**change))

    @pytest.mark.parametrize(
        ("table", "text"),
        [
            ("path,label,role\nc/9.jpg,c,train\n", "names c/9.jpg, which the photo set lacks"),
            ("path,label,role\na/0.jpg,b,train\n", "gives another label than the photo set does to a/0.jpg"),
            ("path,label\na/0.jpg,a\n", "lacks the column role"),
            ("path,label,fold,role\na/0.jpg,a,1,train\n", "has the folds 1; split.folds: 1 means 0 to 0"),
            ("path,label,role\na/0.jpg,a,train\na/0.jpg,a,val\n", "names a/0.jpg twice in a fold"),
            ("path,label,fold,role\na/0.jpg,a,first,train\n", "has the fold 'first'; folds are numbered from 0"),
            ("", "is no table"),
        ],
    )
    def test_a_table_that_does_not_fit_is_refused_in_words(self, table, text, tmp_path):
        with pytest.raises(UserError, match=text):
            self.split(tmp_path, table)

    def test_a_table_that_is_missing_is_named(self):
        with pytest.raises(UserError, match=r"nowhere.csv, which does not exist"):
            split(self.manifest, Split(method="file", file="nowhere.csv"))


def test_the_script_writes_the_table_and_says_how_many(tmp_path, capsys):
    write_table(manifest_of(["1"] * 10 + ["NA"] * 10), tmp_path / "manifest.csv")
    arguments = ["--manifest", str(tmp_path / "manifest.csv"), "--output", str(tmp_path / "split.csv")]
    split_dataset.main([*arguments, "--settings", json.dumps({"method": "kfold", "k": 5})])
    assert capsys.readouterr().out == "split_dataset: kfold, seed 0: 16 train, 4 val in the first of 5 folds\n"
    assert set(read_table(tmp_path / "split.csv")["label"]) == {"1", "NA"}


def test_a_table_that_leaves_a_class_out_is_one_sentence(tmp_path):
    table = pd.DataFrame({"path": ["a/0.jpg", "a/1.jpg"], "label": "a", "role": ["train", "val"]})
    write_table(table, tmp_path / "split.csv")
    manifest = manifest_of(["a", "a", "b"])
    with pytest.raises(UserError, match="fold 0 of the split has no photo to train class 'b' on"):
        split(manifest, Split(method="file", file=str(tmp_path / "split.csv")))
