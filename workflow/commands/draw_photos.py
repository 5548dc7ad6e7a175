"""Draw a folder of photos to practise on, a folder per class, with the faults that real folders have.

    python workflow/commands/draw_photos.py my_photos

Copies, mirrored copies, a file that is cut off, one that is no photo, and photos in the wrong folder: the command says
which, so that you can see whether Graft finds them. docs/tutorial.md uses it.
"""

import argparse
import io
import itertools
import re
from pathlib import Path

import library  # noqa: F401

# isort: split
import numpy as np
from PIL import Image

from graft.errors import UserError, run_script
from graft.sample.scenes import SCENES, draw_scene
from graft.storage.files import atomic

COPIES, MIRRORED, MISPLACED = 3, 3, 4  # how many of each fault


def main(argv: list[str] | None = None) -> None:
    """Draw, spoil a little, and say what was spoilt."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder to write; it must not be there yet")
    parser.add_argument("--per-class", type=int, default=80, help="photos of each of the two classes")
    parser.add_argument("--seed", type=int, default=1, help="another seed draws other photos")
    parser.add_argument("--clean", action="store_true", help="leave out the faults, and draw scenes of their own")
    arguments = parser.parse_args(argv)
    if arguments.folder.exists():
        raise UserError(f"{arguments.folder} is there already: name another folder, or remove it")
    if arguments.per_class < 10:
        raise UserError("--per-class takes 10 or more")
    with atomic(arguments.folder) as part:
        photos = drawn(arguments.per_class, arguments.seed, part=3 if arguments.clean else 2)
        said = [] if arguments.clean else spoil(photos, np.random.default_rng(arguments.seed))
        for name, content in photos.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    print(f"{len(photos)} files in {arguments.folder}: {', '.join(SCENES)}")
    for sentence in said:
        print(f"  planted: {sentence}")


def drawn(per_class: int, seed: int, part: int) -> dict[str, bytes]:
    """Return JPEG files by name, `class/class_NNN.jpg`; `part` keeps the scenes apart from those of the demo."""
    return {
        f"{label}/{label}_{number:03}.jpg": jpeg(Image.fromarray(draw_scene(label, [seed, part, row, number])))
        for row, label in enumerate(SCENES)
        for number in range(per_class)
    }


def jpeg(photo: Image.Image) -> bytes:
    """Return a photo as the bytes of a JPEG file."""
    stream = io.BytesIO()
    photo.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def spoil(photos: dict[str, bytes], rng: np.random.Generator) -> list[str]:
    """Plant the faults among the photos, and return a sentence about each kind."""
    names = [str(name) for name in rng.permutation(sorted(photos))]
    copied, mirrored, rest = names[:COPIES], names[COPIES : COPIES + MIRRORED], names[COPIES + MIRRORED :]
    for name in copied:
        photos[name.replace(".jpg", "_copy.jpg")] = photos[name]
    for name in mirrored:
        turned = Image.open(io.BytesIO(photos[name])).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        photos[name.replace(".jpg", "_mirrored.jpg")] = jpeg(turned)
    cut, *rest = rest
    photos[cut] = photos[cut][: len(photos[cut]) // 3]
    photos["notes.txt"] = b"These are not photos.\n"
    misplaced = [move(photos, name) for name in rest[:MISPLACED]]
    return [
        f"{COPIES} copies: {', '.join(copied)}",
        f"{MIRRORED} mirrored copies: {', '.join(mirrored)}",
        f"a file that is cut off: {cut}, and one that is no photo: notes.txt",
        f"{MISPLACED} photos in the wrong folder: {', '.join(misplaced)}",
    ]


def move(photos: dict[str, bytes], name: str) -> str:
    """Put a photo into the other class's folder, under the first number beyond those there, and return its name."""
    (other,) = (label for label in SCENES if label != name.split("/")[0])
    numbers = [int(found[1]) for one in photos if (found := re.fullmatch(rf"{other}/{other}_(\d+)\.jpg", one))]
    free = (f"{other}/{other}_{number:03}.jpg" for number in itertools.count(max(numbers) + 1))
    new = next(candidate for candidate in free if candidate not in photos)
    photos[new] = photos.pop(name)
    return new


if __name__ == "__main__":
    run_script(main)
