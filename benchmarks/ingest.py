"""How fast photos are checked and packed, in what memory, and how that grows, against a plain Pillow loop.

    python benchmarks/ingest.py --workers 2            # 100, 1,000 and 10,000 drawn photos; two minutes
    python benchmarks/ingest.py --sizes 100 50000      # others
    python benchmarks/ingest.py --sizes 200000 --photo 96 72 --steps ingest  # small ones: 0.8 GB

The floor is what a user would write: `Image.open(path).convert("RGB").resize((224, 224))` for every photo, one process.
`ingest` is ingest_dataset.py (every byte hashed and decoded, copies sought, tables and contact sheet written), `pack`
is pack_images.py (decoded, turned upright, resized, written); whole processes, imports included.
"""

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

import timing

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow" / "scripts"
WIDTH, HEIGHT, QUALITY = 500, 375, 90  # ImageNet's typical photo
FLOOR = """
import sys
from pathlib import Path
from PIL import Image
for path in Path(sys.argv[1]).rglob("*.jpg"):
    Image.open(path).convert("RGB").resize((224, 224))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000], help="numbers of photos")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes of ingest and pack")
    parser.add_argument("--photo", type=int, nargs=2, default=[WIDTH, HEIGHT], help="width and height of a photo")
    parser.add_argument("--steps", nargs="+", default=["floor", "ingest", "pack"], help="which of these to measure")
    parser.add_argument("--folder", type=Path, help="where the drawn photos go; a temporary folder by default")
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/ingest.csv"))
    arguments = parser.parse_args()
    rows = []
    for n_photos in arguments.sizes:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as room:
            rows += measured(n_photos, Path(room), arguments.workers, tuple(arguments.photo), arguments.steps)
    timing.report(rows, arguments.output)


def measured(n_photos, room, workers, shape, wanted):
    """Return a row for each wanted step on `n_photos` photos of a shape (width, height)."""
    photos, results = room / "photos", room / "results"
    draw(photos, n_photos, workers, shape)
    packed = ["--manifest", results / "manifest.csv", "--images", results / "images", "--size", 224]
    steps = {
        "floor": [sys.executable, "-c", FLOOR, photos],
        "ingest": [
            sys.executable,
            SCRIPTS / "ingest_dataset.py",
            "--photos",
            photos,
            "--output",
            results,
            "--workers",
            workers,
        ],
        "pack": [
            sys.executable,
            SCRIPTS / "pack_images.py",
            *packed,
            "--output",
            room / "224.npy",
            "--workers",
            workers,
        ],
    }
    rows = []
    for step in wanted:
        finished = timing.whole_process(steps[step])
        row = {"photos": n_photos, "step": step, "workers": 1 if step == "floor" else workers}
        row |= {"seconds": round(finished.seconds, 2), "photos_per_s": round(n_photos / finished.seconds, 1)}
        rows.append(row | {"peak_mb": round(finished.peak_mb)})
        print(f"{n_photos:,} photos: {step}: {finished.seconds:.1f} s", flush=True)
    shutil.rmtree(room / "results", ignore_errors=True)
    if "floor" not in wanted:
        return rows
    return timing.with_ratios(rows, "seconds", base=rows[0], name="times_floor", faster_is="less")


def draw(folder, n_photos, workers, shape):
    """Draw photos of ten classes, each different from all others."""
    for label in range(10):
        (folder / f"class{label}").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(draw_one, [folder] * n_photos, range(n_photos), [shape] * n_photos, chunksize=64))


def draw_one(folder, number, shape):
    """Draw coloured clouds with a photo's grain."""
    chance = np.random.default_rng(number)
    clouds = Image.fromarray(chance.integers(0, 256, (9, 12, 3), dtype=np.uint8))
    clouds = np.asarray(clouds.resize(shape, Image.Resampling.BICUBIC), np.int16)
    pixels = np.clip(clouds + np.roll(grain(), chance.integers(HEIGHT), axis=0)[: shape[1], : shape[0]], 0, 255).astype(
        np.uint8
    )
    Image.fromarray(pixels).save(folder / f"class{number % 10}" / f"{number}.jpg", quality=QUALITY)


@cache
def grain():
    """Return noise, the same for all photos but for its place: drawing it anew would take longer than all the rest."""
    return np.random.default_rng(0).normal(0, 6, (HEIGHT, WIDTH, 1)).astype(np.int16)


if __name__ == "__main__":
    main()
