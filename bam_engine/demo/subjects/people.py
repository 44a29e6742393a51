"""People: figures in many poses, with umbrellas, balloons and bicycles; portraits."""

from dataclasses import dataclass

import numpy as np

from bam_engine.demo.palette import Colour, lighter, mix, oklch
from bam_engine.demo.pen import Pen
from bam_engine.demo.shapes import blob, box, ellipse, frill, limb, smooth
from bam_engine.demo.subjects.look import Look, eye, shut_eye
from bam_engine.demo.subjects.vehicles import draw_bicycle

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

Spot = tuple[float, float]


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


def _someone(pen: Pen) -> Person:
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


def person(pen: Pen, look: Look) -> None:
    """Draw one person or two, 1 high at most."""
    rng = pen.rng
    kinds = [_figure, _portrait, _couple, _umbrella, _seated]
    weights = np.array([3.0, 2.6, 1.0, 0.8, 0.8])
    if look.happy:
        weights = np.array([4, 2, 1.6, 0.2, 0.2])
    if look.gloomy:
        weights = np.array([1, 1.4, 0.2, 3, 2.5])
    if look.scary:
        weights = np.array([2.5, 2.5, 0, 0, 0.2])
    kinds[int(rng.choice(5, p=weights / weights.sum()))](pen, look)


def cyclist(pen: Pen, look: Look) -> None:
    """Draw a person on a bicycle, about 1.2 high and 1.1 long."""
    who = _someone(pen)
    own = Pen(pen.canvas, pen.x, pen.y, pen.size * 0.78, flip=bool(pen.rng.random() < 0.5))
    far, near = (-0.02, -0.2), (-0.12, -0.42)
    hip, shoulder, grip = (-0.18, -0.84), (0.02, -1.2), (0.24, -0.86)
    own.fill(limb([hip, (0.1, -0.6), far], [0.14, 0.11, 0.08]), lighter(who.legs, -0.08), swell=0.05)
    with pen.canvas.drawing("bicycle"):
        draw_bicycle(own, "city")
    own.fill(limb([hip, (0.16, -0.74), near], [0.15, 0.12, 0.085]), who.legs, swell=0.05)
    own.fill(limb([near, (near[0] + 0.1, near[1] + 0.02)], 0.07), (0.2, 0.15, 0.14), swell=0.03)
    own.fill(limb([hip, (-0.12, -1.05), shoulder], [0.2, 0.2, 0.16]), who.top, swell=0.09, flow=1.2)
    _head(own.at(0.1, -1.36, 0.135), look, who, small=True)
    own.fill(
        limb([(shoulder[0], shoulder[1] + 0.02), (0.14, -0.98), grip], [0.09, 0.075, 0.06]),
        lighter(who.top, -0.05),
        swell=0.04,
    )
    own.fill(ellipse(*grip, 0.035, 0.035), who.skin, swell=0.03)


def _hair_back(pen: Pen, who: Person) -> None:
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


