"""Very many new photos: a table with a row for each, which a run that was stopped goes on with.

Rows are first appended to a file beside the table, NAME.part: a line of JSON for each photo, in the order in which they
were scored. It ends where a run was stopped, whatever stopped it. Once all photos have a line, the table is written
from it, in the order of the photos.
"""

import contextlib
import fcntl
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from graft.errors import UserError
from graft.machine.progress import Progress
from graft.predicting.classify import classify
from graft.predicting.decoding import BATCH
from graft.predicting.likeness import Likeness
from graft.predicting.verdicts import LabelVerdict, Verdict

if TYPE_CHECKING:
    import keras


@dataclass
class Lines:
    """The lines of a .part file: one says what was asked, one for each photo what was answered."""

    path: Path
    asked: dict[str, Any]
    """What the answers depend on, beside the photos: another model, another file."""

    places: dict[str, int] = field(default_factory=dict)
    """By photo, where its line begins."""

    end: int = 0
    """Where the last whole line ends."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """Yield the file, ready for more lines, knowing those that it has; half a line at its end goes.

        Raises: UserError if it was begun with something else, or another command is writing it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with open(self.path, "a+b") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(f"another command is writing {self.path}: wait for it, or name another table") from None
            self.know(stream)
            stream.truncate(self.end)
            if not self.end:
                self.write(stream, self.asked)
            yield stream

    def know(self, stream: BinaryIO) -> None:
        """Remember where each whole line begins, and where the last one ends."""
        stream.seek(0)
        first = stream.readline()
        if not first.endswith(b"\n"):
            return
        if told(first) != self.asked:
            raise UserError(f"{self.path} was begun with another model: delete it, or name another table with --output")
        self.end = len(first)
        for line in stream:
            row = told(line) if line.endswith(b"\n") else None
            if not isinstance(row, dict) or "path" not in row:
                return
            self.places[row["path"]] = self.end
            self.end += len(line)

    def missing(self, stream: BinaryIO, paths: Iterable[str]) -> list[str]:
        """Return the photos that have no line yet, had one that says why they could not be read, or changed since."""
        return [path for path in paths if path not in self.places or not self.holds(self.read(stream, path))]

    def holds(self, row: dict[str, Any]) -> bool:
        """Return whether what a line says of a photo is still so."""
        return not row["fault"] and row["stamp"] == stamp_of(row["path"])

    def read(self, stream: BinaryIO, path: str) -> dict[str, Any]:
        """Return a photo's line."""
        stream.seek(self.places[path])
        return json.loads(stream.readline())

    def add(self, stream: BinaryIO, verdict: Verdict) -> None:
        """Append a photo's line."""
        self.places[verdict.path] = self.end
        self.write(stream, row_of(verdict))

    def write(self, stream: BinaryIO, row: dict[str, Any]) -> None:
        """Append a line."""
        line = line_of(row)
        stream.write(line)
        self.end += len(line)


def told(line: bytes) -> Any:
    """Return the value of a line of JSON; None if it is none."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def line_of(row: dict[str, Any]) -> bytes:
    """Return a row as a line of JSON in ASCII, which holds names of any bytes."""
    return json.dumps(row).encode("ascii") + b"\n"


def row_of(verdict: Verdict) -> dict[str, Any]:
    """Return what a line says of a photo."""
    several = isinstance(verdict, LabelVerdict)  # each label has a probability of its own
    return {
        "path": verdict.path,
        "fault": verdict.fault,
        "predicted": verdict.label,
        "probability": None if several else verdict.probability,
        "sure": None if several else verdict.sure,
        "unlike": None if verdict.distance is None else verdict.unlike,
        "distance": verdict.distance,
        "probabilities": verdict.probabilities,
        "stamp": stamp_of(verdict.path),
    }


def stamp_of(path: str) -> list[int]:
    """Return a file's size and the time of its last change, by which another file of the same name is noticed."""
    try:
        status = Path(path).stat()
    except OSError:
        return []
    return [status.st_size, status.st_mtime_ns]


def score(
    model: "keras.Model",
    facts: dict[str, Any],
    paths: list[str],
    workers: int,
    lines: Lines,
    likeness: Likeness | None = None,
    tag: str = "classify",
) -> Iterator[dict[str, Any]]:
    """Score photos that have no line yet; then yield the row of every photo, in the order of the photos.

    Args:
        model: raw pixels to logits, and to features where there is a likeness.
        facts: what travels in the model file.
        paths: of photos, each once.
        workers: processes that decode; 0: this one.
        lines: where rows are kept until all are there.
        likeness: what tells photos unlike the training photos.
        tag: for the lines of progress.
    """
    with lines.opened() as stream:
        left = lines.missing(stream, paths)
        if len(left) < len(paths):
            print(f"{tag}: {len(paths) - len(left):,} photos were scored before; {len(left):,} are left", flush=True)
        progress = Progress(tag, len(left), "photos")
        for verdict in classify(model, facts, left, workers, whole_batches=True, likeness=likeness):
            lines.add(stream, verdict)
            progress.advance(1)
            if progress.done % BATCH == 0:
                stream.flush()
        for path in paths:
            yield lines.read(stream, path)
