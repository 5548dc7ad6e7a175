"""Names that anybody may have given a class or a photo, made to fit a figure and its fonts."""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

BASE = "DejaVu Sans"  # comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and more


def families_for(texts: Iterable[str]) -> list[str]:
    """Return font families that together hold the characters of `texts`, as far as fonts are installed.

    matplotlib takes each character from the first family that has it.

    >>> families_for(["café", "Москва"])
    ['DejaVu Sans']
    """
    missing = set("".join(texts)) - covered_by_base()
    families = [BASE]
    for path in other_fonts() if missing else ():
        here = missing & characters_of(path)
        if here:
            font_manager.fontManager.addfont(path)
            families.append(font_manager.FontProperties(fname=path).get_name())
            missing -= here
        if not missing:
            break
    return list(dict.fromkeys(families))


def unreadable(text: str) -> set[str]:
    """Return the characters of `text` that no installed font has."""
    missing = set(text) - covered_by_base()
    for path in other_fonts() if missing else ():
        missing -= characters_of(path)
    return missing


def class_labels(names: Sequence[str], width: int = 24) -> list[str]:
    """Return a short, distinct, drawable label for each class; `width` is in columns, a wide letter taking two.

    A class whose script no font here has is drawn by its number, counted from 1 in class order.

    >>> class_labels(["urban", "an_exceedingly_long_name_of_a_class_A", "an_exceedingly_long_name_of_a_class_B"], 16)
    ['urban', 'an_excee…class_A', 'an_excee…class_B']
    >>> class_labels(["a" * 30 + "1" + "b" * 30, "a" * 30 + "2" + "b" * 30], 8)
    ['aa…b (1)', 'aa…b (2)']
    """
    labels = []
    for number, name in enumerate(names, start=1):
        if lost := unreadable(clean(name)):
            logging.getLogger("graft").warning(
                "no installed font has %s of the class %r: the figures call it class %d (a Noto font would name it)",
                " ".join(sorted(lost)), name, number,
            )  # fmt: skip
        labels.append(f"class {number}" if lost else shorten(clean(name), width))
    twice = {label for label in labels if labels.count(label) > 1}
    return [
        in_place(f"{shorten(label, width - len(f' ({number})'))} ({number})" if label in twice else label)
        for number, label in enumerate(labels, start=1)
    ]


def in_place(label: str) -> str:
    r"""Return a label between left-to-right marks if it is written from right to left, so that a number follows it.

    Without them "עברית 0.97" would be drawn with the number at its left, and the line's other parts in disorder.

    >>> in_place("urban"), in_place("\u05d0")
    ('urban', '\u200e\u05d0\u200e')
    """
    backwards = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in label)
    return f"\u200e{label}\u200e" if backwards else label


def photo_label(path: str, width: int = 28) -> str:
    """Return a photo's file name, drawable and short.

    >>> photo_label("train/urban/urban_001.jpg")
    'urban_001.jpg'
    """
    name = clean(path.rsplit("/", 1)[-1])
    lost = unreadable(name)
    return shorten("".join("?" if letter in lost else letter for letter in name), width)


def clean(text: str) -> str:
    r"""Return `text` without what a line of a figure cannot hold: line breaks, control characters, lone surrogates.

    >>> clean("a\nb\x00")
    'a b '
    """
    return "".join(" " if unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") else letter for letter in text)


def columns(text: str) -> int:
    """Return how many columns `text` takes: two for a wide letter (Chinese, Japanese, Korean), none for an accent.

    >>> columns("urban"), columns("城市"), columns("e\u0301")
    (5, 4, 1)
    """
    return sum(0 if unicodedata.combining(x) else 1 + (unicodedata.east_asian_width(x) in "WF") for x in text)


def shorten(text: str, width: int) -> str:
    """Return `text` within `width` columns, the middle cut out, since both ends of a name tell it apart.

    >>> shorten("urban_residential_area", 11)
    'urban…_area'
    """
    if columns(text) <= width:
        return text
    head, tail = "", ""
    room = max(width - 1, 2)
    while columns(head + text[len(head)]) <= (room + 1) // 2:
        head += text[len(head)]
    while columns(text[-1 - len(tail)] + tail) <= room - columns(head):
        tail = text[-1 - len(tail)] + tail
    return f"{head}…{tail}"


@cache
def covered_by_base() -> frozenset[str]:
    """Return the characters of matplotlib's own font."""
    return characters_of(font_manager.findfont(BASE))


@cache
def characters_of(path: str) -> frozenset[str]:
    """Return the characters of a font file; none if it cannot be read, or not be drawn at any size."""
    try:
        font = FT2Font(path)
        return frozenset(map(chr, font.get_charmap())) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()


@cache
def other_fonts() -> tuple[str, ...]:
    """Return the files of the installed fonts, in an order that is the same every time.

    The system is asked, not matplotlib's list, which does not notice a font installed since.
    """
    paths = [path for path in font_manager.findSystemFonts() if "Emoji" not in path]
    return tuple(sorted(paths, key=lambda path: ("Regular" not in path, "Noto" not in path, Path(path).name, path)))
