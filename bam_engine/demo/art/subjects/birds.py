"""Birds: perched, flying, in a flock, owls, ducks, waders, hens and penguins.

In:  a pen whose unit is about the height, and how it is to look. Out: the subject on its canvas.
"""

import numpy as np

from bam_engine.demo.art.palette import Colour, lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import blob, ellipse, limb, petal, smooth, star
from bam_engine.demo.art.subjects.look import Look, eye, shut_eye


def bird(pen: Pen, look: Look) -> None:
    """Draw one bird, or a few, within 1 unit."""
    if look.aloft:
        _flying(pen, look)
        return
    water, cold = look.place == "sea", look.place == "snow"
    kinds = {
        _perched: 8.0,
        _owl: 0.8,
        _duck: 2.5 if water else 0.0,
        _wader: 1.5 if water else 0.2,
        _penguin: 2.0 * cold,
    }
    if look.scary:
        kinds = {_perched: 3.5, _owl: 1.8}
    weights = np.array(list(kinds.values()))
    list(kinds)[int(pen.rng.choice(len(kinds), p=weights / weights.sum()))](pen, look)


def _plumage(pen: Pen, look: Look) -> tuple[Colour, Colour, Colour]:
    rng, grade = pen.rng, pen.palette.grade
    if look.scary and rng.random() < 0.7:
        dark = grade(oklch(0.3, 0.03, 280))
        return dark, lighter(dark, -0.06), lighter(dark, 0.08)
    hue = float(rng.choice([25, 55, 90, 140, 215, 245, 265, 60, 0]))
    main = oklch(rng.uniform(0.5, 0.72), rng.uniform(0.06, 0.16), hue)
    belly = oklch(0.87, rng.uniform(0.03, 0.11), float(rng.choice([80, 50, hue])))
    wing = lighter(main, -0.13) if rng.random() < 0.7 else oklch(0.45, 0.1, hue + 60)
    return grade(main), grade(wing), grade(belly)


def _beak(pen: Pen) -> Colour:
    return pen.palette.grade(oklch(0.72, 0.15, float(pen.rng.choice([70, 55, 40]))))


def _perched(pen: Pen, look: Look) -> None:
    rng = pen.rng
    pen = pen.at(0.06, 0, 1.0)
    main, wing, belly = _plumage(pen, look)
    fat, tilt = rng.uniform(0.85, 1.25), rng.uniform(-0.25, 0.15)
    for x in (-0.03, 0.09):
        pen.stroke([(x, -0.22), (x + 0.02, -0.1), (x + 0.03, 0)], 0.028, (0.32, 0.22, 0.16), taper=False)
        for toe in (-0.06, 0.05, 0.1):
            pen.stroke([(x + 0.03, -0.01), (x + 0.03 + toe, 0.005)], 0.022, (0.32, 0.22, 0.16))
    own = pen.at(0, -0.42, turn=tilt)
    for lean in (0.0, 0.12):
        own.fill(limb([(-0.24, 0.1), (-0.5, 0.24 + lean), (-0.72, 0.3 + lean)], [0.14, 0.12, 0.06]), wing, swell=0.03)
    body = smooth(
        [
            (-0.36, 0.12),
            (-0.22, -0.14 * fat),
            (0.08, -0.22 * fat),
            (0.32, -0.1),
            (0.34, 0.06),
            (0.18, 0.24 * fat),
            (-0.1, 0.24 * fat),
        ]
    )
    trunk = own.fill(body, main, swell=0.24, flow=0.5)
    own.flat(smooth([(0.42, -0.06), (0.4, 0.4), (-0.1, 0.4), (0.0, 0.1), (0.2, -0.02)]), belly, within=trunk)
    head = own.fill(ellipse(0.27, -0.26, 0.2, 0.185), main, swell=0.18)
    style = rng.random()
    if style < 0.35:
        own.flat(smooth([(0.1, -0.28), (0.3, -0.5), (0.5, -0.3), (0.4, -0.33), (0.25, -0.33)]), wing, within=head)
    elif style < 0.55:
        for lean in (-0.5, -0.25, 0.0):
            own.fill(petal(0.2, -0.42, 0.2, 0.07, -1.9 + lean), wing, swell=0.02)
    elif style < 0.75:
        own.flat(ellipse(0.3, -0.12, 0.16, 0.15), belly, within=head)
    colour = _beak(pen)
    own.fill(smooth([(0.43, -0.31), (0.63, -0.245), (0.43, -0.2)], steps=4), colour, swell=0.04, gloss=0.4)
    own.stroke([(0.43, -0.25), (0.56, -0.245)], 0.014, lighter(colour, -0.25))
    eye(own, 0.335, -0.29, 0.042, look, (0.05, 0.05, 0.06))
    tip = (-0.42, 0.2 + rng.uniform(-0.05, 0.05))
    cover = own.fill(
        smooth([(0.12, -0.1), (0.16, 0.06), (-0.08, 0.16), tip, (-0.3, 0.0), (-0.1, -0.13)]),
        wing,
        swell=0.08,
        lift=0.02,
        flow=0.3,
    )
    for shift in (0.0, 0.07, 0.14):
        own.stroke(
            [(0.1 - shift, 0.02 + shift * 0.3), (-0.12 - shift, 0.1 + shift * 0.3), (-0.34, 0.14 + shift * 0.3)],
            0.018,
            lighter(wing, -0.14),
            within=cover,
        )


