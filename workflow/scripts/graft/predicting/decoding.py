"""New photos made into the network's pixels, in processes beside it; a file that cannot be read becomes a reason."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np

from graft.config.dataset import SQUASHED, Limits, Pictures
from graft.data.pictures import pixels_in, squared, upright_rgb
from graft.data.refusal import Refused

BATCH = 32  # photos that a process gets at once, and the network after it
FEW = 200  # photos that are not worth starting processes for
AHEAD = 3  # batches that wait for the network, or are being made, for each process
KILLED = "reading it killed the process that did: it takes more memory than there is, or is made to do harm"


@dataclass(frozen=True)
class Batch:
    """Some photos, decoded."""

    paths: list[str]
    pixels: np.ndarray
    """(n_read, size, size, 3), uint8: those that could be read, in order."""

    faults: dict[int, str]
    """By place in `paths`: why the others could not."""


@dataclass(frozen=True)
class Decoder:
    """How photos become pixels: the side of the square, and what is squeezed, padded, cropped, windowed."""

    size: int
    pictures: Pictures = SQUASHED

    def __call__(self, paths: list[str]) -> Batch:
        """Return photos, decoded in this process."""
        opened = [open_square(path, self.size, self.pictures) for path in paths]
        read = [one for one in opened if isinstance(one, np.ndarray)]
        pixels = np.stack(read) if read else np.zeros((0, self.size, self.size, 3), np.uint8)
        return Batch(paths, pixels, {place: one for place, one in enumerate(opened) if isinstance(one, str)})


def workers_for(n_photos: int, asked: int | None = None) -> int:
    """Return how many processes decode: one for each core but one, none for a few photos, or as the user says."""
    if asked is not None:
        return asked
    return 0 if n_photos <= FEW else max(1, (os.cpu_count() or 1) - 1)


def decoded(paths: list[str], decoder: Decoder, workers: int) -> Iterator[Batch]:
    """Yield photos in batches, in order, a few of them decoded ahead of what is asked for.

    Args:
        paths: of photos.
        decoder: how they become pixels.
        workers: processes; 0: this one.
    """
    parts = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    if workers < 1:
        yield from map(decoder, parts)
        return
    pool, waiting = Pool(decoder, workers), deque[tuple[list[str], Future[Batch]]]()
    try:
        for part in parts:
            waiting.append((part, pool.submit(part)))
            if len(waiting) > AHEAD * workers:
                yield pool.result(waiting)
        while waiting:
            yield pool.result(waiting)
    finally:
        pool.close()


class Pool:
    """Processes that decode, and are replaced where a file kills one."""

    def __init__(self, decoder: Decoder, workers: int):
        self.decoder, self.workers = decoder, workers
        self.executor = executor_of(workers)

    def submit(self, part: list[str]) -> "Future[Batch]":
        """Have a batch decoded."""
        try:
            return self.executor.submit(self.decoder, part)
        except BrokenProcessPool as error:  # told by `result`, once it is this batch's turn
            failed: Future[Batch] = Future()
            failed.set_exception(error)
            return failed

    def result(self, waiting: "deque[tuple[list[str], Future[Batch]]]") -> Batch:
        """Return the first batch that waits, and let others wait anew whose processes were killed."""
        part, future = waiting.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            self.close()
            batch = one_by_one(self.decoder, part)
            self.executor = executor_of(self.workers)
            for place, (other, lost) in enumerate(waiting):
                if lost.done() and lost.exception() is not None:
                    waiting[place] = (other, self.submit(other))
            return batch

    def close(self) -> None:
        """End the processes."""
        self.executor.shutdown(cancel_futures=True)


def one_by_one(decoder: Decoder, paths: list[str]) -> Batch:
    """Return a batch of which some file killed its process: each file gets a process of its own if need be."""
    found, executor = [], executor_of(1)
    for path in paths:
        try:
            found.append(executor.submit(decoder, [path]).result())
        except BrokenProcessPool:
            found.append(Batch([path], np.zeros((0, decoder.size, decoder.size, 3), np.uint8), {0: KILLED}))
            executor.shutdown()
            executor = executor_of(1)
    executor.shutdown()
    faults = {place: one.faults[0] for place, one in enumerate(found) if one.faults}
    return Batch(paths, np.concatenate([one.pixels for one in found]), faults)


def executor_of(workers: int) -> ProcessPoolExecutor:
    """Return processes that share nothing with this one: a copy of one that has loaded TensorFlow may hang."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=begin)


def begin() -> None:
    """Let a process of the pool end with its parent, however that ends, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait for the parent's end."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def open_square(path: str, size: int, pictures: Pictures = SQUASHED) -> np.ndarray | str:
    """Return a photo as (size, size, 3), uint8, as `pack_images` makes it; or the reason why it cannot be read."""
    try:
        if (n_pixels := pixels_in(path)) > Limits().pixels:
            return f"{n_pixels:,} pixels, more than the {Limits().pixels:,} that are read"
        image = upright_rgb(path, at_least_px=2 * size, pictures=pictures)
    except FileNotFoundError:
        return "no such file"
    except IsADirectoryError:
        return "a folder, not a file"
    except Refused as refusal:
        return str(refusal)
    except Exception as error:  # a decoder raises almost anything on damaged bytes
        return f"no readable picture ({type(error).__name__})"
    return np.asarray(squared(image, size, pictures.fit))
