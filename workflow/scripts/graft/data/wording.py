"""Lists of file names, shortened for messages."""

from graft.config.base import nearest
from graft.data.layout import table_names

SHOWN = 3


def abbreviated(names: list[str]) -> str:
    """Return the first few names and how many more there are.

    >>> abbreviated(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def nowhere(asked: str, key: str, fitting: list[str], names: list[str]) -> str:
    """Return the sentence about a table that is not there, or there more than once.

    Args:
        asked: what the user calls it.
        key: where the configuration does.
        fitting: the files of the photo set that it could be.
        names: all its files.

    >>> nowhere("tran.csv", "source.labels.table", [], ["train.csv", "1.jpg"])
    "source.labels.table is 'tran.csv', which is no file here and none of the photo set; did you mean 'train.csv'?"
    """
    if fitting:
        return f"{key} is {asked!r}, which could be {abbreviated(fitting)}; write more of its path"
    return (
        f"{key} is {asked!r}, which is no file here and none of the photo set{nearest(asked, table_names(names)[:20])}"
    )
