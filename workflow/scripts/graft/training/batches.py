"""Batches for Keras's fit: of cached features, or of augmented pixels streamed from disk."""

from collections.abc import Callable

import keras
import numpy as np

from graft.training.visits import Visits

Load = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Batches(keras.utils.PyDataset):
    """The training batches of all epochs in one stream, in the order of `Visits`.

    The stream has no end, and fit is told how many steps an epoch has: Keras begins to fetch an epoch's first batches
    before it reports the end of the last one, so a dataset that counts epochs itself would give some of them twice.

    Args:
        visits: the order.
        load: from (positions, visits) of a batch to its inputs.
        targets: (n, 1) or (n, n_classes), float32; of the whole training set.
        weights: (n,), float32; each photo's weight in the loss.
        first_epoch: where a resumed training goes on, counting from 0.
    """

    def __init__(self, visits: Visits, load: Load, targets: np.ndarray, weights: np.ndarray, first_epoch: int = 0):
        super().__init__()
        self.visits, self.load, self.targets, self.weights = visits, load, targets, weights
        self.first_epoch = first_epoch
        self._epoch = -1
        self._order: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def num_batches(self) -> None:
        """Return that the stream has no end."""
        return

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the inputs, targets and weights of a batch, counted from the first epoch's first."""
        epoch, step = divmod(index, self.visits.steps_per_epoch)
        positions, visits = self.order(self.first_epoch + epoch)[step]
        return self.load(positions, visits), self.targets[positions], self.weights[positions]

    def order(self, epoch: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return an epoch's batches, remembered while they are asked for."""
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.visits.epoch(epoch)
        return self._order


class InOrder(keras.utils.PyDataset):
    """Photos once, in their order, without augmentation: for validation."""

    def __init__(self, load: Callable[[slice], np.ndarray], targets: np.ndarray, batch_size: int):
        super().__init__()
        self.load, self.targets, self.batch_size = load, targets, batch_size

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self.targets) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch's inputs and targets."""
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        return self.load(part), self.targets[part]
