"""Buildings: houses, towers, churches, gabled rows, skyscrapers and windmills.

In:  a pen whose unit is the height. Out: the building on its canvas.
"""

import math

import numpy as np

from bam_engine.demo.art.palette import lighter, mix, oklch
from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.shapes import box, ellipse, limb, smooth
from bam_engine.demo.art.subjects.look import Look
from bam_engine.demo.art.subjects.masonry import bricks, door, pane_colour, roof_colour, tiles, wall_colour, window


def building(pen: Pen, look: Look) -> None:
    """Draw one building or a short row, 1 high."""
    kinds = [_house, _row, _church, _tower, _block, _windmill, _castle]
    weights = np.array([3.0, 1.7, 1.2, 1.0, 1.7, 0.6, 0.8])
    if look.scary:
        weights = np.array([3, 0.3, 2, 0.3, 0.3, 0.2, 2.5])
    kinds[int(pen.rng.choice(7, p=weights / weights.sum()))](pen, look)


def _house(pen: Pen, look: Look) -> None:
    rng = pen.rng
    wall, roof = wall_colour(pen), roof_colour(pen)
    half, high = rng.uniform(0.28, 0.42), rng.uniform(0.36, 0.52)
    crooked = rng.uniform(-0.07, 0.07) if look.scary else 0.0
    peak = -high - rng.uniform(0.24, 0.44)
    side = rng.uniform(0.18, 0.4) if rng.random() < 0.65 else 0.0
    front = half - side / 2
    left, right = -half - side / 4, -half - side / 4 + 2 * front
    if rng.random() < 0.75:
        x = rng.uniform(right - 0.02, right + side * 0.6) if side else rng.uniform(0.02, right - 0.1)
        pen.fill(box(x - 0.045, peak - 0.02, x + 0.045, -high - 0.05), lighter(wall, -0.15), swell=0.01, flow=0)
        pen.fill(box(x - 0.06, peak - 0.05, x + 0.06, peak - 0.015), lighter(wall, -0.22), swell=0.01)
        if not look.scary:
            for puff in range(4):
                pen.fill(
                    ellipse(
                        x + 0.05 * puff, peak - 0.1 - 0.07 * puff, 0.03 + 0.014 * puff, 0.025 + 0.012 * puff, count=14
                    ),
                    pen.palette.sky[1],
                    swell=0.02,
                    line=0.4,
                    lift=0,
                    opacity=0.75 - 0.15 * puff,
                )
    top = ((left + right) / 2 + crooked, peak)
    if side:
        depth = 0.06
        flank = [(right, 0), (right, -high), (right + side, -high - depth), (right + side, -depth)]
        shape = pen.fill(flank, lighter(wall, -0.14), swell=0, line=1, lift=0, flow=0.1)
        bricks(pen, shape, lighter(wall, -0.14), right, right + side, high)
        window(pen, look, right + side / 2, -high * 0.4 - depth / 2, 0.09, 0.13)
        slope = [
            (right + 0.03, -high + 0.03),
            top,
            (top[0] + side, peak - depth),
            (right + side + 0.04, -high - depth + 0.03),
        ]
        roofing = pen.fill(slope, roof, swell=0, line=1, lift=0.02, flow=1.0)
        tiles(pen, roofing, roof, top[0], right + side, peak - depth, -high)
    gable = [(left, 0), (left + crooked * 0.3, -high), top, (right + crooked * 0.3, -high), (right, 0)]
    shape = pen.fill(gable, wall, fade=lighter(wall, -0.07), swell=0.015, flow=1.57, lift=0)
    bricks(pen, shape, wall, left, right, high)
    if rng.random() < 0.3:
        for x in np.linspace(left, right, 6)[1:-1]:
            pen.stroke([(x, 0), (x, -high)], 0.014, lighter(roof, -0.1), within=shape, taper=False)
    edge = [(left - 0.05, -high + 0.05), (top[0], peak), (right + 0.05, -high + 0.05)]
    pen.fill(
        limb(np.array([edge[0], (np.array(edge[0]) + top) / 2, edge[1]]), 0.05, steps=2),
        lighter(roof, -0.05),
        swell=0.02,
    )
    pen.fill(
        limb(np.array([edge[1], (np.array(edge[2]) + top) / 2, edge[2]]), 0.05, steps=2),
        lighter(roof, 0.03),
        swell=0.02,
    )
    middle = (left + right) / 2
    wide = right - left
    door(pen, middle + float(rng.choice([-0.22, 0, 0.22])) * wide * 0.9, 0.12, 0.2, arch=rng.random() < 0.4)
    for x in (-0.27, 0.27):
        window(pen, look, middle + x * wide, -high * 0.55, 0.1, 0.13)
    if rng.random() < 0.5:
        window(pen, look, middle + crooked * 0.6, -high - 0.04, 0.09, 0.11, arch=True)
    else:
        pen.flat(ellipse(middle + crooked * 0.6, -high - 0.08, 0.05, 0.05), pane_colour(pen, look), line=0.8)
    pen.flat(box(left - 0.02, -0.02, right + 0.02, 0.005), lighter(wall, -0.25))


