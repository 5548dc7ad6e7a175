"""The second phase: the backbone, or its upper part, trains too."""

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from graft.config.base import nearest
from graft.config.experiment import FineTuneSettings
from graft.config.recipe import FineTuning
from graft.errors import UserError
from graft.machine.runtime import parallel, streamed
from graft.network.assembly import assemble, parts_of, pooling_of
from graft.network.blocks import block_names
from graft.network.folding import fold_batch_norm
from graft.network.forms import in_saved_form, in_training_form, take_weights
from graft.network.precision import policy_of
from graft.training.augment import apply_views, draw_views
from graft.training.batches import Batches, InOrder, Load
from graft.training.blend import blend
from graft.training.callbacks import COLUMNS
from graft.training.optimizers import build_optimizer
from graft.training.phase import train
from graft.training.roles import Roles
from graft.training.several import loss_of_roles
from graft.training.targets import loss_and_metric, sample_weights, targets_of
from graft.training.visits import Visits

SLOWEST = 0.01  # share of the learning rate; blocks with less stay frozen: they would hardly change, and cost the most
SAMPLED = 1000  # training photos by which the mean of weights is judged
VIEW_SEED = 2**20  # so that the second phase does not show the first phase's views again


@dataclass(frozen=True)
class Expected:
    """What cross-validation expects of a probe on other photos; None where the head is none.

    Attributes:
        log_loss: mean over the training photos.
        mistakes: how many of the training photos.
    """

    log_loss: float | None = None
    mistakes: float | None = None


def fine_tune(
    settings: FineTuneSettings,
    model: keras.Model,
    modes: tuple[str, str],
    pixels: np.ndarray,
    roles: Roles,
    tag: str,
    state: Path,
    devices: Sequence[str] = (),
    expected: Expected = Expected(),
) -> tuple[keras.Model, pd.DataFrame, Path]:
    """Return the fine-tuned model in its saved form, its history, and the resume state to remove once both are saved.

    Args:
        settings: phase, augmentation, class weights, seed.
        model: of the first phase: raw pixels to logits.
        modes: how training and how prediction preprocesses.
        pixels: (n_photos, size, size, 3), uint8, on disk.
        roles: which photos train and which choose.
        tag: for the lines of progress.
        state: where a resumed training finds its state.
        devices: several share each batch (data parallel); one or none: the framework's own choice.
        expected: what to expect of the head's model on other photos, for `keep: fits` and `min_mistakes`.

    Raises: UserError if a layer to unfreeze does not exist, or the loss stops being a number.
    """
    phase = settings.finetune
    if expected.mistakes is not None and expected.mistakes < phase.min_mistakes:
        few = f"cross-validation found {expected.mistakes:.0f} mistakes of the probe, fewer than {phase.min_mistakes}"
        print(f"{tag}: nothing is fine-tuned, the head's model stays: {few}", flush=True)
        return model, pd.DataFrame(columns=["epoch", *COLUMNS]), state
    n_logits = model.output_shape[-1]
    batches = batches_of(settings, pixels, roles, n_logits)
    choosing, watched = (in_order(pixels, rows, roles, n_logits) for rows in (roles.choose, roles.watch))
    plain = folded(model) if phase.batch_norm == "folded" else model
    tuned = in_saved_form(plain, modes[1])
    fits = phase.keep == "fits"
    judging = in_order(pixels, roles.train, roles, n_logits) if fits else choosing if phase.keep == "better" else None
    before = Before.of(model, tuned, judging, expected.log_loss if fits else None, roles.several)
    policy = policy_of(phase.precision, parts_of(model)[0])
    with parallel(devices):
        training = in_training_form(plain, modes[0], policy, settings.fast_path)
        backbone, _ = parts_of(training)
        n_layers = unfreeze(backbone, phase)
        optimizer = block_optimizer(training, backbone, phase, batches.visits.steps_per_epoch, settings.fast_path)
        loss, metric = loss_of_roles(roles, n_logits, settings.label_smoothing, settings.class_weights)
        training.compile(optimizer=optimizer, loss=loss, weighted_metrics=[metric])
        print(f"{tag}: {n_layers:,} layers of the backbone train, {model_facts(training)}", flush=True)
        trained = train(training, phase, batches, watched, choosing is not None, tag, state)
    take_weights(tuned, training)
    if phase.interpolation < 1:
        sample = in_order(pixels, evenly(roles.train, SAMPLED), roles, n_logits)
        assert sample is not None, "training photos there are"
        interpolate(tuned, before.tuned_weights, phase.interpolation, scorer(tuned, sample, roles.several), tag)
    kept = tuned if phase.keep == "always" else before.unless_beaten(tag)
    return kept, trained.history, trained.resume.path


