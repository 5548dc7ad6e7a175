"""Which of very many directions agree with a given one, without comparing each with each.

Directions are put into cells, each around a centre, and are compared with those of the nearest cells alone. That is an
approximation: a direction near the rim of its cell may be missed, the more seldom the better the two agree.
Source: Jégou, Douze and Schmid, "Product Quantization for Nearest Neighbor Search", PAMI 2011 (its inverted file).
"""

from collections.abc import Iterator

import numpy as np

CELL = 256  # directions of a cell, on average
PROBED = 8  # cells that are looked into
LEARNT_FROM = 64  # directions for each centre, drawn at random, from which the centres are learnt
ROUNDS = 4  # of moving the centres into the middle of their cells
BLOCK = 4_000_000  # agreements at once, which take 16 MB


class Cells:
    """Directions in cells, up to their sign.

    Args:
        vectors: (n, d), float32, of length 1.
        seed: of the directions from which the centres are learnt.
    """

    def __init__(self, vectors: np.ndarray, seed: int = 0):
        self.vectors = vectors
        self.centres = centres_of(vectors, max(1, len(vectors) // CELL), np.random.default_rng(seed))
        cell = nearest(vectors, self.centres, 1)[:, 0]
        self.order = np.argsort(cell, kind="stable")  # positions, cell by cell
        self.ends = np.cumsum(np.bincount(cell, minlength=len(self.centres)))
        self.begins = np.append(0, self.ends[:-1])

    def agreeing(self, asked: np.ndarray, at_least: float) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield which vectors agree with those that are asked about: rows of `asked`, positions, agreements.

        Args:
            asked: (m, d), float32, of length 1.
            at_least: the absolute value of the dot product from which two agree.
        """
        cells = nearest(asked, self.centres, min(PROBED, len(self.centres)))
        row, cell = np.repeat(np.arange(len(asked)), cells.shape[1]), cells.ravel()
        order = np.argsort(cell, kind="stable")
        row, bounds = row[order], np.searchsorted(cell[order], np.arange(len(self.centres) + 1))
        for number in np.flatnonzero(np.diff(bounds)):
            rows = row[bounds[number] : bounds[number + 1]]
            members = self.order[self.begins[number] : self.ends[number]]
            agreement = np.abs(asked[rows] @ self.vectors[members].T)
            at, where = np.nonzero(agreement >= at_least)
            if len(at):
                yield rows[at], members[where], agreement[at, where]


def centres_of(vectors: np.ndarray, count: int, chance: np.random.Generator) -> np.ndarray:
    """Return `count` centres of length 1, (count, d): k-means on a sample, by absolute agreement."""
    sample = vectors[np.sort(chance.permutation(len(vectors))[: LEARNT_FROM * count])]
    centres = sample[np.sort(chance.permutation(len(sample))[:count])]
    for _ in range(ROUNDS):
        cell = nearest(sample, centres, 1)[:, 0]
        sign = np.where(np.einsum("nd,nd->n", sample, centres[cell]) < 0, -1, 1).astype(np.float32)
        order = np.argsort(cell, kind="stable")
        held, begins = np.unique(cell[order], return_index=True)
        sums = np.add.reduceat((sample * sign[:, None])[order], begins, axis=0)
        centres[held] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    return centres


def nearest(vectors: np.ndarray, centres: np.ndarray, count: int) -> np.ndarray:
    """Return the `count` centres of most absolute agreement with each vector, (n, count), in no order."""
    found = np.empty((len(vectors), count), np.int32)
    step = max(1, BLOCK // len(centres))
    for start in range(0, len(vectors), step):
        agreement = np.abs(vectors[start : start + step] @ centres.T)
        if count == 1:
            found[start : start + step, 0] = agreement.argmax(axis=1)
        else:
            found[start : start + step] = np.argpartition(agreement, -count, axis=1)[:, -count:]
    return found
