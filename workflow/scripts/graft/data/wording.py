"""Lists of file names, shortened for messages."""

SHOWN = 3


def abbreviated(names: list[str]) -> str:
    """Return the first few names and how many more there are.

    >>> abbreviated(["a", "b", "c", "d"])
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