def _head(pen: Pen, look: Look, who: Person, *, small: bool = False) -> None:
    """Draw a head around (0, 0), about 1 in radius; the neck is under it."""
    rng = pen.rng
    _hair_back(pen, who)
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
    line = (0.18, 0.1, 0.09)
    asleep = look.peaceful and not look.scary and rng.random() < 0.45
    for side in (-1, 1):
        if asleep or (look.happy and rng.random() < 0.25):
            shut_eye(pen, side * 0.34, 0.02, 0.15)
        elif small:
            eye(pen, side * 0.32, 0.02, 0.11, look, line)
        else:
            pen.flat(
                smooth(
                    [(side * 0.34 - 0.2, 0.03), (side * 0.34, -0.12), (side * 0.34 + 0.2, 0.03), (side * 0.34, 0.12)]
                ),
                (0.97, 0.97, 0.95),
                line=0.6,
            )
            eye(pen, side * 0.34 + 0.02, 0.0, 0.1, look, line)
        tilt = (-0.1 if look.gloomy else 0.14 if look.scary else 0.02) * side
        pen.stroke(
            [(side * 0.34 - 0.2, -0.26 - tilt), (side * 0.34, -0.32), (side * 0.34 + 0.2, -0.26 + tilt)],
            0.07,
            lighter(who.hair, -0.08),
        )
    nose = lighter(who.skin, -0.12)
    pen.stroke([(0.02, 0.08), (0.1, 0.33), (-0.04, 0.36)], 0.05, nose, ink=0.7)
    lip = mix(who.skin, oklch(0.55, 0.16, 20), 0.7)
    if look.happy:
        mouth = pen.flat(
            smooth([(-0.28, 0.5), (0, 0.55), (0.28, 0.5), (0.16, 0.74), (-0.16, 0.74)]), (0.45, 0.12, 0.13), line=0.6
        )
        pen.flat(box(-0.22, 0.48, 0.22, 0.575), (0.98, 0.97, 0.95), within=mouth)
    elif look.scary:
        pen.flat(
            smooth([(-0.24, 0.6), (0, 0.48), (0.24, 0.6), (0.1, 0.78), (-0.1, 0.78)]),
            (0.08, 0.03, 0.04),
            line=0.5,
            ink=0.9,
        )
    else:
        sad = 0.09 if look.gloomy else -0.06
        pen.stroke([(-0.2, 0.58 + sad * 0.8), (0, 0.58 - sad * 0.5), (0.2, 0.58 + sad * 0.8)], 0.075, lip)
    if rng.random() < 0.13 and not look.scary:
        for side in (-1, 1):
            pen.fill(
                ellipse(side * 0.34, 0.01, 0.27, 0.25),
                (0.2, 0.16, 0.16),
                holes=[ellipse(side * 0.34, 0.01, 0.23, 0.21)[::-1]],
                swell=0,
                lift=0,
                line=0,
                ink=0.9,
            )
        pen.stroke([(-0.1, 0), (0.1, 0)], 0.05, (0.2, 0.16, 0.16), taper=False)
    _hair_front(pen, who)


def _arm(pen: Pen, who: Person, shoulder: Spot, elbow: Spot, hand: Spot) -> None:
    pen.fill(limb([shoulder, elbow, hand], [0.085, 0.07, 0.055]), who.top, swell=0.035, lift=0.012)
    pen.fill(ellipse(*hand, 0.034, 0.034), who.skin, swell=0.03, lift=0)


def _stand(
    pen: Pen,
    look: Look,
    who: Person,
    left: tuple[Spot, Spot],
    right: tuple[Spot, Spot],
    stride: float,
    *,
    bow: float = 0.0,
) -> None:
    """A standing body 1 high: elbows and hands are given, the stride parts the feet."""
    wide = 0.105 * who.stout
    for side, shade in ((-1, -0.05), (1, 0.0)):
        foot = (side * (0.055 + stride), -0.02)
        knee = (side * (0.05 + stride * 0.45) + 0.015, -0.22)
        colour = who.skin if who.dress else lighter(who.legs, shade)
        pen.fill(limb([(side * 0.05, -0.46), knee, foot], [0.115, 0.085, 0.06]), colour, swell=0.04, flow=1.5)
        pen.fill(
            smooth(
                [
                    (foot[0] - 0.04, 0.005),
                    (foot[0] - 0.035, -0.045),
                    (foot[0] + 0.03, -0.045),
                    (foot[0] + 0.085, -0.01),
                    (foot[0] + 0.08, 0.008),
                ]
            ),
            (0.2, 0.14, 0.13),
            swell=0.02,
            ink=0.2,
        )
    _arm(pen, who, (-wide * 0.95, -0.71), *left)
    if who.dress:
        hem = 0.19 + stride * 0.4
        pen.fill(
            smooth(
                [
                    (-wide * 0.95, -0.74),
                    (-wide * 0.75, -0.55),
                    (-hem, -0.25),
                    (0, -0.22),
                    (hem, -0.25),
                    (wide * 0.75, -0.55),
                    (wide * 0.95, -0.74),
                    (0, -0.78),
                ]
            ),
            who.top,
            swell=0.09,
            flow=1.5,
        )
    else:
        pen.fill(
            smooth(
                [
                    (-wide * 1.15, -0.7),
                    (-wide * 0.95, -0.43),
                    (wide * 0.95, -0.43),
                    (wide * 1.15, -0.7),
                    (wide * 0.6, -0.775),
                    (-wide * 0.6, -0.775),
                ]
            ),
            who.top,
            swell=0.08,
            flow=1.5,
        )
        pen.flat(box(-wide * 0.92, -0.45, wide * 0.92, -0.425), (0.22, 0.16, 0.14))
    pen.fill(limb([(0, -0.74), (bow * 0.05, -0.82)], 0.07), lighter(who.skin, -0.05), swell=0.03, lift=0)
    _arm(pen, who, (wide * 0.95, -0.71), *right)
    _head(
        pen.at(bow * 0.09, -0.88 + abs(bow) * 0.03, 0.112, turn=bow * 0.5 + pen.rng.uniform(-0.1, 0.1)),
        look,
        who,
        small=True,
    )


