"""Full disks: how an error is recognised as one, and the message about it."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room, none left of a quota, longer than a file may get
IN_WORDS = rf"{os.strerror(errno.ENOSPC)}|errno = {errno.ENOSPC}\b"  # how HDF5 passes the system's error on


def is_full(error: BaseException | None) -> bool:
    """Return whether an error, or one that it followed from, says that a disk is full.

    >>> is_full(OSError(28, "No space left on device")), is_full(ValueError("something else"))
    (True, False)
    """
    return any(
        (isinstance(one, OSError) and one.errno in FULL) or re.search(IN_WORDS, str(one)) for one in chain_of(error)
    )


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error, and those during whose handling it came."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def no_room(path: str | Path, n_bytes: int | None = None) -> str:
    """Return the sentence about a disk without room for a file.

    Args:
        path: the file.
        n_bytes: what it needs, where that is known.
    """
    disk = disk_of(Path(path))
    free = f"its disk ({disk}) has {shutil.disk_usage(disk).free / 1e6:,.1f} MB free"
    need = f"{path} needs {n_bytes / 1e6:,.1f} MB, and {free}" if n_bytes else f"{path} could not be written: {free}"
    return f"{need}; make room there, or raise the quota, and run again: what was finished is kept"


def disk_of(path: Path) -> Path:
    """Return where the disk that holds a file is mounted."""
    folder = path.resolve().parent
    while not folder.is_mount():
        folder = folder.parent
    return folder
