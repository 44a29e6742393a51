"""People: figures in many poses, with umbrellas, balloons and bicycles; portraits.

In:  a pen whose unit is about the height, and how it is to look. Out: the subject on its canvas.
"""

import numpy as np

from bam_engine.demo.art.palette import lighter, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import blob, box, ellipse, limb, smooth
from bam_engine.demo.art.subjects.heads import Person, hair_back, head, someone
from bam_engine.demo.art.subjects.look import Look
from bam_engine.demo.art.subjects.vehicles import draw_bicycle

Spot = tuple[float, float]


def person(pen: Pen, look: Look) -> None:
    """Draw one person or two, 1 high at most."""
    rng = pen.rng
    kinds = [_figure, _portrait, _couple, _umbrella, _seated]
    weights = np.array([1.0, 7.5, 0.4, 0.3, 0.3])
    if look.happy:
        weights = np.array([1.5, 6, 0.7, 0.1, 0.1])
    if look.gloomy:
        weights = np.array([0.7, 4, 0.2, 1.6, 1.2])
    if look.scary:
        weights = np.array([1.2, 5, 0, 0, 0.1])
    kinds[int(rng.choice(5, p=weights / weights.sum()))](pen, look)


def cyclist(pen: Pen, look: Look) -> None:
    """Draw a person on a bicycle, about 1.2 high and 1.1 long."""
    who = someone(pen)
    own = Pen(pen.canvas, pen.x, pen.y, pen.size * 0.78, flip=bool(pen.rng.random() < 0.5))
    far, near = (-0.02, -0.2), (-0.12, -0.42)
    hip, shoulder, grip = (-0.18, -0.84), (0.02, -1.2), (0.24, -0.86)
    own.fill(limb([hip, (0.1, -0.6), far], [0.14, 0.11, 0.08]), lighter(who.legs, -0.08), swell=0.05)
    with pen.canvas.drawing("bicycle"):
        draw_bicycle(own, "city")
    own.fill(limb([hip, (0.16, -0.74), near], [0.15, 0.12, 0.085]), who.legs, swell=0.05)
    own.fill(limb([near, (near[0] + 0.1, near[1] + 0.02)], 0.07), (0.2, 0.15, 0.14), swell=0.03)
    own.fill(limb([hip, (-0.12, -1.05), shoulder], [0.2, 0.2, 0.16]), who.top, swell=0.09, flow=1.2)
    head(own.at(0.1, -1.36, 0.135), look, who, small=True)
    own.fill(
        limb([(shoulder[0], shoulder[1] + 0.02), (0.14, -0.98), grip], [0.09, 0.075, 0.06]),
        lighter(who.top, -0.05),
        swell=0.04,
    )
    own.fill(ellipse(*grip, 0.035, 0.035), who.skin, swell=0.03)


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
    head(
        pen.at(bow * 0.09, -0.88 + abs(bow) * 0.03, 0.112, turn=bow * 0.5 + pen.rng.uniform(-0.1, 0.1)),
        look,
        who,
        small=True,
    )


def _figure(pen: Pen, look: Look) -> None:
    rng = pen.rng
    who = someone(pen)
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
    pen.canvas.tell(count=2)
    first, second = someone(pen), someone(pen)
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
    who = someone(pen)
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
    who = someone(pen)
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
    head(own.at(bow * 0.05, -0.88 + bow * 0.04, 0.12, turn=bow * 0.35), look, who, small=True)


def _portrait(pen: Pen, look: Look) -> None:
    rng = pen.rng
    who = someone(pen)
    own = pen.at(0, -0.58, 0.33)
    if who.style == "long":
        hair_back(own, who)
    pen.fill(limb([(0, -0.42), (0, -0.18)], [0.25, 0.29]), lighter(who.skin, -0.06), swell=0.08, flow=1.5)
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
    head(pen.at(0, -0.58, 0.33, turn=rng.uniform(-0.1, 0.1) + (0.15 if look.gloomy else 0)), look, turned)
