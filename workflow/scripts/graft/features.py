"""Features of the frozen backbone: computed once for every photo and view, shared by every run that can use them."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from graft.augment import apply_views, draw_views
from graft.config.experiment import EmbedSettings, Views
from graft.data.shards import BATCH
from graft.network.assembly import embedder
from graft.network.backbones import load_backbone
from graft.network.forms import in_embedding_form
from graft.network.precision import policy_of
from graft.network.preprocessing import modes
from graft.progress import Progress
from graft.training.visits import visits_needed

Embed = Callable[[np.ndarray], np.ndarray]


def embed_photos(
    settings: EmbedSettings,
    weights: Path,
    pixels: Path,
    split: pd.DataFrame,
    paths: list[str],
    output: Path,
    rows: range | None = None,
) -> tuple[int, int, int]:
    """Write the features of every photo and view to `output`, a NumPy array on disk.

    Batches are the same whichever rows are asked for, so that a photo's features have the same bytes in every shard.

    Args:
        settings: backbone, pooling and views.
        weights: the backbone's, of `fetch_weights`.
        pixels: (n, size, size, 3), uint8, a `.npy` file of `pack_images`.
        split: tells which photos are trained on; only those need views.
        paths: the photos' paths, in the order of `pixels`.
        output: a `.npy` file to write: (1 + views, n, n_features), float32; [0] holds the photos as they are,
            [1 + v] view v of those that are trained on and zeros for the others.
        rows: which of the n photos to write; None: all.

    Returns: the array's shape.
    """
    photos = np.load(pixels, mmap_mode="r")
    trained = np.flatnonzero(pd.Index(paths).isin(split.loc[split.role == "train", "path"]))
    n_views = count_views(settings.views, split)
    mode, _ = modes(settings.backbone.name, settings.preprocessing)
    backbone = load_backbone(settings.backbone, weights)
    backbone = in_embedding_form(backbone, policy_of(settings.precision, backbone))
    model = embedder(backbone, mode, settings.pooling)
    rows = range(len(photos)) if rows is None else rows
    shape = (1 + n_views, len(rows), model.output_shape[-1])
    features = np.lib.format.open_memmap(output, mode="w+", dtype=np.float32, shape=shape)
    as_they_are, viewed = batches(np.arange(len(photos)), rows), batches(trained, rows)
    progress = Progress("embed_images", sum(map(len, as_they_are)) + n_views * sum(map(len, viewed)), "views")
    for batch in as_they_are:
        keep(features[0], batch, rows, forward(model, photos[batch].astype(np.float32)))
        progress.advance(len(batch))
    for view in range(n_views):
        for batch in viewed:
            maps = draw_views(
                settings.views.augmentation, batch, np.full(len(batch), view), settings.views.seed, photos.shape[1]
            )
            keep(features[1 + view], batch, rows, forward(model, apply_views(photos[batch], maps)))
            progress.advance(len(batch))
    features.flush()
    return shape


def count_views(views: Views | None, split: pd.DataFrame) -> int:
    """Return how many views of a photo are cached: what the fold with the fewest training photos needs."""
    if views is None:
        return 0
    if views.count:
        return views.count
    n_train = split[split.role == "train"].groupby("fold").size()
    return max(visits_needed(views.phase, int(n)) for n in n_train)


def batches(photos: np.ndarray, rows: range) -> list[np.ndarray]:
    """Return the batches, of all into which rising row numbers are cut, that hold one of `rows`.

    >>> [len(batch) for batch in batches(np.arange(0, 200, 2), range(32, 64))]
    [32]
    """
    every = np.split(photos, range(BATCH, len(photos), BATCH))
    return [batch for batch in every if ((batch >= rows.start) & (batch < rows.stop)).any()]


def keep(features: np.ndarray, batch: np.ndarray, rows: range, result: np.ndarray) -> None:
    """Write a batch's features to those of its rows that are in `rows`, the rows of `features`."""
    inside = (batch >= rows.start) & (batch < rows.stop)
    features[batch[inside] - rows.start] = result[inside]


def forward(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a batch's features; a short batch is filled up, so that one compiled graph serves all."""
    n = len(images)
    if n < BATCH:
        images = keras.ops.concatenate([images, keras.ops.zeros((BATCH - n, *images.shape[1:]))])
    return np.asarray(model.predict_on_batch(images))[:n]
