"""From files to verdicts: every file has exactly one, and what is kept is what was there."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from photo_files import encoded, huge_png, photo, picture, two_classes, write_files, zipped
from PIL import Image

import ingest_dataset
from graft.data.decode import look
from graft.errors import UserError
from graft.storage.files import read_table


class Ingested:
    """The results of ingest_dataset.py, as tables."""

    def __init__(self, photos, output, **settings):
        self.output = output
        arguments = ["--photos", str(photos), "--output", str(output), "--workers", "2"]
        ingest_dataset.main([*arguments, "--settings", json.dumps(settings)])
        self.manifest = read_table(output / "manifest.csv")
        self.audit = read_table(output / "audit.csv")
        self.classes = json.loads((output / "classes.json").read_text())

    @property
    def paths(self):
        return self.manifest["path"].tolist()

    def verdicts(self, outcome=None):
        """Return {path: verdict} of the files that are not simply kept."""
        rows = self.audit[self.audit["verdict"] != "kept"]
        rows = rows if outcome is None else rows[rows["outcome"] == outcome]
        return dict(zip(rows["path"], rows["verdict"], strict=True))


@pytest.fixture
def ingest(tmp_path):
    """Return a function that ingests files, {path: bytes}, as a zip or as a folder."""

    def run(files, kind="zip", **settings):
        photos = tmp_path / f"photos.{kind}"
        if kind == "folder":
            write_files(photos, files)
        else:
            photos.write_bytes(zipped(files))
        return Ingested(photos, tmp_path / f"results-{kind}", **settings)

    return run


def split_set(**more):
    """Return four training and two validation photos of two classes, and more files."""
    return {**two_classes(4, "train/"), **two_classes(2, "val/", first_seed=100), **more}


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_an_archive_and_a_folder_give_the_same_manifest(kind, ingest):
    result = ingest(split_set(), kind)
    assert result.paths[:2] == ["train/cats/0.png", "train/cats/1.png"]
    assert result.manifest["label"].value_counts().to_dict() == {"cats": 6, "dogs": 6}
    assert result.manifest["source_split"].value_counts().to_dict() == {"train": 8, "val": 4}
    assert result.manifest["duplicate_group"].tolist() == list(range(12))
    assert (result.manifest["width"].iat[0], result.manifest["height"].iat[0]) == (48, 32)
    assert result.classes == ["cats", "dogs"]
    assert set(result.audit["verdict"]) == {"kept"}


def test_equal_photos_give_equal_bytes_of_every_table(ingest, tmp_path):
    first = ingest(split_set())
    tables = ("manifest.csv", "audit.csv", "classes.json", "source.json", "audit.png")
    before = [(first.output / name).read_bytes() for name in tables]
    again = ingest(split_set())
    assert [(again.output / name).read_bytes() for name in tables] == before


def test_a_folder_is_linked_to_and_stays_as_it_was(ingest, tmp_path):
    files = split_set(**{"notes.txt": b"mine"})
    result = ingest(files, "folder")
    folder = tmp_path / "photos.folder"
    assert {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files
    links = [path for path in (result.output / "images").rglob("*") if not path.is_dir()]
    assert len(links) == 12
    assert all(path.is_symlink() and path.resolve().is_relative_to(folder) for path in links)


def test_every_file_has_one_verdict_and_only_the_kept_ones_are_there(ingest):
    files = split_set(
        **{
            ".DS_Store": b"x",
            "train/cats/empty.jpg": b"",
            "train/cats/page.jpg": b"<html>",
            "train/cats/cut.jpg": photo(50, "JPEG")[:-100],
            "train/cats/small.png": encoded(picture(51, 8, 8)),
            "train/cats/grey.png": encoded(picture(52).convert("L")),
            "cover.png": photo(53),
        }
    )
    result = ingest(files)
    assert sorted(result.audit["path"]) == sorted(files)
    assert result.verdicts("dropped") == {
        ".DS_Store": "junk",
        "cover.png": "unlabelled",
        "train/cats/cut.jpg": "truncated",
        "train/cats/empty.jpg": "empty",
        "train/cats/page.jpg": "not_an_image",
        "train/cats/small.png": "too_small",
    }
    assert result.verdicts("warned") == {"train/cats/grey.png": "converted"}
    images = result.output / "images"
    assert sorted(str(path.relative_to(images)) for path in images.rglob("*.*")) == sorted(result.paths)
    assert sorted(path.name for path in result.output.iterdir()) == sorted(
        [".seals", "images", "manifest.csv", "audit.csv", "audit.png", "classes.json", "source.json"]
    )


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_class_may_have_a_colon_in_its_name(ingest, kind):
    files = {name.replace("rural", "A: cats"): data for name, data in two_classes(4).items()}
    assert len(ingest(files, kind).paths) == 8


def test_names_that_differ_in_case_alone_are_two_files_on_every_disk(ingest):
    files = two_classes(4)
    first = next(iter(files))
    folder = first.rpartition("/")[0]
    found = ingest({**files, f"{folder}/same.PNG": photo(50), f"{folder}/SAME.png": photo(51)})
    assert len(found.paths) == 10
    assert len({path.casefold() for path in found.paths}) == 10


def test_a_doubled_tree_is_half_as_large(ingest):
    tree = split_set()
    result = ingest({**{f"set/{name}": data for name, data in tree.items()}, **tree})
    assert result.paths == list(tree)
    assert set(result.verdicts().values()) == {"doubled"}


def test_classes_stand_in_natural_order(ingest):
    files = {f"{label}/{number}.png": photo(10 * label + number) for label in (10, 9, 2) for number in range(2)}
    assert ingest(files).classes == ["2", "9", "10"]


class TestCopies:
    """What two files share is judged by where they lie."""

    same = photo(70)
    alike = encoded(picture(70), "JPEG", quality=50)

    def test_a_copy_in_its_own_folder_is_kept_with_a_warning_and_shares_a_group(self, ingest):
        result = ingest(split_set(**{"train/cats/a.png": self.same, "train/cats/b.png": self.same}))
        assert result.verdicts() == {"train/cats/b.png": "exact_duplicate"}
        groups = result.manifest.set_index("path")["duplicate_group"]
        assert groups["train/cats/a.png"] == groups["train/cats/b.png"]

    def test_a_lookalike_in_its_own_folder_is_kept_with_a_warning_and_shares_a_group(self, ingest):
        result = ingest(split_set(**{"train/cats/a.png": self.same, "train/cats/b.jpg": self.alike}))
        assert result.verdicts() == {"train/cats/b.jpg": "near_duplicate"}
        groups = result.manifest.set_index("path")["duplicate_group"]
        assert groups["train/cats/a.png"] == groups["train/cats/b.jpg"]

    @pytest.mark.parametrize("copy", [same, alike])
    @pytest.mark.parametrize("folder", ["val", "test"])
    def test_a_leak_leaves_the_training_folder(self, copy, folder, ingest):
        files = {**split_set(), **two_classes(2, "test/", first_seed=200)}
        result = ingest({**files, "train/cats/a.png": self.same, f"{folder}/cats/z.jpg": copy})
        assert result.verdicts("dropped") == {"train/cats/a.png": "leak"}

    def test_what_leaks_through_another_photo_leaves_too(self, ingest):
        def shifted(pixels):
            return encoded(picture(70, 320, 240).crop((pixels, 0, pixels + 240, 240)))

        chain = {f"train/cats/c{pixels}.png": shifted(pixels) for pixels in (0, 6, 12, 18, 24, 30, 36)}
        result = ingest(split_set(**{**chain, "val/cats/z.png": shifted(42)}))
        assert result.verdicts("dropped") == dict.fromkeys(chain, "leak")
        detail = result.audit.set_index("path")["detail"]
        assert detail["train/cats/c0.png"] == "looks like train/cats/c6.png, and through it like val/cats/z.png"

    def test_a_leak_between_val_and_test_leaves_val(self, ingest):
        files = {**split_set(), **two_classes(2, "test/", first_seed=200)}
        result = ingest({**files, "val/cats/a.png": self.same, "test/cats/z.png": self.same})
        assert result.verdicts("dropped") == {"val/cats/a.png": "leak"}

    def test_one_photo_in_two_classes_leaves_both(self, ingest):
        result = ingest(split_set(**{"train/cats/a.png": self.same, "train/dogs/b.png": self.same}))
        assert result.verdicts("dropped") == {
            "train/cats/a.png": "label_conflict",
            "train/dogs/b.png": "label_conflict",
        }

    def test_a_chain_of_lookalikes_is_one_group(self, ingest):
        chain = {
            f"train/cats/c{number}.jpg": encoded(picture(70), "JPEG", quality=30 + 15 * number) for number in range(4)
        }
        result = ingest(split_set(**chain))
        groups = result.manifest.set_index("path")["duplicate_group"]
        assert len({groups[name] for name in chain}) == 1

    @pytest.mark.parametrize(
        ("files", "kind"),
        [
            ({"train/cats/a.png": same, "val/cats/z.png": same}, "leak"),
            ({"train/cats/a.png": same, "train/dogs/b.png": same}, "label_conflict"),
            ({"train/cats/a.png": same, "train/cats/b.jpg": alike}, "near_duplicate"),
            ({"train/cats/a.png": b""}, "empty"),
        ],
    )
    def test_an_error_policy_stops_and_names_kind_and_file(self, files, kind, ingest):
        with pytest.raises(
            UserError, match=rf"ingest.policy forbids .*{kind}: train/cats/a.png|{kind}: train/cats/b.jpg"
        ):
            ingest(split_set(**files), policy={kind: "error"})

    def test_a_drop_policy_keeps_one_of_the_copies(self, ingest):
        copies = {"train/cats/a.png": self.same, "train/cats/b.png": self.same, "train/cats/c.jpg": self.alike}
        result = ingest(split_set(**copies), policy={"exact_duplicate": "drop", "near_duplicate": "drop"})
        assert result.verdicts("dropped") == {
            "train/cats/b.png": "exact_duplicate",
            "train/cats/c.jpg": "near_duplicate",
        }


def test_an_error_page_is_dropped_where_it_is_alone(ingest):
    page = encoded(Image.new("RGB", (100, 100), "white"))
    assert ingest(split_set(**{"train/cats/page.png": page})).verdicts("dropped") == {"train/cats/page.png": "blank"}


def test_digits_on_black_are_no_error_pages(ingest):
    digits = {}
    for number in range(8):
        digit = np.zeros((40, 40), np.uint8)
        digit[5 + number : 9 + number, 5 : 10 + number] = 200 + number
        digits[f"{number % 2}/{number}.png"] = encoded(Image.fromarray(digit).convert("RGB"))
    assert ingest(digits).verdicts("dropped") == {}


def test_a_truncated_photo_can_be_kept(ingest):
    cut = photo(60, "JPEG")[:-100]
    result = ingest(split_set(**{"train/cats/cut.jpg": cut}), policy={"truncated": "keep"})
    assert result.verdicts() == {"train/cats/cut.jpg": "truncated"}
    assert "train/cats/cut.jpg" in result.paths


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({}, "no photo is left to learn from: no file at all"),
        ({"a/1.txt": b"hello"}, "no photo is left to learn from: 1 not_an_image"),
        ({"1.png": photo(0), "2.png": photo(1)}, "2 unlabelled; put photos into a folder per class"),
        ({"a/1.png": photo(0), "a/2.png": photo(1)}, "one class only, 'a', of 2 photos"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_set_that_cannot_teach_is_refused_in_words(files, text, kind, ingest, tmp_path):
    (tmp_path / "photos.folder").mkdir()
    with pytest.raises(UserError, match=text):
        ingest(files, kind)
    assert not (tmp_path / f"results-{kind}" / "manifest.csv").exists()


def test_a_folder_that_links_to_itself_is_walked_once(ingest, tmp_path):
    write_files(tmp_path / "photos.folder", two_classes())
    (tmp_path / "photos.folder" / "cats" / "loop").symlink_to(tmp_path / "photos.folder")
    (tmp_path / "photos.folder" / "dead.png").symlink_to(tmp_path / "nothing")
    result = ingest({}, "folder")
    assert len(result.paths) == 8
    assert result.verdicts() == {"dead.png": "unsafe"}


def test_photos_in_an_archive_within_a_folder_count_too(ingest):
    result = ingest({**two_classes(2), "more.zip": zipped(two_classes(1, first_seed=90))}, "folder")
    assert result.paths[-2:] == ["more.zip/cats/0.png", "more.zip/dogs/0.png"]
    assert result.manifest["label"].tolist() == ["cats"] * 2 + ["dogs"] * 2 + ["cats", "dogs"]


def test_a_lock_holds_photos_to_their_bytes(ingest, tmp_path):
    import lock_dataset

    result = ingest(split_set())
    lock = tmp_path / "lock.json"
    written = ["--source", str(result.output / "source.json"), "--manifest", str(result.output / "manifest.csv")]
    lock_dataset.main([*written, "--output", str(lock)])
    call = ["--photos", str(tmp_path / "photos.zip"), "--output", str(tmp_path / "again"), "--lock", str(lock)]
    ingest_dataset.main(call)
    changed = split_set(**{"train/cats/0.png": photo(80), "val/cats/new.png": photo(81)})
    del changed["val/dogs/1.png"]
    (tmp_path / "photos.zip").write_bytes(zipped(changed))
    with pytest.raises(UserError, match=r"1 missing \(val/dogs/1.png\); 1 new \(val/cats/new.png\); 1 changed"):
        ingest_dataset.main(call)


def test_a_picture_that_kills_its_process_costs_itself_alone(ingest, monkeypatch):
    def deadly(path, name, *settings):
        if name == "train/cats/2.png":
            os._exit(11)  # as a fault of memory in a decoder's C code would
        return look(path, name, *settings)

    monkeypatch.setattr("graft.data.ingest.look", deadly)
    result = ingest(split_set())
    assert result.verdicts() == {"train/cats/2.png": "undecodable"}
    assert len(result.paths) == 11


@pytest.mark.shared
def test_a_dirty_set_made_of_the_real_photos_is_seen_through(shared, tmp_path):
    with zipfile.ZipFile(shared / "data" / "urban-and-rural-photos.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name.startswith(("train/", "val/"))}
    rural, urban = (sorted(name for name in files if name.startswith(f"train/{label}")) for label in ("rural", "urban"))

    def opened(name):
        return Image.open(io.BytesIO(files[name])).convert("RGB")

    exif = Image.Exif()
    exif[0x0112] = 6
    dirt = {
        "train/rural/a_copy.jpeg": (files[rural[3]], "exact_duplicate", rural[3]),
        "train/rural/cut.jpeg": (files[rural[4]][:-2000], "truncated", None),
        "train/rural/page.jpeg": (b"<!DOCTYPE html><title>429</title>", "not_an_image", None),
        "train/rural/leak.jpeg": (files["val/rural/rural0.jpeg"], "leak", None),
        "train/rural/smaller_leak.webp": (
            encoded(opened("val/rural/rural5.jpeg").resize((150, 150)), "WEBP"), "leak", None
        ),
        "train/urban/conflict.jpeg": (files[rural[5]], "label_conflict", rural[5]),
        "train/urban/z_again.avif": (encoded(opened(urban[0]), "AVIF"), "near_duplicate", None),
        "train/urban/z_cmyk.jpg": (encoded(opened(urban[1]).convert("CMYK"), "JPEG"), "near_duplicate", None),
        "train/urban/z_lying.png": (encoded(opened(urban[2]).rotate(90), "JPEG"), "near_duplicate", None),
        "train/urban/z_turned.jpg": (encoded(opened(urban[3]).rotate(90), "JPEG", exif=exif), "near_duplicate", None),
        "train/urban/z_icon.png": (encoded(opened(urban[4]).resize((12, 12))), "too_small", None),
        "train/urban/bomb.png": (huge_png(40_000, 40_000), "too_large", None),
    }  # fmt: skip
    expected = {partner or name: verdict for name, (_, verdict, partner) in dirt.items()}
    expected |= {"train/urban/conflict.jpeg": "label_conflict", "train/rural/rural22.jpeg": "exact_duplicate"}
    photos = tmp_path / "photos.zip"
    photos.write_bytes(zipped(files | {name: data for name, (data, *_) in dirt.items()}))
    assert Ingested(photos, tmp_path / "results").verdicts() == expected


@pytest.mark.shared
def test_the_real_photos_are_the_lesson_s_72_and_20(shared, tmp_path):
    result = Ingested(shared / "data" / "urban-and-rural-photos.zip", tmp_path / "results")
    counts = result.manifest.groupby(["source_split", "label"]).size().to_dict()
    assert counts == {("train", "rural"): 36, ("train", "urban"): 36, ("val", "rural"): 10, ("val", "urban"): 10}
    assert result.verdicts("warned") == {"train/rural/rural22.jpeg": "exact_duplicate"}
    assert set(result.verdicts("dropped").values()) == {"doubled"}


@pytest.mark.shared
def test_the_error_page_among_the_ants_is_found_and_no_photo_is_paired_wrongly(shared, tmp_path):
    result = Ingested(shared / "data" / "hymenoptera.zip", tmp_path / "results")
    assert result.verdicts() == {"hymenoptera_data/train/ants/imageNotFound.gif": "blank"}
    assert len(result.paths) == 397
