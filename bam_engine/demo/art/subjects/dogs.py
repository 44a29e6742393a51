"""Dogs of many breeds: sitting, standing, running, lying, and as a portrait.

In:  a pen whose unit is about the height, and how it is to look. Out: the subject on its canvas.
"""

from dataclasses import dataclass

import numpy as np

from bam_engine.demo.art.palette import lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import blob, ellipse, limb, smooth
from bam_engine.demo.art.subjects.look import Coat, Look, coat, eye, shut_eye

FURS = (  # brown, golden, chocolate, fox, sand, black, white: lightness, chroma, hue
    (0.5, 0.09, 55), (0.5, 0.09, 55), (0.74, 0.11, 75), (0.74, 0.11, 75), (0.36, 0.06, 45), (0.6, 0.12, 50),
    (0.82, 0.06, 78), (0.28, 0.015, 280), (0.93, 0.02, 85),
)  # fmt: skip
KINDS = ("plain", "plain", "patched", "saddle", "mask", "spotted")


@dataclass(frozen=True)
class Breed:
    """Proportions: length of leg, body and snout, the ears' shape, how woolly the fur."""

    leg: float
    body: float
    snout: float
    ears: str
    wool: float
    tail: str


_BREEDS = (
    Breed(1.0, 1.0, 1.0, "floppy", 0.0, "long"),
    Breed(0.45, 1.25, 1.15, "floppy", 0.0, "long"),
    Breed(1.05, 0.95, 1.15, "pricked", 0.1, "bushy"),
    Breed(0.85, 0.8, 0.45, "folded", 0.0, "short"),
    Breed(0.8, 0.8, 0.75, "woolly", 0.9, "pompon"),
    Breed(1.25, 0.95, 1.25, "folded", 0.0, "long"),
    Breed(0.6, 1.0, 0.8, "pricked", 0.2, "bushy"),
    Breed(0.9, 0.95, 0.85, "woolly", 0.5, "bushy"),
)


def dog(pen: Pen, look: Look) -> None:
    """Draw one dog, 1 high at most."""
    rng = pen.rng
    breed = _BREEDS[int(rng.integers(len(_BREEDS)))]
    fur = coat(pen, KINDS, FURS)
    weights = np.array([0.9, 1.8, 0.4, 0.4, 6.5])
    if look.peaceful:
        weights[3] = 2
    if look.happy:
        weights[2] = 1
    if look.scary:
        weights = np.array([0.5, 1.5, 0.5, 0, 6.0])
    pose = (_sitting, _standing, _running, _lying, _portrait)[int(rng.choice(5, p=weights / weights.sum()))]
    if pose is _portrait and breed.ears == "pricked" and rng.random() < 0.75:
        breed = _BREEDS[int(rng.choice([0, 1, 7]))]  # near to, a dog is mostly its ears
    pose(pen, look, breed, fur)


def _ears(pen: Pen, breed: Breed, fur: Coat, *, front: bool) -> None:
    colour = fur.mark if fur.kind in ("mask", "patched", "saddle") else lighter(fur.main, -0.06)
    for side in (-1, 1):
        if breed.ears == "pricked" and not front:
            points = smooth(
                [(side * 0.9, -0.35), (side * 0.95, -1.35), (side * 0.8, -1.38), (side * 0.22, -0.75)], steps=5
            )
            pen.fill(points, colour, swell=0.14)
            pen.flat(
                smooth([(side * 0.8, -0.6), (side * 0.82, -1.15), (side * 0.42, -0.78)], steps=5),
                mix(colour, oklch(0.7, 0.08, 25), 0.5),
            )
        elif breed.ears == "folded" and front:
            points = smooth(
                [(side * 0.4, -0.85), (side * 0.95, -0.78), (side * 1.18, -0.2), (side * 0.82, -0.38)], steps=5
            )
            pen.fill(points, colour, swell=0.12)
        elif breed.ears == "floppy" and front:
            points = smooth(
                [
                    (side * 0.48, -0.84),
                    (side * 1.04, -0.74),
                    (side * 1.36, 0.05),
                    (side * 1.3, 0.8),
                    (side * 0.9, 0.72),
                    (side * 0.74, -0.2),
                ],
                steps=5,
            )
            pen.fill(points, colour, swell=0.16)
        elif breed.ears == "woolly" and front:
            pen.fill(blob(side * 0.98, 0.05, 0.34, 0.62, pen.rng, rough=0.12, knots=12), colour, swell=0.25)