def _figure(pen: Pen, look: Look) -> None:
    rng = pen.rng
    who = _someone(pen)
    if look.happy or rng.random() < 0.2:
        lift = rng.uniform(0.0, 0.12)
        up = pen.at(0, -lift, 1 - lift)
        _stand(up, look, who, ((-0.25, -0.84), (-0.3, -1.0)), ((0.25, -0.84), (0.3, -1.0)), rng.uniform(0.02, 0.13))
        if rng.random() < 0.4:
            for number in range(3):
                end = (0.3 + (number - 1) * 0.13, -1.3 - 0.05 * (number == 1))
                up.stroke([(0.3, -1.0), (0.32, -1.1), end], 0.008, (0.3, 0.3, 0.3), taper=False)
                up.fill(ellipse(end[0], end[1] - 0.07, 0.065, 0.085), pen.palette.accent(rng), swell=0.06, gloss=0.9)
        return
    if look.scary:
        dark = Person(
            lighter(who.skin, -0.2),
            (0.08, 0.07, 0.09),
            lighter(pen.palette.dark, 0.04),
            pen.palette.dark,
            "long",
            True,
            0.9,
        )
        _stand(pen, look, dark, ((-0.22, -0.62), (-0.3, -0.5)), ((0.22, -0.62), (0.3, -0.5)), 0.02)
        return
    swing = rng.uniform(-0.1, 0.1)
    left, right = ((-0.17, -0.58), (-0.16 + swing, -0.44)), ((0.17, -0.58), (0.16 + swing, -0.44))
    if rng.random() < 0.35:
        right = ((0.2, -0.6), (0.1, -0.54))
    _stand(pen, look, who, left, right, rng.uniform(0.0, 0.1), bow=0.9 if look.gloomy else 0.0)


def _couple(pen: Pen, look: Look) -> None:
    first, second = _someone(pen), _someone(pen)
    hands = (-0.0, -0.48)
    _stand(
        pen.at(-0.2, 0), look, first, ((-0.17, -0.58), (-0.16, -0.44)), ((0.17, -0.6), (hands[0] + 0.2, hands[1])), 0.04
    )
    _stand(
        pen.at(0.2, 0, pen.rng.uniform(0.62, 1.0)),
        look,
        second,
        ((-0.17, -0.6), (-0.2, hands[1])),
        ((0.17, -0.58), (0.18, -0.44)),
        0.04,
    )


def _umbrella(pen: Pen, look: Look) -> None:
    rng = pen.rng
    who = _someone(pen)
    own = pen.at(0, 0, 0.84)
    own.stroke([(0.13, -0.5), (0.11, -1.1)], 0.018, (0.25, 0.2, 0.18), taper=False)
    _stand(
        own,
        look,
        who,
        ((-0.17, -0.58), (-0.15, -0.44)),
        ((0.2, -0.6), (0.13, -0.62)),
        rng.uniform(0.02, 0.09),
        bow=0.5 if look.gloomy else 0.0,
    )
    colour = pen.palette.accent(rng)
    xs = np.linspace(-0.42, 0.42, 6)
    edge = [
        (x, -0.93 - 0.05 * (1 - (x / 0.42) ** 2) + (0.035 if number % 2 else 0))
        for number, x in enumerate(np.linspace(0.42, -0.42, 11))
    ]
    canopy = own.at(0.1, 0).fill(
        [
            (-0.42, -0.93),
            *map(
                tuple, smooth([(-0.42, -0.93), (-0.28, -1.13), (0, -1.2), (0.28, -1.13), (0.42, -0.93)], closed=False)
            ),
            *edge,
        ],
        colour,
        swell=0.2,
        gloss=0.3,
    )
    for x in xs[1:-1]:
        own.at(0.1, 0).stroke(
            [(0, -1.2), (x * 0.7, -1.1), (x, -0.95)], 0.01, lighter(colour, -0.15), within=canopy, ink=0.7
        )