def _wing(pen: Pen, colour: Colour, span: float, turn: float, *, near: bool) -> None:
    """A raised wing from the shoulder at (0, 0): feathers that fan out backwards, and the coverts over their roots."""
    wing, feathers = pen.at(0, 0, span, turn=turn), 8
    shade = colour if near else lighter(colour, -0.07)
    for number in range(feathers):
        share = number / (feathers - 1)
        blade = petal(
            0.05 - 0.06 * share, -0.5 + 0.44 * share, 0.64 - 0.14 * share, 0.19, -1.85 - 1.15 * share, tip=0.72
        )
        wing.fill(blade, lighter(shade, -0.11 if number % 2 else -0.07), swell=0.02, line=0.8, lift=0.01)
    arm = [(0.13, 0.04), (0.16, -0.3), (0.11, -0.6), (-0.03, -0.82), (-0.12, -0.6), (-0.18, -0.32), (-0.26, -0.02)]
    cover = wing.fill(smooth(arm), shade, swell=0.09)
    for low in (-0.58, -0.4, -0.22):
        wing.stroke([(0.1, low), (-0.04, low + 0.05), (-0.2, low + 0.2)], 0.02, lighter(shade, -0.09), within=cover)


def _flying(pen: Pen, look: Look) -> None:
    rng = pen.rng
    main, wing, belly = _plumage(pen, look)
    count = 1 if look.near or rng.random() < 0.6 else 3
    pen.canvas.tell(count=count)
    spots = [(0.02, -0.24, 1.0)] if count == 1 else [(-0.3, -0.56, 0.5), (0.24, -0.34, 0.62), (-0.16, -0.04, 0.44)]
    for x, y, size in spots:
        own = pen.at(x, y, size, turn=rng.uniform(-0.3, 0.05))
        lift = rng.uniform(-0.15, 0.2)
        _wing(own.at(0.1, -0.04), wing, 0.62, 0.42 - lift, near=False)
        for turn in (2.9, 3.12, 3.34):
            own.fill(petal(-0.22, 0.02, 0.36, 0.13, turn, tip=0.8), wing, swell=0.02, lift=0.005)
        trunk = own.fill(
            smooth([(-0.32, 0.02), (-0.1, -0.11), (0.18, -0.13), (0.36, -0.03), (0.18, 0.12), (-0.12, 0.11)]),
            main,
            swell=0.12,
        )
        own.flat(smooth([(-0.2, 0.05), (0.34, 0.03), (0.3, 0.2), (-0.2, 0.2)]), belly, within=trunk)
        own.fill(ellipse(0.35, -0.08, 0.135, 0.12), main, swell=0.11)
        own.fill(smooth([(0.46, -0.12), (0.63, -0.06), (0.46, -0.03)], steps=4), _beak(pen), swell=0.02)
        eye(own, 0.38, -0.11, 0.03, look, (0.05, 0.05, 0.06))
        _wing(own.at(0.02, -0.03), wing, 0.74, -0.12 - lift, near=True)


