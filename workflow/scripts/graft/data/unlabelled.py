"""Photos without a label, such as a competition's test photos: predicted, never trained on, never judged."""

import pandas as pd

UNLABELLED = "unlabelled"  # their role, in the manifest (`source_split`) and in the split


def labelled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a manifest, or of a split, whose photos have a label.

    >>> labelled(pd.DataFrame({"path": ["a", "b"], "role": ["train", "unlabelled"]}))["path"].tolist()
    ['a']
    """
    return table[~is_unlabelled(table)]


def is_unlabelled(table: pd.DataFrame) -> pd.Series:
    """Return whether each row of a manifest, or of a split, is a photo without a label."""
    return table["role" if "role" in table else "source_split"] == UNLABELLED
