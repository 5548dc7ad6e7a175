"""The camera: framing, tilt, focus, tone and grain, drawn alike for every class, so that none of them tells it."""

import numpy as np
from PIL import Image, ImageFilter

GREY = np.array([0.3, 0.59, 0.11], np.float32)  # luma of red, green, blue (ITU-R BT.601)


def photograph(rng: np.random.Generator, pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a photo (height, width, 3), uint8, of a drawn scene (any height, any width, 3), 0 to 255.

    The frame is anywhere in the scene and shows from half of it to nearly all; half of the photos are mirrored.
    """
    scene = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    photo = scene.rotate(rng.normal(0, 2.0), Image.Resampling.BICUBIC)
    photo = photo.resize((width, height), Image.Resampling.LANCZOS, box=frame(rng, *photo.size))
    if rng.random() < 0.5:
        photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    photo = photo.filter(ImageFilter.GaussianBlur(float(rng.choice([0.2, 0.5, 0.8, 1.1], p=[0.4, 0.3, 0.2, 0.1]))))
    toned = tone(rng, np.asarray(photo, np.float32)[None] / 255)[0]
    return np.round(toned * 255).astype(np.uint8)


def frame(rng: np.random.Generator, width: int, height: int) -> tuple[float, float, float, float]:
    """Return the box (left, top, right, bottom) that the photo shows, clear of the corners that a tilt leaves empty."""
    share, edge = rng.uniform(0.62, 0.92), 0.04
    left, top = rng.uniform(edge, 1 - edge - share, 2)
    return left * width, top * height, (left + share) * width, (top + share) * height


def tone(rng: np.random.Generator, photos: np.ndarray) -> np.ndarray:
    """Return photos (n, height, width, 3) in 0 to 1 with a random cast, exposure, contrast and grain each.

    Some are black and white. Brightness and contrast are set, not scaled: they say nothing of what was there before.
    """

    def each(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, (len(photos), 1, 1, 1)).astype(np.float32)

    grey = (photos @ GREY)[..., None]
    saturation = each(0.2, 1.1) * (each(0, 1) > 0.2)
    photos = grey + (photos - grey) * saturation
    photos = photos * (1 + rng.normal(0, 0.12, (len(photos), 1, 1, 3)).astype(np.float32))
    photos = np.clip(photos, 0, 1) ** each(0.75, 1.3)
    mean, deviation = photos.mean((1, 2, 3), keepdims=True), photos.std((1, 2, 3), keepdims=True)
    photos = (photos - mean) / (deviation + 0.03) * each(0.12, 0.24) + each(0.36, 0.64)
    grain = each(0.01, 0.05) * rng.standard_normal(photos.shape, dtype=np.float32)
    return np.clip(photos + grain, 0, 1)
