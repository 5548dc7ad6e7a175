"""A training that diverged, or ended too early, is told what to change; a good one is told nothing."""

import pandas as pd
import pytest

from graft.config.recipe import FineTuning, FrozenPhase
from graft.training.advice import advice


def history(losses, watched=None, rate=0.1) -> pd.DataFrame:
    """Return a history of these losses, an epoch each."""
    columns = {"loss": losses, "val_loss": watched or [float("nan")] * len(losses)}
    return pd.DataFrame({"epoch": range(1, len(losses) + 1), **columns, "learning_rate": rate})


FALLING = [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2]
SETTLED = [0.8, 0.5, 0.4, 0.35, 0.34, 0.34, 0.335, 0.335]


def test_a_loss_that_rose_names_the_rate_to_lower():
    told = advice(history([0.7, 0.4, 0.9, 1.6]), FineTuning(epochs=4), chooses=False)
    assert "rose from 0.400 in epoch 2 to 1.600 in epoch 4: the training diverged" in told
    assert "lower finetune.optimizer.learning_rate (0.1), to 0.01 for a start" in told


def test_a_loss_that_still_fell_names_the_epochs_to_raise():
    told = advice(history(FALLING), FrozenPhase(epochs=8), chooses=False)
    assert "the training loss still fell fast, from 0.350 to 0.225 over the last 2 epochs" in told  # (0.4 + 0.3) / 2
    assert "raise frozen.epochs (8), to 16 for a start" in told


@pytest.mark.parametrize(
    ("losses", "epochs"),
    [
        (SETTLED, 8),
        (FALLING, 20),  # early stopping ended it
        ([0.9, 0.2, 0.1], 3),  # too few epochs to tell
        ([0.001, 0.004, 0.002, 0.005], 4),  # noise near 0
        ([0.7, 0.5, 0.3, 0.31], 4),
    ],
)
def test_a_good_training_is_told_nothing(losses, epochs):
    assert advice(history(losses), FineTuning(epochs=epochs), chooses=False) == ""


def test_photos_that_judge_give_no_advice():
    assert advice(history(SETTLED, watched=FALLING), FineTuning(epochs=8), chooses=False) == ""


def test_photos_that_choose_do():
    told = advice(history(SETTLED, watched=FALLING), FineTuning(epochs=8), chooses=True)
    assert "the loss of the photos that choose still fell fast" in told
