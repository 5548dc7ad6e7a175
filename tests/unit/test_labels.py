"""Labels that stand in a table, in a photo's path, or in corrections: what they give, and what is said if they fail."""

import json

import pytest
from photo_files import photo, write_files
from test_ingest import Ingested

import ingest_dataset
from graft.config.base import parse
from graft.config.dataset import Dataset, Source
from graft.data import preflight
from graft.errors import UserError
from graft.storage.files import read_json, read_table

IDS = ["cat_0", "cat_1", "dog_0", "dog_1"]
ROWS = [(name, name[:3]) for name in IDS]


def flat(folder="", suffix=".png"):
    """Return four photos in one folder, two each of cats and dogs."""
    return {f"{folder}{name}{suffix}": photo(seed) for seed, name in enumerate(IDS)}


def csv(rows, header="id,label", delimiter=","):
    return "\n".join([header.replace(",", delimiter), *(delimiter.join(row) for row in rows), ""]).encode()


@pytest.fixture
def label(tmp_path):
    """Return a function that ingests a folder of files, {path: bytes}, with these labels."""

    def run(files, labels=None, **settings):
        write_files(tmp_path / "photos", files)
        arguments = ["--photos", str(tmp_path / "photos"), "--output", str(tmp_path / "results")]
        ingest_dataset.main([*arguments, "--labels", json.dumps(labels or {}), "--settings", json.dumps(settings)])
        return Labelled(tmp_path / "results")

    return run


class Labelled(Ingested):
    """The results of ingest_dataset.py."""

    def __init__(self, output):
        self.output = output
        self.manifest = read_table(output / "manifest.csv")
        self.audit = read_table(output / "audit.csv")
        self.source = read_json(output / "source.json")

    @property
    def labels(self):
        return dict(zip(self.manifest["path"], self.manifest["label"], strict=True))

    def detail(self, path):
        return self.audit.set_index("path").loc[path, "detail"]


LABELS = {f"{name}.png": name[:3] for name in IDS}


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("t.csv", csv(ROWS)),
        ("t.csv", csv(ROWS, delimiter=";")),
        ("t.txt", csv(ROWS, delimiter="|")),
        ("t.tsv", csv(ROWS, delimiter="\t")),
        ("t.csv", b"\xef\xbb\xbf" + csv(ROWS).replace(b"\n", b"\r\n")),
        ("t.csv", csv([(f"{name}.png", label) for name, label in ROWS])),
        ("t.csv", csv([(f"C:\\set\\{name}.PNG", f" {label} ") for name, label in ROWS])),
        ("t.json", json.dumps([{"image_id": name, "class": label} for name, label in ROWS]).encode()),
        ("t.json", json.dumps(dict(ROWS)).encode()),
        ("t.json", json.dumps({name: {"label": label} for name, label in ROWS}).encode()),
        ("t.json", json.dumps({"file": IDS, "category": [label for _, label in ROWS]}).encode()),
        ("t.jsonl", b"".join(json.dumps({"id": name, "label": label}).encode() + b"\n" for name, label in ROWS)),
    ],
)
def test_a_table_of_any_kind_names_the_classes(name, table, label):
    result = label({**flat(), name: table}, {"table": name})
    assert result.labels == LABELS
    assert result.verdicts() == {name: "label_table"}
    assert set(result.audit["outcome"]) == {"kept", "read"}


