"""What the folders of a photo set mean: which are junk or copies, which name a split, and which a class."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

JUNK_NAMES = {"thumbs.db", "desktop.ini", "__macosx", "@eadir", "icon\r"}
ROLES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "dev": "val",
         "test": "test", "testing": "test"}  # fmt: skip
ROLE_NAME = re.compile(
    rf"(?:(.*)[_\- ])?({'|'.join(ROLES)})(?:[_\- ]?(set|data|images|photos|dataset))?", re.IGNORECASE
)
EXTENSIONS = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".webp": "WEBP", ".gif": "GIF",
    ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".avif": "AVIF", ".ppm": "PPM", ".pgm": "PPM", ".pnm": "PPM",
    ".heic": "HEIF", ".heif": "HEIF", ".dcm": "DICOM", ".dicom": "DICOM",
}  # fmt: skip
ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
Folders = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What a photo's folders say: its class, if any, and train, val, test or nothing."""

    label: str | None
    source_split: str
    detail: str = ""


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts 2 before 10, and is the same on every machine.

    >>> sorted(["class10", "class2", "Class1"], key=natural)
    ['Class1', 'class2', 'class10']
    """
    parts = re.split(r"([0-9]+)", text)
    numbered = [(0, int(part), "") if part.isdigit() and part.isascii() else (1, 0, part.casefold()) for part in parts]
    return [*numbered, (2, 0, text)]


def is_junk(name: str) -> bool:
    """Return whether a path is left over from an operating system: hidden files, __MACOSX, Thumbs.db.

    >>> is_junk("__MACOSX/a/._b.jpg"), is_junk("a/.DS_Store"), is_junk("a/b.jpg")
    (True, True, False)
    """
    return any(part.startswith(".") or part.lower() in JUNK_NAMES for part in name.split("/"))


def doubled(names: list[str], same: Callable[[int, int], bool]) -> dict[int, int]:
    """Return the files of trees that lie in the archive twice, as {copy: original}, by position in `names`.

    A tree is a copy if at least half of its files have, at the same place one or more folders further up or in a
    sibling tree, a file of the same bytes. Kaggle ships its archives so: `photos/train/...` and `train/...`.

    Args:
        names: relative paths with "/".
        same: whether the files at two positions hold the same bytes.
    """
    at = {name: position for position, name in enumerate(names)}
    under = defaultdict(list)
    for position, name in enumerate(names):
        parts = name.split("/")
        for depth in range(1, min(4, len(parts) - 1)):  # a tree has folders: at least one between it and the file
            under["/".join(parts[:depth])].append(position)
    copies: dict[int, int] = {}
    for tree in sorted(under, key=lambda tree: (tree.count("/"), natural(tree))):
        folders = tree.split("/")
        for kept in range(len(folders)):
            higher = "".join(f"{folder}/" for folder in folders[:kept])
            twins = {}
            for position in under[tree]:
                twin = at.get(higher + names[position][len(tree) + 1 :])
                if twin is not None and position not in copies and twin not in copies and same(position, twin):
                    twins[position] = twin
            if len(twins) * 2 >= len(under[tree]):
                copies |= twins
    copies |= sibling_trees(names, under, copies, same)
    return copies


def sibling_trees(
    names: list[str], under: dict[str, list[int]], copies: dict[int, int], same: Callable[[int, int], bool]
) -> dict[int, int]:
    """Return the copies where two top folders, differently named, hold the same tree."""
    shapes = defaultdict(list)
    for tree, positions in under.items():
        if "/" not in tree and not any(position in copies for position in positions):
            shapes[tuple(sorted(names[position][len(tree) + 1 :] for position in positions))].append(tree)
    found = {}
    for trees in shapes.values():
        first, *others = sorted(trees, key=natural)
        at = {names[position][len(first) + 1 :]: position for position in under[first]}
        for other in others:
            twins = {position: at[names[position][len(other) + 1 :]] for position in under[other]}
            if all(same(copy, original) for copy, original in twins.items()):
                found |= twins
    return found


def arrange(names: list[str], labels: Literal["auto", "first", "last"] = "auto") -> list[Place]:
    """Return the class and the split that each photo's folders name.

    >>> arrange(["set/train/rural/1.jpg", "set/val/rural/5.jpg", "set/test/9.jpg"])[0]
    Place(label='rural', source_split='train', detail='')
    >>> [place.label for place in arrange(["photos/cats/1.jpg", "photos/dogs/1.jpg", "photos/cover.jpg"])]
    ['cats', 'dogs', None]
    """
    folders = [tuple(map(without_suffix, PurePosixPath(name).parts[:-1])) for name in names]
    depth, roles = split_level(folders)
    parts, splits, outside = [], [], []
    for own in folders:
        role = roles.get(own[depth], "") if roles and len(own) > depth else ""
        splits.append(role)
        outside.append(bool(roles) and not role)
        parts.append(own[:depth] + own[depth + 1 :] if role else own)
    classes = classes_of(parts, splits, labels, depth if roles else None)
    known = {label for label, split in zip(classes, splits, strict=True) if label and split == "train"}
    strange = {
        split
        for split in ("val", "test")
        if roles and known.isdisjoint(label for label, own in zip(classes, splits, strict=True) if own == split)
    }
    places = []
    for label, split, out in zip(classes, splits, outside, strict=True):
        if out:
            places.append(Place(None, "", "it lies outside the train, val and test folders"))
        elif split in strange:
            places.append(Place(None, split, f"its folder in {split} names no class of train"))
        else:
            places.append(Place(label, split, "" if label else "it lies in no class folder"))
    return places


def without_suffix(folder: str) -> str:
    """Return a folder's name; an archive within the archive counts as a folder, cats.zip as cats."""
    suffix = next((suffix for suffix in sorted(ARCHIVES, key=len) if folder.lower().endswith(suffix)), "")
    return folder[: len(folder) - len(suffix)] or folder


