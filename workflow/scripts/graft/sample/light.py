"""Colours, and the light that falls on them: hour, weather, haze with depth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Colour = Sequence[float] | np.ndarray  # red, green, blue from 0 to 255

# hour: share, skies (zenith, horizon), clouds, tint of what the light falls on, haze at full depth
HOURS = {
    "day": (
        0.38,
        [((70, 130, 205), (190, 215, 235)), ((95, 150, 215), (215, 225, 230)), ((60, 110, 180), (170, 195, 215))],
        (245, 245, 245),
        (1.03, 1.0, 0.95),
        0.28,
    ),
    "overcast": (
        0.26,
        [((150, 155, 160), (205, 207, 206)), ((125, 135, 145), (190, 192, 190)), ((100, 102, 108), (150, 152, 152))],
        (225, 225, 226),
        (0.83, 0.84, 0.86),
        0.4,
    ),
    "dusk": (
        0.18,
        [((70, 75, 125), (245, 165, 100)), ((95, 80, 120), (240, 140, 120)), ((110, 120, 160), (250, 200, 140))],
        (255, 190, 150),
        (0.86, 0.66, 0.62),
        0.38,
    ),
    "fog": (
        0.08,
        [((185, 188, 190), (205, 206, 205)), ((170, 175, 180), (196, 198, 198))],
        (225, 225, 225),
        (0.88, 0.89, 0.9),
        0.75,
    ),
    "night": (
        0.1,
        [((26, 32, 60), (64, 70, 104)), ((34, 36, 54), (86, 76, 88))],
        (70, 74, 100),
        (0.36, 0.38, 0.5),
        0.25,
    ),
}


@dataclass(frozen=True)
class Light:
    """The hour and weather of one scene."""

    hour: str
    zenith: np.ndarray
    horizon: np.ndarray
    clouds: np.ndarray
    tint: np.ndarray
    haze: float
    sun: int
    """The side that the light comes from: -1 left, 1 right."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Light":
        """Return a random hour's light."""
        hour = rng.choice(list(HOURS), p=[share for share, *_ in HOURS.values()])
        _, skies, clouds, tint, haze = HOURS[hour]
        zenith, horizon = (vary(rng, colour, 7) for colour in pick(rng, skies))
        tints, haze = np.array(tint) * rng.uniform(0.88, 1.1), haze * rng.uniform(0.7, 1.15)
        return cls(hour, zenith, horizon, np.array(clouds), tints, haze, rng.choice([-1, 1]))

    @property
    def is_dark(self) -> bool:
        """Whether lamps and windows are lit."""
        return self.hour in ("dusk", "night")

    def shade(self, colour: Colour, depth: float = 0.0, lit: bool = False) -> tuple[int, ...]:
        """Return a colour as it looks at a depth from 0 (near) to 1 (far); what is lit shines by itself."""
        seen = np.asarray(colour, float) * (1.0 if lit else self.tint)
        return as_rgb(blend(seen, self.horizon, min(0.6 if lit else 0.93, self.haze * depth)))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """Return one of the options, each as likely."""
    return options[int(rng.integers(len(options)))]


def vary(rng: np.random.Generator, colour: Colour, spread: float = 10.0) -> np.ndarray:
    """Return a colour a little lighter or darker, and a little off its hue."""
    return np.asarray(colour, float) + rng.normal(0, spread) + rng.normal(0, spread / 2, 3)


def blend(first: Colour, second: Colour, share: float | np.ndarray) -> np.ndarray:
    """Return the colour that is `share` of the way from the first to the second.

    >>> blend((0, 0, 0), (100, 200, 40), 0.25).tolist()
    [25.0, 50.0, 10.0]
    """
    return np.asarray(first) * (1 - share) + np.asarray(second) * share


def as_rgb(colour: Colour) -> tuple[int, ...]:
    """Return a colour as Pillow takes it."""
    return tuple(int(min(max(value, 0), 255)) for value in colour)