def _row(pen: Pen, look: Look) -> None:
    rng = pen.rng
    count = int(rng.integers(3, 6))
    pen.canvas.tell(count=count)
    wide = 1.25 / count
    for number in range(count):
        left = -0.625 + number * wide
        wall, high = wall_colour(pen), rng.uniform(0.55, 0.78)
        middle, gable = left + wide / 2, rng.uniform(0.1, 0.2)
        style = int(rng.integers(3))
        top = -high - gable
        if style == 0:
            outline = [(left, 0), (left, -high), (middle, top), (left + wide, -high), (left + wide, 0)]
        elif style == 1:
            steps = [
                (left, -high),
                (left + wide * 0.18, -high),
                (left + wide * 0.18, -high - gable * 0.45),
                (left + wide * 0.36, -high - gable * 0.45),
                (left + wide * 0.36, top),
            ]
            outline = [(left, 0), *steps, *[(2 * middle - x, y) for x, y in steps[::-1]], (left + wide, 0)]
        else:
            curve = smooth(
                [
                    (left, -high),
                    (left + wide * 0.22, -high - gable * 0.3),
                    (left + wide * 0.3, -high - gable * 0.85),
                    (middle, top),
                    (left + wide * 0.7, -high - gable * 0.85),
                    (left + wide * 0.78, -high - gable * 0.3),
                    (left + wide, -high),
                ],
                closed=False,
                steps=4,
            )
            outline = [(left, 0), *map(tuple, curve), (left + wide, 0)]
        shape = pen.fill(outline, wall, fade=lighter(wall, -0.08), swell=0.012, flow=1.57, lift=0.012)
        bricks(pen, shape, wall, left, left + wide, high)
        floors = int(rng.integers(3, 5))
        for floor in range(floors):
            for x in (-0.23, 0.23) if wide > 0.24 else (0.0,):
                if floor == 0 and x <= 0:
                    continue
                window(
                    pen,
                    look,
                    middle + x * wide,
                    -0.05 - high * floor / floors,
                    wide * 0.24,
                    high / floors * 0.55,
                    arch=style == 2 and floor == floors - 1,
                )
        door(pen, middle - (0.23 * wide if wide > 0.24 else 0), wide * 0.26, 0.16)
        window(pen, look, middle, -high + 0.02, wide * 0.18, 0.06)


def _church(pen: Pen, look: Look) -> None:
    rng = pen.rng
    wall, roof = wall_colour(pen), roof_colour(pen)
    nave = [(-0.05, 0), (-0.05, -0.34), (0.5, -0.34), (0.5, 0)]
    pen.fill(nave, lighter(wall, -0.05), swell=0.01, lift=0, flow=1.57)
    slope = pen.fill([(-0.1, -0.32), (0.04, -0.54), (0.46, -0.54), (0.55, -0.32)], roof, swell=0.01, flow=1.0)
    tiles(pen, slope, roof, -0.05, 0.5, -0.54, -0.33)
    for x in (0.14, 0.27, 0.4):
        window(pen, look, x, -0.08, 0.07, 0.14, arch=True)
    high = rng.uniform(0.52, 0.62)
    shape = pen.fill(box(-0.27, -high, 0.0, 0), wall, fade=lighter(wall, -0.07), swell=0.02, flow=1.57)
    bricks(pen, shape, wall, -0.27, 0, high)
    if rng.random() < 0.3:
        pen.fill(
            smooth(
                [
                    (-0.29, -high),
                    (-0.34, -high - 0.12),
                    (-0.2, -high - 0.24),
                    (-0.135, -0.97),
                    (-0.07, -high - 0.24),
                    (0.07, -high - 0.12),
                    (0.02, -high),
                ]
            ),
            roof,
            swell=0.12,
            gloss=0.5,
        )
    else:
        pen.fill([(-0.31, -high), (-0.135, -0.97), (0.04, -high)], roof, swell=0.05)
    pen.stroke([(-0.135, -0.95), (-0.135, -1.06)], 0.014, pen.palette.dark, taper=False)
    pen.stroke([(-0.165, -1.02), (-0.105, -1.02)], 0.014, pen.palette.dark, taper=False)
    pen.flat(ellipse(-0.135, -high + 0.09, 0.055, 0.055), (0.95, 0.93, 0.86), line=0.8)
    pen.stroke([(-0.135, -high + 0.055), (-0.135, -high + 0.09), (-0.11, -high + 0.1)], 0.01, (0.15, 0.12, 0.12))
    window(pen, look, -0.135, -0.24, 0.07, 0.12, arch=True)
    door(pen, -0.135, 0.11, 0.13, arch=True)


