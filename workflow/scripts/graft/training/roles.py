"""Who trains and who validates in a fold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from graft.training.targets import encode


@dataclass(frozen=True)
class Roles:
    """The rows of a fold's photos, in manifest order, and all photos' labels."""

    train: np.ndarray
    val: np.ndarray
    codes: np.ndarray
    classes: list[str]

    @classmethod
    def of_fold(cls, split: pd.DataFrame, fold: int, paths: list[str], classes: list[str]) -> "Roles":
        """Return who trains and who validates in one fold of split.csv."""
        mine = split[split.fold == fold].set_index("path").reindex(paths)
        role, labels = mine["role"].to_numpy(), mine["label"]
        codes = np.where(labels.notna(), encode(labels.fillna(classes[0]).tolist(), classes), -1)
        return cls(np.flatnonzero(role == "train"), np.flatnonzero(role == "val"), codes, classes)
