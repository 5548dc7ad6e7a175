"""Arrays on disk: their space is reserved when they are created, and their seals are checked when they are read."""

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


def open_array(path: str | Path) -> np.memmap:
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

    Without reserved blocks, writing to the mapped memory would kill the process as soon as the disk is full.

    Raises: UserError if the disk has no room for the array; the file is removed.
    """
    n_bytes = math.prod(shape) * np.dtype(dtype).itemsize
    try:
        array = np.lib.format.open_memmap(path, "w+", dtype, shape)
        reserve(path)
    except OSError as error:
        if not disk.is_full(error):
            raise
        path.unlink(missing_ok=True)  # before the message measures the free space
        raise UserError(disk.no_room(own_name(path), n_bytes)) from None
    return array


def reserve(path: Path) -> None:
    """Reserve the disk blocks of a new, sparse file, where the system and the file system support it."""
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "r+b") as stream, contextlib.suppress(InterruptedError):
        try:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
