"""The split: which photos train, validate and test; photos that are alike have the same role."""

import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from graft import tables
from graft.config.base import nearest
from graft.config.dataset import Split
from graft.data.duplicates import connected_components, links_of
from graft.data.layout import natural
from graft.data.unlabelled import UNLABELLED, is_unlabelled, labelled
from graft.data.wording import abbreviated
from graft.errors import UserError
from graft.storage.files import read_table

ROLES = ("train", "val", "test")
INNER_SEED = 7919  # added to the split's seed, so that the inner part is no repetition of the validation draw


def split(manifest: pd.DataFrame, settings: Split) -> pd.DataFrame:
    """Return the rows of split.csv, one for each photo and fold.

    Folds follow one another, photos stand in the manifest's order. `group` is the number of a photo's group, the place
    of the group's first photo in the manifest. `inner` is 1 for the training photos that may choose, else 0. Photos
    without a label have no part in it: they follow each fold's others, in the role `unlabelled`, each its own group.

    Args:
        manifest: of ingest: path, label, source_split, sha256, duplicate_group.
        settings: the method and its options.

    Raises: UserError if a class is too small to be split, a share cannot be had, or photos leak between roles.
    """
    apart = manifest[is_unlabelled(manifest)]
    manifest = labelled(manifest).reset_index(drop=True)
    groups = groups_of(manifest, settings.group_by)
    method = resolved(settings, manifest)
    if method == "file":
        folds = folds_of_file(manifest, settings)
    elif method == "folders":
        folds = [roles_of_folders(manifest, groups, settings)]
    elif method == "stratified":
        check_classes(manifest, groups, 3 if settings.test else 2)
        folds = [stratified(manifest, groups, settings)]
    else:
        folds = kfold(manifest, groups, settings)
    for fold, roles in enumerate(folds):
        check_roles(manifest, roles, fold)
        check_leaks(manifest, groups, roles, grouping_of(manifest, settings))
    labels = manifest["label"].to_numpy()
    parts = []
    for fold, roles in enumerate(folds):
        inner = inner_part(labels, groups, roles, settings)
        given = manifest[["path", "label"]].assign(fold=fold, role=roles, group=groups, inner=inner)
        parts += [given.loc[roles != ""], rows_without_label(apart, fold, len(manifest))]
    return tables.Split.checked(pd.concat([part for part in parts if len(part)], ignore_index=True))


def rows_without_label(apart: pd.DataFrame, fold: int, n_labelled: int) -> pd.DataFrame:
    """Return a fold's rows for the photos without a label; each is a group of its own."""
    groups = n_labelled + np.arange(len(apart))
    return apart[["path", "label"]].assign(fold=fold, role=UNLABELLED, group=groups, inner=0)


def resolved(settings: Split, manifest: pd.DataFrame) -> str:
    """Return the method, `auto` replaced by what the photo set allows."""
    if settings.method != "auto":
        return settings.method
    own = set(labelled(manifest)["source_split"])
    return "folders" if "train" in own and own & {"val", "test"} else "stratified"


def groups_of(manifest: pd.DataFrame, group_by: str | None) -> np.ndarray:
    """Return (n,) group numbers; photos of one group are alike, match `group_by` alike, or are so in the user's table.

    They share a role.

    Raises: UserError if `group_by` matches no path.
    """
    links = links_of(manifest["duplicate_group"].tolist()) + links_of(manifest["sha256"].tolist())
    if "source_group" in manifest:
        links += links_of([group or None for group in manifest["source_group"]])
    if group_by:
        matches = [re.search(group_by, path) for path in manifest["path"]]
        if not any(matches):
            raise UserError(f"split.group_by {group_by!r} matches none of the paths, such as {manifest['path'][0]}")
        keys = [match and (match[1] if match.re.groups else match[0]) for match in matches]
        links += links_of(keys)
    return np.array(connected_components(len(manifest), links))


def roles_of_folders(manifest: pd.DataFrame, groups: np.ndarray, settings: Split) -> np.ndarray:
    """Return the roles (n,) that the archive's own folders give; a val is drawn from train where there is none."""
    roles = manifest["source_split"].to_numpy(dtype=object, copy=True)
    own = set(roles) - {""}
    if "train" not in own or len(own) < 2:
        seen = ", ".join(sorted(own)) or "no such folder"
        raise UserError(
            f"split.method is folders, which takes a train and a val folder; there is {seen}; use method: stratified"
        )
    if "val" not in own:
        training = np.flatnonzero(roles == "train")
        check_classes(manifest.iloc[training], groups[training], 2)
        labels = manifest["label"].to_numpy()[training]
        roles[training[share_of(labels, groups[training], settings.val, settings.seed)]] = "val"
    return roles


