"""What folders mean, in every layout that photo sets come in."""

import pytest

from graft.data.layout import arrange, doubled, is_junk, natural


def placed(*names, labels="auto"):
    """Return "split:label" of each path."""
    return [f"{place.source_split}:{place.label}" for place in arrange(list(names), labels)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cats/1.jpg", "dogs/1.jpg"], [":cats", ":dogs"]),
        (["photos/cats/1.jpg", "photos/dogs/1.jpg"], [":cats", ":dogs"]),
        (["a/b/c/cats/1.jpg", "a/b/c/dogs/1.jpg"], [":cats", ":dogs"]),
        (["train/cats/1.jpg", "val/dogs/1.jpg", "train/dogs/2.jpg"], ["train:cats", "val:dogs", "train:dogs"]),
        (["set/Train/a/1.jpg", "set/Valid/a/1.jpg", "set/Test/a/1.jpg"], ["train:a", "val:a", "test:a"]),
        (["training/a/1.jpg", "validation/a/1.jpg", "testing/a/1.jpg"], ["train:a", "val:a", "test:a"]),
        (["training_set/training_set/a/1.jpg", "test_set/test_set/a/1.jpg"], ["train:a", "test:a"]),
        (["seg_train/seg_train/sea/1.jpg", "seg_test/seg_test/sea/1.jpg"], ["train:sea", "test:sea"]),
        (["train/images/a/1.jpg", "train/images/b/1.jpg", "val/images/a/1.jpg"], ["train:a", "train:b", "val:a"]),
        (["a/train/1.jpg", "a/val/1.jpg", "b/train/1.jpg", "b/val/1.jpg"], ["train:a", "val:a", "train:b", "val:b"]),
        (["train/a/1.jpg", "train/b/1.jpg"], ["train:a", "train:b"]),
        (["cats.zip/1.jpg", "dogs.tar.gz/1.jpg"], [":cats", ":dogs"]),
        (["train.zip/a/1.jpg", "test.zip/a/1.jpg"], ["train:a", "test:a"]),
        (["cats/1.jpg", "dogs/1.jpg", "more/cats/2.jpg"], [":cats", ":dogs", ":cats"]),
    ],
)
def test_classes_and_splits_are_read_from_folders(names, expected):
    assert placed(*names) == expected


def test_a_class_may_be_called_train():
    assert placed("vehicles/train/1.jpg", "vehicles/bus/1.jpg") == [":train", ":bus"]


def test_a_wrapped_set_keeps_its_cover_without_a_class():
    assert placed("set/cats/1.jpg", "set/cats/2.jpg", "set/dogs/1.jpg", "set/cover.jpg")[-1] == ":None"


def test_an_unlabelled_test_folder_has_no_class():
    names = ["train/a/1.jpg", "train/b/1.jpg", "val/a/2.jpg", "test/images/9.jpg"]
    assert placed(*names)[-1] == "test:None"
    assert "names no class of train" in arrange(names)[-1].detail


def test_photos_beside_the_split_folders_have_no_class():
    assert placed("train/a/1.jpg", "val/a/2.jpg", "extra/a/3.jpg")[-1] == ":None"


def test_the_last_folder_names_the_class_unless_it_stands_below_several():
    assert placed("dogs/poodle/1.jpg", "cats/siamese/1.jpg") == [":poodle", ":siamese"]
    assert placed("dogs/2023/1.jpg", "cats/2023/1.jpg") == [":dogs", ":cats"]
    assert placed("dogs/1.jpg", "dogs/more/2.jpg", "cats/1.jpg") == [":dogs", ":dogs", ":cats"]


def test_the_user_says_which_folder_names_the_class():
    names = ["dogs/poodle/1.jpg", "cats/siamese/1.jpg"]
    assert placed(*names, labels="first") == [":dogs", ":cats"]
    assert placed("dogs/2023/1.jpg", "cats/2024/1.jpg", labels="last") == [":2023", ":2024"]


@pytest.mark.parametrize(
    "name", ["__MACOSX/a/1.jpg", "a/._1.jpg", ".DS_Store", "a/Thumbs.db", ".ipynb_checkpoints/1.jpg"]
)
def test_leftovers_are_junk(name):
    assert is_junk(name)


def test_class_10_comes_after_class_2():
    assert sorted(["class10", "class2", "Class1", "b", "10", "9"], key=natural) == [
        "9",
        "10",
        "b",
        "Class1",
        "class2",
        "class10",
    ]


def copies(contents):
    """Return {copy: original} by name, of files given as {name: content}."""
    names = list(contents)
    found = doubled(names, lambda one, other: contents[names[one]] == contents[names[other]])
    return {names[copy]: names[original] for copy, original in found.items()}


def test_kaggle_s_doubled_tree_counts_once():
    tree = {"train/a/1.jpg": "x", "train/b/1.jpg": "y", "val/a/1.jpg": "z"}
    doubled_tree = {**{f"set/{name}": content for name, content in tree.items()}, **tree}
    assert copies(doubled_tree) == {f"set/{name}": name for name in tree}


def test_a_tree_beside_its_nested_archive_counts_once():
    tree = {"set/train/a/1.jpg": "x", "set/train/b/1.jpg": "y"}
    assert copies({**tree, **{f"set.zip/{name}": content for name, content in tree.items()}}) == {
        f"set.zip/{name}": name for name in tree
    }


def test_a_tree_within_itself_counts_once_whatever_lies_beside_it():
    tree = {"xray/train/a/1.jpg": "x", "xray/train/b/1.jpg": "y"}
    inner = {f"xray/{name}": content for name, content in tree.items()}
    assert copies({"xray/notes/readme.txt": "hello", **tree, **inner}) == {f"xray/{name}": name for name in tree}


def test_two_equal_trees_side_by_side_count_once():
    assert copies({"one/a/1.jpg": "x", "one/b/1.jpg": "y", "two/a/1.jpg": "x", "two/b/1.jpg": "y"}) == {
        "two/a/1.jpg": "one/a/1.jpg",
        "two/b/1.jpg": "one/b/1.jpg",
    }


def test_a_tree_of_the_same_names_and_other_photos_is_no_copy():
    assert (
        copies({"train/a/1.jpg": "x", "train/b/1.jpg": "y", "set/train/a/1.jpg": "p", "set/train/b/1.jpg": "q"}) == {}
    )
    assert copies({"train/a/1.jpg": "x", "train/b/1.jpg": "y", "val/a/1.jpg": "p", "val/b/1.jpg": "q"}) == {}


def test_the_one_file_that_differs_in_a_doubled_tree_stays():
    tree = {f"train/a/{number}.jpg": str(number) for number in range(9)}
    double = {**tree, **{f"set/{name}": content for name, content in tree.items()}, "set/train/a/0.jpg": "other"}
    assert len(copies(double)) == 8
