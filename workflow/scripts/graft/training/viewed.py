"""Features of test-time views: computed once for every photo that is judged, shared by every run that can use them."""

from pathlib import Path

import numpy as np
import pandas as pd

from graft.config.experiment import ViewedSettings
from graft.data.shards import BATCH
from graft.data.unlabelled import UNLABELLED
from graft.machine.progress import Progress
from graft.network.assembly import embedder
from graft.network.backbones import load_backbone
from graft.network.forms import in_embedding_form
from graft.network.preprocessing import modes
from graft.storage.arrays import new_array, open_array
from graft.training.augment import apply_views, maps_of
from graft.training.features import forward


def judged_rows(split: pd.DataFrame, paths: list[str]) -> np.ndarray:
    """Return the places of the photos that judge or may choose in any fold.

    >>> split = pd.DataFrame({"path": ["a", "b", "c"], "role": ["train", "train", "val"], "inner": [0, 1, 0]})
    >>> judged_rows(split, ["a", "b", "c"]).tolist()
    [1, 2]
    """
    asked = ~split["role"].isin(["train", UNLABELLED]) | (split["inner"] == 1)
    return np.flatnonzero(pd.Index(paths).isin(split.loc[asked, "path"]))


def embed_views(
    settings: ViewedSettings, weights: Path, pixels: Path, rows: np.ndarray, output: Path
) -> tuple[int, int, int]:
    """Write the features of the views beyond the first, (count - 1, n_photos, n_features), float32.

    Args:
        settings: the embedding, in float32, and the views.
        weights: the backbone's, of `fetch_weights`.
        pixels: (n_photos, size, size, 3), uint8, a `.npy` file of `pack_images`.
        rows: (n,), int; the photos that need views; the others have zeros.
        output: the `.npy` file.

    Returns: the array's shape.
    """
    photos, embedding = open_array(pixels), settings.embedding
    mode, _ = modes(embedding.backbone.name, embedding.preprocessing)
    backbone = in_embedding_form(load_backbone(embedding.backbone, weights), "float32", embedding.fast_path)
    model = embedder(backbone, mode, embedding.pooling)
    maps = maps_of(settings.test_views, photos.shape[1])
    shape = (len(maps), len(photos), model.output_shape[-1])
    features = new_array(output, np.float32, shape)
    progress = Progress("embed_test_views", len(rows) * len(maps), "views")
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        for view, one in enumerate(maps):
            features[view, part] = forward(model, apply_views(photos[part], np.tile(one, (len(part), 1))))
            progress.advance(len(part))
    features.flush()
    return shape