def dog_head(pen: Pen, look: Look, breed: Breed, fur: Coat, *, asleep: bool = False) -> None:
    """Draw a dog's head from the front around (0, 0), about 1.2 to each side."""
    rng = pen.rng
    _ears(pen, breed, fur, front=False)
    snout = 0.5 + 0.5 * breed.snout
    skull = smooth(
        [
            (-0.86, -0.1),
            (-0.74, -0.62),
            (-0.3, -0.88),
            (0.3, -0.88),
            (0.74, -0.62),
            (0.86, -0.1),
            (0.66, 0.4),
            (0.4, 0.55 + 0.25 * snout),
            (0, 0.66 + 0.3 * snout),
            (-0.4, 0.55 + 0.25 * snout),
            (-0.66, 0.4),
        ]
    )
    face = pen.fill(skull, fur.main, swell=0.5, flow=1.3)
    if breed.wool > 0.4:
        pen.fill(blob(0, -0.72, 0.62, 0.34, rng, rough=0.14, knots=11), fur.main, swell=0.25, line=0.8)
    if fur.kind == "patched":
        pen.flat(ellipse(-0.48, -0.2, 0.42, 0.5), fur.mark, within=face)
    elif fur.kind == "mask":
        pen.flat(ellipse(0, 0.5, 0.75, 0.6), fur.mark, within=face, opacity=0.85)
    elif fur.kind == "saddle":
        pen.flat(smooth([(0, -0.25), (0.9, -0.35), (0.9, -1.2), (-0.9, -1.2), (-0.9, -0.35)]), fur.mark, within=face)
    muzzle = mix(fur.light, fur.mark, 0.6) if fur.kind == "mask" else fur.light
    if rng.random() < 0.35 or look.happy:
        pen.fill(
            limb([(0.03, 0.66), (0.05, 0.95), (0.06, 1.12)], [0.22, 0.3, 0.24]),
            oklch(0.66, 0.15, 15),
            swell=0.1,
            line=0.8,
        )
    pen.fill(ellipse(0, 0.42, 0.44, 0.38 * snout), muzzle, swell=0.25, line=0.5, lift=0.03)
    line = (0.14, 0.09, 0.09)
    pen.stroke([(-0.34, 0.56), (-0.16, 0.7), (0, 0.58), (0.16, 0.7), (0.34, 0.56)], 0.06, line)
    pen.stroke([(0, 0.3), (0, 0.6)], 0.05, line)
    pen.fill(
        smooth([(-0.2, 0.16), (0, 0.1), (0.2, 0.16), (0.1, 0.33), (-0.1, 0.33)], steps=5),
        (0.11, 0.09, 0.1),
        swell=0.1,
        gloss=0.8,
        ink=0.9,
    )
    for side in (-1, 1):
        if asleep:
            shut_eye(pen, side * 0.38, -0.12, 0.15)
        else:
            eye(pen, side * 0.38, -0.14, 0.135, look, (0.1, 0.07, 0.06))
        brow = -0.12 if look.gloomy else (0.12 if look.scary else 0.0)
        pen.stroke(
            [(side * 0.24, -0.4 + brow), (side * 0.4, -0.42), (side * 0.52, -0.36 - brow)],
            0.05,
            lighter(fur.main, -0.2),
            ink=0.6,
        )
    if look.scary:
        for side in (-1, 1):
            pen.fill(
                [(side * 0.1, 0.62), (side * 0.2, 0.62), (side * 0.15, 0.84)], (0.95, 0.93, 0.85), swell=0.02, line=0.6
            )
    _ears(pen, breed, fur, front=True)


def _tail(pen: Pen, breed: Breed, fur: Coat, x: float, y: float) -> None:
    up = pen.rng.uniform(0.12, 0.34)
    if breed.tail == "short":
        pen.fill(limb([(x, y), (x - 0.09, y - 0.09)], [0.08, 0.05]), fur.main, swell=0.04)
    elif breed.tail == "pompon":
        pen.fill(limb([(x, y), (x - 0.12, y - 0.18)], 0.04), fur.main, swell=0.02)
        pen.fill(blob(x - 0.14, y - 0.22, 0.085, 0.085, pen.rng), fur.main, swell=0.08)
    else:
        thick = 0.13 if breed.tail == "bushy" else 0.065
        line = [(x, y), (x - 0.14, y - 0.06), (x - 0.24, y - up), (x - 0.18, y - up - 0.14)]
        pen.fill(limb(line, [thick * 0.8, thick, thick, thick * 0.4]), fur.main, swell=thick * 0.5)