def _seated(pen: Pen, look: Look) -> None:
    who = _someone(pen)
    wood = pen.palette.grade(oklch(0.5, 0.07, 60))
    for y in (-0.52, -0.44):
        pen.fill(box(-0.5, y - 0.025, 0.5, y + 0.025, corner=0.01), wood, swell=0.01)
    pen.fill(box(-0.52, -0.33, 0.52, -0.27, corner=0.015), lighter(wood, -0.05), swell=0.02)
    for x in (-0.42, 0.42):
        pen.fill(box(x - 0.025, -0.28, x + 0.025, 0, corner=0.01), lighter(wood, -0.15), swell=0.01)
    own = pen.at(pen.rng.uniform(-0.2, 0.2), 0.12, 0.95)
    for side in (-1, 1):
        own.fill(
            limb([(side * 0.06, -0.46), (side * 0.09, -0.36), (side * 0.09, -0.14)], [0.13, 0.12, 0.075]),
            who.legs,
            swell=0.05,
        )
        own.fill(ellipse(side * 0.1, -0.12, 0.06, 0.035), (0.2, 0.14, 0.13), swell=0.03, ink=0.2)
    own.fill(
        smooth([(-0.13, -0.7), (-0.13, -0.44), (0.13, -0.44), (0.13, -0.7), (0.07, -0.77), (-0.07, -0.77)]),
        who.top,
        swell=0.08,
        flow=1.5,
    )
    bow = 0.8 if look.gloomy else 0.0
    for side in (-1, 1):
        _arm(own, who, (side * 0.12, -0.71), (side * 0.19, -0.57), (side * 0.05, -0.46))
    own.fill(limb([(0, -0.74), (0, -0.82)], 0.07), lighter(who.skin, -0.05), swell=0.03, lift=0)
    _head(own.at(bow * 0.05, -0.88 + bow * 0.04, 0.12, turn=bow * 0.35), look, who, small=True)


def _portrait(pen: Pen, look: Look) -> None:
    rng = pen.rng
    who = _someone(pen)
    own = pen.at(0, -0.58, 0.3)
    if who.style == "long":
        _hair_back(own, who)
    pen.fill(limb([(0, -0.46), (0, -0.2)], [0.22, 0.26]), lighter(who.skin, -0.06), swell=0.08, flow=1.5)
    shoulders = pen.fill(
        smooth([(-0.14, -0.27), (-0.42, -0.18), (-0.52, 0.04), (0.52, 0.04), (0.42, -0.18), (0.14, -0.27), (0, -0.2)]),
        who.top,
        swell=0.22,
        flow=1.2,
    )
    style = rng.random()
    if style < 0.3:
        pen.flat([(-0.15, -0.28), (0, -0.05), (0.15, -0.28)], lighter(who.skin, -0.04), within=shoulders, line=0.6)
    elif style < 0.55:
        for side in (-1, 1):
            pen.fill(
                [(side * 0.02, -0.17), (side * 0.19, -0.27), (side * 0.23, -0.15), (side * 0.07, -0.07)],
                lighter(who.top, 0.15),
                swell=0.01,
            )
    elif style < 0.75:
        pen.fill(limb([(-0.17, -0.27), (0, -0.2), (0.17, -0.27)], 0.1), pen.palette.accent(rng), swell=0.05)
        pen.fill(blob(0.08, -0.12, 0.06, 0.12, rng), pen.palette.accent(rng), swell=0.04)
    else:
        for x in np.linspace(-0.5, 0.5, 9):
            pen.flat(limb([(x, 0.1), (x * 0.9, -0.35)], 0.03), lighter(who.top, 0.2), within=shoulders)
    turned = Person(
        who.skin, who.hair, who.top, who.legs, "short" if who.style == "long" else who.style, who.dress, who.stout
    )
    _head(pen.at(0, -0.58, 0.3, turn=rng.uniform(-0.16, 0.16) + (0.15 if look.gloomy else 0)), look, turned)
