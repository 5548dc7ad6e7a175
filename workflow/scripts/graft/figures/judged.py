"""The rows of predictions.csv by which a stage is judged, as the arrays that figures draw."""

import numpy as np
import pandas as pd

from graft.outcomes import CALIBRATED, PROBABILITY, STAGES, classes_of, indices, judging_role


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


def truth_of(rows: pd.DataFrame, column: str = "label") -> np.ndarray:
    """Return each row's class, (n_photos,) int, as an index into `classes_of`."""
    return indices(rows[column], classes_of(rows))


def probabilities_of(rows: pd.DataFrame, calibrated: bool = False) -> np.ndarray | None:
    """Return (n_photos, n_classes) probabilities as the network gave them, or calibrated; None if there are none."""
    columns = [(CALIBRATED if calibrated else PROBABILITY) + name for name in classes_of(rows)]
    return rows[columns].to_numpy(float) if set(columns) <= set(rows.columns) else None
