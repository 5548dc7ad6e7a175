"""How unlike its training photos a photo is: a Mahalanobis distance of the network's own features.

The features are what the head gets, or, where that is a whole feature map, its mean over all places; brought to length
1. The distance is that to the nearest class's mean, in the metric of the covariance within classes, of which 32
directions are kept (`graft.judging.strangers` makes it). It travels in the model file as likeness.npz.

Source: Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks",
NeurIPS 2018, section 2. `benchmarks/strangers.py` compares it with nearest neighbours.
"""

import io
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

MEMBER = "likeness.npz"  # of a model file


@dataclass(frozen=True)
class Likeness:
    """What tells photos unlike the training photos.

    With z the features of length 1, m a class's mean and D the directions, each shortened by how far the photos of a
    class vary along it, the squared distance is |z - m|^2 - |D(z - m)|^2. Written out, that is a constant, a part of
    the photo alone, and a part that is linear in z for each class; so two products of matrices make it.
    """

    directions: np.ndarray
    """(n_features, n_directions), float16."""

    slopes: np.ndarray
    """(n_features, n_classes), float16."""

    offsets: np.ndarray
    """(n_classes,), float32."""

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Return how far photos lie from the training photos, (n,), float32; 0: on a class's mean.

        Args:
            features: (n, n_features), as the head gets them.
        """
        z = of_length_1(features)
        along = np.square(z @ self.directions.astype(np.float32)).sum(axis=1)
        return 1 - along + (z @ self.slopes.astype(np.float32) + self.offsets).min(axis=1)

    def to_bytes(self) -> bytes:
        """Return it as a NumPy archive."""
        stream = io.BytesIO()
        np.savez(stream, **asdict(self))
        return stream.getvalue()


def of_length_1(features: np.ndarray) -> np.ndarray:
    """Return features divided by their length, float32.

    >>> of_length_1(np.array([[3.0, 4.0], [0.0, 0.0]])).round(3).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    features = np.asarray(features, np.float32)
    return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def read_likeness(path: str | Path) -> Likeness | None:
    """Return what a model file carries; None where it carries nothing, as the models of earlier versions."""
    with zipfile.ZipFile(path) as archive:
        if MEMBER not in archive.namelist():
            return None
        arrays = np.load(io.BytesIO(archive.read(MEMBER)), allow_pickle=False)
        return Likeness(arrays["directions"], arrays["slopes"], arrays["offsets"])