def test_a_parquet_table_names_the_classes(label, tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is optional: envs/requirements-parquet.txt")
    parquet = pytest.importorskip("pyarrow.parquet")
    pictures = [{"bytes": b"x"}] * 4
    table = pyarrow.table({"id": IDS, "label": [label for _, label in ROWS], "image": pictures})
    parquet.write_table(table, tmp_path / "t.parquet")
    assert label(flat(), {"table": str(tmp_path / "t.parquet")}).labels == LABELS


def test_without_the_package_a_parquet_table_says_what_to_install(label, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(UserError, match=r"t.parquet is a Parquet file, which takes the package pyarrow: pip install"):
        label({**flat(), "t.parquet": b"PAR1"}, {"table": "t.parquet"})


def test_numbers_and_names_stay_as_they_are_written(label):
    files = {f"{name}.png": photo(seed) for seed, name in enumerate(["007", "08", "1.5", "NA"])}
    result = label(
        {**files, "t.csv": csv([("007", "NA"), ("08", "NA"), ("1.5", "01"), ("NA", "01")])}, {"table": "t.csv"}
    )
    assert result.labels == {"007.png": "NA", "08.png": "NA", "1.5.png": "01", "NA.png": "01"}


@pytest.mark.parametrize("row", ["x/1.png", "x/1", "set/x/1.png", "/disk/set/x/1", "./x/1.png"])
def test_a_path_may_be_longer_or_shorter_than_the_photo_s(row, label):
    files = {"x/1.png": photo(1), "y/1.png": photo(2)}
    assert label({**files, "t.csv": csv([(row, "a"), ("y/1", "b")])}, {"table": "t.csv"}).labels["x/1.png"] == "a"


def test_another_folder_s_photo_of_that_name_is_never_taken(label):
    files = {"x/1.png": photo(1), "x/2.png": photo(2), "y/3.png": photo(3)}
    table = csv([("x/1.png", "a"), ("x/2.png", "b"), ("x/3.png", "a")])
    result = label({**files, "t.csv": table}, {"table": "t.csv"})
    assert result.verdicts("dropped") == {"x/3.png": "row_without_photo", "y/3.png": "photo_without_row"}
    assert result.detail("x/3.png") == "row 4 of t.csv; there is y/3.png"


def test_a_suffix_tells_a_photo_from_its_mask(label):
    files = {**flat(suffix=".jpg"), **{f"{name}.png": photo(10 + seed) for seed, name in enumerate(IDS)}}
    table = {"t.csv": csv(ROWS)}
    with pytest.raises(
        UserError, match=r"t.csv names no photo for certain: row 2 of t.csv could be cat_0.jpg, cat_0.png; write more"
    ):
        label({**files, **table}, {"table": "t.csv"})
    result = label({**files, **table}, {"table": "t.csv", "suffix": ".jpg"})
    assert result.labels == {f"{name}.jpg": name[:3] for name in IDS}
    assert set(result.verdicts("dropped").values()) == {"photo_without_row"}


def test_rows_photos_and_labels_that_do_not_match_are_verdicts_with_counts_and_examples(label, capsys):
    files = {**flat("a/"), "b/cat_0.png": photo(20), "a/extra.png": photo(21), "a/blank.png": photo(22)}
    table = csv(
        [
            *ROWS[1:],
            ("cat_0", "cat"),
            ("gone", "dog"),
            ("a/dog_1.png", "cat"),
            ("blank", ""),
            ("", "cat"),
            ("cat_1", "cat"),
        ]
    )
    result = label({**files, "t.csv": table}, {"table": "t.csv"})
    assert result.labels == {"a/cat_1.png": "cat", "a/dog_0.png": "dog"}
    assert result.verdicts("dropped") == {
        "cat_0": "ambiguous_row",
        "a/cat_0.png": "photo_without_row",
        "b/cat_0.png": "photo_without_row",
        "a/extra.png": "photo_without_row",
        "a/dog_1.png": "conflicting_rows",
        "a/blank.png": "unlabelled",
        "gone": "row_without_photo",
        "(no name)": "row_without_photo",
    }
    assert result.detail("cat_0") == "row 5 of t.csv could be a/cat_0.png, b/cat_0.png"
    assert result.detail("a/cat_0.png") == "row 5 of t.csv could be it or another"
    assert result.detail("a/dog_1.png") == "rows 4 and 7 of t.csv give it the labels dog and cat"
    said = capsys.readouterr().out
    assert "ingest_dataset: 8 files, 2 photos kept; 2 classes: cat 1, dog 1" in said
    assert "  labels from t.csv: 9 rows; columns id, label" in said
    assert "  dropped 2 row_without_photo: gone (row 6 of t.csv), (no name) (row 9 of t.csv)" in said


def test_the_policy_may_refuse_rows_that_do_not_match(label):
    files = {**flat(), "t.csv": csv([*ROWS, ("gone", "dog")])}
    with pytest.raises(UserError, match=r"row_without_photo: gone \(row 6 of t.csv\)"):
        label(files, {"table": "t.csv"}, policy={"row_without_photo": "error"})


def test_a_damaged_photo_is_no_row_without_a_photo(label):
    result = label(
        {**flat(), "cat_9.png": b"\x89PNG broken", "t.csv": csv([*ROWS, ("cat_9", "cat")])}, {"table": "t.csv"}
    )
    assert result.verdicts("dropped") == {"cat_9.png": "undecodable"}
    assert result.audit.set_index("path").loc["cat_9.png", "label"] == "cat"


def test_roles_and_groups_come_from_their_columns(label):
    roles = ["Train", "validation", "train", "val"]
    table = csv([(*row, role, "p1") for row, role in zip(ROWS, roles, strict=True)], "id,label,part,patient")
    result = label({**flat(), "t.csv": table}, {"table": "t.csv", "role": "part", "group": "patient"})
    assert result.manifest["source_split"].tolist() == ["train", "val", "train", "val"]
    assert result.manifest["source_group"].tolist() == ["p1"] * 4


def test_a_photo_without_a_role_beside_others_is_dropped_with_the_reason(label):
    table = csv([(*row, role) for row, role in zip(ROWS, ["train", "", "train", "val"], strict=True)], "id,label,role")
    result = label({**flat(), "t.csv": table}, {"table": "t.csv", "role": "role"})
    assert result.verdicts("dropped") == {"cat_1.png": "unlabelled"}
    assert result.detail("cat_1.png") == "nothing says whether it is a train, val or test photo"


def test_without_a_column_the_folders_give_the_roles(label):
    files = {
        f"{role}/{name}.png": photo(seed + 9 * (role == "val"))
        for role in ("train", "val")
        for seed, name in enumerate(IDS)
    }
    rows = [(f"{role}/{name}", name[:3]) for role in ("train", "val") for name in IDS]
    result = label({**files, "t.csv": csv(rows)}, {"table": "t.csv"})
    assert result.manifest["source_split"].value_counts().to_dict() == {"train": 4, "val": 4}


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_metadata_of_hugging_face_is_found_by_itself(kind, label):
    files = {}
    for place, role in enumerate(("train", "test")):
        files |= {f"{role}/{name}.png": photo(seed + 9 * place) for seed, name in enumerate(IDS)}
        rows = [{"file_name": f"{name}.png", "category": name[:3]} for name in IDS]
        lines = [f"{row['file_name']},{row['category']}" for row in rows] if kind == "csv" else map(json.dumps, rows)
        files[f"{role}/metadata.{kind}"] = "\n".join(
            [*(["file_name,category"] if kind == "csv" else []), *lines]
        ).encode()
    result = label(files)
    assert result.labels == {f"{role}/{name}.png": name[:3] for role in ("train", "test") for name in IDS}
    assert result.manifest["source_split"].value_counts().to_dict() == {"train": 4, "test": 4}
    assert result.verdicts() == {f"{role}/metadata.{kind}": "label_table" for role in ("train", "test")}
    assert [table["table"] for table in result.source["labels"]] == [f"test/metadata.{kind}", f"train/metadata.{kind}"]


@pytest.mark.parametrize(
    ("metadata", "labels"),
    [
        (b"file_name,text\nx.png,hello\n", {}),
        (b"\xff\xfe", {}),
        (b"file_name,label\ncats/0.png,owl\n", {"metadata": False}),
    ],
)
def test_metadata_without_labels_or_unwanted_leaves_the_folders_to_name_the_classes(metadata, labels, label):
    files = {f"{name[:3]}/{name}.png": photo(seed) for seed, name in enumerate(IDS)}
    result = label({**files, "metadata.csv": metadata}, labels)
    assert set(result.labels.values()) == {"cat", "dog"}
    assert result.verdicts() == {"metadata.csv": "not_an_image"}


def test_a_pattern_finds_label_role_and_group_in_the_path(label):
    files = {
        f"{role}/{name}.png": photo(seed + 9 * (role == "val"))
        for role in ("train", "val")
        for seed, name in enumerate(IDS)
    }
    result = label({**files, "train/x.png": photo(50)}, {"pattern": r"^(?P<role>\w+)/(?P<label>[a-z]+)_(?P<group>\d)"})
    assert result.manifest["label"].value_counts().to_dict() == {"cat": 4, "dog": 4}
    assert result.manifest["source_split"].value_counts().to_dict() == {"train": 4, "val": 4}
    assert result.manifest["source_group"].tolist() == ["0", "1"] * 4
    assert result.verdicts("dropped") == {"train/x.png": "unlabelled"}


BAD_TABLES = [
    ("t.csv", b"", {}, "t.csv is empty; it takes a line of column names"),
    ("t.csv", b"id,label\n", {}, "t.csv has no rows"),
    ("t.csv", b"id,label\na,b\nc,d,e\nf,g,h,i,j\n", {}, "t.csv is no CSV table: .*line"),
    ("t.csv", "id,label\ncat_0,caf\xe9\n".encode("latin-1"), {}, "t.csv is not UTF-8 text; save it as CSV UTF-8"),
    ("t.json", b"{", {}, "t.json is no JSON table"),
    ("t.json", b'{"images": [1], "annotations": [1, 2]}', {}, "t.json is no table: it takes a list of objects"),
    ("t.jsonl", b'{"id": 1}\n{"id": \n', {}, "t.jsonl is no JSONL table: line 2"),
    ("t.xlsx", b"PK", {}, "t.xlsx is no table that can be read; one ends in .csv"),
    ("t.csv", csv(ROWS), {"label": "lable"}, "labels.label is .lable., a column that t.csv lacks; did you mean"),
    ("t.csv", csv(ROWS), {"role": "part"}, "labels.role is 'part', a column that t.csv lacks; choose from id, label"),
    ("t.csv", csv(ROWS, "id,breed"), {}, "none of the columns label, .*; set source.labels.label: it has id, breed"),
    ("t.csv", csv(ROWS, "name,label"), {}, "set source.labels.path: it has name, label"),
    ("t.csv", csv([("x", "a"), ("y", "b")]), {}, "its rows, such as 'x', fit none of the photos, such as cat_0.png"),
    ("t.csv", csv([(*row, "trian") for row in ROWS], "id,label,role"), {"role": "role"},
     "row 2 of t.csv has the role 'trian'; did you mean 'train'"),
    ("t.csv", csv([(*row, "") for row in ROWS], "id,label,role"), {"role": "role"}, "a column of t.csv that is empty"),
    ("t.csv", csv([("cat_0", "cat", "train"), ("cat_0", "cat", "val")], "id,label,role"), {"role": "role"},
     "rows 2 and 3 of t.csv give cat_0.png the roles 'train' and 'val'; a photo has one"),
    ("t.csv", csv([(name, "cat") for name in IDS]), {}, "there is one class only, 'cat', of 4 photos"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "table", "labels", "text"), BAD_TABLES)
def test_a_table_that_does_not_fit_is_one_sentence_and_leaves_nothing_behind(
    name, table, labels, text, label, tmp_path
):
    with pytest.raises(UserError, match=text) as caught:
        label({**flat(), name: table}, {"table": name, **labels})
    assert "\n" not in str(caught.value)
    assert not any(path for path in (tmp_path / "results").rglob("*") if path.is_file())
    assert (tmp_path / "photos" / "cat_0.png").is_file()


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (
            {"table": "tt.csv"},
            "source.labels.table is 'tt.csv', which is no file here and none of the photo set; did you",
        ),
        ({"table": "d.csv"}, "source.labels.table is 'd.csv', which could be x/d.csv, y/d.csv; write more of its path"),
        (
            {"label": "breed"},
            "source.labels.label goes with a table, and there is none; name it in source.labels.table: ",
        ),
        (
            {"pattern": "(?P<label>owl)"},
            "source.labels.pattern .* matches none of the photos' paths, such as cat_0.png",
        ),
        ({"pattern": "(?P<label>cat)_(?P<role>0)"}, "cat_0.png has the role '0'; choose from test, train, val"),
        ({}, "no photo is left .*or name a table of labels in source.labels: there is t.csv"),
    ],
)
def test_labels_that_are_nowhere_are_one_sentence(labels, text, label):
    with pytest.raises(UserError, match=text):
        label({**flat(), "t.csv": csv(ROWS), "x/d.csv": b"x", "y/d.csv": b"x"}, labels)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"tabel": "t.csv"}, "source.labels.tabel is not a setting; did you mean 'table'?"),
        ({"pattern": "("}, r"'\(' is not a regular expression"),
        ({"pattern": "cat|dog"}, "'cat|dog' has no group named label; write"),
        ({"pattern": "(?P<label>x)", "table": "t.csv"}, "`pattern` and `table` do not go together"),
    ],
)
def test_a_configuration_that_cannot_be_is_one_sentence(labels, text):
    with pytest.raises(UserError, match=text):
        parse(Source, {"folder": "photos", "labels": labels}, "source")


