"""Batches for Keras's fit: of cached features, or of augmented pixels streamed from disk."""

from collections.abc import Callable

import keras
import numpy as np

from graft.training.visits import Visits

Load = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Batches(keras.utils.PyDataset):
    """The training batches of each epoch, in the order of `Visits`.

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
        self.epoch = first_epoch
        self.order = visits.epoch(first_epoch)

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self.visits.steps_per_epoch

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a batch's inputs, targets and weights."""
        positions, visits = self.order[index]
        return self.load(positions, visits), self.targets[positions], self.weights[positions]

    def on_epoch_end(self) -> None:
        """Move on to the next epoch's order."""
        self.epoch += 1
        self.order = self.visits.epoch(self.epoch)


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