def _legs(pen: Pen, breed: Breed, fur: Coat, xs: tuple[float, float], top: float, swing: float, *, far: bool) -> None:
    colour = lighter(fur.main, -0.1) if far else fur.main
    for number, x in enumerate(xs):
        step = swing * (1 if number else -1)
        foot = x + step
        bend = -0.045 if number == 0 else 0.01
        thick = 0.1 + 0.05 * breed.wool
        line = [(x, top), (x + step * 0.3 - bend, top * 0.55), (foot + bend, top * 0.27), (foot, -0.03)]
        pen.fill(limb(line, [thick * 1.6, thick * 1.1, thick * 0.72, thick * 0.72]), colour, swell=0.06, lift=0.008)
        paw = fur.light if fur.kind in ("patched", "spotted") else colour
        pen.fill(ellipse(foot + 0.03, -0.028, 0.068, 0.034), paw, swell=0.03, lift=0)


def _body(pen: Pen, breed: Breed, fur: Coat, half: float, top: float, bottom: float) -> None:
    wool = breed.wool
    middle = (top + bottom) / 2
    outline = smooth(
        [
            (-half - 0.05, middle),
            (-half + 0.06, top + 0.01),
            (0, top + 0.035),
            (half - 0.08, top - 0.03),
            (half + 0.07, middle - 0.03),
            (half - 0.04, bottom + 0.03),
            (0, bottom - 0.01),
            (-half + 0.1, bottom - 0.05),
        ]
    )
    if wool > 0.4:
        for x in np.linspace(-half, half, 6):
            pen.fill(blob(x, middle, 0.17, (bottom - top) * 0.56, pen.rng, rough=0.1, knots=12), fur.main, swell=0.12)
    trunk = pen.fill(outline, fur.main, swell=0.2, flow=0.1, line=0.0 if wool > 0.4 else 1.0)
    if fur.kind == "saddle":
        pen.flat(
            smooth([(-half - 0.1, top - 0.05), (half * 0.7, top - 0.08), (half * 0.4, middle), (-half, middle + 0.03)]),
            fur.mark,
            within=trunk,
        )
    elif fur.kind in ("patched", "spotted"):
        spots = 3 if fur.kind == "patched" else 14
        for _ in range(spots):
            size = pen.rng.uniform(0.09, 0.17) if spots == 3 else pen.rng.uniform(0.015, 0.04)
            pen.flat(
                blob(pen.rng.uniform(-half, half), pen.rng.uniform(top, bottom), size, size, pen.rng),
                fur.mark,
                within=trunk,
            )


def _collar(pen: Pen, points: list[tuple[float, float]]) -> None:
    if pen.rng.random() < 0.5:
        pen.fill(limb(points, 0.045), pen.palette.accent(pen.rng), swell=0.02, gloss=0.4)


def _standing(pen: Pen, look: Look, breed: Breed, fur: Coat) -> None:
    rng = pen.rng
    half, tall = 0.3 * breed.body, 0.2 + 0.24 * breed.leg
    top = -tall - 0.25
    swing = rng.uniform(-0.07, 0.09)
    _legs(pen, breed, fur, (-half + 0.05, half - 0.06), -tall, -swing, far=True)
    _tail(pen, breed, fur, -half, top + 0.07)
    _legs(pen, breed, fur, (-half + 0.02, half - 0.03), -tall, swing, far=False)
    _body(pen, breed, fur, half, top, -tall + 0.06)
    neck = (half + 0.13, top - 0.17)
    pen.fill(limb([(half - 0.08, top + 0.1), neck], [0.25, 0.2]), fur.main, swell=0.11, line=0.6)
    _collar(pen, [(half - 0.06, top - 0.06), (half + 0.05, top), (half + 0.15, top - 0.01)])
    _head_side(pen.at(half + 0.17, top - 0.22, 0.2, turn=rng.uniform(-0.25, 0.2)), look, breed, fur)