def interpolate(
    tuned: keras.Model, before: list[np.ndarray], share: float, log_loss: Callable[[], float], tag: str
) -> None:
    """Give a model `share` of its own weights and the rest of those that it had before, unless these are too far apart.

    They are where the mean of the weights fits worse than either: between them lies a barrier. Then the model keeps its
    own weights.

    Args:
        tuned: the model, fine-tuned.
        before: the weights that it had before.
        share: of its own weights.
        log_loss: computes that of some training photos, with the weights that the model has when it is called.
        tag: for the line that says so.

    Sources: Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022 (WiSE-FT); Frankle et al., "Linear
    mode connectivity and the lottery ticket hypothesis", ICML 2020 (the barrier).
    """
    after, end = tuned.get_weights(), log_loss()
    tuned.set_weights(before)
    start = log_loss()
    tuned.set_weights([(1 - share) * old + share * new for old, new in zip(before, after, strict=True)])
    mean = log_loss()
    if not mean <= max(start, end):
        tuned.set_weights(after)
        print(
            f"{tag}: the weights are those of fine-tuning alone: their mean with those before it fits the training "
            f"photos worse than either, with a log loss of {mean:.4f}; before {start:.4f}, after {end:.4f}",
            flush=True,
        )


def evenly(rows: np.ndarray, most: int) -> np.ndarray:
    """Return rows, or `most` of them at even distances where there are more.

    >>> evenly(np.arange(10), 4).tolist()
    [0, 3, 6, 9]
    """
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int)]


@dataclass(frozen=True)
class Before:
    """The model as the head left it, the log loss to beat on some photos, and the model that fine-tuning changes."""

    model: keras.Model
    weights: list[np.ndarray]
    tuned: keras.Model
    tuned_weights: list[np.ndarray]
    log_loss: Callable[[], float]
    value: float

    @classmethod
    def of(
        cls,
        model: keras.Model,
        tuned: keras.Model,
        photos: InOrder | None,
        to_beat: float | None = None,
        several: bool = False,
    ) -> "Before":
        """Keep a model's weights, and the log loss that fine-tuning has to beat.

        That is `to_beat`, or else the model's own, measured with `tuned`, which still computes the same. Without photos
        there is no log loss, and no later model can be shown to be better.
        """
        log_loss = scorer(tuned, photos, several) if photos else lambda: np.nan
        value = log_loss() if to_beat is None else to_beat
        return cls(model, model.get_weights(), tuned, tuned.get_weights(), log_loss, value)

    def unless_beaten(self, tag: str) -> keras.Model:
        """Return the tuned model if its log loss is lower than that of the head's model, else the head's model."""
        now = self.log_loss()
        reason = f"log loss {now:.4f}, {self.value:.4f} to beat"
        if now < self.value:
            print(f"{tag}: fine-tuning is kept: {reason}", flush=True)
            return self.tuned
        why = "no photos can choose" if np.isnan(self.value) else reason
        print(f"{tag}: fine-tuning is not kept, the head's model stays: {why}", flush=True)
        self.model.set_weights(self.weights)
        return self.model


def scorer(model: keras.Model, photos: InOrder, several: bool = False) -> Callable[[], float]:
    """Return a function that computes a model's log loss on some photos, with the weights it has when called.

    The model itself stays uncompiled. Only the first call traces it.
    """
    judged = keras.Model(model.input, model.output)
    loss, _ = loss_and_metric(1 if several else model.output_shape[-1], label_smoothing=0.0)
    judged.compile(loss=loss)
    return lambda: float(judged.evaluate(streamed(photos), verbose=0))


def batches_of(settings: FineTuneSettings, pixels: np.ndarray, roles: Roles, n_logits: int) -> Batches:
    """Return the training batches, streamed from disk."""
    phase, codes = settings.finetune, roles.codes[roles.train]
    weights = sample_weights(codes, roles.classes, settings.class_weights)
    visits = Visits.of_phase(phase, len(roles.train), settings.seed)
    batches = Batches(visits, views_of(settings, pixels, roles.train), targets_of(codes, n_logits), weights)
    return blend(batches, phase, settings.seed)