def test_a_name_alone_is_a_table():
    assert Source(folder="photos", labels="t.csv").labels.table == "t.csv"


class TestBeforeAnyJob:
    """What preflight says of labels, going by names alone."""

    def check(self, folder, labels):
        preflight.listing.cache_clear()
        preflight.check_source("mine", Dataset(source={"folder": str(folder), "labels": labels}))

    @pytest.fixture
    def photos(self, tmp_path):
        return write_files(tmp_path / "photos", {**flat("images/"), "t.csv": csv(ROWS)})

    @pytest.mark.parametrize("labels", ["t.csv", {"pattern": "(?P<label>cat|dog)"}])
    def test_a_flat_folder_passes_with_labels(self, photos, labels):
        self.check(photos, labels)

    def test_metadata_of_hugging_face_passes(self, photos):
        (photos / "t.csv").rename(photos / "metadata.csv")
        self.check(photos, None)

    @pytest.mark.parametrize(
        ("labels", "text"),
        [
            (None, "has one class folder only, 'images'; .* or a table of labels, `labels: t.csv` in the source"),
            ("tt.csv", "datasets.mine.source.labels.table is 'tt.csv', which is no file here .* did you mean 't.csv'?"),
            ({"corrections": "f.csv"}, "datasets.mine.source.labels.corrections is 'f.csv', which is no file here"),
            ("/", "datasets.mine.source.labels.table is '/', which is a folder; it takes a file"),
            ({"pattern": "(?P<label>owl)"}, "matches none of the photos of .*, such as images/cat_0.png"),
        ],
    )
    def test_what_is_missing_is_named(self, photos, labels, text):
        with pytest.raises(UserError, match=text):
            self.check(photos, labels)

    def test_a_table_outside_the_photo_set_is_an_input_and_one_within_it_is_not(self, photos, tmp_path):
        outside = tmp_path / "fixes.csv"
        outside.write_bytes(b"path,action\n")
        labels = {"table": "t.csv", "corrections": str(outside)}
        dataset = Dataset(source={"folder": str(photos), "labels": labels})
        assert preflight.tables_here(dataset) == [str(outside)]


