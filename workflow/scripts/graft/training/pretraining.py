"""Pretraining of Rootstock: to say which texture fills which part of a collage.

Every cell of the last feature map has a label of its own: 36 labels a picture train far faster than one, and the
network learns local features, which are useful for other pictures too.
"""

from collections.abc import Iterator

import keras
import numpy as np
from keras import layers

from graft.network.rootstock import build_rootstock
from graft.sample.textures import TEXTURES, collages, shares

SIZE, BATCH = 96, 32  # side in pixels; collages a step
PEAK_RATE, DECAY = 2e-3, 0.02  # of AdamW


def pretrain(textures: np.ndarray, labels: np.ndarray, epochs: int, seed: int, verbose: int = 2) -> keras.Model:
    """Return Rootstock, trained to name the textures of collages, cell by cell.

    Args:
        textures: (n, SIZE, SIZE, 3), uint8.
        labels: (n,), int; their classes.
        epochs: passes, each over as many collages as there are textures.
        seed: of the weights' start and of the collages.
        verbose: as in Keras's fit.
    """
    keras.utils.set_random_seed(seed)
    rootstock = build_rootstock(SIZE)
    model = keras.Model(rootstock.input, layers.Conv2D(len(TEXTURES), 1)(rootstock.output))
    n_steps = len(textures) // BATCH
    model.compile(
        keras.optimizers.AdamW(warm_up_and_cosine(epochs * n_steps), weight_decay=DECAY),
        keras.losses.CategoricalCrossentropy(from_logits=True),
        metrics=["categorical_accuracy"],
    )
    n_cells = rootstock.output_shape[1]
    model.fit(batches(textures, labels, n_cells, seed), steps_per_epoch=n_steps, epochs=epochs, verbose=verbose)
    return rootstock


def warm_up_and_cosine(n_steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Return a rate that rises over a tenth of the steps, then falls to nothing."""
    rise = n_steps // 10
    return keras.optimizers.schedules.CosineDecay(0.0, n_steps - rise, warmup_target=PEAK_RATE, warmup_steps=rise)


def batches(
    textures: np.ndarray, labels: np.ndarray, n_cells: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield collages (BATCH, SIZE, SIZE, 3), -1 to 1, and their cells' shares of each class, without end."""
    rng = np.random.default_rng(seed)
    while True:
        drawn = rng.integers(0, len(textures), BATCH)
        photos, classes = collages(rng, textures[drawn], labels[drawn])
        yield photos * 2 - 1, shares(classes, n_cells)
