"""Cats: sitting, walking, curled up, from behind, and as a portrait.

In:  a pen whose unit is about the height, and how it is to look. Out: the subject on its canvas.
"""

import numpy as np

from bam_engine.demo.art.canvas import Stencil
from bam_engine.demo.art.palette import lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import ellipse, limb, smooth
from bam_engine.demo.art.subjects.look import Coat, Look, coat, eye, shut_eye

FURS = (  # ginger, grey, black, white, smoke: lightness, chroma, hue
    (0.7, 0.15, 58), (0.7, 0.15, 58), (0.72, 0.14, 62), (0.6, 0.02, 255), (0.6, 0.02, 255), (0.27, 0.015, 280),
    (0.93, 0.015, 85), (0.45, 0.03, 260),
)  # fmt: skip
KINDS = ("plain", "tabby", "tabby", "bib", "points", "patched")


def cat(pen: Pen, look: Look) -> None:
    """Draw one cat, 1 high at most."""
    fur = coat(pen, KINDS, FURS)
    poses = [_sitting, _sitting, _walking, _portrait, _curled, _behind]
    weights = np.array([1.0, 0.6, 0.6, 7.0, 0.3, 0.15])
    if look.peaceful:
        weights[4] = 1.6
    if look.happy or look.scary:
        weights[4:] = 0
    poses[int(pen.rng.choice(6, p=weights / weights.sum()))](pen, look, fur)


def cat_head(pen: Pen, look: Look, fur: Coat, *, asleep: bool = False) -> None:
    """Draw a cat's head around (0, 0), about 1.2 to each side."""
    rng = pen.rng
    wide, ear = rng.uniform(0.95, 1.12), rng.uniform(0.95, 1.3)
    dark = fur.mark if fur.kind == "points" else fur.main
    for side in (-1, 1):
        tip = (side * 0.86 * wide, -1.22 * ear)
        outer = smooth(
            [(side * 0.98 * wide, -0.28), tip, (side * 0.78 * wide, -1.16 * ear), (side * 0.2, -0.72)], steps=5
        )
        pen.fill(outer, dark, swell=0.14)
        inner = smooth([(side * 0.84 * wide, -0.5), (side * 0.8 * wide, -1.02 * ear), (side * 0.4, -0.72)], steps=5)
        pen.flat(inner, mix(fur.light, oklch(0.72, 0.09, 20), 0.55))
    skull = smooth(
        [
            (-wide, 0.06),
            (-0.86 * wide, -0.52),
            (-0.4, -0.83),
            (0, -0.85),
            (0.4, -0.83),
            (0.86 * wide, -0.52),
            (wide, 0.06),
            (0.66 * wide, 0.58),
            (0, 0.78),
            (-0.66 * wide, 0.58),
        ]
    )
    face = pen.fill(skull, fur.main, swell=0.55, flow=0.4)
    _face_marks(pen, fur, face)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.2, 0.4, 0.27, 0.21), fur.light, swell=0.12, line=0, lift=0)
    pen.fill(ellipse(0, 0.58, 0.17, 0.13), fur.light, swell=0.05, line=0, lift=0)
    iris = pen.palette.grade(oklch(0.8, 0.15, float(rng.choice([95, 120, 145, 75, 230]))))
    size, apart = rng.uniform(0.17, 0.23), rng.uniform(0.4, 0.47)
    for side in (-1, 1):
        if asleep:
            shut_eye(pen, side * apart, 0.0, 0.17)
        else:
            eye(pen, side * apart, -0.04, size, look, iris, slit=True)
    nose = smooth([(-0.12, 0.22), (0, 0.19), (0.12, 0.22), (0, 0.36)], steps=4)
    pen.fill(nose, oklch(0.62, 0.11, 20), swell=0.05, line=0.6, gloss=0.5, ink=0.25)
    line = (0.16, 0.1, 0.1)
    pen.stroke([(-0.24, 0.44), (-0.1, 0.53), (0, 0.38), (0.1, 0.53), (0.24, 0.44)], 0.05, line)
    whisker = lighter(fur.main, -0.25) if sum(fur.main) > 1.6 else lighter(fur.main, 0.4)
    for side in (-1, 1):
        for lean in (-0.14, 0.02, 0.18):
            pen.stroke(
                [(side * 0.34, 0.42), (side * 0.85, 0.36 + lean), (side * 1.32, 0.42 + lean * 1.9)],
                0.028,
                whisker,
                ink=0.8,
            )


