"""Splits of photos that have several labels: every part gets its share of every label, and no group is divided."""

import numpy as np
import pandas as pd
import pytest

from graft.config.dataset import Split
from graft.data.label_sets import multi_hot, names_in
from graft.data.multilabel_split import deal, multilabel_split
from graft.errors import UserError


def manifest_of(labels, groups=None, roles=None):
    """Return a manifest of photos with these sets of labels."""
    n = len(labels)
    return pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(n)],
            "labels": labels,
            "source_split": roles or [""] * n,
            "sha256": [str(number) for number in range(n)],
            "duplicate_group": groups if groups is not None else range(n),
        }
    )


def random_labels(n=400, seed=0):
    """Return sets of three labels, of shares 0.6, 0.2 and 0.05, drawn apart."""
    draws = np.random.default_rng(seed).random((n, 3)) < [0.6, 0.2, 0.05]
    return ["|".join(np.array(["a", "b", "c"])[row]) for row in draws]


def counts(table, role):
    """Return photos of each label in a part."""
    part = table[table["role"] == role]
    return multi_hot(part["labels"], names_in(table["labels"])).sum(0)


def test_every_part_has_its_share_of_every_label_to_the_photo():
    labels = random_labels()
    table = multilabel_split(manifest_of(labels), Split(method="stratified", val=0.2, test=0.1))
    every = multi_hot(labels, ["a", "b", "c"]).sum(0)
    for role, share in (("train", 0.7), ("val", 0.2), ("test", 0.1)):
        assert np.abs(counts(table, role) - share * every).max() <= 2
        assert abs((table["role"] == role).sum() - share * 400) <= 3


def test_a_plain_draw_is_farther_from_the_shares_than_the_deal():
    truth = multi_hot(random_labels(), ["a", "b", "c"])
    rare = truth[:, 2].sum() / 5

    def farthest(part_of):
        return max(abs(truth[part_of == part, 2].sum() - rare) for part in range(5))

    dealt = farthest(deal(truth, np.arange(400), [0.2] * 5, seed=0))
    drawn = np.mean([farthest(np.random.default_rng(seed).permutation(400) % 5) for seed in range(20)])
    assert dealt < 1 < drawn


def test_photos_of_a_group_stay_together_and_the_shares_still_hold():
    labels, groups = random_labels(), np.arange(400) // 4
    table = multilabel_split(manifest_of(labels, groups), Split(method="stratified", val=0.25))
    assert (table.groupby("group")["role"].nunique() == 1).all()
    every = multi_hot(labels, ["a", "b", "c"]).sum(0)
    assert np.abs(counts(table, "val") - 0.25 * every).max() <= 4


def test_every_photo_validates_once_a_repeat_and_the_inner_part_is_of_the_training_photos():
    table = multilabel_split(manifest_of(random_labels(100)), Split(method="kfold", k=4, repeats=2))
    assert table["fold"].nunique() == 8
    assert (table[table["role"] == "val"].groupby("path").size() == 2).all()
    assert set(table.loc[table["inner"] == 1, "role"]) == {"train"}
    inner = table[table["fold"] == 0]["inner"].sum()
    assert inner == pytest.approx(0.2 * 75, abs=1)


def test_roles_of_the_table_are_kept_and_a_val_is_drawn_where_there_is_none():
    labels = random_labels(40)
    table = multilabel_split(manifest_of(labels, roles=["train"] * 30 + ["test"] * 10), Split())
    assert table["role"].tolist()[30:] == ["test"] * 10
    assert (table["role"] == "val").sum() == 6
    given = ["train"] * 20 + ["val"] * 20
    assert multilabel_split(manifest_of(labels, roles=given), Split())["role"].tolist() == given


def test_the_same_seed_splits_alike_and_another_does_not():
    manifest = manifest_of(random_labels(60))
    one, same, other = (multilabel_split(manifest, Split(method="stratified", seed=seed)) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_label_that_nobody_could_train_on_is_refused():
    lonely = manifest_of(["a", "a|b", "c", "a", "b", "", "b", "a"])
    with pytest.raises(UserError, match="the label 'c' stands on 1 photo of one group only"):
        multilabel_split(lonely, Split(method="kfold", k=2))
    roles = ["train", "train", "val", "train", "train", "val", "train", "train"]
    with pytest.raises(UserError, match="fold 0 of the split has no photo to train the label 'c' on"):
        multilabel_split(manifest_of(list(lonely["labels"]), roles=roles), Split())
    drawn = multilabel_split(lonely, Split(method="stratified", val=0.25))
    assert drawn.set_index("path").loc["2.png", "role"] == "train"  # of one photo, the training gets it
