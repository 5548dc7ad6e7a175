"""Keras's optimisers and schedules from their settings, one rate for all layers or one a block."""

import keras

from graft.config.recipe import Optimizer, Schedule
from graft.training.one_pass import optimizer_class

MOMENTUM = ("sgd", "rmsprop")


def build_optimizer(
    settings: Optimizer,
    schedule: Schedule,
    epochs: int,
    steps_per_epoch: int,
    factor: float = 1.0,
    fast: bool = True,
) -> keras.Optimizer:
    """Return the optimiser of a phase.

    Args:
        settings: its name and numbers.
        schedule: how its rate moves.
        epochs: of the phase, for a cosine's end.
        steps_per_epoch: batches; gradients of `settings.accumulate` of them make one step.
        factor: on the learning rate, for a block of its own.
        fast: whether its step may be Graft's own, as the configuration's `fast_path` says.
    """
    steps = max(1, epochs * steps_per_epoch // settings.accumulate)
    warmup = round(schedule.warmup_epochs * steps_per_epoch / settings.accumulate)
    rate = settings.learning_rate * factor
    if schedule.name == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else rate, max(1, steps - warmup), warmup_target=rate if warmup else None, warmup_steps=warmup
        )
    options = {"learning_rate": rate}
    if settings.name in MOMENTUM and settings.momentum:
        options["momentum"] = settings.momentum
    if settings.weight_decay:
        options["weight_decay"] = settings.weight_decay
    if settings.clip_norm:
        options["global_clipnorm"] = settings.clip_norm
    if settings.accumulate > 1:
        options["gradient_accumulation_steps"] = settings.accumulate
    if settings.ema:
        options |= {"use_ema": True, "ema_momentum": settings.ema}
    return optimizer_class(settings.name, fast)(**options)


def learning_rate_of(optimizer: keras.Optimizer) -> float:
    """Return the current learning rate; of several optimisers the highest, which is the one next to the head."""
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        return max(learning_rate_of(one) for one in optimizer.optimizers)
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
