"""The order of the training photos: a seeded stream of passes, cut into batches and epochs."""

from dataclasses import dataclass

import numpy as np

from graft.config.recipe import Phase


@dataclass(frozen=True)
class Visits:
    """The order of a training set of `n` photos through a phase.

    The photos stream in passes, each in an order of its own that comes from the seed and the pass. With
    `steps` > 0 an epoch is that many full batches, wherever the passes begin and end; with 0 it is one pass.
    """

    n: int
    batch_size: int
    steps: int
    seed: int

    @classmethod
    def of_phase(cls, phase: Phase, n: int, seed: int) -> "Visits":
        """Return the order that a phase's settings ask for."""
        return cls(n, phase.batch_size, phase.steps_per_epoch, seed)

    @property
    def steps_per_epoch(self) -> int:
        """Return the number of batches in an epoch."""
        return self.steps or -(-self.n // self.batch_size)

    @property
    def images_per_epoch(self) -> int:
        """Return the number of photos in an epoch, repeats counted."""
        return self.steps * self.batch_size or self.n

    def epoch(self, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return an epoch's batches (epochs count from 0): positions in the training set, and visits of each.

        >>> [batch[0].size for batch in Visits(n=5, batch_size=2, steps=0, seed=0).epoch(0)]
        [2, 2, 1]
        >>> sorted(np.concatenate([batch[0] for batch in Visits(5, 2, 0, 0).epoch(0)]).tolist())
        [0, 1, 2, 3, 4]
        """
        start = epoch * self.images_per_epoch
        stream = np.arange(start, start + self.images_per_epoch)
        visits = stream // self.n
        orders = {visit: np.random.default_rng([self.seed, visit]).permutation(self.n) for visit in np.unique(visits)}
        positions = np.array([orders[visit][place % self.n] for place, visit in zip(stream, visits, strict=True)])
        cuts = range(self.batch_size, len(stream), self.batch_size)
        return list(zip(np.split(positions, cuts), np.split(visits, cuts), strict=True))


def visits_needed(phase: Phase, n: int) -> int:
    """Return how many views of a photo a phase looks at, at most.

    >>> visits_needed(Phase(epochs=20, steps_per_epoch=12, batch_size=8), 72)  # 1,920 images, 72 photos
    27
    """
    return -(-phase.images_seen(n) // n)
