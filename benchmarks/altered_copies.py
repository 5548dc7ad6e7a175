"""How many altered copies of photos the audit finds, how many strangers it pairs, and what the search costs.

    python benchmarks/altered_copies.py PHOTOS [PHOTOS ...]        # archives or folders; a minute each
    python benchmarks/altered_copies.py PHOTOS --n 20 --kinds mirrored "cropped 5%"

Every alteration is made of the same `--n` photos of a set, drawn with `--seed`. The search then runs over these photos
and their copies, as if the copies lay in the validation folder; a copy is caught if it joins its own photo's group.
False pairs are counted among the set's own photos of different bytes: look at those that are named, since some
photographers do put one picture into a set twice. The cost is that of the whole search over the set, beside the time
that its photos take to read and decode.
"""

import argparse
import io
import math
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

import timing
from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))
from graft.config.dataset import Ingest
from graft.data import duplicates
from graft.data.audit import copy_links
from graft.data.decode import Look, look
from graft.data.ingest import gather
from graft.data.pictures import upright_rgb


def saved(kind, **options):
    """Return an alteration that changes the file alone."""
    return lambda image: (image, kind, options)


def resized(x, y=None):
    return lambda image: image.resize(
        (round(image.width * x), round(image.height * (y or x))), Image.Resampling.BICUBIC
    )


def four_by_three(image):
    return image.resize((max(image.size), round(max(image.size) * 3 / 4)), Image.Resampling.BICUBIC)


def cropped(share):
    def crop(image):
        x, y = share * image.width, share * image.height
        return image.crop((round(x), round(y), round(image.width - x), round(image.height - y)))

    return crop


def cut(left, top, right, bottom):
    """Cut other shares off each side."""

    def crop(image):
        width, height = image.size
        return image.crop((round(left * width), round(top * height), round(width - right * width),
                           round(height - bottom * height)))  # fmt: skip

    return crop


def turned(degrees, expand=False):
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC, expand=expand)


def turned_and_cut(degrees):
    """Turn, and keep the largest part of the same shape that shows no corner."""

    def turn(image):
        angle, ratio = math.radians(abs(degrees)), max(image.width / image.height, image.height / image.width)
        scale = 1 / (math.cos(angle) + ratio * math.sin(angle))
        return cropped((1 - scale) / 2)(image.rotate(degrees, Image.Resampling.BICUBIC))

    return turn


def transposed(how):
    return lambda image: image.transpose(how)


def shifted(share, fill=None):
    """Move the picture right and down; what is uncovered is black, or comes from the other side."""

    def shift(image):
        x, y = round(share * image.width), round(share * image.height)
        if fill is None:
            return ImageChops.offset(image, x, y)
        moved = Image.new("RGB", image.size, fill)
        moved.paste(image, (x, y))
        return moved

    return shift


def burst(image):
    """Return a second frame, whose view moved by 3% of the picture."""
    return cut(0.03, 0.03, 0, 0)(image)


