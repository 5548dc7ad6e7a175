"""Arrays on disk: made with room for all of their bytes, and read as they were written."""

import contextlib
import errno
import math
import os
import shutil
from pathlib import Path

import numpy as np

from graft import seals
from graft.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room, none left of a quota, longer than a file may get


def open_array(path: str | Path) -> np.ndarray:
    """Return an array of the chain, mapped into memory, not read.

    Raises: UserError if the file is not as it was written, or holds no whole array.
    """
    seals.check(path)
    try:
        return np.load(path, mmap_mode="r")
    except (ValueError, EOFError) as error:
        raise UserError(f"{path} is no whole array ({error}): delete it and run again") from None


def new_array(path: Path, dtype: np.dtype | type, shape: tuple[int, ...]) -> np.memmap:
    """Return an array of zeros in a new `.npy` file, mapped into memory, whose blocks the disk has set aside.

    Without them the process would die in the middle of a write to memory, the moment the disk is full.

    Raises: UserError if the disk has no room for the array; the file is removed.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        reserve(path)
    except OSError as error:
        if error.errno not in FULL:
            raise
        path.unlink(missing_ok=True)
        raise UserError(no_room(path, n_bytes)) from None
    return array


def reserve(path: Path) -> None:
    """Have the disk set aside the blocks of a file that is still one hole, where system and disk can do so."""
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "r+b") as stream, contextlib.suppress(InterruptedError):
        try:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise


def no_room(path: Path, n_bytes: int) -> str:
    """Return the sentence about a disk without room for a file; a temporary name is told as the final one."""
    name = path.name.removeprefix(f".part-{os.getpid()}-")
    free = shutil.disk_usage(path.parent).free
    return (
        f"{path.with_name(name)} needs {n_bytes / 1e6:,.1f} MB, and its disk ({disk_of(path)}) has"
        f" {free / 1e6:,.1f} MB free; make room, or raise the quota, and run again"
    )


def disk_of(path: Path) -> Path:
    """Return where the disk that holds a file is mounted."""
    folder = path.resolve().parent
    while not folder.is_mount():
        folder = folder.parent
    return folder
