"""Test-time views: the mean of what a model says of several views of a photo.

The views are the same maps for every photo, drawn from a seed. So the published model sees a new photo as the photos
were seen that judged it, and a photo's prediction does not depend on those beside it.
"""

from collections.abc import Callable

import keras
import numpy as np

from graft.config.averaging import AveragedViews
from graft.network.assembly import parts_of
from graft.training.augment import apply_views, maps_of

HEAD_BATCH = 256  # photos; a head is small
Ask = Callable[[np.ndarray | keras.KerasTensor], np.ndarray | list[np.ndarray]]


def averaged_outputs(ask: Ask, images: np.ndarray, views: AveragedViews | None) -> list[np.ndarray]:
    """Return a model's outputs, logits first, these the mean of each photo's views: the first is the photo as it is.

    The mean of logits is that of probabilities in the geometric sense; what follows, temperature and threshold, takes
    it as it takes the logits of one view. Further outputs are those of the photo as it is.

    Args:
        ask: from images, (n, size, size, 3), float32, to logits, or to a list of logits and further outputs.
        images: the photos.
        views: None: the photos as they are, alone.
    """
    plain, *others = outputs_of(ask, images)
    if views is None:
        return [plain, *others]
    total = plain.astype(np.float64)
    for one in maps_of(views, images.shape[1]):
        total += outputs_of(ask, apply_views(images, np.tile(one, (len(images), 1))))[0]
    return [(total / views.count).astype(np.float32), *others]


def outputs_of(ask: Ask, images: np.ndarray | keras.KerasTensor) -> list[np.ndarray]:
    """Return a model's outputs as a list, however many there are."""
    answers = ask(images)
    return [np.asarray(answer) for answer in (answers if isinstance(answers, list) else [answers])]


def logits_from_cache(model: keras.Model, plain: np.ndarray, viewed: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean of the logits of each photo's views, where the features of all but the first are cached.

    Args:
        model: with the backbone that the features are of.
        plain: (n, n_logits); the logits of the photos as they are.
        viewed: (count - 1, n_photos, n_features), of `embed_views`; may lie on disk.
        rows: (n,), int; the photos' places in it.
    """
    _, head = parts_of(model)
    total = plain.astype(np.float64)
    for features in viewed:
        total += head.predict(features[rows], batch_size=HEAD_BATCH, verbose=0)
    return (total / (len(viewed) + 1)).astype(np.float32)


def is_cached(viewed: np.ndarray, rows: np.ndarray) -> bool:
    """Return whether views of all these photos are cached: photos that only train have zeros."""
    return bool(np.any(viewed[0, rows] != 0, axis=1).all())