def _face_marks(pen: Pen, fur: Coat, face: Stencil | None) -> None:
    if fur.kind == "tabby":
        for x, length in ((-0.3, 0.3), (0, 0.42), (0.3, 0.3)):
            pen.flat(limb([(x, -0.95), (x * 0.7, -0.86 + length)], [0.17, 0.05]), fur.mark, within=face)
        for side in (-1, 1):
            for y in (0.08, 0.3):
                pen.flat(limb([(side * 1.1, y), (side * 0.68, y + 0.08)], [0.14, 0.03]), fur.mark, within=face)
    if fur.kind == "patched":
        pen.flat(ellipse(-0.55, -0.4, 0.55, 0.62, turn=0.4), fur.mark, within=face)
    if fur.kind in ("bib", "patched"):
        pen.flat(smooth([(0, -0.6), (0.13, 0), (0.6, 0.6), (0, 1), (-0.6, 0.6), (-0.13, 0)]), fur.light, within=face)
    if fur.kind == "points":
        pen.flat(ellipse(0, 0.22, 0.5, 0.5), fur.mark, within=face, opacity=0.75)


def _stripes(pen: Pen, fur: Coat, body: Stencil | None, xs: list[float], top: float, depth: float) -> None:
    if fur.kind == "tabby":
        for x in xs:
            sway = pen.rng.uniform(-0.03, 0.03)
            pen.flat(
                limb([(x, top), (x + sway, top + depth * 0.5), (x - sway, top + depth)], [0.045, 0.04, 0.012]),
                fur.mark,
                within=body,
            )
    if fur.kind == "patched":
        pen.flat(ellipse(xs[0], top + depth * 0.5, 0.16, depth * 0.6, turn=0.5), fur.mark, within=body)


def _sitting(pen: Pen, look: Look, fur: Coat) -> None:
    rng = pen.rng
    fat = rng.uniform(0.85, 1.2)
    side = float(rng.choice([-1, 1]))
    tail = [(0.16 * side, -0.06), (0.42 * side, -0.05), (0.52 * side, -0.2), (0.43 * side, -0.36 - rng.uniform(0, 0.2))]
    pen.fill(limb(tail, [0.1, 0.1, 0.095, 0.07]), fur.mark if fur.kind == "points" else fur.main, swell=0.06)
    body = pen.fill(
        smooth(
            [
                (-0.15, -0.56),
                (-0.24 * fat, -0.32),
                (-0.27 * fat, -0.05),
                (-0.1, 0),
                (0.1, 0),
                (0.27 * fat, -0.05),
                (0.24 * fat, -0.32),
                (0.15, -0.56),
                (0, -0.62),
            ]
        ),
        fur.main,
        swell=0.22,
        flow=1.4,
    )
    _stripes(pen, fur, body, [-0.2 * fat, 0.2 * fat], -0.4, 0.16)
    if fur.kind in ("tabby", "bib"):
        pen.fill(
            smooth([(-0.1, -0.54), (-0.12, -0.34), (0, -0.22), (0.12, -0.34), (0.1, -0.54)]),
            fur.light,
            swell=0.05,
            line=0,
            lift=0,
        )
    for x in (-0.085, 0.085):
        pen.fill(
            limb([(x, -0.36), (x * 1.05, -0.18), (x * 1.05, -0.045)], [0.11, 0.095, 0.1]),
            fur.main,
            swell=0.06,
            lift=0.01,
        )
        pen.fill(
            ellipse(x * 1.1, -0.035, 0.066, 0.042), fur.light if fur.kind == "bib" else fur.main, swell=0.04, lift=0
        )
    lean = rng.uniform(-0.2, 0.2)
    cat_head(pen.at(0.02 * lean, -0.72, 0.205, turn=lean), look, fur)


def _legs(pen: Pen, fur: Coat, hips: tuple[float, float], top: float, thick: float, *, far: bool) -> None:
    phase = pen.rng.uniform(-1, 1)
    for number, hip in enumerate(hips):
        swing = (phase if number == 0 else -phase) * (1 if far else -1) * 0.09
        colour = lighter(fur.main, -0.09) if far else fur.main
        back = 0.05 if number == 0 else -0.01
        knee = (hip + swing * 0.5 - back * 0.4, top * 0.52)
        foot = (hip + swing + 0.005, -0.035)
        pen.fill(
            limb(
                [(hip, top), knee, (foot[0] - back * 0.3, -0.14), foot],
                [thick * 1.5, thick * 1.05, thick * 0.75, thick * 0.8],
            ),
            colour,
            swell=thick * 0.5,
            lift=0.008,
        )
        pen.fill(
            ellipse(foot[0] + 0.025, -0.026, thick * 0.62, 0.03),
            fur.light if fur.kind in ("bib", "patched") else colour,
            swell=0.03,
            lift=0,
        )


