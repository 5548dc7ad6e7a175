"""The embedded sample as an archive, to be checked like any other."""

import json
import zipfile

import draw_sample
import ingest_dataset
from graft.storage.files import read_table, sha256_of


def drawn(folder, **sample):
    folder.mkdir()
    source = json.dumps({"sample": {"name": "scenes", "train": 3, "val": 2, **sample}})
    draw_sample.main(["--source", source, "--archive", f"{folder}/archive.zip", "--record", f"{folder}/download.json"])
    return folder / "archive.zip"


def test_equal_seeds_draw_equal_archives_and_others_do_not(tmp_path):
    first, again, other = drawn(tmp_path / "a"), drawn(tmp_path / "b"), drawn(tmp_path / "c", seed=1)
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()
    assert json.loads((tmp_path / "a" / "download.json").read_text())["sha256"] == sha256_of(first)
    assert len(zipfile.ZipFile(first).namelist()) == 10


def test_drawn_scenes_pass_the_audit_without_a_word(tmp_path):
    archive = drawn(tmp_path / "sample", train=20, val=8)
    ingest_dataset.main(["--photos", str(archive), "--output", str(tmp_path / "results"), "--workers", "2"])
    assert set(read_table(tmp_path / "results" / "audit.csv")["verdict"]) == {"kept"}
    counts = read_table(tmp_path / "results" / "manifest.csv").groupby(["source_split", "label"]).size()
    assert counts.to_dict() == {
        ("train", "rural"): 20, ("train", "urban"): 20, ("val", "rural"): 8, ("val", "urban"): 8,
    }  # fmt: skip
