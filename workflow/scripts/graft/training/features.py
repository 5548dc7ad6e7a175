"""Features of the frozen backbone: computed once for every photo and view, shared by every run that can use them."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from graft.config.experiment import EmbedSettings, Views
from graft.data.selection import roles_in_run
from graft.data.shards import BATCH
from graft.machine.progress import Progress
from graft.network.assembly import embedder
from graft.network.backbones import load_backbone
from graft.network.forms import in_embedding_form
from graft.network.precision import policy_of
from graft.network.preprocessing import modes
from graft.storage.arrays import new_array, open_array
from graft.training.augment import apply_views, draw_views
from graft.training.visits import visits_needed

Embed = Callable[[np.ndarray], np.ndarray]


def embed_photos(
    settings: EmbedSettings,
    weights: Path,
    pixels: Path,
    split: pd.DataFrame | None,
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
        split: tells which photos are trained on; only those need views. None where no views are asked for.
        paths: the photos' paths, in the order of `pixels`.
        output: a `.npy` file to write: (1 + views, n, n_features), float32; [0] holds the photos as they are,
            [1 + v] view v of those that are trained on and zeros for the others.
        rows: which of the n photos to write; None: all.

    Returns: the array's shape.
    """
    photos = open_array(pixels)
    n_views, trained = 0, np.array([], int)
    if settings.views:
        assert split is not None, "the split says which photos are trained on"
        n_views = count_views(settings.views, split)
        trained = np.flatnonzero(pd.Index(paths).isin(split.loc[split["role"] == "train", "path"]))
    mode, _ = modes(settings.backbone.name, settings.preprocessing)
    backbone = load_backbone(settings.backbone, weights)
    backbone = in_embedding_form(backbone, policy_of(settings.precision, backbone), settings.fast_path)
    model = embedder(backbone, mode, settings.pooling)
    rows = range(len(photos)) if rows is None else rows
    shape = (1 + n_views, len(rows), model.output_shape[-1])
    features = new_array(output, np.float32, shape)
    plain, viewed = np.arange(len(photos)), np.repeat(trained, n_views)
    views = np.tile(np.arange(n_views), len(trained))  # a photo's views are neighbours: only the last batch is padded
    of_plain, of_viewed = batches(plain, rows), batches(viewed, rows)
    progress = Progress("embed_images", sum(map(len, of_plain)) + sum(map(len, of_viewed)), "views")
    for batch in of_plain:
        images = photos[plain[batch]].astype(np.float32)
        keep(features, np.zeros_like(batch), plain[batch], rows, forward(model, images))
        progress.advance(len(batch))
    for batch in of_viewed:
        assert settings.views is not None
        shown, visits = viewed[batch], views[batch]
        maps = draw_views(settings.views.augmentation, shown, visits, settings.views.seed, photos.shape[1])
        keep(features, 1 + visits, shown, rows, forward(model, apply_views(photos[shown], maps)))
        progress.advance(len(batch))
    features.flush()
    return shape


def count_views(views: Views | None, split: pd.DataFrame) -> int:
    """Return how many views of a photo are cached: what the fold with the fewest training photos needs."""
    if views is None:
        return 0
    if views.count:
        return views.count
    assert views.choosing is not None, "a count of 0 needs it"
    assert views.phase is not None, "a count of 0 needs it"
    roles, _ = roles_in_run(split, views.choosing)
    n_train = split[roles == "train"].groupby("fold").size()
    return max(visits_needed(views.phase, int(n)) for n in n_train)


def batches(photos: np.ndarray, rows: range) -> list[np.ndarray]:
    """Cut ascending row numbers into batches, and return those that hold one of `rows`, as positions.

    >>> [batch.tolist()[::31] for batch in batches(np.arange(0, 200, 2), range(32, 64))]
    [[0, 31]]
    """
    every = np.split(np.arange(len(photos)), range(BATCH, len(photos), BATCH))
    return [batch for batch in every if ((photos[batch] >= rows.start) & (photos[batch] < rows.stop)).any()]


def keep(features: np.ndarray, places: np.ndarray, photos: np.ndarray, rows: range, results: np.ndarray) -> None:
    """Write a batch's features, of those photos that are in `rows`, which are the columns of `features`."""
    inside = (photos >= rows.start) & (photos < rows.stop)
    features[places[inside], photos[inside] - rows.start] = results[inside]


def forward(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a batch's features; a short batch is filled up, so that one compiled graph serves all."""
    n = len(images)
    if n < BATCH:
        images = keras.ops.concatenate([images, keras.ops.zeros((BATCH - n, *images.shape[1:]))])
    return np.asarray(model.predict_on_batch(images))[:n]
