"""How a subject is to look: what the moods of the picture mean for faces, and colours that several subjects share.

In:  moods. Out: a :class:`Look`, and the parts that several subjects share.
"""

from dataclasses import dataclass

import numpy as np

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import ellipse


@dataclass(frozen=True)
class Look:
    """The moods of the picture, whether it is seen near, in which setting, and whether it is in the air."""

    moods: frozenset[str] = frozenset()
    near: bool = True
    place: str = "backdrop"
    aloft: bool = False

    @property
    def scary(self) -> bool:
        return "scary" in self.moods

    @property
    def gloomy(self) -> bool:
        return "gloomy" in self.moods

    @property
    def happy(self) -> bool:
        return "happy" in self.moods

    @property
    def peaceful(self) -> bool:
        return "peaceful" in self.moods


@dataclass(frozen=True)
class Coat:
    """An animal's fur: the main colour, the belly's, that of its markings, and what the markings are."""

    main: Colour
    light: Colour
    mark: Colour
    kind: str


_FURS = (  # lightness, chroma, hue
    (0.66, 0.13, 60), (0.58, 0.10, 55), (0.55, 0.015, 260), (0.30, 0.015, 280), (0.92, 0.02, 85), (0.80, 0.06, 80),
    (0.45, 0.06, 55), (0.70, 0.09, 75), (0.36, 0.045, 50),
)  # fmt: skip


def coat(pen: Pen, kinds: tuple[str, ...], furs: tuple[tuple[float, float, float], ...] = _FURS) -> Coat:
    """Choose a fur: one of the markings, and one of the colours, given as lightness, chroma and hue."""
    rng, grade = pen.rng, pen.palette.grade
    light, chroma, hue = furs[int(rng.integers(len(furs)))]
    main = oklch(light + rng.normal(0, 0.025), chroma, hue + rng.normal(0, 6))
    pale = oklch(min(0.95, light + rng.uniform(0.12, 0.32)), chroma * 0.5, hue + 10)
    mark = lighter(main, -0.2) if light > 0.45 else lighter(main, 0.32)
    own = [mix(colour, grade(colour), 0.6) for colour in (main, pale, mark)]
    return Coat(own[0], own[1], own[2], str(rng.choice(kinds)))


def eye(pen: Pen, x: float, y: float, size: float, look: Look, colour: Colour, *, slit: bool = False) -> None:
    """Draw an eye that is open, or glows in the dark."""
    if look.scary:
        glowing = oklch(0.88, 0.2, 105 if slit else 60)
        pen.canvas.glow(*pen.place(x, y), size * 2.2 * pen.size, glowing, 0.75)
        pen.flat(ellipse(x, y, size, size * 0.85, count=14), glowing)
        pen.flat(
            ellipse(x, y, size * (0.18 if slit else 0.3), size * (0.8 if slit else 0.35), count=10),
            (0.04, 0.02, 0.03),
            ink=1,
        )
        return
    dark = (0.09, 0.07, 0.08)
    pen.flat(ellipse(x, y, size, size * 1.08, count=16), colour if slit else dark, line=0.6, ink=0.0 if slit else 1.0)
    if slit:
        pen.flat(ellipse(x, y, size * 0.42, size * 0.95, count=12), dark, ink=1)
    pen.flat(ellipse(x - size * 0.3, y - size * 0.38, size * 0.3, size * 0.3, count=8), (1, 1, 1))


def shut_eye(pen: Pen, x: float, y: float, size: float) -> None:
    """Draw an eye that is closed: a content arc."""
    points = np.array([[x - size, y - size * 0.1], [x, y + size * 0.5], [x + size, y - size * 0.1]])
    pen.stroke(points, size * 0.42, (0.12, 0.09, 0.1))
