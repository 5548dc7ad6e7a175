"""The rows of predictions.csv by which a stage is judged, and what figures say of them."""

import pandas as pd

from graft.figures.style import photos
from graft.judging.outcomes import STAGES, judging_role


def stages_of(predictions: pd.DataFrame) -> list[str]:
    """Return the stages that were predicted, the head first."""
    return [stage for stage in STAGES if stage in set(predictions["stage"])]


def role_of(predictions: pd.DataFrame) -> str:
    """Return the role that judges: `test` where there is one, else `val`."""
    return judging_role(predictions["role"])


def judged(predictions: pd.DataFrame, stage: str) -> pd.DataFrame:
    """Return a stage's judging rows, in path order: under k-fold those of every fold, so each photo once a repeat.

    >>> table = pd.DataFrame({"stage": "head", "role": ["val", "train"], "path": ["a", "b"], "fold": 0})
    >>> list(judged(table, "head").path)
    ['a']
    """
    rows = predictions[(predictions["stage"] == stage) & (predictions["role"] == role_of(predictions))]
    return rows.sort_values(["path", "fold"], kind="stable").reset_index(drop=True)


def judging_photos(rows: pd.DataFrame) -> str:
    """Say how many photos judge, of which role, and that they also chose where they did, which flatters the run.

    >>> judging_photos(pd.DataFrame({"path": ["a", "b"], "role": "val", "chose": 1}))
    '2 validation photos, which also chose'
    """
    return photos(len(rows), judging_role(rows["role"])) + also_chose(rows)


def also_chose(rows: pd.DataFrame) -> str:
    """Return the end of a phrase about judging photos: that they also chose, or nothing."""
    return ", which also chose" if "chose" in rows and rows["chose"].any() else ""
