"""Photos and a saved model: what it sees in each, how surely, and which files it could not read."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from graft.config.averaging import AveragedViews
from graft.config.dataset import SQUASHED, Limits, Pictures
from graft.data.layout import EXTENSIONS
from graft.data.pictures import pixels_in, squared, upright_rgb
from graft.data.refusal import Refused
from graft.errors import UserError
from graft.predicting.decision import decide
from graft.predicting.verdicts import Verdict, label_verdict

if TYPE_CHECKING:
    import keras

BATCH_SIZES = (1, 8, 32)  # a short batch is filled up to the next of these, so that few graphs are compiled


def find_photos(names: list[str]) -> list[str]:
    """Return the photos that files, folders, patterns and `-` (paths on standard input, one a line) stand for.

    Raises: UserError if a name stands for nothing.
    """
    found: list[str] = []
    for name in names:
        if name == "-":
            found += [line.rstrip("\n") for line in sys.stdin if line.strip()]
        elif Path(name).is_dir():
            found += sorted(str(path) for path in Path(name).rglob("*") if path.suffix.lower() in EXTENSIONS)
        elif any(sign in name for sign in "*?[") and not Path(name).exists():
            matches = sorted(str(path) for path in Path().glob(name)) if not Path(name).is_absolute() else below(name)
            if not matches:
                raise UserError(f"no file matches {name!r}")
            found += matches
        else:
            found.append(name)
    return found


def below(pattern: str) -> list[str]:
    """Return the files that match an absolute pattern."""
    root = Path(Path(pattern).anchor)
    return sorted(str(path) for path in root.glob(str(Path(pattern).relative_to(root))))


def classify(model: "keras.Model", facts: dict[str, Any], paths: list[str]) -> Iterator[Verdict]:
    """Yield a verdict for every path, in order.

    Args:
        model: raw pixels (n, size, size, 3) to logits.
        facts: what travels in the model file: classes, size, pictures, test_views, temperature, threshold,
            unsure_below.
        paths: of photos.
    """
    from graft.predicting.predictions import class_probabilities

    pictures, views = pictures_of(facts), views_of(facts)
    for start in range(0, len(paths), BATCH_SIZES[-1]):
        part = paths[start : start + BATCH_SIZES[-1]]
        opened = [open_square(path, facts["size"], pictures) for path in part]
        pixels = [one for one in opened if isinstance(one, np.ndarray)]
        logits = iter(predict(model, np.stack(pixels), views) if pixels else [])
        for path, one in zip(part, opened, strict=True):
            if isinstance(one, str):
                yield Verdict(path, fault=one)
            elif facts.get("output") == "sigmoid":
                yield label_verdict(path, next(logits), facts)
            else:
                chances = class_probabilities(next(logits)[None], facts.get("temperature") or 1.0)
                answers, sure = decide(chances, facts.get("threshold"), facts.get("unsure_below") or 0.0)
                row, answer = tuple(chances[0].tolist()), int(answers[0])
                yield Verdict(path, facts["classes"][answer], row[answer], bool(sure[0]), row)


def pictures_of(facts: dict[str, Any]) -> Pictures:
    """Return how a model's photos were made into squares; a model of an earlier version squeezed them."""
    return Pictures.model_validate(facts.get("pictures", {}))


def views_of(facts: dict[str, Any]) -> AveragedViews | None:
    """Return the views that a model's predictions were averaged over when it was judged; None: none but the photo."""
    return AveragedViews.model_validate(facts["test_views"]) if facts.get("test_views") else None


def open_square(path: str, size: int, pictures: Pictures = SQUASHED) -> np.ndarray | str:
    """Return a photo as (size, size, 3), uint8, as `pack_images` makes it; or the reason why it cannot be read."""
    try:
        if (n_pixels := pixels_in(path)) > Limits().pixels:
            return f"{n_pixels:,} pixels, more than the {Limits().pixels:,} that are read"
        image = upright_rgb(path, at_least_px=2 * size, pictures=pictures)
    except FileNotFoundError:
        return "no such file"
    except IsADirectoryError:
        return "a folder, not a file"
    except Refused as refusal:
        return str(refusal)
    except Exception as error:  # a decoder raises almost anything on damaged bytes
        return f"no readable picture ({type(error).__name__})"
    return np.asarray(squared(image, size, pictures.fit))


def predict(model: "keras.Model", pixels: np.ndarray, views: AveragedViews | None = None) -> np.ndarray:
    """Return the logits of a batch of at most the largest batch size, averaged over `views` of each photo."""
    from graft.predicting.averaging import averaged_logits

    n = next(size for size in BATCH_SIZES if size >= len(pixels))
    images = np.zeros((n, *pixels.shape[1:]), np.float32)
    images[: len(pixels)] = pixels
    return averaged_logits(model.predict_on_batch, images, views)[: len(pixels)]


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
