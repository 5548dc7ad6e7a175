"""What a finished training's history says should be changed: it diverged, or it ended while it still learnt fast."""

import pandas as pd

from graft.config.recipe import FrozenPhase, Phase

FEWEST_EPOCHS = 4  # with fewer, one noisy epoch looks like a trend
GREW = 2.0  # a loss that ends at this many times its least, and above its first, has diverged ...
FELL = 0.1  # a loss that falls by this share over the last quarter of the epochs still falls fast ...
NOTICED = 0.02  # ... if the change is at least this large: losses near 0 double and halve by chance


def advice(history: pd.DataFrame, phase: Phase, chooses: bool) -> str:
    """Return one sentence that says what to change, or nothing.

    Only photos that train or choose are looked at. A number of epochs that was picked by the photos that judge would
    flatter them.

    Args:
        history: a row an epoch: epoch, loss, val_loss, learning_rate.
        phase: its settings.
        chooses: whether the watched photos, whose loss is `val_loss`, chose.
    """
    if len(history) < FEWEST_EPOCHS:
        return ""
    return diverged(history, phase) or improving(history, phase, chooses)


def diverged(history: pd.DataFrame, phase: Phase) -> str:
    """Say that the training loss rose, and what to lower; nothing if it did not.

    >>> losses = pd.DataFrame({"epoch": [1, 2, 3, 4], "loss": [0.7, 0.4, 0.9, 1.6], "learning_rate": 0.1})
    >>> diverged(losses, Phase())[:75]
    'the training loss rose from 0.400 in epoch 2 to 1.600 in epoch 4: the train'
    """
    loss = history["loss"].to_numpy()
    least, last = loss.argmin(), loss[-1]
    if not (last > GREW * loss[least] and last > loss[0] and last - loss[least] > NOTICED):
        return ""
    rate = history["learning_rate"].max()
    return (
        f"the training loss rose from {loss[least]:.3f} in epoch {history['epoch'].iloc[least]} to {last:.3f} in epoch "
        f"{history['epoch'].iloc[-1]}: the training diverged; lower {key(phase)}.optimizer.learning_rate ({rate:g}), "
        f"to {rate / 10:g} for a start, or set {key(phase)}.optimizer.clip_norm"
    )


def improving(history: pd.DataFrame, phase: Phase, chooses: bool) -> str:
    """Say that the last epochs still lowered the loss fast, and what to raise; nothing if they did not.

    Two quarters of the epochs, the last and the one before it, are compared by their means.
    """
    if len(history) < phase.epochs:
        return ""  # early stopping saw to it
    name = "val_loss" if chooses and history["val_loss"].notna().all() else "loss"
    quarter = len(history) // 4
    before, after = history[name].iloc[-2 * quarter : -quarter].mean(), history[name].iloc[-quarter:].mean()
    if not (before - after > max(FELL * before, NOTICED)):
        return ""
    whose = "the loss of the photos that choose" if name == "val_loss" else "the training loss"
    epochs = "epoch" if quarter == 1 else f"{quarter} epochs"
    return (
        f"it ended while {whose} still fell fast, from {before:.3f} to {after:.3f} over the last {epochs}; raise "
        f"{key(phase)}.epochs ({phase.epochs}), to {2 * phase.epochs} for a start, or "
        f"{key(phase)}.optimizer.learning_rate"
    )


def key(phase: Phase) -> str:
    """Return the name of a phase in a recipe."""
    return "frozen" if isinstance(phase, FrozenPhase) else "finetune"
