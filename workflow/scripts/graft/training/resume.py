"""A killed training goes on where it was, and ends in the same bytes.

The state lies outside a rule's declared outputs, since Snakemake removes those of a failed job. Each training has a
folder of its own, results/state/SCRIPT/RUN-fold-N, and in it the state's name is a digest of all that the result
depends on, so that no training takes up the state of another, or of itself before a change.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from graft.code import code_digest
from graft.network.fast_path import has_private_names
from graft.storage.files import atomic
from graft.storage.seals import digest_by_seal
from graft.training.callbacks import Logs

EVERY_SECONDS = "GRAFT_CHECKPOINT_SECONDS"  # the least time between two states; 60 unless set
REMEMBERED = (
    *("wait", "best", "best_weights", "best_epoch", "stopped_epoch", "cooldown_counter", "rows"),
    "_ema_weights_in_model",  # of SwapEMAWeights: whether the averages have changed places with the weights
)
PACKAGES = ("keras", "numpy", "scikit-learn", "tensorflow", "tensorflow-cpu", "jax", "jaxlib", "torch")
OUTDATED = 30 * 24 * 3600  # seconds after which a state is not waited for any more
DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile)


def state_path(folder: Path, script: str, tag: str, settings: str, inputs: list[Path]) -> Path:
    """Return where the state of a training lies.

    Args:
        folder: of all states.
        script: the training's.
        tag: run and fold.
        settings: all settings of the training, as text.
        inputs: all files that it reads.

    Raises: UserError if an input is not as it was written.
    """
    parts = [script, tag, settings, keras.backend.backend(), *versions()]
    parts += [*(digest_by_seal(path) for path in inputs), code_digest(script)]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    return Path(folder) / Path(script).stem / re.sub(r"[^\w.-]+", "-", tag) / f"{name}.npz"


def versions() -> list[str]:
    """Return name and version of those packages of `PACKAGES` that are installed."""
    found = []
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return found


def clear_states(folder: Path, state: Path) -> None:
    """Remove the states of a training that has succeeded, and those of any other that nobody took up for 30 days.

    Args:
        folder: of all states.
        state: of this training, as `state_path` names it.
    """
    shutil.rmtree(state.parent, ignore_errors=True)
    oldest = time.time() - OUTDATED
    for path in [path for path in Path(folder).rglob("*") if path.is_file()]:
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def read_state(path: Path) -> dict[str, Any] | None:
    """Return a saved state; None where there is none, or where it is damaged, which is reported."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            state = json.loads(stored["state"].tobytes())
            arrays = {name: stored[name] for name in stored.files}
        state["variables"] = [arrays[f"variable-{place}"] for place in range(state["n_variables"])]
        for number, memory in enumerate(state["memories"]):
            for key, count in state["lists"][number].items():
                memory[key] = [arrays[f"memory-{number}-{key}-{place}"] for place in range(count)]
        return state
    except DAMAGE as error:
        print(f"the state {path} is damaged ({type(error).__name__}); the training starts anew", flush=True)
        return None


def write_state(
    path: Path, epoch: int, variables: list[np.ndarray], memories: list[dict[str, Any]], stop: bool
) -> None:
    """Write a state: arrays as NumPy's .npz, all else as JSON in it, and no pickle, which could run code."""
    lists = [{key: value for key, value in memory.items() if holds_arrays(value)} for memory in memories]
    arrays = {f"variable-{place}": plain(value) for place, value in enumerate(variables)}
    for number, found in enumerate(lists):
        for key, values in found.items():
            arrays |= {f"memory-{number}-{key}-{place}": plain(value) for place, value in enumerate(values)}
    text = {
        "epoch": epoch,
        "stop": stop,
        "n_variables": len(variables),
        "memories": [
            {key: value for key, value in memory.items() if key not in found}
            for memory, found in zip(memories, lists, strict=True)
        ],
        "lists": [{key: len(values) for key, values in found.items()} for found in lists],
    }
    arrays["state"] = np.frombuffer(json.dumps(text, default=lambda number: number.item()).encode(), np.uint8)
    with atomic(path) as part, open(part, "wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]  # NumPy's stub takes an array for allow_pickle


def holds_arrays(value: Any) -> bool:
    """Return whether a callback's memory is a list of weights."""
    return isinstance(value, list) and any(isinstance(one, np.ndarray) for one in value)


def plain(value: Any) -> np.ndarray:
    """Return an array of a type that `.npz` knows; bfloat16 becomes float32, which holds each of its values."""
    array = np.asarray(value)
    return array if array.dtype.kind in "biuf" else array.astype(np.float32)


class Resume(keras.callbacks.Callback):
    """Saves weights, optimiser and the other callbacks' memories after an epoch, and takes them up again.

    It must be the last callback, so that it saves what the others have already done.

    Args:
        path: of the state.
        memories: the callbacks whose memories belong to it.
    """

    def __init__(self, path: Path, memories: list[keras.callbacks.Callback]):
        super().__init__()
        self.path, self.memories = path, memories
        averages = any(isinstance(one, keras.callbacks.SwapEMAWeights) for one in memories)
        self.complete = not averages or has_private_names("averages")  # else a state would not say which weights it has
        self.every = float(os.environ.get(EVERY_SECONDS, "60"))
        self.state = read_state(path)
        self.first_epoch = self.state["epoch"] if self.state else 0
        self.last = time.monotonic()

    def on_train_begin(self, logs: Logs = None) -> None:
        """Put the state back, after the other callbacks have cleared their own."""
        if not self.state:
            return
        for variable, value in zip(self._variables(), self.state["variables"], strict=True):
            variable.assign(value)
        for callback, memory in zip(self.memories, self.state["memories"], strict=True):
            vars(callback).update(memory)
        print(f"going on after epoch {self.first_epoch}, from {self.path.name}", flush=True)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Save the state, if the last is old enough."""
        if not self.complete or time.monotonic() - self.last < self.every:
            return
        variables = [keras.ops.convert_to_numpy(variable) for variable in self._variables()]
        memories = [
            {key: value for key, value in vars(callback).items() if key in REMEMBERED} for callback in self.memories
        ]
        write_state(self.path, epoch + 1, variables, memories, bool(self.model.stop_training))
        self.last = time.monotonic()

    @property
    def finished(self) -> bool:
        """Return whether the saved training had already decided to stop."""
        return bool(self.state and self.state["stop"])

    def _variables(self) -> list[keras.Variable]:
        """Return all that a training changes, weights, dropout's seeds and optimiser, but not the metrics' sums."""
        sums = {id(variable) for metric in self.model.metrics for variable in metric.variables}
        kept = [variable for variable in self.model.variables if id(variable) not in sums]
        return [*kept, *self.model.optimizer.variables]