def captioned(over, paper="white", ink="black", share=0.12, top=False):
    def caption(image):
        strip = max(12, round(share * image.height))
        height = image.height + (0 if over else strip)
        picture = Image.new("RGB", (image.width, height), paper)
        picture.paste(image, (0, strip if top and not over else 0))
        place = 0 if top else height - strip
        draw = ImageDraw.Draw(picture)
        draw.rectangle((0, place, image.width, place + strip), paper)
        font = ImageFont.load_default(max(8, strip * 0.6))
        draw.text((image.width // 2, place + strip // 2), "A photo of mine, 2019", ink, font, "mm")
        return picture

    return caption


def bordered(share, colour):
    return lambda image: ImageOps.expand(image, round(share * min(image.size)), colour)


def enhanced(what, factor):
    return lambda image: what(image).enhance(factor)


def hue_shifted(by):
    def shift(image):
        hue, saturation, value = image.convert("HSV").split()
        hue = hue.point([(one + by) % 256 for one in range(256)])
        return Image.merge("HSV", (hue, saturation, value)).convert("RGB")

    return shift


def noisy(image):
    chance = np.random.default_rng(image.width)
    pixels = np.asarray(image, float) + chance.normal(0, 20, (image.height, image.width, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype("uint8"))


def in_turn(*steps):
    """Return several alterations, one after the other."""

    def change(image):
        for step in steps:
            image = step(image)
        return image

    return change


MIRROR, FLIP = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM
NAMED = {  # what the audit must catch
    "exact": saved("PNG"),
    **{f"JPEG q{quality}": saved("JPEG", quality=quality) for quality in (10, 30, 50, 75)},
    "PNG": saved("PNG"), "WebP": saved("WEBP"), "GIF": saved("GIF"),
    **{f"resized {share:.0%}": resized(share) for share in (0.25, 0.5, 0.75, 1.5, 2)},
    "squeezed to 4:3": four_by_three,
    **{f"cropped {share:.0%}": cropped(share) for share in (0.01, 0.02, 0.03, 0.05, 0.1, 0.2)},
    **{f"turned {degrees}": turned(degrees) for degrees in (2, 5, 10)},
    "turned 90": transposed(Image.Transpose.ROTATE_90), "turned 180": transposed(Image.Transpose.ROTATE_180),
    "turned 270": transposed(Image.Transpose.ROTATE_270), "mirrored": transposed(MIRROR),
    "upside down": transposed(FLIP),
    "contrast x0.5": enhanced(ImageEnhance.Contrast, 0.5), "contrast x1.8": enhanced(ImageEnhance.Contrast, 1.8),
    "brighter x1.3": enhanced(ImageEnhance.Brightness, 1.3), "brighter x1.6": enhanced(ImageEnhance.Brightness, 1.6),
    "darker x0.6": enhanced(ImageEnhance.Brightness, 0.6),
    "grey": lambda image: image.convert("L"), "saturation x2": enhanced(ImageEnhance.Color, 2),
    "hue shifted 20": hue_shifted(14), "hue shifted 45": hue_shifted(32), "hue shifted 90": hue_shifted(64),
    "hue shifted 180": hue_shifted(128),
    "blur": lambda image: image.filter(ImageFilter.GaussianBlur(2)), "noise": noisy,
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(2, 200)),
    "shifted 3%, black": shifted(0.03, "black"), "shifted 3%, round": shifted(0.03), "shifted 3%, a burst": burst,
    "caption below": captioned(False), "caption over": captioned(True),
    "caption over, black": captioned(True, "black", "white"),
    "white border": bordered(0.06, "white"), "black border": bordered(0.06, "black"),
    "wide white border": bordered(0.12, "white"), "inverted": ImageOps.invert,
}  # fmt: skip
BEYOND = {  # what a user may meet besides
    "turned 5 the other way": turned(-5), "turned 10 the other way": turned(-10),
    "turned 10, expanded": turned(10, expand=True), "turned 10, corners cut": turned_and_cut(10),
    "a corner kept": cut(0, 0, 0.3, 0.3), "left cut 20%": cut(0.2, 0, 0, 0), "top cut 20%": cut(0, 0.2, 0, 0),
    "cut 3:4 to square": lambda image: ImageOps.fit(image, (min(image.size),) * 2),
    "caption above": captioned(False, top=True), "caption below, 20%": captioned(False, share=0.2),
    "mirrored and cropped 10%": in_turn(transposed(MIRROR), cropped(0.1)),
    "mirrored and inverted": in_turn(transposed(MIRROR), ImageOps.invert),
    "white border, JPEG q30": in_turn(bordered(0.06, "white"), saved("JPEG", quality=30)),
    "cropped 25%": cropped(0.25), "turned 15": turned(15), "shifted 6%, a burst": cut(0.06, 0.06, 0, 0),
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+", help="archives or folders of photos")
    parser.add_argument("--n", type=int, default=50, help="photos that are altered")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", help="alterations; all by default")
    parser.add_argument("--output", type=Path, default=Path("results/benchmarks/altered_copies.csv"))
    arguments = parser.parse_args()
    kinds = {**NAMED, **BEYOND}
    rows = {kind: {"alteration": kind} for kind in arguments.kinds or kinds}
    for photos in arguments.photos:
        with tempfile.TemporaryDirectory() as room:
            paths, looks = distinct_photos(photos, Path(room, "unpacked"))
            report_strangers(photos.stem, paths, looks)
            chosen = sorted(random.Random(arguments.seed).sample(range(len(paths)), min(arguments.n, len(paths))))
            for kind, row in rows.items():
                found = caught([paths[i] for i in chosen], [looks[i] for i in chosen], kinds[kind], Path(room))
                row[photos.stem] = f"{found}/{len(chosen)}"
    timing.report(list(rows.values()), arguments.output)


def distinct_photos(photos, staging):
    """Return the paths and looks of a set's photos, each of other bytes."""
    staging.mkdir()
    start = time.perf_counter()
    found = {}
    for file in gather(photos, staging, Ingest()):
        one = look(file.local, file.name, Ingest())
        if one.phash is not None and one.blank < Ingest().max_blank:
            found.setdefault(one.sha256, (file.local, one))
    print(f"{photos.stem}: {len(found)} photos, unpacked and decoded in {time.perf_counter() - start:.2f} s")
    return [path for path, _ in found.values()], [one for _, one in found.values()]


def search(looks):
    """Return the links that the audit finds."""
    links = copy_links(looks, [look.picture for look in looks], Ingest().near_duplicate_distance)
    return [(link.earlier, link.later, link.kind) for link in links]


def report_strangers(name, paths, looks):
    """Print the pairs within a set, and the time of the search."""
    start = time.perf_counter()
    links = search(looks)
    seconds = time.perf_counter() - start
    n_pairs = len(looks) * (len(looks) - 1) // 2
    print(f"{name}: {len(links)} pairs found of {n_pairs:,}, {1e5 * len(links) / n_pairs:.2f} in 100,000, "
          f"in {seconds:.2f} s")  # fmt: skip
    for one, other, *kind in links:
        print("   ", paths[one].name, paths[other].name, *kind)


def caught(paths, looks, alteration, room):
    """Return how many copies join their photo's group."""
    copies = [altered(path, alteration, room / f"copy-{number}") for number, path in enumerate(paths)]
    links = search([*looks, *copies])
    groups = duplicates.connected_components(2 * len(looks), [link[:2] for link in links])
    return sum(groups[number] == groups[number + len(looks)] for number in range(len(looks)))


def altered(path, alteration, target) -> Look:
    """Return the look of an altered copy; where the alteration names no format, it is a JPEG of quality 90."""
    made = alteration(upright_rgb(path))
    image, kind, options = made if isinstance(made, tuple) else (made, "JPEG", {"quality": 90})
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    target.write_bytes(stream.getvalue())
    return look(target, target.name, Ingest())


if __name__ == "__main__":
    main()
