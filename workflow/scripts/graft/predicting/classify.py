"""Photos and a saved model: what it sees in each, how surely, and which files it could not read."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from graft.config.averaging import AveragedViews
from graft.config.dataset import SQUASHED, Pictures
from graft.data.layout import EXTENSIONS
from graft.data.pictures import upright_rgb
from graft.errors import UserError
from graft.network.model_file import pictures_of
from graft.predicting.decision import decide
from graft.predicting.decoding import Batch, Decoder, decoded
from graft.predicting.likeness import Likeness, read_likeness
from graft.predicting.verdicts import Verdict, label_verdict

if TYPE_CHECKING:
    import keras

BATCH_SIZES = (1, 8, 32)  # a short batch is filled up to the next of these, so that few graphs are compiled


def find_photos(names: list[str], lists: Sequence[Path] = ()) -> list[str]:
    """Return the photos that files, folders, patterns and `-` (paths on standard input, one a line) stand for.

    Args:
        names: of files and folders, patterns, or `-`.
        lists: text files with a path a line.

    Raises: UserError if a name stands for nothing, or a list cannot be read.
    """
    found: list[str] = []
    for name in names:
        if name == "-":
            found += listed(sys.stdin)
        elif Path(name).is_dir():
            found += sorted(str(path) for path in Path(name).rglob("*") if path.suffix.lower() in EXTENSIONS)
        elif any(sign in name for sign in "*?[") and not Path(name).exists():
            matches = sorted(str(path) for path in Path().glob(name)) if not Path(name).is_absolute() else below(name)
            if not matches:
                raise UserError(f"no file matches {name!r}")
            found += matches
        else:
            found.append(name)
    for path in lists:
        try:
            with open(path, encoding="utf-8-sig", errors="surrogateescape") as stream:
                found += listed(stream)
        except OSError as error:
            raise UserError(f"the list {path} cannot be read: {error.strerror}") from None
    return found


def listed(lines: Iterable[str]) -> list[str]:
    r"""Return the paths of a list, one a line; blank lines are none.

    >>> listed(["a b.jpg\r\n", "\n", "c.jpg"])
    ['a b.jpg', 'c.jpg']
    """
    return [line.rstrip("\r\n") for line in lines if line.strip()]


def below(pattern: str) -> list[str]:
    """Return the files that match an absolute pattern."""
    root = Path(Path(pattern).anchor)
    return sorted(str(path) for path in root.glob(str(Path(pattern).relative_to(root))))


def load_classifier(path: Path) -> tuple["keras.Model", dict[str, Any], Likeness | None]:
    """Return a model, its facts, and what tells strangers; the model gives features too where it has the last."""
    from graft.network.features_of import with_features
    from graft.network.model_file import load_model

    model, facts = load_model(path)
    likeness = read_likeness(path) if facts.get("unlike") else None
    return (with_features(model) if likeness else model), facts, likeness


def classify(
    model: "keras.Model",
    facts: dict[str, Any],
    paths: list[str],
    workers: int = 0,
    whole_batches: bool = False,
    likeness: Likeness | None = None,
) -> Iterator[Verdict]:
    """Yield a verdict for every path, in order.

    Args:
        model: raw pixels (n, size, size, 3) to logits, and to features where there is a likeness.
        facts: what travels in the model file: classes, size, pictures, test_views, temperature, threshold,
            unsure_below, unlike.
        paths: of photos.
        workers: processes that decode beside the network; 0: this one decodes.
        whole_batches: fill every batch up to the largest size, so that a photo's last digits depend on no other.
        likeness: what tells photos unlike the training photos.
    """
    sizes = BATCH_SIZES[-1:] if whole_batches else BATCH_SIZES
    for batch in decoded(paths, Decoder(facts["size"], pictures_of(facts)), workers):
        yield from verdicts(model, facts, batch, sizes, likeness)


def verdicts(
    model: "keras.Model",
    facts: dict[str, Any],
    batch: Batch,
    sizes: Sequence[int] = BATCH_SIZES,
    likeness: Likeness | None = None,
) -> Iterator[Verdict]:
    """Yield what a model says of a batch of photos, and which of them could not be read."""
    from graft.predicting.predictions import class_probabilities

    outputs = predict(model, batch.pixels, sizes, views_of(facts)) if len(batch.pixels) else [np.zeros((0, 1))] * 2
    logits = iter(outputs[0])
    apart = iter(likeness.distances(outputs[1]).tolist() if likeness and len(batch.pixels) else [])
    for place, path in enumerate(batch.paths):
        if place in batch.faults:
            yield Verdict(path, fault=batch.faults[place])
        elif facts.get("output") == "sigmoid":
            yield label_verdict(path, next(logits), facts)
        else:
            chances = class_probabilities(next(logits)[None], facts.get("temperature") or 1.0)
            answers, sure = decide(chances, facts.get("threshold"), facts.get("unsure_below") or 0.0)
            row, answer = tuple(chances[0].tolist()), int(answers[0])
            distance = next(apart, None)
            unlike = distance is not None and distance > facts["unlike"]["threshold"]
            label = facts["classes"][answer]
            yield Verdict(path, label, row[answer], bool(sure[0]), row, distance=distance, unlike=unlike)


def views_of(facts: dict[str, Any]) -> AveragedViews | None:
    """Return the views that a model's predictions were averaged over when it was judged; None: none but the photo."""
    return AveragedViews.model_validate(facts["test_views"]) if facts.get("test_views") else None


def predict(
    model: "keras.Model",
    pixels: np.ndarray,
    sizes: Sequence[int] = BATCH_SIZES,
    views: AveragedViews | None = None,
) -> list[np.ndarray]:
    """Return the model's outputs, logits first, for a batch of at most the largest batch size.

    The logits are averaged over `views` of each photo; other outputs are of the photo as it is.
    """
    from graft.predicting.averaging import averaged_outputs

    n = next(size for size in sizes if size >= len(pixels))
    images = np.zeros((n, *pixels.shape[1:]), np.float32)
    images[: len(pixels)] = pixels
    return [answer[: len(pixels)] for answer in averaged_outputs(model.predict_on_batch, images, views)]


def annotate(verdict: Verdict, folder: Path, taken: set[str], pictures: Pictures = SQUASHED) -> Path:
    """Write a copy of a photo with its verdict on a strip below it; return its path.

    Args:
        verdict: with a label.
        folder: where to write.
        taken: names that are used already; the new one is added.
        pictures: which page is shown, and which values are black and white.
    """
    image = upright_rgb(verdict.path, pictures=pictures)
    size = max(14, image.width // 20)
    font = ImageFont.load_default(size)
    strip = int(size * 1.8)
    framed = Image.new("RGB", (image.width, image.height + strip), "white")
    framed.paste(image)
    place = (size / 2, image.height + strip * 0.15)
    ImageDraw.Draw(framed).text(place, verdict.answer, fill="black", font=font)
    name, number = Path(verdict.path).stem, 1
    while name in taken:
        name, number = f"{Path(verdict.path).stem}-{number}", number + 1
    taken.add(name)
    folder.mkdir(parents=True, exist_ok=True)
    framed.save(folder / f"{name}.jpg", quality=92)
    return folder / f"{name}.jpg"
