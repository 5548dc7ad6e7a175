"""Callbacks of a training: a line of progress an epoch, the history, and a stop where the loss is no number."""

import importlib.util
import math
import os
import re
import time
from pathlib import Path

import keras
import pandas as pd

from graft.errors import UserError
from graft.training.optimizers import learning_rate_of

TENSORBOARD = (
    "GRAFT_TENSORBOARD"  # a folder for TensorBoard's logs; none unless set. No setting: results stay the same.
)
Logs = dict[str, float] | None  # what Keras passes at the end of an epoch
COLUMNS = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]


class History(keras.callbacks.Callback):
    """Keeps a row for every epoch, without the clock, so that equal trainings have equal histories."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Keep an epoch's numbers."""
        rate = learning_rate_of(self.model.optimizer)
        numbers = {"learning_rate": rate} | {key: float(value) for key, value in (logs or {}).items()}
        self.rows.append({"epoch": epoch + 1} | {key: numbers.get(key, math.nan) for key in COLUMNS})

    def table(self) -> pd.DataFrame:
        """Return the history: epoch, from 1, and `COLUMNS`."""
        return pd.DataFrame(self.rows, columns=["epoch", *COLUMNS])


class EpochLines(keras.callbacks.Callback):
    """Prints one line an epoch: loss, accuracy, seconds, images a second, seconds to go.

    Args:
        tag: stage, run and fold.
        images: training images an epoch.
    """

    def __init__(self, tag: str, images: int):
        super().__init__()
        self.tag, self.images = tag, images

    def on_train_begin(self, logs: Logs = None) -> None:
        """Start the clock."""
        self.first: int | None = None
        self.start = time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Remember where this process began, for the estimate."""
        self.first = epoch if self.first is None else self.first
        self.began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Say how the epoch went."""
        now, epochs = time.monotonic(), self.params["epochs"]
        seconds = now - self.began
        assert self.first is not None, "Keras begins an epoch before it ends it"
        left = (now - self.start) / (epoch + 1 - self.first) * (epochs - epoch - 1)
        numbers = ", ".join(f"{key} {value:.4f}" for key, value in (logs or {}).items() if key in COLUMNS[:4])
        print(
            f"{self.tag}: epoch {epoch + 1}/{epochs}, {numbers}, {seconds:.1f} s, "
            f"{self.images / max(seconds, 1e-9):.0f} images/s, {left:.0f} s left",
            flush=True,
        )


class StopAtNaN(keras.callbacks.Callback):
    """Ends a training whose loss is no longer a number.

    Raises: UserError, with the epoch and what to try.
    """

    def __init__(self, tag: str):
        super().__init__()
        self.tag = tag

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Look at the loss before a checkpoint is made of it."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            rate = learning_rate_of(self.model.optimizer)
            raise UserError(
                f"{self.tag}: the loss became {loss} in epoch {epoch + 1}, at a learning rate of {rate:g}; "
                "lower optimizer.learning_rate or set optimizer.clip_norm"
            )


def tensorboard(tag: str) -> list[keras.callbacks.Callback]:
    """Return Keras's TensorBoard callback, where its folder is set, with a folder of its own for each training.

    Raises: UserError if TensorBoard is asked for and not installed.
    """
    folder = os.environ.get(TENSORBOARD)
    if not folder:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        raise UserError(f"{TENSORBOARD} is set, but TensorBoard is not installed; run: pip install tensorboard")
    name = re.sub(r"[^\w.-]+", "-", tag)
    return [keras.callbacks.TensorBoard(Path(folder) / name, write_graph=False)]