def stratified(manifest: pd.DataFrame, groups: np.ndarray, settings: Split) -> np.ndarray:
    """Return roles (n,): a share of every class for test, and one of all for val, by whole groups."""
    labels = manifest["label"].to_numpy()
    roles = np.full(len(labels), "train", dtype=object)
    rest = np.arange(len(labels))
    if settings.test:
        roles[share_of(labels, groups, settings.test, settings.seed, keep=2)] = "test"
        rest = np.flatnonzero(roles == "train")
    share = settings.val / (1 - settings.test)
    roles[rest[share_of(labels[rest], groups[rest], share, settings.seed)]] = "val"
    return roles


def kfold(manifest: pd.DataFrame, groups: np.ndarray, settings: Split) -> list[np.ndarray]:
    """Return the roles (n,) of every fold of every repeat; the test photos, if any, are the same in all."""
    labels = manifest["label"].to_numpy()
    base = np.full(len(labels), "train", dtype=object)
    check_classes(manifest, groups, settings.k + bool(settings.test))
    if settings.test:
        base[share_of(labels, groups, settings.test, settings.seed, keep=settings.k)] = "test"
    rest = np.flatnonzero(base == "train")
    folds = []
    for repeat in range(settings.repeats):
        for validating in parts_of(labels[rest], groups[rest], settings.k, settings.seed + repeat):
            roles = base.copy()
            roles[rest[validating]] = "val"
            folds.append(roles)
    return folds