def corrected(fixes):
    """Return four photos in class folders, and a table of corrections of them."""
    files = {f"{name[:3]}/{name}.png": photo(seed) for seed, name in enumerate([*IDS, "cat_2", "dog_2"])}
    return {**files, "fixes.csv": fixes.encode()}


def test_corrections_relabel_and_drop_and_say_so(label, capsys):
    fixes = "path,label,action\ncat_0,dog,\ndog/dog_0.png,dog,drop\ncat_1,cat,\ndog_1,dog,keep\ngone,cat,relabel\n"
    result = label(corrected(fixes), {"corrections": "fixes.csv"})
    assert result.labels["cat/cat_0.png"] == "dog"
    assert result.verdicts("dropped") == {"dog/dog_0.png": "withdrawn", "gone": "row_without_photo"}
    assert result.verdicts("warned") == {"cat/cat_0.png": "relabelled"}
    assert result.detail("cat/cat_0.png") == "row 2 of fixes.csv gives it the label dog; it was cat"
    assert result.detail("dog/dog_0.png") == "row 3 of fixes.csv drops it"
    said = capsys.readouterr().out
    assert "  corrections from fixes.csv: 1 relabelled, 1 dropped" in said
    assert "  warned 1 relabelled: cat/cat_0.png (row 2 of fixes.csv gives it the label dog; it was cat)" in said
    record = result.source["corrections"]
    assert (record["table"], record["relabelled"], record["withdrawn"], len(record["sha256"])) == (
        "fixes.csv",
        1,
        1,
        64,
    )


