"""Which photos of a fold train, which choose, and which are only measured."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from graft.config.experiment import Choosing
from graft.data.label_sets import COLUMN, multi_hot
from graft.data.selection import roles_in_run
from graft.training.targets import encode


@dataclass(frozen=True)
class Roles:
    """The rows of a fold's photos, in manifest order, and all photos' labels.

    Attributes:
        train: (n,), int; the photos that the weights are fitted to.
        choose: (n,), int; the photos that choose; empty where none do, or no class can spare any.
        watch: (n,), int; the photos that are measured after each epoch: those that choose, or, where none do, the
            validation photos, which nothing in training then looks at.
        codes: (n_photos,), int; each photo's place in `classes`; -1 for photos outside the split. Where photos may have
            several labels, (n_photos, n_labels), float32; 1 where a photo has a label, else 0.
        classes: the class names.
        groups: (n_photos,), int; each photo's group, -1 for photos outside the split; None: each its own.
        watched: the role of `watch` in the run: inner, val, or '' where no photos are watched.
    """

    train: np.ndarray
    choose: np.ndarray
    watch: np.ndarray
    codes: np.ndarray
    classes: list[str]
    watched: str = ""
    groups: np.ndarray | None = None

    @property
    def several(self) -> bool:
        """Return whether a photo may have several labels, or none."""
        return self.codes.ndim == 2

    def groups_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the groups of some photos; None where every photo is a group of its own."""
        return None if self.groups is None else self.groups[rows]

    @classmethod
    def of_fold(
        cls, split: pd.DataFrame, fold: int, paths: list[str], classes: list[str], choosing: Choosing
    ) -> "Roles":
        """Return the roles in one fold of split.csv (given with all folds) in a run that chooses by `choosing`."""
        roles, chooser = roles_in_run(split, choosing)
        mine = split.assign(role=roles)[split["fold"] == fold].set_index("path").reindex(paths)
        role = mine["role"].to_numpy()
        if COLUMN in mine:
            codes = multi_hot(mine[COLUMN].fillna(""), classes)
        else:
            labels = mine["label"]
            codes = np.where(labels.notna(), encode(labels.fillna(classes[0]).tolist(), classes), -1)
        choose = np.flatnonzero(role == chooser) if chooser else np.array([], int)
        watch = choose if len(choose) else np.flatnonzero(role == "val")
        watched = "" if not len(watch) else chooser if len(choose) else "val"
        groups = mine["group"].fillna(-1).to_numpy(int) if "group" in mine else None
        return cls(np.flatnonzero(role == "train"), choose, watch, codes, classes, watched, groups)
