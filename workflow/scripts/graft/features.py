"""Features of the frozen backbone: computed once for every photo and view, shared by every run that can use them."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from graft.augment import apply_views, draw_views
from graft.config.experiment import EmbedSettings, Views
from graft.network.assembly import embedder
from graft.network.backbones import load_backbone
from graft.network.forms import in_embedding_form
from graft.network.precision import policy_of
from graft.network.preprocessing import modes
from graft.progress import Progress
from graft.training.visits import visits_needed

BATCH = 32  # photos a forward pass; the result of a photo does not depend on its neighbours

Embed = Callable[[np.ndarray], np.ndarray]


def embed_photos(
    settings: EmbedSettings, weights: Path, pixels: Path, split: pd.DataFrame, paths: list[str], output: Path
) -> tuple[int, int, int]:
    """Write the features of every photo and view to `output`, a NumPy array on disk.

    Args:
        settings: backbone, pooling and views.
        weights: the backbone's, of `fetch_weights`.
        pixels: (n, size, size, 3), uint8, a `.npy` file of `pack_images`.
        split: tells which photos are trained on; only those need views.
        paths: the photos' paths, in the order of `pixels`.
        output: a `.npy` file to write: (1 + views, n, n_features), float32; [0] holds the photos as they are,
            [1 + v] view v of those that are trained on and zeros for the others.

    Returns: the array's shape.
    """
    photos = np.load(pixels, mmap_mode="r")
    trained = np.flatnonzero(pd.Index(paths).isin(split.loc[split.role == "train", "path"]))
    n_views = count_views(settings.views, split)
    mode, _ = modes(settings.backbone.name, settings.preprocessing)
    backbone = load_backbone(settings.backbone, weights)
    backbone = in_embedding_form(backbone, policy_of(settings.precision, backbone))
    model = embedder(backbone, mode, settings.pooling)
    shape = (1 + n_views, len(photos), model.output_shape[-1])
    features = np.lib.format.open_memmap(output, mode="w+", dtype=np.float32, shape=shape)
    progress = Progress("embed_images", len(photos) + n_views * len(trained), "views")
    for rows in batches(np.arange(len(photos))):
        features[0, rows] = forward(model, photos[rows].astype(np.float32))
        progress.advance(len(rows))
    for view in range(n_views):
        for rows in batches(trained):
            maps = draw_views(
                settings.views.augmentation, rows, np.full(len(rows), view), settings.views.seed, photos.shape[1]
            )
            features[1 + view, rows] = forward(model, apply_views(photos[rows], maps))
            progress.advance(len(rows))
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


def batches(rows: np.ndarray) -> list[np.ndarray]:
    """Return the rows in batches of equal size, but for the last."""
    return np.split(rows, range(BATCH, len(rows), BATCH))


def forward(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return a batch's features; a short batch is filled up, so that one compiled graph serves all."""
    n = len(images)
    if n < BATCH:
        images = keras.ops.concatenate([images, keras.ops.zeros((BATCH - n, *images.shape[1:]))])
    return np.asarray(model.predict_on_batch(images))[:n]