def _owl(pen: Pen, look: Look) -> None:
    rng = pen.rng
    main, wing, belly = _plumage(pen, look)
    main = mix(main, pen.palette.grade(oklch(0.5, 0.06, 60)), 0.55)
    body = smooth(
        [(-0.28, -0.6), (-0.36, -0.3), (-0.24, -0.03), (0, 0.01), (0.24, -0.03), (0.36, -0.3), (0.28, -0.6), (0, -0.72)]
    )
    pen.fill(body, main, swell=0.3)
    chest = pen.fill(
        smooth([(-0.2, -0.52), (-0.24, -0.26), (0, -0.04), (0.24, -0.26), (0.2, -0.52)]),
        belly,
        swell=0.12,
        line=0,
        lift=0,
    )
    for row in range(4):
        for column in range(-2, 3):
            x, y = column * 0.09 + (row % 2) * 0.045, -0.46 + row * 0.1
            pen.stroke(
                [(x - 0.035, y), (x, y + 0.04), (x + 0.035, y)], 0.016, lighter(main, -0.08), within=chest, ink=0.7
            )
    for side in (-1, 1):
        pen.fill(
            smooth([(side * 0.28, -0.56), (side * 0.42, -0.3), (side * 0.3, -0.03), (side * 0.2, -0.2)]),
            wing,
            swell=0.07,
        )
        pen.fill(petal(side * 0.2, -0.82, 0.2, 0.12, -np.pi / 2 + side * 0.45), main, swell=0.03)
    pen.fill(
        smooth(
            [
                (-0.34, -0.66),
                (-0.28, -0.86),
                (0, -0.9),
                (0.28, -0.86),
                (0.34, -0.66),
                (0.2, -0.5),
                (0, -0.46),
                (-0.2, -0.5),
            ]
        ),
        main,
        swell=0.24,
    )
    size = rng.uniform(0.12, 0.15)
    iris = pen.palette.grade(oklch(0.82, 0.16, float(rng.choice([90, 75, 60]))))
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.145, -0.69, size * 1.25, size * 1.3), belly, swell=0.04, line=0.7, lift=0)
        if look.peaceful and not look.scary:
            shut_eye(pen, side * 0.145, -0.69, size * 0.7)
        else:
            pen.flat(ellipse(side * 0.145, -0.69, size * 0.82, size * 0.82), iris, line=0.6)
            eye(pen, side * 0.145, -0.69, size * 0.5, look, (0.05, 0.05, 0.06))
    pen.fill(smooth([(-0.05, -0.64), (0.05, -0.64), (0, -0.52)], steps=5), _beak(pen), swell=0.04)
    for side in (-1, 1):
        for toe in (-0.05, 0, 0.05):
            pen.fill(limb([(side * 0.12 + toe, -0.03), (side * 0.12 + toe * 1.3, 0.03)], 0.04), _beak(pen), swell=0.02)


def _duck(pen: Pen, look: Look) -> None:
    main, wing, belly = _plumage(pen, look)
    green = pen.palette.grade(oklch(0.48, 0.1, 155)) if pen.rng.random() < 0.5 else main
    pen.fill(
        smooth(
            [
                (-0.52, -0.32),
                (-0.36, -0.2),
                (-0.1, -0.25),
                (0.22, -0.24),
                (0.34, -0.1),
                (0.2, 0.02),
                (-0.25, 0.03),
                (-0.46, -0.1),
            ]
        ),
        belly if green != main else main,
        swell=0.2,
        flow=0.1,
    )
    pen.fill(limb([(0.22, -0.1), (0.3, -0.26), (0.26, -0.42)], [0.2, 0.14, 0.15]), green, swell=0.08)
    pen.fill(ellipse(0.3, -0.48, 0.13, 0.12), green, swell=0.11)
    pen.fill(smooth([(0.4, -0.5), (0.57, -0.44), (0.56, -0.4), (0.4, -0.41)], steps=5), _beak(pen), swell=0.04)
    eye(pen, 0.32, -0.51, 0.028, look, (0.05, 0.05, 0.06))
    cover = pen.fill(
        smooth([(0.12, -0.2), (0.1, -0.06), (-0.2, -0.02), (-0.46, -0.24), (-0.15, -0.26)]), wing, swell=0.07
    )
    for shift in (0.0, 0.06):
        pen.stroke(
            [(0.08, -0.12 + shift), (-0.15, -0.08 + shift), (-0.36, -0.18 + shift)],
            0.016,
            lighter(wing, -0.14),
            within=cover,
        )


