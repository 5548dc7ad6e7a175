"""What training does where photos may have several labels: a loss for each label, its weights, and the probe."""

from typing import Any

import keras
import numpy as np

from graft.config.base import nearest
from graft.config.experiment import HeadSettings
from graft.errors import UserError
from graft.training.roles import Roles
from graft.training.targets import loss_and_metric


class LabelLoss(keras.losses.Loss):
    """Binary cross-entropy from logits, the mean over the labels, with a weight for each label's truth.

    Args:
        present: (n_labels,); the weight of the loss where a photo has the label.
        absent: (n_labels,); the weight where it has not.
        label_smoothing: share of the target that is moved to 0.5.
    """

    def __init__(self, present: np.ndarray, absent: np.ndarray, label_smoothing: float = 0.0):
        super().__init__(name="label_loss")
        self.present, self.absent, self.label_smoothing = present, absent, label_smoothing

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """Return the loss of each photo, (n,)."""
        logits = keras.ops.convert_to_tensor(y_pred)
        truth = keras.ops.cast(y_true, logits.dtype)
        truth = truth * (1 - self.label_smoothing) + 0.5 * self.label_smoothing
        present = keras.ops.cast(self.present, logits.dtype) * truth * keras.ops.softplus(-logits)
        absent = keras.ops.cast(self.absent, logits.dtype) * (1 - truth) * keras.ops.softplus(logits)
        return keras.ops.mean(present + absent, axis=-1)


def loss_of_roles(
    roles: Roles, n_logits: int, label_smoothing: float, class_weights: Any
) -> tuple[keras.Loss, keras.Metric]:
    """Return the loss and the accuracy of a training: of one label a photo, or of several.

    With several labels, the accuracy is the share of all answers, label by label, that are right at a probability of
    0.5. What a class weighs is then in the loss; else it is in the photos' weights.
    """
    if not roles.several:
        return loss_and_metric(n_logits, label_smoothing)  # photos have weights, and so their classes
    weights = label_weights(roles.codes[roles.train], roles.classes, class_weights)
    return LabelLoss(*weights, label_smoothing), keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)


def label_weights(truth: np.ndarray, classes: list[str], class_weights: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights, (n_labels,), float32, of the loss where photos have a label, and where they have not.

    Args:
        truth: (n, n_labels); 1 where a training photo has a label.
        classes: the labels.
        class_weights: `none`; `balanced`: n / (2 x count) for each side of each label, as scikit-learn's for two
            classes; or a weight for each label.

    Raises: UserError if a weight names no label.

    >>> weights = label_weights(np.array([[1], [0], [0], [0]]), ["water"], "balanced")
    >>> [round(float(side[0]), 3) for side in weights]
    [2.0, 0.667]
    """
    n, n_labels = len(truth), len(classes)
    if class_weights == "balanced":
        has = truth.sum(0)
        present, absent = n / (2 * np.maximum(has, 1)), n / (2 * np.maximum(n - has, 1))
        return present.astype(np.float32), absent.astype(np.float32)
    if class_weights == "none":
        return np.ones(n_labels, np.float32), np.ones(n_labels, np.float32)
    for name in class_weights:
        if name not in classes:
            raise UserError(f"class_weights has {name!r}, which is no label{nearest(name, classes)}")
    given = np.array([class_weights.get(name, 1.0) for name in classes], np.float32)
    return given, given


def probe_several(
    head: keras.Model, settings: HeadSettings, features: np.ndarray, roles: Roles
) -> tuple[dict[str, float], dict[str, Any]]:
    """Give the head the weights of a logistic regression for each label.

    Returns: what to expect of it on other photos, as columns of the history, and what the model file remembers.
    """
    from graft.training.label_calibration import cross_validated
    from graft.training.label_probe import fit_label_probes  # scikit-learn takes most of a second to load

    views = features[1:] if settings.frozen.views else features[:1]
    truth, groups = roles.codes[roles.train], roles.groups_of(roles.train)
    sides = label_weights(truth, roles.classes, settings.class_weights)
    probe = fit_label_probes(views[:, roles.train], truth, sides, settings.seed, groups)
    head.get_layer("logits").set_weights([probe.kernel, probe.bias])
    found = cross_validated(probe.out_of_fold, truth)
    expected = {"cross_validated_loss": probe.log_loss, "cross_validated_mistakes": float(probe.mistakes)}
    return expected, {"cross_validated": found} if found else {}