def _walking(pen: Pen, look: Look, fur: Coat) -> None:
    rng = pen.rng
    _legs(pen, fur, (-0.3, 0.27), -0.38, 0.085, far=True)
    arch = rng.uniform(0, 0.1) + (0.14 if look.scary else 0)
    lift = rng.uniform(0.2, 0.42)
    _legs(pen, fur, (-0.32, 0.26), -0.4, 0.095, far=False)
    tail = [(-0.38, -0.47), (-0.55, -0.5), (-0.62, -0.5 - lift), (-0.52 + rng.uniform(-0.2, 0.1), -0.62 - lift)]
    pen.fill(limb(tail, [0.1, 0.09, 0.08, 0.06]), fur.mark if fur.kind in ("points", "tabby") else fur.main, swell=0.05)
    body = pen.fill(
        smooth(
            [
                (-0.43, -0.42),
                (-0.36, -0.57),
                (0, -0.58 - arch),
                (0.28, -0.6),
                (0.4, -0.5),
                (0.34, -0.34),
                (0.05, -0.3),
                (-0.28, -0.3),
            ]
        ),
        fur.main,
        swell=0.2,
        flow=0.1,
    )
    _stripes(pen, fur, body, [-0.3, -0.18, -0.06, 0.07, 0.19], -0.62 - arch * 0.5, 0.2)
    pen.stroke([(-0.2, -0.5), (-0.16, -0.4), (-0.22, -0.31)], 0.014, fur.mark, ink=0.8)
    cat_head(pen.at(0.44, -0.68 + rng.uniform(-0.06, 0.12), 0.185, turn=rng.uniform(-0.15, 0.15)), look, fur)


def _portrait(pen: Pen, look: Look, fur: Coat) -> None:
    body = pen.fill(
        smooth([(-0.24, -0.4), (-0.42, -0.12), (-0.46, 0.02), (0.46, 0.02), (0.42, -0.12), (0.24, -0.4)]),
        fur.main,
        swell=0.3,
    )
    _stripes(pen, fur, body, [-0.34, -0.25, 0.25, 0.34], -0.24, 0.14)
    pen.fill(smooth([(-0.16, -0.3), (0, -0.02), (0.16, -0.3)]), fur.light, swell=0.05, line=0, lift=0)
    if pen.rng.random() < 0.4:
        pen.fill(limb([(-0.23, -0.24), (0, -0.13), (0.23, -0.24)], 0.055), pen.palette.accent(pen.rng), swell=0.03)
    cat_head(
        pen.at(0, -0.5, 0.4, turn=pen.rng.uniform(-0.1, 0.1)),
        look,
        fur,
        asleep=look.peaceful and pen.rng.random() < 0.4,
    )


def _curled(pen: Pen, look: Look, fur: Coat) -> None:
    body = pen.fill(
        smooth(
            [
                (-0.62, -0.14),
                (-0.5, -0.36),
                (-0.1, -0.47),
                (0.3, -0.4),
                (0.55, -0.2),
                (0.5, -0.02),
                (0, 0.02),
                (-0.5, 0),
            ]
        ),
        fur.main,
        swell=0.3,
        flow=0.3,
    )
    _stripes(pen, fur, body, [-0.42, -0.28, -0.14, 0.0], -0.48, 0.22)
    pen.fill(
        smooth([(-0.55, -0.1), (-0.42, -0.3), (-0.15, -0.28), (-0.08, -0.08), (-0.3, 0)]),
        fur.main,
        swell=0.18,
        line=0.7,
    )
    cat_head(pen.at(0.38, -0.2, 0.19, turn=0.25), look, fur, asleep=not look.scary)
    tail = [(-0.58, -0.1), (-0.42, 0.0), (-0.05, -0.01), (0.2, -0.04)]
    pen.fill(
        limb(tail, [0.12, 0.12, 0.11, 0.08]), fur.mark if fur.kind in ("points", "tabby") else fur.main, swell=0.06
    )


def _behind(pen: Pen, look: Look, fur: Coat) -> None:
    rng = pen.rng
    side = float(rng.choice([-1, 1]))
    for ear in (-1, 1):
        pen.fill(smooth([(ear * 0.17, -0.78), (ear * 0.17, -0.99), (ear * 0.03, -0.86)], steps=5), fur.main, swell=0.03)
    head = pen.fill(ellipse(0, -0.74, 0.2, 0.17), fur.main, swell=0.15)
    body = pen.fill(
        smooth(
            [
                (-0.14, -0.6),
                (-0.27, -0.3),
                (-0.28, -0.04),
                (0, 0.01),
                (0.28, -0.04),
                (0.27, -0.3),
                (0.14, -0.6),
                (0, -0.66),
            ]
        ),
        fur.main,
        swell=0.24,
        flow=1.5,
    )
    _stripes(pen, fur, head, [-0.08, 0.0, 0.08], -0.9, 0.12)
    _stripes(pen, fur, body, [-0.08, 0.0, 0.08], -0.6, 0.4)
    tail = [(0, -0.06), (0.25 * side, -0.02), (0.5 * side, -0.08), (0.6 * side, -0.26), (0.5 * side, -0.36)]
    pen.fill(limb(tail, [0.11, 0.11, 0.1, 0.09, 0.06]), fur.mark if fur.kind == "points" else fur.main, swell=0.06)
