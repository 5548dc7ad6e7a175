"""One phase of training: compile, fit, watch, resume."""

from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from graft.config.recipe import Phase
from graft.machine.runtime import streamed
from graft.training.advice import advice
from graft.training.batches import Batches, InOrder
from graft.training.callbacks import EpochLines, History, StopAtNaN, tensorboard
from graft.training.resume import Resume


@dataclass
class Trained:
    """What a phase leaves beside the model's weights."""

    history: pd.DataFrame
    """A row an epoch."""

    resume: Resume
    """Its state is removed once the outputs are written."""


def train(
    model: keras.Model, phase: Phase, batches: Batches, watched: InOrder | None, chooses: bool, tag: str, state: Path
) -> Trained:
    """Fit a compiled model; afterwards it has the weights that the phase's settings ask for.

    Args:
        model: compiled.
        phase: epochs, early stopping and schedule.
        batches: the training photos.
        watched: the photos that are measured after each epoch; None: none.
        chooses: whether these photos may stop the training or slow it down.
        tag: stage, run and fold, for the lines.
        state: where to keep what a resumed training needs.

    Raises: UserError if the loss stops being a number.
    """
    history = History()
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if phase.optimizer.ema else []
    memories = [*averaging, history, *selection(phase, chooses)]
    resume = Resume(state, memories)
    batches.first_epoch = resume.first_epoch
    watchers = [EpochLines(tag, batches.visits.images_per_epoch), StopAtNaN(tag), *tensorboard(tag)]
    callbacks = [*watchers, *memories, resume]
    epochs = resume.first_epoch if resume.finished else phase.epochs
    model.optimizer.build(model.trainable_variables)  # else `fit` traces the step twice, and adds conditions
    model.fit(
        streamed(batches),
        validation_data=streamed(watched) if watched else None,
        epochs=epochs,
        initial_epoch=resume.first_epoch,
        steps_per_epoch=batches.visits.steps_per_epoch,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    table = history.table()
    if told := advice(table, phase, chooses):
        print(f"{tag}: {told}", flush=True)
    return Trained(table, resume)


def selection(phase: Phase, chooses: bool) -> list[keras.callbacks.Callback]:
    """Return the callbacks that stop a phase, or slow it down, by what they see.

    Where no photos choose, the training loss takes the place of theirs, which Keras calls the validation loss.
    """
    chosen = []
    if phase.early_stopping:
        stopping = phase.early_stopping
        monitor = stopping.monitor if chooses else stopping.monitor.removeprefix("val_")
        chosen.append(
            keras.callbacks.EarlyStopping(
                monitor=monitor,
                mode="max" if monitor.endswith("accuracy") else "min",
                patience=stopping.patience,
                min_delta=stopping.min_delta,
                restore_best_weights=True,
            )
        )
    if phase.schedule.name == "plateau":
        chosen.append(
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss" if chooses else "loss",
                factor=phase.schedule.factor,
                patience=phase.schedule.patience,
            )
        )
    return chosen
