"""Every photo decoded once, to squares of one size, in one array that all later stages map into memory."""

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from graft.data.decode import upright_rgb
from graft.errors import UserError
from graft.files import sha256_of

BATCH = 64  # photos a worker gets at once


def pack(manifest: pd.DataFrame, images: Path, size: int, output: Path, workers: int, rows: range) -> None:
    """Write `rows` of the manifest as a NumPy array, (len(rows), size, size, 3), uint8, RGB.

    A photo is squeezed to the square, as Keras's `target_size` does, with Pillow's antialiased bilinear filter; Keras's
    default, the nearest pixel, would alias. Large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size first, never below
    twice `size`.

    Args:
        manifest: of ingest; its order is the array's.
        images: the folder that its paths are relative to.
        size: pixels of a side.
        output: the .npy file.
        workers: processes that decode.
        rows: which photos.

    Raises: UserError if a photo is gone, or is no longer the one that was checked.
    """
    np.lib.format.open_memmap(output, "w+", np.uint8, (len(rows), size, size, 3)).flush()
    photos = [(str(images / manifest["path"].iat[row]), manifest["sha256"].iat[row]) for row in rows]
    starts = range(0, len(photos), BATCH)
    jobs = [(photos[start : start + BATCH], start, size, output) for start in starts]
    with ProcessPoolExecutor(workers) as pool:
        for _ in pool.map(pack_batch, jobs):
            pass


def pack_batch(job: tuple[list[tuple[str, str]], int, int, Path]) -> None:
    """Decode some photos into their rows of the array, in a worker."""
    photos, start, size, output = job
    pixels = np.lib.format.open_memmap(output, "r+")
    for position, (path, sha256) in enumerate(photos, start):
        pixels[position] = square(path, sha256, size)
    pixels.flush()


def square(path: str, sha256: str, size: int) -> np.ndarray:
    """Return a photo as (size, size, 3), uint8.

    Raises: UserError if it cannot be decoded, unless it was cut when it was checked and kept all the same.
    """
    try:
        image = upright_rgb(path, at_least_px=2 * size)
    except OSError as error:
        if not Path(path).is_file():
            raise UserError(f"{path} is gone since it was checked; run ingest_dataset again") from None
        if sha256_of(path) != sha256:
            raise UserError(f"{path} has changed since it was checked; run ingest_dataset again") from error
        image = upright_rgb(path, at_least_px=2 * size, truncated=True)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
