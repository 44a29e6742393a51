"""Colour: what a mood, an hour and a studio do to it.

In:  moods, an hour, a studio's taste, a random generator. Out: a :class:`Palette`, colours as sRGB 0 … 1. Mixing is
done in OKLCH (Ottosson 2020), where equal steps look equal. Knows nothing of shapes.
"""

import math
from dataclasses import dataclass

import numpy as np

from bam_engine.demo.art.kernels import encoded

Colour = tuple[float, float, float]

HOURS = ("dawn", "day", "golden", "dusk", "night", "overcast")


def oklch(light: float, chroma: float, hue: float) -> Colour:
    """Return the sRGB colour of a lightness 0 … 1, a chroma 0 … 0.3 and a hue in degrees, its chroma cut to fit.

    Examples
    --------
    >>> [round(part, 2) for part in oklch(1, 0, 0)]
    [1.0, 1.0, 1.0]
    """
    red, green, blue = encoded(light, chroma, math.radians(hue))
    return red, green, blue


def to_oklch(colour: Colour) -> tuple[float, float, float]:
    """Return lightness, chroma and hue (degrees) of an sRGB colour."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in map(float, colour)
    )
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    light = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return light, math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour that is ``share`` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def lighter(colour: Colour, amount: float) -> Colour:
    """Return the colour with ``amount`` added to its lightness; negative makes it darker."""
    light, chroma, hue = to_oklch(colour)
    return oklch(light + amount, chroma * (1 - abs(amount) * 0.5), hue)


@dataclass(frozen=True)
class Grade:
    """What is done to every colour of a work: chroma and lightness scaled, all drawn towards one tint."""

    chroma: float
    gain: float
    lift: float
    tint: float  # hue in degrees
    pull: float  # 0 … 1, how far towards the tint

    def __call__(self, colour: Colour) -> Colour:
        light, chroma, hue = to_oklch(colour)
        first = chroma * self.chroma * np.exp(1j * math.radians(hue))
        second = 0.075 * np.exp(1j * math.radians(self.tint)) * min(1.0, self.chroma)
        both = complex(first * (1 - self.pull) + second * self.pull)
        return oklch(self.lift + light * self.gain, abs(both), math.degrees(math.atan2(both.imag, both.real)))


@dataclass(frozen=True)
class Palette:
    """The colours of one work, graded already; ``grade`` brings a subject's own colour among them."""

    sky: tuple[Colour, Colour]  # zenith and horizon
    far: Colour
    ground: Colour
    leaf: Colour
    water: Colour
    wall: tuple[Colour, Colour]
    accents: tuple[Colour, ...]
    light: Colour  # what falls on things
    ambient: Colour
    dark: Colour
    grade: Grade

    def accent(self, rng: np.random.Generator) -> Colour:
        """Return one of the strong colours."""
        return self.accents[int(rng.integers(len(self.accents)))]


_SKIES = {  # zenith and horizon: lightness, chroma, hue
    "dawn": ((0.74, 0.075, 265), (0.91, 0.075, 55)),
    "day": ((0.72, 0.105, 240), (0.93, 0.04, 215)),
    "golden": ((0.75, 0.08, 75), (0.90, 0.12, 78)),
    "dusk": ((0.43, 0.11, 285), (0.76, 0.13, 40)),
    "night": ((0.22, 0.065, 270), (0.38, 0.08, 262)),
    "overcast": ((0.72, 0.02, 240), (0.87, 0.012, 200)),
}
_LIGHTS = {"dawn": (60, 0.05), "day": (90, 0.02), "golden": (70, 0.09), "dusk": (40, 0.08), "night": (255, 0.05),
           "overcast": (220, 0.01)}  # fmt: skip
_MOOD_GRADES = {  # chroma, gain, lift
    "happy": (1.25, 0.92, 0.06),
    "peaceful": (0.74, 0.74, 0.19),
    "gloomy": (0.42, 0.74, 0.04),
    "scary": (0.85, 0.70, 0.01),
}
_HARMONIES = ((0, 30, 180), (0, 120, 240), (0, 25, 50), (0, 180, 210), (0, 60, 200), (0, 150, 180))


def make_palette(moods: frozenset[str], hour: str, hue: float, strength: float, rng: np.random.Generator) -> Palette:
    """Compose a palette.

    Parameters
    ----------
    moods
        "happy", "peaceful", "gloomy", "scary"; none leaves the studio's taste alone.
    hour
        One of ``HOURS``.
    hue
        The studio's favourite, in degrees.
    strength
        How colourful the studio is: about 1.
    """
    rows = [_MOOD_GRADES[mood] for mood in sorted(moods)] or [(1.0, 0.9, 0.04)]
    chroma, gain, lift = (float(part) for part in np.mean(rows, axis=0))
    tint = {"gloomy": 235.0, "scary": float(rng.choice([25, 145, 285])), "peaceful": 215.0, "happy": 70.0}
    to_tint = tint[sorted(moods)[0]] if moods and rng.random() < 0.7 else hue
    pull = float(rng.uniform(0.12, 0.4)) + (0.15 if moods & {"gloomy", "scary"} else 0.0)
    grade = Grade(chroma * strength, gain, lift, to_tint + rng.normal(0, 12), min(pull, 0.55))
    turns = _HARMONIES[int(rng.integers(len(_HARMONIES)))]
    accents = tuple(
        grade(oklch(float(rng.uniform(0.5, 0.78)), float(rng.uniform(0.13, 0.2)), hue + turn + rng.normal(0, 8)))
        for turn in (*turns, turns[1])
    )
    zenith, horizon = (
        grade(oklch(light + rng.normal(0, 0.02), strong, shade + rng.normal(0, 10)))
        for light, strong, shade in _SKIES[hour]
    )
    dim = {"night": 0.62, "dusk": 0.8}.get(hour, 1.0)

    def local(light: float, strong: float, shade: float) -> Colour:
        return grade(oklch(light * dim, strong, shade))

    shade, strong = _LIGHTS[hour]
    green = float(rng.uniform(105, 150))
    wall = float(rng.uniform(0.72, 0.92)) if not moods & {"gloomy", "scary"} else float(rng.uniform(0.4, 0.65))
    return Palette(
        sky=(zenith, horizon),
        far=mix(horizon, local(0.5, 0.07, 250), 0.5),
        ground=local(
            float(rng.uniform(0.62, 0.75)), float(rng.uniform(0.05, 0.11)), float(rng.choice([60, 85, 115, 130]))
        ),
        leaf=local(float(rng.uniform(0.5, 0.64)), 0.11, green),
        water=mix(local(0.6, 0.09, float(rng.uniform(195, 245))), horizon, 0.3),
        wall=(
            grade(oklch(wall, float(rng.uniform(0.02, 0.08)), hue + 180)),
            grade(oklch(wall - 0.2, 0.06, hue + rng.normal(0, 30))),
        ),
        accents=accents,
        light=oklch(1.0 if hour != "night" else 0.93, strong, shade),
        ambient=oklch(0.8 * dim + 0.05, 0.035, to_tint if moods & {"gloomy", "scary"} else 262),
        dark=grade(oklch(0.24, 0.05, hue + 200)),
        grade=Grade(grade.chroma, grade.gain * (1 if dim == 1 else 0.9), grade.lift, grade.tint, grade.pull * 0.6),
    )
