"""The features of a run's photos by its published model: what strangers are told by, and neighbours found by."""

from pathlib import Path

import numpy as np
import pandas as pd

from graft.config.experiment import Choosing
from graft.data.label_sets import COLUMN as SEVERAL
from graft.data.selection import roles_in_run
from graft.errors import UserError
from graft.storage import seals
from graft.storage.files import atomic

SAMPLE = 400  # training photos at most; of 200 on, the benchmark finds no difference
COLUMNS = ("path", "label", "role", "group", "chose")


def training_sample(split: pd.DataFrame, fold: int, choosing: Choosing) -> pd.DataFrame:
    """Return rows of split.csv: training photos of a fold, evenly spaced in its order, so of every class.

    Returns: with `role` as it is in the run, and `chose`, which is 0.
    """
    roles, _ = roles_in_run(split, choosing)
    rows = split.assign(role=roles, chose=0)
    rows = rows[(rows["fold"] == fold) & (rows["role"] == "train")]
    return rows.iloc[np.unique(np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).round().astype(int))]


def write_features(rows: pd.DataFrame, features: np.ndarray, path: Path) -> None:
    """Write photos and their features, (n_photos, n_features), in half precision."""
    rows = rows if "label" in rows else rows.assign(label=rows[SEVERAL])
    columns = {name: rows[name].to_numpy(str if name in ("path", "label", "role") else int) for name in COLUMNS}
    with atomic(path, sealed=True) as part:
        np.savez(part, features=features.astype(np.float16), **columns)  # type: ignore[arg-type]  # as in resume.py


def read_features(files: list[Path]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the photos and features of all shards of a run, each photo once, float32.

    Raises: UserError if a file is not as it was written.
    """
    tables, features = [], []
    for path in files:
        seals.check(path)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                tables.append(pd.DataFrame({name: arrays[name] for name in COLUMNS}))
                features.append(arrays["features"].astype(np.float32))
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path} holds no features ({type(error).__name__}): delete it and run again") from None
    rows = pd.concat(tables, ignore_index=True)
    once = ~rows.duplicated("path").to_numpy()
    return rows[once].reset_index(drop=True), np.concatenate(features)[once]
