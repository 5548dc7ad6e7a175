"""Photos that are the same, or look the same."""

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence

import numpy as np

N_BLOCKS, BLOCK_BITS = 4, 16  # of a perceptual hash
ROWS = 1024  # hashes that are looked up at once
ROOM = 4_000_000  # pairs that are compared at once, which take 150 MB
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
    correlate by SAME_PICTURE: among 490 real photos the hashes alone pair strangers from 12 bits on, at a correlation
    below 0.75, while a photo saved anew, smaller or brighter, stays within 6 bits and above 0.98.

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
    groups = Groups(len(rest))  # a thousand frames of one film are half a million pairs, and need a thousand links
    for one, other in close_hashes(np.array(hashes, np.uint64)[rest], distance):
        if groups.root(one) != groups.root(other) and alike(pictures[rest[one]], pictures[rest[other]]):
            groups.join(one, other)
            links.append((int(rest[one]), int(rest[other])))
    return links


def close_hashes(bits: np.ndarray, distance: int) -> Iterator[tuple[int, int]]:
    """Yield every pair (earlier, later) of hashes within `distance` bits, in order, without comparing all pairs.

    Two hashes within 10 bits agree up to 2 bits in at least one of their four blocks of 16 bits, or up to 1 bit in the
    last (pigeonholes). So a hash is compared only with those that lie this close to it in a block, which a table of
    that block's values finds. Nothing is missed. Source: Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming
    Space with Multi-Index Hashing", 2014, proposition 2.

    Args:
        bits: (n,), uint64.
        distance: bits, 0 to 16.
    """
    tables = [
        BlockTable((bits >> np.uint64(BLOCK_BITS * number)).astype(np.uint16), reach)
        for number, reach in enumerate(reaches(distance))
    ]
    for start in range(0, len(bits), ROWS):
        yield from close_to_rows(bits, tables, distance, start, min(start + ROWS, len(bits)))


def close_to_rows(
    bits: np.ndarray, tables: list["BlockTable"], distance: int, start: int, stop: int
) -> Iterator[tuple[int, int]]:
    """Yield the pairs whose earlier hash is one of the rows; those before `start` must have been passed."""
    places = [table.places(start, stop) for table in tables]
    if stop - start > 1 and sum(int(counts.sum()) for _, counts in places) > ROOM:
        middle = (start + stop) // 2
        yield from close_to_rows(bits, tables, distance, start, middle)
        yield from close_to_rows(bits, tables, distance, middle, stop)
        return
    found = []
    for table, (begins, counts) in zip(tables, places, strict=True):
        later = table.members(begins, counts)
        row = np.repeat(np.arange(start, stop), counts.sum(1))
        close = np.bitwise_count(bits[row] ^ bits[later]) <= distance
        found.append(row[close] * len(bits) + later[close])
        table.leave_behind(start, stop)
    for pair in np.unique(np.concatenate(found)).tolist():  # a pair may be close in several blocks
        earlier, later = divmod(pair, len(bits))
        if earlier < later:
            yield earlier, later


def reaches(distance: int) -> list[int]:
    """Return, block by block, how many bits two hashes within `distance` may differ in the block that finds them.

    >>> reaches(10), reaches(2)
    ([2, 2, 2, 1], [0, 0, 0])
    """
    share, rest = divmod(distance, N_BLOCKS)
    return [share if number <= rest else share - 1 for number in range(N_BLOCKS) if share or number <= rest]


class BlockTable:
    """Hashes by the value of one block of their bits, and which values lie near a value.

    Args:
        values: (n,), uint16; the block of each hash.
        reach: bits in which a value may differ from another that is near it.
    """

    def __init__(self, values: np.ndarray, reach: int):
        self.values = values
        self.order = np.argsort(values, kind="stable")  # the hashes by value, those of one value in their own order
        self.ends = np.cumsum(np.bincount(values, minlength=2**BLOCK_BITS))
        self.begins = np.append(0, self.ends[:-1])
        flips = [sum(1 << bit for bit in bits) for size in range(reach + 1) for bits in bits_of_block(size)]
        self.flips = np.array(flips, np.uint16)

    def places(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where in `order` the hashes near each row's value begin, and how many these are: (rows, values)."""
        near = self.values[start:stop, None] ^ self.flips
        begins = self.begins[near]
        return begins, self.ends[near] - begins

    def members(self, begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the hashes of these places, one after the other."""
        counts = counts.ravel()
        before = np.cumsum(counts) - counts
        return self.order[np.arange(counts.sum()) + np.repeat(begins.ravel() - before, counts)]

    def leave_behind(self, start: int, stop: int) -> None:
        """Take these rows, the first that are left, out of the table: each pair is found from its earlier hash."""
        np.add.at(self.begins, self.values[start:stop], 1)


def bits_of_block(size: int) -> Iterator[tuple[int, ...]]:
    """Return every choice of `size` bits of a block."""
    return itertools.combinations(range(BLOCK_BITS), size)


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


class Groups:
    """Things from 0 to n - 1 that are joined step by step (union and find)."""

    def __init__(self, n: int):
        self.parent = list(range(n))

    def root(self, one: int) -> int:
        """Return the first member of a thing's group."""
        while self.parent[one] != one:
            self.parent[one] = self.parent[self.parent[one]]
            one = self.parent[one]
        return one

    def join(self, one: int, other: int) -> None:
        """Make one group of two."""
        first, second = sorted((self.root(one), self.root(other)))
        self.parent[second] = first


def joined(n: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """Return a group number for each of n things, the position of its first member; linked things share it.

    >>> joined(5, [(0, 2), (2, 4)])
    [0, 1, 0, 3, 0]
    """
    groups = Groups(n)
    for one, other in links:
        groups.join(one, other)
    return [groups.root(one) for one in range(n)]


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
