"""The first phase: the head alone, on cached features of the frozen backbone.

Because the backbone does not change, this is the same computation as training through it.
"""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from graft.config.experiment import HeadSettings
from graft.config.recipe import FrozenPhase
from graft.machine.runtime import streamed
from graft.network.head import build_head
from graft.training.batches import Batches, InOrder, Load
from graft.training.callbacks import COLUMNS
from graft.training.optimizers import build_optimizer
from graft.training.phase import train
from graft.training.roles import Roles
from graft.training.several import loss_of_roles, probe_several
from graft.training.targets import sample_weights, targets_of
from graft.training.visits import Visits

EXPECTED = ("cross_validated_loss", "cross_validated_mistakes")  # of a probe on other photos: columns of its history


def train_head(
    settings: HeadSettings, features: np.ndarray, roles: Roles, tag: str, state: Path
) -> tuple[keras.Model, pd.DataFrame, dict[str, Any]]:
    """Return the trained head, uncompiled, its history, and what the model file should remember of the training.

    Args:
        settings: head, phase, class weights, seed.
        features: (1 + views, n_photos, n_features), of `embed_photos`.
        roles: which photos train and which choose.
        tag: for the lines of progress.
        state: where a resumed training finds its state.

    Raises: UserError if the loss stops being a number, or the head does not fit the classes.
    """
    head = build_head(settings.head, features.shape[-1], len(roles.classes), settings.seed)
    n_logits = head.output_shape[-1]
    loss, metric = loss_of_roles(roles, n_logits, settings.head.label_smoothing, settings.class_weights)
    weights = sample_weights(roles.codes[roles.train], roles.classes, settings.class_weights)
    watched = InOrder(
        lambda part: features[0, roles.watch[part]], targets_of(roles.codes[roles.watch], n_logits), batch_size=256
    )
    compiled = keras.Model(head.input, head.output)  # else Keras would save the head's optimiser with the model
    if settings.frozen.method == "probe":
        if roles.several:
            expected, facts = probe_several(head, settings, features, roles)
        else:
            expected, facts = probe_head(head, settings, features, roles, weights), {}
        compiled.compile(loss=loss, metrics=[metric])
        history = probe_history(compiled, features[0, roles.train], roles, n_logits, weights, watched)
        return head, history.assign(**expected), facts
    phase = settings.frozen
    batches = Batches(
        Visits.of_phase(phase, len(roles.train), settings.seed),
        cached_views(features, roles.train, phase),
        targets_of(roles.codes[roles.train], n_logits),
        weights,
    )
    steps = batches.visits.steps_per_epoch
    optimizer = build_optimizer(phase.optimizer, phase.schedule, phase.epochs, steps, fast=settings.fast_path)
    compiled.compile(optimizer=optimizer, loss=loss, weighted_metrics=[metric])
    trained = train(
        compiled, phase, batches, watched if len(roles.watch) else None, bool(len(roles.choose)), tag, state
    )
    return head, trained.history, {}


def cached_views(features: np.ndarray, train: np.ndarray, phase: FrozenPhase) -> Load:
    """Return the loader of a batch: each photo's view of the visit, or the photo as it is where there are no views."""
    n_views = len(features) - 1
    if not phase.views:
        return lambda positions, visits: features[0, train[positions]]
    return lambda positions, visits: features[1 + visits % n_views, train[positions]]


def probe_head(
    head: keras.Model, settings: HeadSettings, features: np.ndarray, roles: Roles, weights: np.ndarray
) -> dict[str, float]:
    """Give the head the weights of a logistic regression on the cached views, or on the photos as they are.

    Returns: what to expect of it on other photos, as columns of the history.
    """
    from graft.training.probe import fit_probe  # scikit-learn takes most of a second to load

    views = features[1:] if settings.frozen.views else features[:1]
    probe = fit_probe(
        views[:, roles.train], roles.codes[roles.train], weights, settings.seed, roles.groups_of(roles.train)
    )
    kernel, bias = probe.kernel, probe.bias
    if settings.head.output == "logit":
        kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    head.get_layer("logits").set_weights([kernel, bias])
    return {"cross_validated_loss": probe.log_loss, "cross_validated_mistakes": probe.mistakes}


def probe_history(
    head: keras.Model, train: np.ndarray, roles: Roles, n_logits: int, weights: np.ndarray, watched: InOrder
) -> pd.DataFrame:
    """Return a history of one row: where the regression ended."""
    measured = head.evaluate(train, targets_of(roles.codes[roles.train], n_logits), sample_weight=weights, verbose=0)
    numbers = dict(zip(COLUMNS, [*measured, np.nan, np.nan, np.nan], strict=True))
    if len(roles.watch):
        numbers["val_loss"], numbers["val_accuracy"] = head.evaluate(streamed(watched), verbose=0)
    return pd.DataFrame([{"epoch": 1, **numbers}])