def _tower(pen: Pen, look: Look) -> None:
    rng = pen.rng
    stripes, wall = pen.palette.accent(rng), pen.palette.grade(oklch(0.93, 0.015, 90))
    shape = pen.fill([(-0.15, 0), (-0.1, -0.74), (0.1, -0.74), (0.15, 0)], wall, swell=0.13, flow=0.0, gloss=0.2)
    for number in range(3):
        y = -0.09 - number * 0.25
        pen.flat(box(-0.2, y - 0.12, 0.2, y), stripes, within=shape)
    for y in (-0.18, -0.42):
        window(pen, look, 0.0, y, 0.045, 0.08, arch=True)
    pen.fill(box(-0.14, -0.78, 0.14, -0.74, corner=0.01), lighter(stripes, -0.15), swell=0.02)
    pen.fill(box(-0.085, -0.88, 0.085, -0.78), oklch(0.9, 0.12, 90), swell=0.03, gloss=0.6)
    for x in (-0.03, 0.03):
        pen.flat(box(x - 0.007, -0.88, x + 0.007, -0.78), pen.palette.dark, ink=0.8)
    pen.fill(
        smooth([(-0.12, -0.87), (-0.06, -0.95), (0, -1.0), (0.06, -0.95), (0.12, -0.87)]),
        lighter(stripes, -0.08),
        swell=0.07,
    )
    pen.canvas.glow(*pen.place(0, -0.83), 0.22 * pen.size, oklch(0.97, 0.08, 95), 0.45)
    pen.fill(box(0.13, -0.16, 0.42, 0), wall, swell=0.01)
    pen.fill([(0.1, -0.15), (0.2, -0.27), (0.36, -0.27), (0.46, -0.15)], roof_colour(pen), swell=0.01)
    window(pen, look, 0.28, -0.05, 0.08, 0.07)
    door(pen, 0, 0.08, 0.11, arch=True)


def _block(pen: Pen, look: Look) -> None:
    rng = pen.rng
    count = int(rng.integers(1, 5))
    pen.canvas.tell(count=count)
    wide = 0.36 if count == 1 else 1.2 / count
    for number in rng.permutation(count):
        left = -wide * count / 2 + number * wide + rng.uniform(-0.03, 0.03)
        high = rng.uniform(0.55, 1.0) if count > 1 else rng.uniform(0.85, 1.0)
        wall = mix(wall_colour(pen), pen.palette.grade(oklch(0.6, 0.04, 240)), rng.uniform(0.2, 0.8))
        depth = wide * 0.24
        pen.fill(
            [(left + wide - depth, 0), (left + wide - depth, -high), (left + wide, -high + 0.05), (left + wide, 0)],
            lighter(wall, -0.16),
            swell=0,
            lift=0.01,
            flow=1.57,
        )
        pen.fill(
            box(left, -high, left + wide - depth, 0), wall, fade=lighter(wall, -0.06), swell=0.008, lift=0.01, flow=1.57
        )
        columns, rows = int(rng.integers(3, 6)), int(high / rng.uniform(0.075, 0.12))
        pane_wide, pane_high = (wide - depth) / columns, high / (rows + 1)
        ribbon = rng.random() < 0.3
        for row in range(rows):
            y = -0.03 - row * pane_high
            if ribbon:
                pen.flat(
                    box(left + 0.02, y - pane_high * 0.6, left + wide - depth - 0.02, y),
                    pane_colour(pen, look),
                    ink=0.4,
                )
                continue
            for column in range(columns):
                x = left + (column + 0.5) * pane_wide
                pane = pane_colour(pen, look)
                pen.flat(
                    box(x - pane_wide * 0.3, y - pane_high * 0.62, x + pane_wide * 0.3, y),
                    pane,
                    ink=0.5 if sum(pane) < 1.5 else 0,
                )
        if rng.random() < 0.5:
            pen.stroke(
                [(left + wide * 0.4, -high), (left + wide * 0.4, -high - 0.1)], 0.012, pen.palette.dark, taper=False
            )