def _head_side(pen: Pen, look: Look, breed: Breed, fur: Coat, *, asleep: bool = False) -> None:
    """Draw the head from the side, looking right, about 1 in radius."""
    if breed.snout < 0.6 or pen.rng.random() < 0.3:
        dog_head(pen, look, breed, fur, asleep=asleep)
        return
    reach = 0.75 + 0.6 * breed.snout
    dark = fur.mark if fur.kind in ("mask", "patched", "saddle") else lighter(fur.main, -0.06)
    if breed.ears == "pricked":
        pen.fill(smooth([(-0.55, -0.5), (-0.55, -1.4), (-0.42, -1.42), (0.02, -0.72)], steps=5), dark, swell=0.12)
    skull = smooth(
        [
            (-0.8, 0),
            (-0.62, -0.58),
            (-0.1, -0.8),
            (0.36, -0.52),
            (0.55, -0.24),
            (reach, -0.12),
            (reach + 0.1, 0.1),
            (reach - 0.06, 0.34),
            (0.5, 0.48),
            (0.05, 0.6),
            (-0.5, 0.55),
        ]
    )
    face = pen.fill(skull, fur.main, swell=0.4, flow=0.2)
    if fur.kind == "mask":
        pen.flat(ellipse(reach, 0.15, 0.7, 0.5), fur.mark, within=face, opacity=0.8)
    elif fur.kind in ("patched", "saddle"):
        pen.flat(ellipse(-0.1, -0.55, 0.5, 0.5), fur.mark, within=face)
    pen.fill(ellipse(reach + 0.04, -0.05, 0.14, 0.12), (0.1, 0.08, 0.09), swell=0.1, gloss=0.8, ink=0.9)
    if look.happy:
        pen.fill(
            limb([(reach - 0.25, 0.34), (reach - 0.2, 0.62), (reach - 0.24, 0.75)], [0.16, 0.2, 0.14]),
            oklch(0.66, 0.15, 15),
            swell=0.07,
        )
    pen.stroke([(reach, 0.2), (reach - 0.3, 0.3), (0.45, 0.22)], 0.055, (0.14, 0.09, 0.09))
    if asleep:
        shut_eye(pen, 0.22, -0.28, 0.14)
    else:
        eye(pen, 0.22, -0.3, 0.12, look, (0.1, 0.07, 0.06))
    if breed.ears == "woolly":
        pen.fill(blob(-0.42, -0.05, 0.32, 0.58, pen.rng, knots=12), dark, swell=0.22)
        pen.fill(blob(-0.15, -0.75, 0.42, 0.3, pen.rng, knots=11), fur.main, swell=0.2)
    elif breed.ears == "folded":
        pen.fill(smooth([(-0.42, -0.7), (0.0, -0.6), (0.06, -0.1), (-0.28, -0.3)], steps=5), dark, swell=0.12)
    elif breed.ears == "floppy":
        pen.fill(
            smooth([(-0.5, -0.6), (-0.08, -0.52), (0.0, 0.2), (-0.2, 0.68), (-0.52, 0.5), (-0.6, 0)], steps=5),
            dark,
            swell=0.16,
        )


def _running(pen: Pen, look: Look, breed: Breed, fur: Coat) -> None:
    half, tall = 0.34 * breed.body, 0.24 + 0.16 * breed.leg
    top = -tall - 0.25
    tilted = pen.at(0, -0.04, turn=pen.rng.uniform(-0.14, 0.02))
    _legs(tilted, breed, fur, (-half + 0.05, half - 0.06), -tall, 0.2, far=True)
    _tail(tilted, breed, fur, -half, top + 0.06)
    _legs(tilted, breed, fur, (-half + 0.02, half - 0.03), -tall, 0.28, far=False)
    _body(tilted, breed, fur, half, top, -tall + 0.04)
    tilted.fill(
        limb([(half - 0.08, top + 0.1), (half + 0.15, top - 0.09)], [0.25, 0.2]), fur.main, swell=0.11, line=0.6
    )
    _collar(tilted, [(half - 0.02, top - 0.07), (half + 0.06, top + 0.0), (half + 0.13, top + 0.02)])
    _head_side(tilted.at(half + 0.22, top - 0.13, 0.2, turn=-0.05), look, breed, fur)


