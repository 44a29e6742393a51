"""Heads: faces that show a mood, hair and hats; and who somebody is.

In:  a pen whose unit is the radius of the head. Out: the head on its canvas.
"""

from dataclasses import dataclass

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import box, ellipse, frill, smooth
from bam_engine.demo.art.subjects.look import Look, eye, shut_eye

_SKINS = (
    (0.91, 0.045, 60),
    (0.88, 0.055, 58),
    (0.84, 0.065, 60),
    (0.76, 0.08, 60),
    (0.64, 0.08, 58),
    (0.54, 0.065, 55),
)


_HAIRS = (
    (0.28, 0.02, 60),
    (0.38, 0.05, 55),
    (0.55, 0.09, 60),
    (0.78, 0.1, 85),
    (0.55, 0.14, 45),
    (0.75, 0.01, 250),
    (0.22, 0.01, 280),
)


@dataclass(frozen=True)
class Person:
    """One person's colours and build."""

    skin: Colour
    hair: Colour
    top: Colour
    legs: Colour
    style: str
    dress: bool
    stout: float


def someone(pen: Pen) -> Person:
    """Make somebody up."""
    rng, grade = pen.rng, pen.palette.grade
    skin, hair = _SKINS[int(rng.integers(len(_SKINS)))], _HAIRS[int(rng.integers(len(_HAIRS)))]
    dark = oklch(rng.uniform(0.3, 0.5), 0.06, float(rng.choice([260, 30, 60, 150])))
    return Person(
        skin=mix(oklch(*skin), grade(oklch(*skin)), 0.45),
        hair=grade(oklch(*hair)),
        top=pen.palette.accent(rng),
        legs=grade(dark) if rng.random() < 0.7 else pen.palette.accent(rng),
        style=str(rng.choice(["short", "bob", "bun", "long", "curly", "hat", "cap", "bald", "fringe"])),
        dress=bool(rng.random() < 0.35),
        stout=float(rng.uniform(0.85, 1.25)),
    )


def hair_back(pen: Pen, who: Person) -> None:
    """Draw the hair that is behind the head."""
    if who.style == "long":
        pen.fill(
            smooth(
                [
                    (-1.0, -0.4),
                    (-0.7, -1.05),
                    (0.7, -1.05),
                    (1.0, -0.4),
                    (1.15, 0.9),
                    (0.7, 1.5),
                    (-0.7, 1.5),
                    (-1.15, 0.9),
                ]
            ),
            who.hair,
            swell=0.3,
            flow=1.5,
        )
    elif who.style == "bob":
        pen.fill(
            smooth(
                [
                    (-1.1, -0.2),
                    (-0.8, -1.1),
                    (0.8, -1.1),
                    (1.1, -0.2),
                    (1.12, 0.75),
                    (0.6, 0.95),
                    (-0.6, 0.95),
                    (-1.12, 0.75),
                ]
            ),
            who.hair,
            swell=0.3,
            flow=1.5,
        )
    elif who.style == "curly":
        pen.fill(frill(0, -0.35, 1.32, 1.2, pen.rng, lobes=12), who.hair, swell=0.4)
    elif who.style == "bun":
        pen.fill(ellipse(0, -1.25, 0.42, 0.4), who.hair, swell=0.3)


def _hair_front(pen: Pen, who: Person) -> None:
    rng = pen.rng
    if who.style == "bald":
        return
    if who.style in ("hat", "cap"):
        colour = pen.palette.accent(rng)
        if who.style == "hat":
            pen.fill(
                smooth([(-0.78, -0.55), (-0.66, -1.25), (0, -1.38), (0.66, -1.25), (0.78, -0.55)]), colour, swell=0.3
            )
            pen.fill(ellipse(0, -0.6, 1.35, 0.24), lighter(colour, -0.05), swell=0.12)
            pen.flat(box(-0.72, -0.86, 0.72, -0.68), lighter(colour, -0.25))
        else:
            pen.fill(
                smooth([(-0.88, -0.45), (-0.7, -1.05), (0, -1.22), (0.7, -1.05), (0.88, -0.45)]), colour, swell=0.35
            )
            pen.fill(
                smooth([(0.0, -0.55), (0.9, -0.62), (1.4, -0.42), (0.9, -0.36), (0.0, -0.36)]),
                lighter(colour, -0.12),
                swell=0.08,
            )
        return
    part = rng.uniform(-0.5, 0.5)
    if who.style in ("fringe", "bob"):
        pen.fill(
            smooth(
                [
                    (-0.95, 0.05),
                    (-0.86, -0.75),
                    (0, -1.12),
                    (0.86, -0.75),
                    (0.95, 0.05),
                    (0.72, -0.32),
                    (0, -0.4),
                    (-0.72, -0.32),
                ]
            ),
            who.hair,
            swell=0.25,
            flow=1.4,
        )
    else:
        pen.fill(
            smooth(
                [
                    (-0.93, -0.02),
                    (-0.84, -0.75),
                    (0, -1.13),
                    (0.84, -0.75),
                    (0.93, -0.02),
                    (0.78, -0.4),
                    (part, -0.68),
                    (-0.78, -0.4),
                ]
            ),
            who.hair,
            swell=0.25,
            flow=1.4,
        )


