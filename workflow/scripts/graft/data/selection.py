"""Which photos train, which choose, and which judge a run; photos that choose do not judge."""

import pandas as pd

from graft.config.experiment import Choosing, PredictSettings
from graft.errors import UserError

INNER = "inner"  # the role, in a run, of the training photos that choose and therefore do not train


def roles_in_run(split: pd.DataFrame, choosing: Choosing) -> tuple[pd.Series, str]:
    """Return each photo's role in a run, and the role whose photos choose: `inner`, `val`, or '' where none choose.

    Args:
        split: all folds of split.csv: role, inner. Whether there are test photos is asked of all folds together.
        choosing: which photos choose.

    >>> split = pd.DataFrame({"role": ["train", "train", "val"], "inner": [0, 1, 0]})
    >>> roles, chooser = roles_in_run(split, Choosing(on="auto", chooses=True))
    >>> roles.tolist(), chooser
    (['train', 'inner', 'val'], 'inner')
    """
    chooser = choosing_role(set(split["role"]), choosing)
    if chooser != INNER or "inner" not in split:
        return split["role"], chooser
    return split["role"].mask((split["role"] == "train") & (split["inner"] == 1), INNER), chooser


def choosing_role(roles: set[str], choosing: Choosing) -> str:
    """Return the role whose photos choose, given the roles that a split has; '' where none choose.

    >>> choosing_role({"train", "val", "test"}, Choosing(on="auto", chooses=False))
    'val'
    """
    if choosing.on not in ("auto", "held_out"):
        return "" if choosing.on == "none" else choosing.on
    if "test" in roles:
        return "val"
    return INNER if choosing.chooses or choosing.on == "held_out" else ""


def photos_to_predict(split: pd.DataFrame, fold: int, settings: PredictSettings) -> pd.DataFrame:
    """Return the photos of a fold that a run's models are asked about: of the wanted roles, and those that choose.

    Returns: rows of split.csv with `role` as it is in the run, and `chose`, 1 for the photos that choose, else 0.
    Raises: UserError if the fold has no photo of the wanted roles.
    """
    roles, chooser = roles_in_run(split, settings.choosing)
    split = split.assign(role=roles, chose=(roles == chooser).astype(int))
    split = split[split["fold"] == fold]
    if not split["role"].isin(settings.roles).any():
        there = ", ".join(role for role in ("train", "val", "test") if role in set(split["role"]))
        raise UserError(
            f"predict names {' and '.join(settings.roles)} photos, and fold {fold} of the split has none; "
            f"it has {there}"
        )
    return split[split["role"].isin(settings.roles) | (split["chose"] == 1)]
