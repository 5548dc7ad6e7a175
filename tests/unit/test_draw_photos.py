"""The photos of the tutorial: drawn, with the faults that the command says it planted."""

import hashlib
import re

import pytest
from PIL import Image

import draw_photos
from graft.errors import UserError


def test_what_is_planted_is_what_is_said(tmp_path, capsys):
    draw_photos.main([str(tmp_path / "mine"), "--per-class", "12"])
    said = capsys.readouterr().out
    files = [path for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    assert len(files) == 24 + 3 + 3 + 1
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert len(digests) - len(set(digests)) == 3
    cut = re.search(r"cut off: (\S+),", said)[1]
    with pytest.raises(OSError, match="truncated"):
        Image.open(tmp_path / "mine" / cut).load()
    wrong = re.search(r"wrong folder: (.*)", said)[1].split(", ")
    assert len(wrong) == 4
    assert all((tmp_path / "mine" / name).is_file() for name in wrong)


def test_clean_photos_are_others(tmp_path):
    draw_photos.main([str(tmp_path / "mine"), "--per-class", "10"])
    draw_photos.main([str(tmp_path / "new"), "--per-class", "10", "--clean"])
    files = [
        {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / name).rglob("*.jpg")}
        for name in ("mine", "new")
    ]
    assert len(files[1]) == 20
    assert not files[0] & files[1]


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    with pytest.raises(UserError, match="is there already"):
        draw_photos.main([str(tmp_path)])