def test_a_correction_settles_what_the_labels_could_not(label):
    table = csv([*ROWS, ("cat_0", "dog"), ("dog_1", "dog")])
    files = {**flat(), "extra.png": photo(30), "t.csv": table, "fixes.csv": b"path,label\nextra,dog\ncat_0,cat\n"}
    result = label(files, {"table": "t.csv", "corrections": "fixes.csv"})
    assert result.labels == {**LABELS, "extra.png": "dog"}
    assert result.detail("cat_0.png") == "row 3 of fixes.csv gives it the label cat; it had none"


def test_a_correction_settles_copies_in_two_classes(label):
    files = corrected("path,label\ncat/copy.png,dog\n") | {"cat/copy.png": photo(2)}  # dog_0's bytes
    assert set(label(files).verdicts("dropped").values()) >= {"label_conflict"}
    assert "label_conflict" not in label(files, {"corrections": "fixes.csv"}).verdicts().values()


@pytest.mark.parametrize(
    ("fixes", "text"),
    [
        ("path,note\ncat_0,x\n", "fixes.csv has no column label or action; it takes path, and one of these or both"),
        (
            "photo,label\ncat_0,x\n",
            "fixes.csv has no column path; it has photo, label",
        ),
        ("path,action\ncat_0,dorp\n", "row 2 of fixes.csv has the action 'dorp'; did you mean 'drop'?"),
        (
            "path,label\ncat_0,dgo\n",
            "row 2 of fixes.csv gives cat/cat_0.png the label 'dgo', which no photo has; did you",
        ),
        ("path,label\ncat_0,\n", "row 2 of fixes.csv has no label for cat_0; write one, or the action drop"),
        ("path,label\n,dog\n", "row 2 of fixes.csv names no photo in its column path"),
        ("path,label\ncat_0,dog\ncat/cat_0.png,cat\n", "rows 2 and 3 of fixes.csv correct cat/cat_0.png differently"),
    ],
)
def test_a_correction_that_cannot_be_is_one_sentence(fixes, text, label, tmp_path):
    with pytest.raises(UserError, match=text):
        label(corrected(fixes), {"corrections": "fixes.csv"})
    assert not any(path for path in (tmp_path / "results").rglob("*") if path.is_file())