def _wader(pen: Pen, look: Look) -> None:
    rng = pen.rng
    pink = pen.palette.grade(oklch(0.76, 0.12, 15))
    main, wing, _ = (pink, lighter(pink, -0.08), pink) if rng.random() < 0.5 else _plumage(pen, look)
    leg = lighter(main, -0.2)
    pen.stroke([(0.02, -0.45), (0.05, -0.22), (0.03, 0)], 0.022, leg, taper=False)
    pen.stroke(
        [(-0.04, -0.45), (-0.14, -0.3), (0.0, -0.2)] if rng.random() < 0.5 else [(-0.05, -0.45), (-0.05, 0)],
        0.022,
        leg,
        taper=False,
    )
    pen.fill(
        smooth([(-0.36, -0.44), (-0.2, -0.6), (0.05, -0.62), (0.2, -0.52), (0.08, -0.42), (-0.16, -0.4)]),
        main,
        swell=0.14,
    )
    bend = rng.uniform(0.1, 0.2)
    pen.fill(
        limb(
            [(0.13, -0.53), (0.24, -0.62), (0.13, -0.76), (0.16, -0.86 - bend * 0.3), (0.24, -0.9)],
            [0.11, 0.075, 0.055, 0.05, 0.06],
        ),
        main,
        swell=0.03,
        lift=0.005,
    )
    pen.fill(ellipse(0.25, -0.9, 0.07, 0.055), main, swell=0.05)
    pen.fill(
        smooth([(0.3, -0.92), (0.42, -0.87), (0.46, -0.78), (0.38, -0.84), (0.3, -0.87)], steps=5),
        lighter(_beak(pen), -0.1),
        swell=0.02,
    )
    eye(pen, 0.265, -0.91, 0.016, look, (0.05, 0.05, 0.06))
    pen.fill(smooth([(0.1, -0.54), (-0.05, -0.45), (-0.4, -0.42), (-0.18, -0.58)]), wing, swell=0.06)


def _penguin(pen: Pen, look: Look) -> None:
    dark = pen.palette.grade(oklch(0.32, 0.03, 262))
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.12, -0.015, 0.12, 0.045), _beak(pen), swell=0.04)
        pen.fill(
            limb([(side * 0.22, -0.58), (side * 0.36, -0.4), (side * 0.38, -0.22)], [0.12, 0.12, 0.05]),
            dark,
            swell=0.05,
        )
    pen.fill(
        smooth([(-0.17, -0.72), (-0.29, -0.35), (-0.22, -0.03), (0.22, -0.03), (0.29, -0.35), (0.17, -0.72)]),
        dark,
        swell=0.24,
    )
    pen.fill(
        smooth([(-0.1, -0.66), (-0.21, -0.32), (-0.14, -0.05), (0.14, -0.05), (0.21, -0.32), (0.1, -0.66)]),
        (0.95, 0.95, 0.93),
        swell=0.15,
        line=0,
        lift=0,
    )
    pen.fill(ellipse(0, -0.81, 0.2, 0.18), dark, swell=0.16)
    for side in (-1, 1):
        pen.flat(ellipse(side * 0.09, -0.77, 0.085, 0.1), (0.95, 0.95, 0.93))
        eye(pen, side * 0.08, -0.81, 0.034, look, (0.05, 0.05, 0.06))
    pen.fill(star(0, -0.73, 0.07, 0.045, 3, turn=np.pi), _beak(pen), swell=0.04)
    if pen.rng.random() < 0.4:
        pen.fill(limb([(-0.17, -0.63), (0, -0.58), (0.17, -0.63)], 0.085), pen.palette.accent(pen.rng), swell=0.04)
        pen.fill(blob(0.13, -0.5, 0.05, 0.11, pen.rng), pen.palette.accent(pen.rng), swell=0.03)
