"""The camera: framing, tilt, focus, tone and grain, drawn alike for every class, so that none of them tells it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

LUMA = np.array([0.3, 0.59, 0.11], np.float32)  # of red, green, blue (ITU-R BT.601)


def photograph(rng: np.random.Generator, scene: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return a photo (height, width, 3), uint8, of a drawn scene (any height, any width, 3), 0 to 255.

    It shows from 0.66 to 0.92 of the scene's width, and half of the photos are mirrored.
    """
    framing = Framing.draw(rng, scene.shape[1], scene.shape[0])
    photo = framing.of(Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)), width, height)
    return developed(rng, photo)


def photograph_things(
    rng: np.random.Generator, scene: np.ndarray, things: Image.Image, width: int, height: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the photo of a scene, the same as `photograph` makes, and its `things`, (height, width), framed alike."""
    framing = Framing.draw(rng, scene.shape[1], scene.shape[0])
    photo = framing.of(Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)), width, height)
    return developed(rng, photo), np.asarray(framing.of(things, width, height, exact=True))


@dataclass(frozen=True)
class Framing:
    """How the camera is held: its tilt in degrees, the box that it shows, and whether the photo is mirrored."""

    tilt: float
    box: tuple[float, float, float, float]
    mirrored: bool

    @classmethod
    def draw(cls, rng: np.random.Generator, width: int, height: int) -> "Framing":
        """Return a random framing of a scene of that size."""
        return cls(rng.normal(0, 2.0), frame(rng, width, height), rng.random() < 0.5)

    def of(self, scene: Image.Image, width: int, height: int, exact: bool = False) -> Image.Image:
        """Return a scene as it is framed; `exact`: its values as they are, without any in between."""
        scene = scene.rotate(self.tilt, Image.Resampling.NEAREST if exact else Image.Resampling.BICUBIC)
        how = Image.Resampling.NEAREST if exact else Image.Resampling.LANCZOS
        scene = scene.resize((width, height), how, box=self.box)
        return scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if self.mirrored else scene


def developed(rng: np.random.Generator, photo: Image.Image) -> np.ndarray:
    """Return a framed scene as a photo, (height, width, 3), uint8: out of focus, its tone changed."""
    blur = rng.choice([0.2, 0.5, 0.8, 1.1], p=[0.4, 0.3, 0.2, 0.1])
    photo = photo.filter(ImageFilter.GaussianBlur(float(blur)))
    return np.round(tone(rng, np.asarray(photo, np.float32) / 255) * 255).astype(np.uint8)


def frame(rng: np.random.Generator, width: int, height: int) -> tuple[float, float, float, float]:
    """Return the box (left, top, right, bottom) that the photo shows, clear of the corners that a tilt leaves empty."""
    share, edge = rng.uniform(0.66, 0.92), 0.04
    left, top = rng.uniform(edge, 1 - edge - share, 2)
    return left * width, top * height, (left + share) * width, (top + share) * height


def tone(rng: np.random.Generator, photo: np.ndarray) -> np.ndarray:
    """Return a photo (height, width, 3), 0 to 1, with a random colour cast, exposure, contrast and grain.

    One in six is black and white. Brightness and contrast are set, not scaled: they say nothing of the scene.
    """
    grey = (photo @ LUMA)[..., None]
    saturation = rng.uniform(0.3, 1.1) * (rng.random() > 1 / 6)
    photo = grey + (photo - grey) * saturation
    photo = np.clip(photo * (1 + rng.normal(0, 0.09, 3)), 0, 1) ** rng.uniform(0.75, 1.3)
    photo = (photo - photo.mean()) / (photo.std() + 0.03) * rng.uniform(0.14, 0.26) + rng.uniform(0.36, 0.64)
    return np.clip(photo + rng.uniform(0.008, 0.04) * rng.standard_normal(photo.shape), 0, 1)
