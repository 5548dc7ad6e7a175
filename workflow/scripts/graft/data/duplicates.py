"""Photos that are the same, or look the same."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

BLOCK = 4_000_000  # pairs of the distance matrix at once, which take 40 MB
SAME_PICTURE = 0.95  # correlation of two grey thumbnails
FLAT = 2.0  # grey levels of standard deviation; a hash of less is noise


def same_bytes(digests: Sequence[str]) -> list[list[int]]:
    """Return the positions of equal digests, in groups of two or more.

    >>> same_bytes(["a", "b", "a"])
    [[0, 2]]
    """
    places = defaultdict(list)
    for position, digest in enumerate(digests):
        places[digest].append(position)
    return [group for group in places.values() if len(group) > 1]


def near_links(hashes: Sequence[int], thumbnails: Sequence[bytes], distance: int) -> list[tuple[int, int]]:
    """Return links between photos that look the same, as (earlier, later) positions: enough to join all that do.

    Two photos look the same if their perceptual hashes lie within `distance` bits of each other and their thumbnails
    correlate by SAME_PICTURE: among 490 real photos the hashes alone pair unrelated photos from 12 bits on, at a
    correlation below 0.75, while a photo saved anew, smaller or brighter, stays within 6 bits and above 0.98.

    Args:
        hashes: n perceptual hashes of 64 bits.
        thumbnails: n grey thumbnails of equal size, a byte a pixel.
        distance: bits; 0 finds nothing.
    """
    if not distance or len(hashes) < 2:
        return []
    pictures = np.array([np.frombuffer(one, np.uint8) for one in thumbnails])  # (n, pixels), uint8
    links = [pair for pair in links_of(hashes) if alike(pictures[pair[0]], pictures[pair[1]])]
    linked = {later for _, later in links}
    rest = np.array([position for position in range(len(hashes)) if position not in linked])
    groups = DisjointSets(len(rest))  # a thousand frames of one film are half a million pairs; a thousand links do
    for one, other in close_hashes(np.array(hashes, np.uint64)[rest], distance):
        if groups.find(one) != groups.find(other) and alike(pictures[rest[one]], pictures[rest[other]]):
            groups.union(one, other)
            links.append((int(rest[one]), int(rest[other])))
    return links


def close_hashes(bits: np.ndarray, distance: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs of hashes within `distance` bits, block by block: flat in memory, and 50,000 take seconds."""
    step = max(1, BLOCK // len(bits))
    for start in range(0, len(bits), step):
        rows = bits[start : start + step, None]
        apart = np.bitwise_count(rows ^ bits[None, start:])  # (rows, n - start)
        for row, column in np.argwhere(apart <= distance):
            if row < column:
                yield start + int(row), start + int(column)


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two grey thumbnails show the same picture, whatever their brightness and contrast.

    >>> ramp = np.arange(256, dtype=np.uint8)
    >>> alike(ramp, ramp // 2 + 40), alike(ramp, ramp[::-1]), alike(ramp * 0, ramp * 0)
    (True, False, False)
    """
    one, other = one.astype(float), other.astype(float)
    if min(one.std(), other.std()) < FLAT:
        return False
    return float(np.corrcoef(one, other)[0, 1]) >= SAME_PICTURE


class DisjointSets:
    """The integers from 0 to n - 1 in sets that are merged step by step (union-find)."""

    def __init__(self, n: int):
        self.parent = list(range(n))

    def find(self, one: int) -> int:
        """Return the smallest member of the set that an integer is in."""
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def union(self, one: int, other: int) -> None:
        """Merge the sets of two integers."""
        first, second = sorted((self.find(one), self.find(other)))
        self.parent[second] = first


def connected_components(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return a group number for each of n things, the position of its first member; linked things share it.

    >>> connected_components(5, [(0, 2), (2, 4)])
    [0, 1, 0, 3, 0]
    """
    groups = DisjointSets(n)
    for one, other in links:
        groups.union(one, other)
    return [groups.find(one) for one in range(n)]


def links_of(keys: Sequence[Hashable | None]) -> list[tuple[int, int]]:
    """Return links between the things of equal key; None links nothing.

    >>> links_of(["x", None, "x", None])
    [(0, 2)]
    """
    first: dict[Hashable, int] = {}
    links = []
    for position, key in enumerate(keys):
        if key is not None and first.setdefault(key, position) != position:
            links.append((first[key], position))
    return links
