"""Every photo decoded once, to squares of one size, in one array that all later stages map into memory."""

import hashlib
import io
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pandas as pd

from graft.config.dataset import SQUASHED, Pictures
from graft.data.pictures import Refused, squared, upright_rgb
from graft.errors import UserError
from graft.storage.arrays import new_array

BATCH = 64  # photos a worker gets at once


def pack(
    manifest: pd.DataFrame,
    images: Path,
    size: int,
    output: Path,
    workers: int,
    rows: range,
    pictures: Pictures = SQUASHED,
) -> None:
    """Write `rows` of the manifest as a NumPy array, (len(rows), size, size, 3), uint8, RGB.

    Large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size first, never below twice `size`.

    Args:
        manifest: of ingest; its order is the array's.
        images: the folder that its paths are relative to.
        size: pixels of a side.
        output: the .npy file.
        workers: processes that decode.
        rows: which photos.
        pictures: how a photo becomes a square.

    Raises: UserError if a photo is gone, or is no longer the one that was checked; if the disk has no room for the
        array; or if a worker is killed.
    """
    new_array(output, np.uint8, (len(rows), size, size, 3)).flush()
    photos = [(str(images / manifest["path"].iat[row]), manifest["sha256"].iat[row]) for row in rows]
    starts = range(0, len(photos), BATCH)
    jobs = [(photos[start : start + BATCH], start, size, output, pictures) for start in starts]
    try:
        with ProcessPoolExecutor(workers) as pool:
            for _ in pool.map(pack_batch, jobs):
                pass
    except BrokenProcessPool:
        raise UserError(
            "a process that packs photos was killed, as the system does when memory runs out; run again, with fewer "
            "cores or more memory"
        ) from None


def pack_batch(job: tuple[list[tuple[str, str]], int, int, Path, Pictures]) -> None:
    """Decode some photos into their rows of the array, in a worker."""
    photos, start, size, output, pictures = job
    pixels = np.lib.format.open_memmap(output, "r+")
    for position, (path, sha256) in enumerate(photos, start):
        pixels[position] = square(path, sha256, size, pictures)
    pixels.flush()


def square(path: str, sha256: str, size: int, pictures: Pictures = SQUASHED) -> np.ndarray:
    """Return a photo as (size, size, 3), uint8; its file is read once, compared with the manifest, and decoded.

    Raises: UserError if it is not the one that was checked. One that was cut then, and kept, is filled up.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        what = "is gone" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise UserError(f"{path} {what} since it was checked; run ingest_dataset again") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"{path} has changed since it was checked; run ingest_dataset again")
    try:
        image = upright_rgb(io.BytesIO(content), 2 * size, pictures=pictures)
    except OSError:
        image = upright_rgb(io.BytesIO(content), 2 * size, truncated=True, pictures=pictures)
    except Refused as error:
        raise UserError(f"{path} could be read when it was checked, and cannot now: {error}") from None
    return np.asarray(squared(image, size, pictures.fit))