def split_level(folders: list[Folders]) -> tuple[int, dict[str, str]]:
    """Return the depth of the train, val and test folders, and {folder: role}; no roles where there are none.

    A class may be called "train" (beside "bus"): so the folders of that depth must be two roles of one naming, or
    a train folder alone, and classes must lie below or above them.
    """
    deepest = max((len(own) for own in folders), default=0)
    for depth in range(deepest):
        here = Counter(own[depth] for own in folders if len(own) > depth)
        namings = defaultdict(dict)
        for name in here:
            match = ROLE_NAME.fullmatch(name)
            if match:
                around = tuple((part or "").lower() for part in (match[1], match[3]))
                namings[around][name] = ROLES[match[2].lower()]
        for around, roles in sorted(namings.items(), key=lambda item: -len(item[1])):
            several = len(set(roles.values())) > 1
            alone = around == ("", "") and set(roles) == set(here)
            if "train" in roles.values() and (several or alone) and has_classes(folders, depth, roles):
                return depth, roles
    return 0, {}


def has_classes(folders: list[Folders], depth: int, roles: dict[str, str]) -> bool:
    """Return whether most training photos have, below or above the split's folder, a folder that can name a class."""
    train = [own for own in folders if len(own) > depth and roles.get(own[depth]) == "train"]
    below = sum(len(own) > depth + 1 for own in train)
    above = len({own[:depth] for own in train}) > 1
    return 2 * below > len(train) or above


def classes_of(parts: list[Folders], splits: list[str], labels: str, depth: int | None) -> list[str | None]:
    """Return the class of each photo, from the folders that remain once split and wrapping folders are gone."""
    stripped: list[Folders] = list(parts)
    for role in set(splits):
        chosen = [position for position, split in enumerate(splits) if split == role]
        for position, own in zip(chosen, unwrapped([parts[position] for position in chosen]), strict=True):
            stripped[position] = own
    level = labels
    if labels == "auto":
        placed = [own for own in stripped if own]
        parents = defaultdict(set)
        for own in placed:
            parents[own[-1]].add(own[:-1])
        plain = len({len(own) for own in placed}) <= 1 and all(len(above) == 1 for above in parents.values())
        shallow = {own[0] for own in placed if len(own) == 1}
        level = "last" if plain or all(own[-1] in shallow for own in placed) else "first"
    return [(own[0] if level == "first" else own[-1]) if own else None for own in stripped]


def unwrapped(parts: list[Folders]) -> list[Folders]:
    """Return folders without those that wrap all photos; photos beside the class folders are left with none.

    >>> unwrapped([("set", "images", "cats"), ("set", "images", "dogs"), ("set",)])
    [('cats',), ('dogs',), ()]
    """
    while True:
        tops = {own[0] for own in parts if own}
        deeper = [own for own in parts if len(own) > 1]
        direct = sum(len(own) == 1 for own in parts)
        if len(tops) != 1 or direct >= len(deeper):
            return parts
        parts = [own[1:] for own in parts]
