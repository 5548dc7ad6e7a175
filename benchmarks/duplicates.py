"""How the search for copies grows: perceptual hashes, and altered copies, from thousands of photos to 200,000.

    python benchmarks/duplicates.py                                  # an hour on two cores
    python benchmarks/duplicates.py --searches hashes --sizes 50000 200000

Hashes are random, and one in a hundred is a close copy of another. Pictures are random, too, of the spectrum that
photos have, and `--copies` of them are altered copies of others: mirrored, turned, cropped, inverted, darker. `found`
says how many of these were found. Up to `--compare` photos the search that compares all with all runs as well:
`as_all` is the share of its pairs that the quick one found, `found_all` how many of the planted copies it found itself.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import timing
from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))
from graft.data import altered, duplicates

DISTANCE = 10
PX = 96  # side of the pictures that are altered; they are looked at at 64
ALTERATIONS = {
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned 5": lambda image: image.rotate(5, Image.Resampling.BICUBIC),
    "cropped 10%": lambda image: image.crop((PX // 10, PX // 10, PX - PX // 10, PX - PX // 10)),
    "inverted": lambda image: image.point(lambda level: 255 - level),
    "darker": lambda image: image.point(lambda level: level // 2 + 40),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--searches", nargs="+", default=["hashes", "pictures"], choices=["hashes", "pictures"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000, 200_000], help="numbers of photos")
    parser.add_argument("--copies", type=int, default=600, help="altered copies among the pictures")
    parser.add_argument("--compare", type=int, default=10_000, help="photos up to which all are compared with all, too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/duplicates.csv"))
    arguments = parser.parse_args()
    rows = []
    for search in arguments.searches:
        for size in arguments.sizes:
            chance = np.random.default_rng(arguments.seed)
            measured = {"hashes": of_hashes, "pictures": of_pictures}[search]
            row = {"search": search, "photos": size} | measured(size, arguments, chance)
            print(row, flush=True)
            rows.append(row)
    timing.report(rows, arguments.output)


def of_hashes(size, arguments, chance):
    """Return what the search for close hashes takes and finds."""
    bits = chance.integers(0, 2**64, size, dtype=np.uint64)
    copies = chance.permutation(size)[: size // 50].reshape(2, -1)
    flips = np.zeros(copies.shape[1], np.uint64)
    for _ in range(DISTANCE):
        flips |= np.uint64(1) << chance.integers(0, 64, copies.shape[1], dtype=np.uint64)
    bits[copies[1]] = bits[copies[0]] ^ flips
    planted = {(min(pair), max(pair)) for pair in copies.T.tolist()}
    start = time.perf_counter()
    found = set(duplicates.close_hashes(bits, DISTANCE))
    row = {"seconds": time.perf_counter() - start, "planted": len(planted), "found": len(planted & found)}
    if size <= arguments.compare:
        start = time.perf_counter()
        every = every_close_pair(bits)
        row |= {"seconds_all": time.perf_counter() - start, "as_all": len(found & every) / len(every)}
    return row


def every_close_pair(bits):
    """Return the close pairs, by comparing all with all."""
    found, step = set(), max(1, 4_000_000 // len(bits))
    for start in range(0, len(bits), step):
        apart = np.bitwise_count(bits[start : start + step, None] ^ bits[None, start:])
        found |= {
            (start + int(row), start + int(column)) for row, column in np.argwhere(apart <= DISTANCE) if row < column
        }
    return found


def of_pictures(size, arguments, chance):
    """Return what the search for altered copies takes and finds."""
    pictures, planted = drawn(size, min(arguments.copies, size // 4), chance)
    start = time.perf_counter()
    links = altered.altered_links(pictures)
    row = {"seconds": time.perf_counter() - start, "planted": len(planted), "found": joined(links, planted, size)}
    if size <= arguments.compare:
        altered.EXACT, usual = size, altered.EXACT
        start = time.perf_counter()
        every = altered.altered_links(pictures)
        row |= {"seconds_all": time.perf_counter() - start, "found_all": joined(every, planted, size)}
        altered.EXACT = usual
    return row


def joined(links, planted, size):
    """Return how many planted copies share the group of their original."""
    groups = duplicates.joined(size, [(link.earlier, link.later) for link in links])
    return sum(groups[original] == groups[copy] for original, copy in planted)


def drawn(size, n_copies, chance):
    """Return small pictures as bytes, the last of them copies, and the pairs (original, copy)."""
    frequencies = np.hypot(np.fft.fftfreq(PX)[:, None], np.fft.rfftfreq(PX))
    falling = 1 / np.maximum(frequencies, 1 / PX) ** 1.2
    pictures, originals = [], []
    for number in range(size - n_copies):
        noise = np.fft.rfft2(chance.normal(size=(PX, PX)).astype(np.float32)) * falling
        grey = np.fft.irfft2(noise, (PX, PX))
        image = Image.fromarray(np.clip(128 + 50 * grey / grey.std(), 0, 255).astype(np.uint8))
        pictures.append(small(image))
        if number < n_copies:
            originals.append(image)
    kinds = list(ALTERATIONS.values())
    pictures += [small(kinds[number % len(kinds)](image)) for number, image in enumerate(originals)]
    return pictures, [(number, size - n_copies + number) for number in range(n_copies)]


def small(image):
    """Return the bytes of a small grey picture, as `look` makes it."""
    return image.resize((altered.PX, altered.PX), Image.Resampling.BOX).tobytes()


if __name__ == "__main__":
    main()
