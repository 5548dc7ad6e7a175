"""Names of any length and script fit a figure, stay distinct, and never stop it."""

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.figures import names

CHINESE = "城市"


@pytest.fixture
def no_other_fonts(monkeypatch):
    monkeypatch.setattr(names, "other_fonts", lambda: ())


@given(st.text(min_size=1, max_size=80), st.integers(4, 30))
def test_a_shortened_name_fits_its_width(text, width):
    assert names.columns(names.shorten(text, width)) <= width


@given(st.text(max_size=40))
def test_a_clean_name_is_one_line(text):
    assert len(names.clean(text).splitlines()) <= 1


def test_names_that_shorten_to_the_same_are_told_apart_by_their_number():
    assert names.class_labels(["x" * 40 + "1" + "y" * 40, "x" * 40 + "2" + "y" * 40], 12) == [
        "xxxx…yyy (1)",
        "xxxx…yyy (2)",
    ]


def test_a_class_in_a_script_without_a_font_is_drawn_by_its_number_and_says_so(no_other_fonts, caplog):
    assert names.class_labels(["urban", CHINESE]) == ["urban", "class 2"]
    assert "no installed font has 城 市" in caplog.text.replace("市 城", "城 市")


def test_a_file_name_without_a_font_keeps_what_can_be_drawn(no_other_fonts):
    assert names.photo_label(f"val/{CHINESE}/{CHINESE}_01.jpg") == "??_01.jpg"


def test_a_font_that_has_the_characters_is_added_to_the_base(monkeypatch):
    path = matplotlib.font_manager.findfont("cmr10")
    lacking = sorted(names.characters_of(path) - names.covered_by_base() - {"\uf8ff"})
    if not lacking:
        monkeypatch.setattr(names, "covered_by_base", lambda: frozenset("abc"))
        lacking = ["Q"]
    monkeypatch.setattr(names, "other_fonts", lambda: (path,))
    assert names.families_for(lacking[0]) == ["DejaVu Sans", "cmr10"]


def test_a_broken_font_file_has_no_characters(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font at all")
    assert names.characters_of(str(tmp_path / "broken.ttf")) == frozenset()
