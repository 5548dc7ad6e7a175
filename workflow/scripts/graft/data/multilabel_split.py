"""The split of photos that may have several labels: every part gets its share of every label, by whole groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from graft import tables
from graft.config.dataset import Split
from graft.data.label_sets import COLUMN, multi_hot, names_in
from graft.data.split import INNER_SEED, check_leaks, folds_of_file, grouping_of, groups_of, resolved
from graft.errors import UserError


def multilabel_split(manifest: pd.DataFrame, settings: Split) -> pd.DataFrame:
    """Return the rows of split.csv, one for each photo and fold, as `split` does for one label a photo.

    Args:
        manifest: of ingest: path, labels, source_split, sha256, duplicate_group.
        settings: the method and its options.

    Raises: UserError if a label has no photo to train on, a share cannot be had, or photos leak between roles.
    """
    groups, classes = groups_of(manifest, settings.group_by), names_in(manifest[COLUMN])
    truth = multi_hot(manifest[COLUMN], classes)
    method = resolved(settings, manifest)
    if method == "file":
        folds = folds_of_file(manifest.rename(columns={COLUMN: "label"}), settings)
    elif method == "folders":
        folds = [roles_of_folders(manifest["source_split"].to_numpy(object, copy=True), truth, groups, settings)]
    elif method == "stratified":
        shares = {"train": 1 - settings.val - settings.test, "val": settings.val, "test": settings.test}
        folds = [roles_by_share(truth, groups, shares, settings.seed)]
    else:
        check_groups(truth, groups, classes, settings.k)
        folds = kfold(truth, groups, settings)
    for fold, roles in enumerate(folds):
        check_roles(truth, roles, classes, fold)
        check_leaks(manifest, groups, roles, grouping_of(manifest, settings))
    parts = [
        manifest[["path", COLUMN]]
        .assign(fold=fold, role=roles, group=groups, inner=inner_part(truth, groups, roles, settings))
        .loc[roles != ""]
        for fold, roles in enumerate(folds)
    ]
    return tables.MultilabelSplit.checked(pd.concat(parts, ignore_index=True))


def deal(truth: np.ndarray, groups: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Return the part (n,), int, that each photo is dealt to, so that each part has its share of every label.

    Iterative stratification: the label of which the fewest photos are left is dealt first, each group to the part that
    still lacks most of that label; of equal parts, to the one that lacks most photos. Photos of one group stay
    together, and large groups are dealt before small ones, which then even out.

    Args:
        truth: (n, n_labels), 1 where a photo has a label.
        groups: (n,), int.
        shares: of each part; they sum to 1.
        seed: of the order of equal groups and parts.

    Source: Sechidis, Tsoumakas and Vlahavas, "On the Stratification of Multi-Label Data", ECML PKDD 2011, algorithm 1.

    >>> part = deal(np.array([[1], [1], [0], [0]]), np.arange(4), [0.5, 0.5], seed=0)
    >>> sorted(part[:2].tolist()), sorted(part[2:].tolist())
    ([0, 1], [0, 1])
    """
    _, group_of = np.unique(groups, return_inverse=True)
    sizes = np.bincount(group_of)
    counts = np.stack([np.bincount(group_of, weights=column) for column in truth.T], axis=1)  # (n_groups, n_labels)
    rng = np.random.default_rng(seed)
    rank = rng.permutation(len(sizes))
    lacking = np.outer(shares, counts.sum(0))  # (n_parts, n_labels): photos of each label that each part is short of
    room = np.array(shares) * len(truth)
    part_of = np.full(len(sizes), -1)

    def assign(group: int, wanted: np.ndarray) -> None:
        best = np.lexsort((rng.random(len(room)), -room, -wanted))[0]
        part_of[group] = best
        lacking[best] -= counts[group]
        room[best] -= sizes[group]

    while True:
        left = counts[part_of < 0].sum(0)
        if not left.any():
            break
        label = int(np.argmin(np.where(left > 0, left, np.inf)))
        open_groups = np.flatnonzero((part_of < 0) & (counts[:, label] > 0))
        for group in open_groups[np.lexsort((rank[open_groups], -sizes[open_groups]))]:
            assign(group, lacking[:, label])
    bare = np.flatnonzero(part_of < 0)
    for group in bare[np.lexsort((rank[bare], -sizes[bare]))]:
        assign(group, room)
    return part_of[group_of]


