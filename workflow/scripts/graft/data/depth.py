"""Deep grey pictures, of more than 8 bits, as 8 bits: which value becomes black, and which white."""

import numpy as np
from PIL import Image

from graft.config.dataset import Window

MAX_SAMPLE_VALUE = 0x0119
DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use
PERCENTILES = (0.5, 99.5)
SHADES = "graft_shades"  # in an image's `info`: the values of black and white that its file names
INVERTED = "graft_inverted"  # in an image's `info`: its file says that small values are bright


def is_deep(image: Image.Image) -> bool:
    """Return whether a picture is grey with more than 8 bits: whole numbers (I) or fractions (F)."""
    return image.mode.startswith(("I", "F"))


def eight_bit(image: Image.Image, window: Window = "full") -> Image.Image:
    """Return a 16-bit, 32-bit or floating-point grey image as 8 bits.

    Args:
        image: a deep grey image.
        window: full: what the file names as black and white (DICOM's window, TIFF's MaxSampleValue), else its depth.
            percentile: the picture's own darkest and brightest values, but for one in two hundred at either end.
            (low, high): the values of black and white themselves. What lies outside becomes black or white.

    >>> eight_bit(Image.fromarray(np.array([[0, 65535]], np.uint16))).getpixel((1, 0))
    255
    >>> eight_bit(Image.fromarray(np.array([[0, 4095]], np.uint16))).getpixel((1, 0))
    255
    >>> eight_bit(Image.fromarray(np.array([[0, 1000, 2000]], np.uint16)), (1000, 3000)).getpixel((2, 0))
    128
    """
    values = np.asarray(image, np.float64)
    known = np.isfinite(values)
    low, high = shades_of(image, values[known], window)
    grey = np.clip(np.nan_to_num((values - low) * (255 / max(high - low, 1e-300)), nan=0.0), 0, 255)
    if image.info.get(INVERTED):
        grey = np.where(np.isnan(values), 0, 255 - grey)
    return Image.fromarray(np.rint(grey).astype(np.uint8))


def shades_of(image: Image.Image, values: np.ndarray, window: Window) -> tuple[float, float]:
    """Return the values of black and white for an image with these finite values.

    In full, an image's depth decides what is white where its file does not say: the fewest bits of 8, 10, 12, 14 and 16
    that hold its brightest value, and for deeper ones that value itself. Divided as if it used all 16 bits, a 12-bit
    picture of a camera or a scanner would become nearly black. So a dim 16-bit picture is brightened by a power of two,
    as its own; TIFF's BitsPerSample does not tell, since it is 16 for 12-bit data too. Black is 0, or, where values are
    negative, the lowest of them; white is then the highest.
    """
    if not len(values):
        return 0.0, 1.0
    if window == "percentile":
        low, high = (float(value) for value in np.percentile(values, PERCENTILES))
        return (low, high) if low < high else (float(values.min()), float(values.max()))
    if window != "full":
        return window
    if SHADES in image.info:
        return image.info[SHADES]
    lowest, highest = float(values.min()), float(values.max())
    return (lowest, highest) if lowest < 0 else (0.0, white_of(image, highest))


def white_of(image: Image.Image, top: float) -> float:
    """Return the value of white in a deep grey image whose brightest value is `top`."""
    stated = stated_white(image)
    if stated >= max(top, 1):
        return stated
    if image.mode == "F" and 0 < top <= 1:
        return 1.0
    return next((2.0**bits - 1 for bits in DEPTHS if top <= 2**bits - 1), top)


def stated_white(image: Image.Image) -> float:
    """Return TIFF's MaxSampleValue, the largest value that its samples may have, or 0 where there is none."""
    try:
        value = image.tag_v2.get(MAX_SAMPLE_VALUE, 0)
        return float(value[0] if isinstance(value, tuple) else value)
    except (AttributeError, TypeError, ValueError, IndexError):
        return 0.0