def inner_part(labels: np.ndarray, groups: np.ndarray, roles: np.ndarray, settings: Split) -> np.ndarray:
    """Return (n,), int: 1 for the training photos of a fold that may choose, 0 for all others.

    Only the training photos are looked at, so that other validation photos leave the part as it is. A class keeps at
    least two groups, and half of its groups, to train on; one that cannot spare any gives none.
    """
    chosen = np.zeros(len(roles), int)
    training = np.flatnonzero(roles == "train")
    places = Draw(labels[training], groups[training], settings.seed + INNER_SEED)
    keep = np.maximum(2, -(-places.n_groups // 2))
    chosen[training[places.take(settings.inner * places.n_photos, keep)]] = 1
    return chosen


def share_of(labels: np.ndarray, groups: np.ndarray, share: float, seed: int, keep: int = 1) -> np.ndarray:
    """Return the positions of about `share` of every class, by whole groups.

    Args:
        labels: (n,); the class names.
        groups: (n,), int; photos of one group stay together.
        share: above 0 and below 1.
        seed: of the draw.
        keep: groups of every class that must be left over; at least one is taken.

    Raises: UserError if groups that span several classes leave a class nothing.
    """
    places = Draw(labels, groups, seed)
    taken = places.take(share * places.n_photos, np.full(len(places.classes), keep), least=1)
    lacking = sorted(set(labels) - set(labels[taken]), key=natural)
    if lacking:
        raise UserError(
            f"class {lacking[0]!r} cannot have a photo in every part of the split, because photos of other classes are "
            "in its groups (split.group_by, or photos that are alike); group otherwise, or give the roles in split.file"
        )
    return taken


class Draw:
    """Photos that are drawn class by class and by whole groups, in an order that comes from the seed.

    Attributes:
        classes: the class names that occur.
        n_photos: (n_classes,), int; photos of each.
        n_groups: (n_classes,), int; groups that hold a photo of each.
    """

    def __init__(self, labels: np.ndarray, groups: np.ndarray, seed: int):
        self.classes, self.codes = np.unique(labels, return_inverse=True)
        _, self.group_of = np.unique(groups, return_inverse=True)
        self.n_photos = np.bincount(self.codes, minlength=len(self.classes))
        pairs = (
            np.unique(np.stack([self.group_of, self.codes], axis=1), axis=0) if len(labels) else np.zeros((0, 2), int)
        )
        self.n_groups = np.bincount(pairs[:, 1], minlength=len(self.classes))
        self.sizes = np.bincount(self.group_of)
        self.rank = np.random.default_rng(seed).permutation(len(self.sizes))

    def take(self, targets: np.ndarray, keep: np.ndarray, least: int = 0) -> np.ndarray:
        """Return the positions drawn, rising.

        Groups of several photos come first, the largest first, each taken if that brings the classes nearer to their
        targets; then single photos fill up what is missing. A group is never taken if one of its classes would be left
        with fewer groups than it must keep.

        Args:
            targets: (n_classes,), float; photos wanted of each class.
            keep: (n_classes,), int; groups of each class that stay.
            least: photos of each class to take at least, where that can be done.
        """
        state = Taken(targets, self.n_photos, self.n_groups - keep)
        several = self.members_of_large_groups()
        for members in several:
            counts = np.bincount(self.codes[members], minlength=len(self.classes))
            if state.allows(counts) and state.gain(counts) > 0:
                state.add(members, counts)
        alone = np.flatnonzero(self.sizes[self.group_of] == 1)
        alone = alone[np.argsort(self.rank[self.group_of[alone]], kind="stable")]
        for code in range(len(self.classes)):
            of_class = alone[self.codes[alone] == code]
            wanted = max(int(np.ceil(targets[code] - state.photos[code] - 0.5)), least - int(state.photos[code]), 0)
            state.add_single(of_class[: min(wanted, max(0, state.spare[code]))], code)
        for lacking in np.flatnonzero(state.photos < least):
            for members in reversed(several):  # the smallest first
                counts = np.bincount(self.codes[members], minlength=len(self.classes))
                if counts[lacking] and state.photos[lacking] < least and state.allows(counts):
                    state.add(members, counts)
        return np.sort(np.array(state.places, int))

    def members_of_large_groups(self) -> list[np.ndarray]:
        """Return the positions of each group of several photos, the largest group first, equal ones in drawn order."""
        order = np.argsort(self.group_of, kind="stable")
        starts = np.cumsum(self.sizes) - self.sizes
        large = [group for group in np.lexsort((self.rank, -self.sizes)) if self.sizes[group] > 1]
        return [order[starts[group] : starts[group] + self.sizes[group]] for group in large]


class Taken:
    """What a draw has taken so far: photos of each class, and how many more groups each class can spare."""

    def __init__(self, targets: np.ndarray, n_photos: np.ndarray, spare: np.ndarray):
        self.targets, self.n_photos, self.spare = targets, n_photos, spare.astype(int)
        self.photos = np.zeros(len(targets), int)
        self.places: list[int] = []

    def allows(self, counts: np.ndarray) -> bool:
        """Return whether every class of a group can spare one."""
        return bool((self.spare[counts > 0] > 0).all())

    def gain(self, counts: np.ndarray) -> float:
        """Return how much nearer a group brings the classes to their targets, as squared shares; negative: farther."""
        now, then = self.photos - self.targets, self.photos + counts - self.targets
        return float(np.sum((now**2 - then**2) / self.n_photos))

    def add(self, members: np.ndarray, counts: np.ndarray) -> None:
        """Take a group, which has `counts` photos of each class."""
        self.places.extend(members.tolist())
        self.photos += counts
        self.spare -= counts > 0

    def add_single(self, members: np.ndarray, code: int) -> None:
        """Take photos of one class that are groups of their own."""
        self.places.extend(members.tolist())
        self.photos[code] += len(members)
        self.spare[code] -= len(members)


def parts_of(labels: np.ndarray, groups: np.ndarray, n: int, seed: int) -> list[np.ndarray]:
    """Return n lists of positions, stratified by class, no group in two of them."""
    dealt = StratifiedGroupKFold(n, shuffle=True, random_state=seed).split(labels, labels, groups)
    return [validating for _, validating in dealt]


def check_classes(manifest: pd.DataFrame, groups: np.ndarray, n_roles: int) -> None:
    """Refuse a class with fewer groups of photos than there are parts to fill."""
    for label, positions in classes_in_order(manifest).items():
        n_groups = len(set(groups[positions]))
        if n_groups < n_roles:
            photos = f"{len(positions)} photo{'s' if len(positions) > 1 else ''}"
            alike = (
                f" in {n_groups} group{'s' if n_groups > 1 else ''} of like ones" if n_groups < len(positions) else ""
            )
            raise UserError(
                f"class {label!r} has {photos}{alike}, too few for {n_roles} parts of a split; add photos, or drop it"
            )


def classes_in_order(manifest: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the positions of each class's photos, classes in natural order."""
    labels = manifest["label"].to_numpy()
    return {label: np.flatnonzero(labels == label) for label in sorted(set(labels), key=natural)}


def check_roles(manifest: pd.DataFrame, roles: np.ndarray, fold: int) -> None:
    """Refuse a fold in which nobody trains or validates, or a class has no photo to train on."""
    for role in ("train", "val"):
        if role not in roles:
            raise UserError(f"fold {fold} of the split has no {role} photo")
    labels = manifest["label"].to_numpy()
    trained = set(labels[roles == "train"])
    lacking = sorted(set(labels) - trained, key=natural)
    if lacking:
        close = nearest(lacking[0], sorted(trained, key=natural))
        raise UserError(f"fold {fold} of the split has no photo to train class {lacking[0]!r} on{close}")


def grouping_of(manifest: pd.DataFrame, settings: Split) -> str:
    """Return what photos of one group have in common, in words."""
    given = ["split.group_by"] if settings.group_by else []
    given += ["source.labels.group"] if "source_group" in manifest else []
    return " or ".join(["alike", *(f"of one group of {key}" for key in given)])


def check_leaks(manifest: pd.DataFrame, groups: np.ndarray, roles: np.ndarray, why: str) -> None:
    """Refuse a split that has photos of one group in two roles, and name them; `why` says what a group is."""
    held: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path, group, role in zip(manifest["path"], groups, roles, strict=True):
        if role:
            held[group][role].append(path)
    leaks = [
        " and ".join(f"{abbreviated(by_role[role])} in {role}" for role in ROLES if by_role[role])
        for by_role in held.values()
        if len(by_role) > 1
    ]
    if leaks:
        more = f"; and {len(leaks) - 3} more" if len(leaks) > 3 else ""
        raise UserError(
            f"photos that are {why} have different roles: {'; '.join(leaks[:3])}{more}; "
            "give each group one role, or let ingest.policy drop copies"
        )


def folds_of_file(manifest: pd.DataFrame, settings: Split) -> list[np.ndarray]:
    """Return the roles (n,) of every fold of a user's table; photos that it leaves out have none.

    Raises: UserError for unknown photos, labels, roles, or folds; it names them.
    """
    assert settings.file is not None
    table = table_of(Path(settings.file))
    at = {path: position for position, path in enumerate(manifest["path"])}
    unknown = [path for path in table["path"] if path not in at]
    if unknown:
        raise UserError(
            f"{settings.file} names {abbreviated(unknown)}, which the photo set lacks{nearest(unknown[0], [])}"
        )
    labels = dict(zip(manifest["path"], manifest["label"], strict=True))
    given = zip(table["path"], table["label"], strict=True) if "label" in table else ()
    wrong = [path for path, label in given if label != labels[path]]
    if wrong:
        raise UserError(
            f"{settings.file} gives another label than the photo set does to {abbreviated(wrong)}; mend it, or leave "
            "the column out"
        )
    odd = sorted(set(table["role"]) - set(ROLES))
    if odd:
        raise UserError(f"{settings.file} has the role {odd[0]!r}{nearest(odd[0], list(ROLES))}")
    if sorted(set(table["fold"])) != list(range(settings.folds)):
        came = ", ".join(str(fold) for fold in sorted(set(table["fold"])))
        raise UserError(
            f"{settings.file} has the folds {came}; split.folds: {settings.folds} means 0 to {settings.folds - 1}"
        )
    twice = table[table.duplicated(["path", "fold"])]["path"].tolist()
    if twice:
        raise UserError(f"{settings.file} names {abbreviated(twice)} twice in a fold")
    folds = [np.full(len(manifest), "", dtype=object) for _ in range(settings.folds)]
    for path, fold, role in zip(table["path"], table["fold"], table["role"], strict=True):
        folds[fold][at[path]] = role
    return folds


def table_of(path: Path) -> pd.DataFrame:
    """Return a user's split table; a missing fold column means fold 0."""
    if not path.is_file():
        raise UserError(f"split.file is {path}, which does not exist")
    try:
        table = read_table(path)
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(f"{path} is no table: {' '.join(str(error).split())}") from None
    lacking = [name for name in ("path", "role") if name not in table]
    if lacking:
        raise UserError(f"{path} lacks the column {lacking[0]}; it takes path, role, label if you like, and fold")
    folds = table["fold"] if "fold" in table else pd.Series(0, index=table.index)
    if not pd.api.types.is_integer_dtype(folds):
        odd = next(fold for fold in folds if not str(fold).isdigit())
        raise UserError(f"{path} has the fold {odd!r}; folds are numbered from 0")
    return table.assign(fold=folds)
