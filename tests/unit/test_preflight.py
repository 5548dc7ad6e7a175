"""What is said of a local source before any job runs, in one sentence each."""

import os
from pathlib import Path

import pytest
from photo_files import photo, two_classes, write_files, zipped

from graft.config.dataset import Dataset
from graft.data import preflight
from graft.errors import UserError


def check(source, **split):
    preflight.listing.cache_clear()
    preflight.check_source("mine", Dataset(source=source, split=split))


@pytest.fixture
def photos(tmp_path):
    return write_files(tmp_path / "photos", two_classes())


def test_a_good_folder_and_a_good_archive_pass(photos, tmp_path):
    check({"folder": str(photos)})
    (tmp_path / "photos.zip").write_bytes(zipped(two_classes()))
    check({"archive": str(tmp_path / "photos.zip")})


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "has no photos: it is empty; it takes a folder per class"),
        ({"notes.txt": b"", "more.txt": b""}, "has no photos: none of its 2 files is named as an image"),
        ({"1.png": photo(0)}, "has no class folders; it takes two or more"),
        ({"cats/1.png": photo(0), "cats/2.png": photo(1)}, "has one class folder only, 'cats'; it takes two or more"),
        ({**two_classes(), "owls/1.png": photo(9)}, "has one photo of class 'owls'; each needs two or more"),
    ],
)
@pytest.mark.parametrize("kind", ["folder", "archive"])
def test_too_few_photos_are_named(files, text, kind, tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    if kind == "folder":
        write_files(path, files)
    else:
        path = tmp_path / "photos.zip"
        path.write_bytes(zipped(files))
    with pytest.raises(UserError, match=rf"datasets.mine.source.{kind} \(.*photos.*\) {text}"):
        check({kind: str(path)})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ({"folder": "nowhere"}, "source.folder is 'nowhere', which is no folder"),
        ({"archive": "nowhere.zip"}, "source.archive is 'nowhere.zip', which is no file"),
        ({"folder": __file__}, "which is a file; use `source: {archive: PATH}`"),
        ({"archive": str(Path(__file__).parent)}, "which is a folder; use `source: {folder: PATH}`"),
    ],
)
def test_a_path_that_is_missing_or_of_the_other_kind_is_named(source, text):
    with pytest.raises(UserError, match=text):
        check(source)


def test_a_split_table_that_is_missing_is_named(photos):
    with pytest.raises(UserError, match=r"datasets.mine.split.file is 'own.csv', which is no file"):
        check({"folder": str(photos)}, method="file", file="own.csv")


def test_a_folder_s_fingerprint_changes_with_its_photos_alone(photos):
    def fingerprint():
        preflight.listing.cache_clear()
        return preflight.fingerprint(str(photos))

    first = fingerprint()
    (photos / ".DS_Store").write_bytes(b"x")
    assert fingerprint() == first
    (photos / "cats" / "new.png").write_bytes(photo(50))
    second = fingerprint()
    os.utime(photos / "cats" / "new.png", (1, 1))
    third = fingerprint()
    (photos / "cats" / "new.png").rename(photos / "dogs" / "new.png")
    assert len({first, second, third, fingerprint()}) == 4
