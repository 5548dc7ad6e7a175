"""Photos in shards: which rows a job works on, and the arrays of all jobs joined to the bytes of one."""

import contextlib
import math
import re
from pathlib import Path
from typing import BinaryIO

from graft.errors import UserError
from graft.storage.arrays import new_array, open_array

BATCH = 32  # shards begin at multiples of it, so that no batch of photos falls into two jobs
BLOCK = 16 * 1024**2  # bytes copied at once


def rows_of_shard(shard: str, n_photos: int) -> range:
    """Return the rows that a shard works on: whole batches, as many as in any other shard, give or take one.

    Args:
        shard: "i-of-n", counted from 1, as Snakemake's scattergather names it.
        n_photos: photos in all; with fewer batches than shards, some shards are empty.

    Raises: UserError if `shard` is none.

    >>> [rows_of_shard(f"{i}-of-3", 100) for i in (1, 2, 3)]
    [range(0, 32), range(32, 64), range(64, 100)]
    """
    named = re.fullmatch(r"([1-9]\d*)-of-([1-9]\d*)", shard)
    number, count = (int(part) for part in named.groups()) if named else (1, 0)
    if number > count:
        raise UserError(f"--shard is {shard!r}; it takes i-of-n, from 1-of-n to n-of-n")
    n_batches = math.ceil(n_photos / BATCH)
    start, stop = (min(n_photos, n_batches * end // count * BATCH) for end in (number - 1, number))
    return range(start, stop)


def join(shards: list[Path], output: Path, axis: int) -> tuple[int, ...]:
    """Write arrays that follow one another along an axis as the one array that they are parts of.

    Bytes are copied from file to file, so that memory stays the same however large the arrays are.

    Args:
        shards: `.npy` files of one type, in their order; their shapes differ along `axis` alone.
        output: the `.npy` file to write.
        axis: along which the shards follow one another.

    Returns: the array's shape.
    Raises: ValueError if the shards are not parts of one array, or one ends too early.
    """
    arrays = [open_array(shard) for shard in shards]
    kinds = {(array.dtype, array.shape[:axis], array.shape[axis + 1 :]) for array in arrays}
    if len(kinds) != 1:
        raise ValueError(f"shards must agree in type, and in shape but for axis {axis}. Received: {kinds}")
    ((dtype, outer, inner),) = kinds
    shape = (*outer, sum(array.shape[axis] for array in arrays), *inner)
    whole_array = new_array(output, dtype, shape)
    with contextlib.ExitStack() as files:
        target = files.enter_context(open(output, "r+b"))
        target.seek(whole_array.offset)
        sources = [files.enter_context(open(shard, "rb")) for shard in shards]
        for source, array in zip(sources, arrays, strict=True):
            source.seek(array.offset)
        for _ in range(math.prod(outer)):
            for source, array in zip(sources, arrays, strict=True):
                copy_bytes(source, target, math.prod(array.shape[axis:]) * dtype.itemsize)
    return shape


def copy_bytes(source: BinaryIO, target: BinaryIO, n_bytes: int) -> None:
    """Copy the next `n_bytes` of a file, a block at a time."""
    while n_bytes:
        block = source.read(min(n_bytes, BLOCK))
        if not block:
            raise ValueError(f"{source.name} ends {n_bytes:,} bytes too early")
        target.write(block)
        n_bytes -= len(block)
