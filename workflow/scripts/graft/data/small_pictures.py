"""The small grey pictures in which altered copies are sought, kept on the disk: those of 200,000 photos take 0.8 GB."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import overload


class SmallPictures(Sequence[bytes]):
    """Pictures of one size, in a file that has no name and ends with the process.

    Args:
        folder: on the disk where the file shall lie.
        n_bytes: of each picture.
    """

    def __init__(self, folder: Path, n_bytes: int):
        self.n_bytes, self.n = n_bytes, 0
        self.file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115, the process closes it

    def append(self, picture: bytes) -> int:
        """Add a picture and return its position."""
        assert len(picture) == self.n_bytes
        self.file.write(picture)
        self.n += 1
        return self.n - 1

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, which: int) -> bytes: ...
    @overload
    def __getitem__(self, which: slice) -> list[bytes]: ...
    def __getitem__(self, which: int | slice) -> bytes | list[bytes]:
        if isinstance(which, slice):
            return [self[position] for position in range(self.n)[which]]
        position = range(self.n)[which]  # which raises IndexError beyond the last
        return os.pread(self.file.fileno(), self.n_bytes, self.n_bytes * position)


class Chosen(Sequence[bytes]):
    """Some pictures of a sequence, without a copy of them.

    >>> Chosen([b"a", b"b", b"c", b"d"], [3, 1, 0])[1:]
    [b'b', b'a']
    """

    def __init__(self, pictures: Sequence[bytes], positions: Sequence[int]):
        self.pictures, self.positions = pictures, positions

    def __len__(self) -> int:
        return len(self.positions)

    @overload
    def __getitem__(self, which: int) -> bytes: ...
    @overload
    def __getitem__(self, which: slice) -> list[bytes]: ...
    def __getitem__(self, which: int | slice) -> bytes | list[bytes]:
        if isinstance(which, slice):
            return [self.pictures[position] for position in self.positions[which]]
        return self.pictures[self.positions[which]]
