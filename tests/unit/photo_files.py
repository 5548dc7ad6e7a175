"""Photos and archives for the tests of the data stages: small, made of noise, no two alike."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def picture(seed: int, width: int = 48, height: int = 32) -> Image.Image:
    """Return a picture of coloured clouds; another seed gives another picture."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return an image file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def photo(seed: int, kind: str = "PNG", size: tuple[int, int] = (48, 32), **options: object) -> bytes:
    """Return a photo file's bytes."""
    return encoded(picture(seed, *size), kind, **options)


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files, {path: bytes}, below a folder, and return it."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip with these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


def two_classes(n: int = 4, prefix: str = "", first_seed: int = 0) -> dict[str, bytes]:
    """Return n photos each of `cats` and `dogs`, all different."""
    names = [f"{prefix}{label}/{number}.png" for label in ("cats", "dogs") for number in range(n)]
    return {name: photo(first_seed + seed) for seed, name in enumerate(names)}


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def raw_tiff(pixels: np.ndarray, photometric: int = 1, extra: tuple[int, ...] = ()) -> bytes:
    """Return a TIFF of any number of channels, (height, width, channels), which Pillow would not write."""
    height, width, channels = pixels.shape
    data, bits = pixels.tobytes(), 8 * pixels.dtype.itemsize
    tags = {
        256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * channels), 259: ("H", [1]),
        262: ("H", [photometric]), 273: ("I", [0]), 277: ("H", [channels]), 278: ("I", [height]),
        279: ("I", [len(data)]), 284: ("H", [1]), 338: ("H", list(extra)),
    }  # fmt: skip
    tags = {tag: value for tag, value in tags.items() if value[1]}
    after = 8 + 2 + 12 * len(tags) + 4  # header, count, entries, end of the directory
    values = {tag: struct.pack(f"<{len(numbers)}{kind}", *numbers) for tag, (kind, numbers) in tags.items()}
    outside = {tag: value.ljust(-(-len(value) // 4) * 4, b"\0") for tag, value in values.items() if len(value) > 4}
    places, at = {}, after
    for tag, value in outside.items():
        places[tag], at = struct.pack("<I", at), at + len(value)
    values[273] = struct.pack("<I", at)
    entries = b"".join(
        struct.pack("<HHI", tag, {"H": 3, "I": 4}[kind], len(numbers)) + places.get(tag, values[tag].ljust(4, b"\0"))
        for tag, (kind, numbers) in tags.items()
    )
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return head + entries + struct.pack("<I", 0) + b"".join(outside.values()) + data
