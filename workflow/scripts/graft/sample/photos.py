"""The embedded sample: drawn photos of city and countryside, in a photo set's usual folders."""

from pathlib import Path

from PIL import Image

from graft.sample.scenes import SCENES, draw_contents, draw_scene


def write_sample(folder: Path, seed: int, n_train_per_class: int, n_val_per_class: int) -> None:
    """Write `train` and `val`, a folder per class in each, of PNG photos whose bytes follow from `seed`.

    No two photos share a seed, and a photo does not depend on how many there are.
    """
    for part, (role, n_photos) in enumerate((("train", n_train_per_class), ("val", n_val_per_class))):
        for row, label in enumerate(SCENES):
            target = folder / role / label
            target.mkdir(parents=True, exist_ok=True)
            for number in range(n_photos):
                photo = Image.fromarray(draw_scene(label, [seed, part, row, number]))
                photo.save(target / f"{label}_{number:03}.png")


def write_contents(folder: Path, seed: int, n_train: int, n_val: int) -> None:
    """Write the same photos into `train` and `val` without classes, and `labels.csv`: what can be seen in each.

    Args:
        folder: where to write.
        seed: of the drawing.
        n_train: photos of each kind of scene to train on.
        n_val: the same to validate with.
    """
    lines = ["path,labels"]
    for part, (role, n_photos) in enumerate((("train", n_train), ("val", n_val))):
        (folder / role).mkdir(parents=True, exist_ok=True)
        for number in range(n_photos):
            for row, label in enumerate(SCENES):
                photo, things = draw_contents(label, [seed, part, row, number])
                path = f"{role}/{len(SCENES) * number + row:04}.png"
                Image.fromarray(photo).save(folder / path)
                lines.append(f"{path},{'|'.join(things)}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