def roles_by_share(truth: np.ndarray, groups: np.ndarray, shares: dict[str, float], seed: int) -> np.ndarray:
    """Return roles (n,): to each its share of every label."""
    there = {role: share for role, share in shares.items() if share > 0}
    return np.array(list(there), object)[deal(truth, groups, list(there.values()), seed)]


def roles_of_folders(roles: np.ndarray, truth: np.ndarray, groups: np.ndarray, settings: Split) -> np.ndarray:
    """Return the roles (n,) that the photo set gives; a val is drawn from train where there is none."""
    own = set(roles) - {""}
    if "train" not in own or len(own) < 2:
        seen = ", ".join(sorted(own)) or "no such role"
        raise UserError(
            f"split.method is folders, which takes photos to train and to validate; there is {seen}; use method: "
            "stratified"
        )
    if "val" not in own:
        training = np.flatnonzero(roles == "train")
        shares = {"train": 1 - settings.val, "val": settings.val}
        roles[training] = roles_by_share(truth[training], groups[training], shares, settings.seed)
    return roles


def kfold(truth: np.ndarray, groups: np.ndarray, settings: Split) -> list[np.ndarray]:
    """Return the roles (n,) of every fold of every repeat; the test photos, if any, are the same in all."""
    base = roles_by_share(truth, groups, {"train": 1 - settings.test, "test": settings.test}, settings.seed)
    rest = np.flatnonzero(base == "train")
    folds = []
    for repeat in range(settings.repeats):
        parts = deal(truth[rest], groups[rest], [1 / settings.k] * settings.k, settings.seed + repeat)
        for part in range(settings.k):
            roles = base.copy()
            roles[rest[parts == part]] = "val"
            folds.append(roles)
    return folds


def inner_part(truth: np.ndarray, groups: np.ndarray, roles: np.ndarray, settings: Split) -> np.ndarray:
    """Return (n,), int: 1 for the training photos of a fold that may choose, 0 for all others."""
    chosen = np.zeros(len(roles), int)
    training = np.flatnonzero(roles == "train")
    shares = [1 - settings.inner, settings.inner]
    chosen[training] = deal(truth[training], groups[training], shares, settings.seed + INNER_SEED)
    return chosen


def check_groups(truth: np.ndarray, groups: np.ndarray, classes: list[str], k: int) -> None:
    """Refuse k folds where a label, or all photos, have too few groups for them."""
    n_groups = len(np.unique(groups))
    if n_groups < k:
        raise UserError(f"split.k is {k}, but the photos are in {n_groups} groups of like ones; lower it")
    for name, has in zip(classes, truth.T > 0, strict=True):
        if len(np.unique(groups[has])) < 2:
            photos = f"{int(has.sum())} photo{'s' if has.sum() > 1 else ''}"
            raise UserError(
                f"the label {name!r} stands on {photos} of one group only, so a fold has none to train on; add photos, "
                "or leave the label out of the table"
            )


def check_roles(truth: np.ndarray, roles: np.ndarray, classes: list[str], fold: int) -> None:
    """Refuse a fold in which nobody trains or validates, or a label has no photo to train on."""
    for role in ("train", "val"):
        if role not in roles:
            raise UserError(f"fold {fold} of the split has no {role} photo")
    trained = truth[roles == "train"].sum(0) > 0
    if not trained.all():
        name = classes[int(np.argmin(trained))]
        raise UserError(
            f"fold {fold} of the split has no photo to train the label {name!r} on; add photos, give the roles in "
            "split.file, or leave the label out of the table"
        )