def head(pen: Pen, look: Look, who: Person, *, small: bool = False) -> None:
    """Draw a head around (0, 0), about 1 in radius; the neck is under it."""
    rng = pen.rng
    hair_back(pen, who)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.86, 0.08, 0.16, 0.22), who.skin, swell=0.1)
    face = smooth(
        [
            (-0.84, -0.2),
            (-0.62, -0.8),
            (0, -1.0),
            (0.62, -0.8),
            (0.84, -0.2),
            (0.74, 0.42),
            (0.36, 0.86),
            (0, 0.96),
            (-0.36, 0.86),
            (-0.74, 0.42),
        ]
    )
    skin = pen.fill(face, who.skin, swell=0.6, flow=1.5)
    blush = mix(who.skin, oklch(0.68, 0.14, 20), 0.45)
    if not look.gloomy and not look.scary:
        for side in (-1, 1):
            pen.flat(ellipse(side * 0.48, 0.34, 0.2, 0.14), blush, within=skin, opacity=0.5)
    _eyes(pen, look, who, small=small)
    pen.stroke([(0.02, 0.08), (0.1, 0.33), (-0.04, 0.36)], 0.05, lighter(who.skin, -0.12), ink=0.7)
    _mouth(pen, look, who)
    if rng.random() < 0.13 and not look.scary:
        _glasses(pen)
    _hair_front(pen, who)


def _eyes(pen: Pen, look: Look, who: Person, *, small: bool) -> None:
    """Eyes that look or are shut, under brows that say how it is."""
    rng, line = pen.rng, (0.18, 0.1, 0.09)
    asleep = look.peaceful and not look.scary and rng.random() < 0.45
    for side in (-1, 1):
        x = side * 0.34
        if asleep or (look.happy and rng.random() < 0.25):
            shut_eye(pen, x, 0.02, 0.15)
        elif small:
            eye(pen, side * 0.32, 0.02, 0.11, look, line)
        else:
            lids = smooth([(x - 0.2, 0.03), (x, -0.12), (x + 0.2, 0.03), (x, 0.12)])
            pen.flat(lids, (0.97, 0.97, 0.95), line=0.6)
            eye(pen, x + 0.02, 0.0, 0.1, look, line)
        tilt = (-0.1 if look.gloomy else 0.14 if look.scary else 0.02) * side
        brow = [(x - 0.2, -0.26 - tilt), (x, -0.32), (x + 0.2, -0.26 + tilt)]
        pen.stroke(brow, 0.07, lighter(who.hair, -0.08))


def _mouth(pen: Pen, look: Look, who: Person) -> None:
    """A laugh, a scream, or lips that turn up or down."""
    if look.happy:
        lips = smooth([(-0.28, 0.5), (0, 0.55), (0.28, 0.5), (0.16, 0.74), (-0.16, 0.74)])
        mouth = pen.flat(lips, (0.45, 0.12, 0.13), line=0.6)
        pen.flat(box(-0.22, 0.48, 0.22, 0.575), (0.98, 0.97, 0.95), within=mouth)
    elif look.scary:
        lips = smooth([(-0.24, 0.6), (0, 0.48), (0.24, 0.6), (0.1, 0.78), (-0.1, 0.78)])
        pen.flat(lips, (0.08, 0.03, 0.04), line=0.5, ink=0.9)
    else:
        sad, lip = (0.09 if look.gloomy else -0.06), mix(who.skin, oklch(0.55, 0.16, 20), 0.7)
        pen.stroke([(-0.2, 0.58 + sad * 0.8), (0, 0.58 - sad * 0.5), (0.2, 0.58 + sad * 0.8)], 0.075, lip)


def _glasses(pen: Pen) -> None:
    dark = (0.2, 0.16, 0.16)
    for side in (-1, 1):
        hole = ellipse(side * 0.34, 0.01, 0.23, 0.21)[::-1]
        pen.fill(ellipse(side * 0.34, 0.01, 0.27, 0.25), dark, holes=[hole], swell=0, lift=0, line=0, ink=0.9)
    pen.stroke([(-0.1, 0), (0.1, 0)], 0.05, dark, taper=False)
