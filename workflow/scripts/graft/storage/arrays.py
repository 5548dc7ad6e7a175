"""Arrays on disk: made with room for all of their bytes, and read as they were written."""

import contextlib
import errno
import math
import os
from pathlib import Path

import numpy as np

from graft import disk
from graft.errors import UserError
from graft.storage import seals
from graft.storage.files import own_name


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
        if not disk.is_full(error):
            raise
        path.unlink(missing_ok=True)  # first, so that the room which is told is what there is
        raise UserError(disk.no_room(own_name(path), n_bytes)) from None
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