def _windmill(pen: Pen, look: Look) -> None:
    rng = pen.rng
    wall, roof = wall_colour(pen), roof_colour(pen)
    shape = pen.fill([(-0.2, 0), (-0.12, -0.52), (0.12, -0.52), (0.2, 0)], wall, swell=0.15, flow=0.0)
    bricks(pen, shape, wall, -0.2, 0.2, 0.5)
    pen.fill(smooth([(-0.14, -0.5), (-0.12, -0.6), (0, -0.69), (0.12, -0.6), (0.14, -0.5)]), roof, swell=0.09)
    window(pen, look, 0, -0.32, 0.06, 0.08, arch=True)
    door(pen, 0, 0.09, 0.14, arch=True)
    start = rng.uniform(0, 1.57)
    sail = pen.palette.grade(oklch(0.93, 0.02, 85))
    for arm in range(4):
        own = pen.at(0, -0.6, turn=start + arm * math.pi / 2)
        own.fill(box(0.07, 0.012, 0.42, 0.1), sail, swell=0, line=0.7, lift=0.01)
        for x in np.linspace(0.07, 0.42, 7):
            own.stroke([(x, 0.012), (x, 0.1)], 0.007, roof, taper=False)
        own.fill(box(0, -0.013, 0.44, 0.013), lighter(roof, -0.1), swell=0.01, lift=0)
    pen.fill(ellipse(0, -0.6, 0.03, 0.03, count=12), pen.palette.dark, swell=0.02)


def _castle(pen: Pen, look: Look) -> None:
    rng = pen.rng
    wall, roof = mix(wall_colour(pen), pen.palette.grade(oklch(0.66, 0.02, 80)), 0.6), roof_colour(pen)

    def crown(left: float, right: float, top: float, bottom: float, shade: float) -> None:
        teeth = max(2, round((right - left) / 0.075))
        edge: list[tuple[float, float]] = []
        step = (right - left) / (2 * teeth - 1)
        for tooth in range(2 * teeth - 1):
            y = top if tooth % 2 == 0 else top + 0.045
            edge += [(left + tooth * step, y), (left + (tooth + 1) * step, y)]
        shape = pen.fill([(left, bottom), *edge, (right, bottom)], lighter(wall, shade), swell=0.03, flow=1.57)
        bricks(pen, shape, lighter(wall, shade), left, right, -top)

    crown(-0.4, 0.4, -0.36, 0.0, 0.0)
    for x, wide, high in (
        (-0.42, 0.1, rng.uniform(0.52, 0.66)),
        (0.42, 0.1, rng.uniform(0.52, 0.66)),
        (rng.uniform(-0.1, 0.1), 0.13, 0.72),
    ):
        crown(x - wide, x + wide, -high, 0.0 if abs(x) > 0.3 else -0.3, -0.04)
        pen.fill(
            [(x - wide * 1.1, -high + 0.02), (x, -high - rng.uniform(0.2, 0.27)), (x + wide * 1.1, -high + 0.02)],
            roof,
            swell=0.06,
        )
        window(pen, look, x, -high + 0.17, 0.045, 0.08, arch=True, frame=lighter(wall, -0.2))
        flag = pen.palette.accent(rng)
        pen.flat([(x, -high - 0.26), (x + 0.1, -high - 0.23), (x, -high - 0.2)], flag, line=0.5)
    door(pen, 0, 0.15, 0.15, arch=True)
    for x in (-0.2, 0.2):
        window(pen, look, x, -0.14, 0.05, 0.08, arch=True, frame=lighter(wall, -0.2))