def _sitting(pen: Pen, look: Look, breed: Breed, fur: Coat) -> None:
    rng = pen.rng
    side = float(rng.choice([-1, 1]))
    pen.fill(
        limb([(0.15 * side, -0.05), (0.36 * side, -0.04), (0.46 * side, -0.16)], [0.1, 0.09, 0.05]),
        fur.main,
        swell=0.05,
    )
    for x in (-0.2, 0.2):
        pen.fill(ellipse(x, -0.13, 0.14, 0.15), fur.main, swell=0.12)
        pen.fill(ellipse(x * 1.25, -0.03, 0.1, 0.04), fur.main, swell=0.04)
    trunk = pen.fill(
        smooth([(-0.16, -0.58), (-0.22, -0.38), (-0.2, -0.08), (0, -0.02), (0.2, -0.08), (0.22, -0.38), (0.16, -0.58)]),
        fur.main,
        swell=0.2,
        flow=1.4,
    )
    if fur.kind in ("patched", "saddle", "spotted"):
        pen.flat(ellipse(-0.14, -0.3, 0.12, 0.16), fur.mark, within=trunk)
    pen.fill(
        smooth([(-0.1, -0.56), (-0.11, -0.36), (0, -0.22), (0.11, -0.36), (0.1, -0.56)]),
        fur.light,
        swell=0.06,
        line=0,
        lift=0,
    )
    for x in (-0.095, 0.095):
        pen.fill(limb([(x, -0.4), (x, -0.2), (x * 1.05, -0.04)], [0.13, 0.1, 0.1]), fur.main, swell=0.06)
        pen.fill(
            ellipse(x * 1.1, -0.03, 0.075, 0.042), fur.light if fur.kind != "plain" else fur.main, swell=0.04, lift=0
        )
    _collar(pen, [(-0.15, -0.56), (0, -0.5), (0.15, -0.56)])
    dog_head(pen.at(0, -0.72, 0.22, turn=rng.uniform(-0.25, 0.25)), look, breed, fur)


def _lying(pen: Pen, look: Look, breed: Breed, fur: Coat) -> None:
    pen.fill(limb([(-0.5, -0.1), (-0.66, -0.04), (-0.78, -0.1)], [0.1, 0.08, 0.05]), fur.main, swell=0.05)
    trunk = pen.fill(
        smooth([(-0.55, -0.1), (-0.45, -0.32), (-0.1, -0.34), (0.3, -0.36), (0.4, -0.15), (0.25, 0), (-0.45, 0.01)]),
        fur.main,
        swell=0.22,
    )
    if fur.kind in ("patched", "saddle", "spotted"):
        pen.flat(ellipse(-0.15, -0.3, 0.24, 0.12), fur.mark, within=trunk)
    pen.fill(
        smooth([(-0.52, -0.04), (-0.42, -0.24), (-0.2, -0.2), (-0.16, -0.02), (-0.4, 0.01)]),
        fur.main,
        swell=0.12,
        line=0.7,
    )
    for shift in (0.0, 0.08):
        pen.fill(
            limb(
                [(0.18, -0.08 + shift * 0.4), (0.5, -0.05 + shift * 0.3), (0.68 + shift, -0.035 + shift * 0.3)],
                [0.1, 0.085, 0.085],
            ),
            fur.main,
            swell=0.05,
        )
    _head_side(pen.at(0.44, -0.26, 0.2, turn=0.1), look, breed, fur, asleep=look.peaceful and not look.scary)


def _portrait(pen: Pen, look: Look, breed: Breed, fur: Coat) -> None:
    pen.fill(
        smooth([(-0.22, -0.42), (-0.4, -0.12), (-0.44, 0.02), (0.44, 0.02), (0.4, -0.12), (0.22, -0.42)]),
        fur.main,
        swell=0.3,
        flow=1.3,
    )
    pen.fill(smooth([(-0.17, -0.3), (0, 0.0), (0.17, -0.3)]), fur.light, swell=0.05, line=0, lift=0)
    _collar(pen, [(-0.26, -0.24), (0, -0.13), (0.26, -0.24)])
    dog_head(
        pen.at(0, -0.53, 0.4, turn=pen.rng.uniform(-0.12, 0.12)),
        look,
        breed,
        fur,
        asleep=look.peaceful and pen.rng.random() < 0.3,
    )
