"""A killed training goes on where it was, and ends in the same bytes.

The state lies outside a rule's declared outputs, since Snakemake removes those of a failed job, and under a digest of
everything the result depends on, so that no run takes up another's state.
"""

import hashlib
import os
import pickle
import time
from pathlib import Path

import keras

from graft.code import code_files
from graft.files import sha256_of, whole

EVERY_SECONDS = "GRAFT_CHECKPOINT_SECONDS"  # the least time between two states; 60 unless set
REMEMBERED = (
    *("wait", "best", "best_weights", "best_epoch", "stopped_epoch", "cooldown_counter", "rows"),
    "_ema_weights_in_model",  # of SwapEMAWeights: whether the averages have changed places with the weights
)


def state_path(folder: str | Path, script: str, settings: str, inputs: list[str | Path]) -> Path:
    """Return where the state of a training lies: a name made of its settings, inputs, code and versions."""
    parts = [settings, keras.__version__, keras.backend.backend(), script]
    parts += [sha256_of(path) for path in (*inputs, *code_files(script))]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    return Path(folder) / f"{name}.state"


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
        self.every = float(os.environ.get(EVERY_SECONDS, "60"))
        self.state = pickle.loads(path.read_bytes()) if path.is_file() else None
        self.first_epoch = self.state["epoch"] if self.state else 0
        self.last = time.monotonic()

    def on_train_begin(self, logs=None):
        """Put the state back, after the other callbacks have cleared their own."""
        if not self.state:
            return
        for variable, value in zip(self._variables(), self.state["variables"], strict=True):
            variable.assign(value)
        for callback, memory in zip(self.memories, self.state["memories"], strict=True):
            vars(callback).update(memory)
        print(f"going on after epoch {self.first_epoch}, from {self.path.name}", flush=True)

    def on_epoch_end(self, epoch, logs=None):
        """Save the state, if the last is old enough."""
        if time.monotonic() - self.last < self.every:
            return
        state = {
            "epoch": epoch + 1,
            "variables": [keras.ops.convert_to_numpy(variable) for variable in self._variables()],
            "memories": [
                {key: value for key, value in vars(callback).items() if key in REMEMBERED} for callback in self.memories
            ],
            "stop": self.model.stop_training,
        }
        with whole(self.path) as part:
            part.write_bytes(pickle.dumps(state))
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
