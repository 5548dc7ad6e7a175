"""MixUp, CutMix and RandAugment, as Keras has them, on the batches of the second phase."""

import keras
import numpy as np

from graft.config.recipe import FineTuning
from graft.training.batches import Batches


def blend(batches: Batches, phase: FineTuning, seed: int) -> Batches:
    """Return the batches with Keras's own augmentation layers in front of the model, if the phase asks for any.

    Each batch seeds the layers anew, so that a resumed training sees the same blends.
    """
    if phase.mix == "none" and not phase.rand_augment:
        return batches
    return Blended(batches, phase, seed)


class Blended(Batches):
    """Batches whose photos and labels are blended in pairs, or distorted."""

    def __init__(self, batches: Batches, phase: FineTuning, seed: int):
        super().__init__(batches.visits, batches.load, batches.targets, batches.weights)
        self.phase, self.seed = phase, seed

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a batch's blended inputs and targets, and its weights."""
        images, targets, weights = super().__getitem__(index)
        place = self.first_epoch * self.visits.steps_per_epoch + index
        seed = int(np.random.SeedSequence([self.seed, place]).generate_state(1)[0])
        batch = {"images": images, "labels": targets}
        for layer in layers_of(self.phase, seed):
            batch = layer(batch, training=True)
        return np.asarray(batch["images"]), np.asarray(batch["labels"]), weights


def layers_of(phase: FineTuning, seed: int) -> list[keras.Layer]:
    """Return Keras's layers for a phase, seeded."""
    chosen = []
    if phase.rand_augment:
        chosen.append(keras.layers.RandAugment(value_range=(0, 255), seed=seed))
    if phase.mix == "mixup":
        chosen.append(keras.layers.MixUp(seed=seed))
    if phase.mix == "cutmix":
        chosen.append(keras.layers.CutMix(seed=seed))
    return chosen