def in_order(pixels: np.ndarray, rows: np.ndarray, roles: Roles, n_logits: int) -> InOrder | None:
    """Return some photos as they are, streamed from disk; None if there are none."""
    if not len(rows):
        return None
    return InOrder(
        lambda part: pixels[rows[part]].astype(np.float32), targets_of(roles.codes[rows], n_logits), batch_size=32
    )


def folded(model: keras.Model) -> keras.Model:
    """Return the model with the backbone's batch normalisations merged into its convolutions."""
    backbone, head = parts_of(model)
    return assemble(fold_batch_norm(backbone), head, "none", pooling_of(model))


def unfreeze(backbone: keras.Model, phase: FineTuning) -> int:
    """Make the layers that a phase names trainable and the others not; return how many are.

    The scale and offset of batch normalisation train only where the phase says `lesson`.

    Raises: UserError if there is no such block or layer.
    """
    first = max(first_trainable(backbone, phase.unfreeze), first_fast_enough(backbone, phase.layer_decay))
    frozen_norm = phase.batch_norm != "lesson"
    backbone.trainable = True
    for index, layer in enumerate(backbone.layers):
        norm = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and not (norm and frozen_norm)
    return sum(1 for layer in backbone.layers if layer.trainable and layer.weights)


def first_trainable(backbone: keras.Model, unfreeze: str | float) -> int:
    """Return the index of the first layer that trains."""
    if unfreeze == "all":
        return 0
    names = [layer.name for layer in backbone.layers]
    if isinstance(unfreeze, str):
        if unfreeze not in names:
            raise UserError(f"finetune.unfreeze is {unfreeze!r}, no layer of {backbone.name}{nearest(unfreeze, names)}")
        return names.index(unfreeze)
    blocks = list(dict.fromkeys(block_names(backbone)))
    if isinstance(unfreeze, float):
        unfreeze = math.ceil(unfreeze * len(blocks))
    if unfreeze > len(blocks):
        raise UserError(f"finetune.unfreeze is {unfreeze}, but {backbone.name} has {len(blocks)} blocks; use 'all'")
    return block_names(backbone).index(blocks[-unfreeze])


def first_fast_enough(backbone: keras.Model, layer_decay: float) -> int:
    """Return the index of the first layer of a block whose rate is no less than `SLOWEST`."""
    if layer_decay == 1.0:
        return 0
    names = block_names(backbone)
    blocks = list(dict.fromkeys(names))
    n_blocks = max(1, int(math.log(SLOWEST) / math.log(layer_decay) + 1e-9))
    return names.index(blocks[-n_blocks]) if n_blocks < len(blocks) else 0


def block_optimizer(
    model: keras.Model, backbone: keras.Model, phase: FineTuning, steps: int, fast: bool = True
) -> keras.Optimizer:
    """Return the phase's optimiser; with `layer_decay`, one a block, slower the further it is from the head."""
    build = functools.partial(build_optimizer, phase.optimizer, phase.schedule, phase.epochs, steps, fast=fast)
    if phase.layer_decay == 1.0:
        return build()
    names = block_names(backbone)
    depth = {block: place for place, block in enumerate(reversed(list(dict.fromkeys(names))), start=1)}
    rates = keras.optimizers.OptimizerMap(build())
    for block, place in depth.items():
        layers = [layer for layer, name in zip(backbone.layers, names, strict=True) if name == block]
        paths = [weight.path for layer in layers for weight in layer.trainable_weights]
        if paths:
            pattern = "|".join(f"^{path}$" for path in paths)
            rates[pattern] = build(factor=phase.layer_decay**place)
    return keras.optimizers.MultiOptimizer(rates)


def views_of(settings: FineTuneSettings, pixels: np.ndarray, train: np.ndarray) -> Load:
    """Return the loader of a batch: a fresh view of each photo at each visit, or the photo as it is."""
    size = pixels.shape[1]

    def load(positions: np.ndarray, visits: np.ndarray) -> np.ndarray:
        rows = train[positions]
        if settings.augmentation is None:
            return pixels[rows].astype(np.float32)
        maps = draw_views(settings.augmentation, rows, visits + VIEW_SEED, settings.seed, size)
        return np.asarray(apply_views(pixels[rows], maps))

    return load


def model_facts(model: keras.Model) -> str:
    """Return how many numbers train, and in what precision."""
    n = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    return f"{n:,} weights, {parts_of(model)[0].layers[-1].compute_dtype}"
