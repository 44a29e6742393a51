"""What stands about in a scene to set its mood, behind the subjects: graves, thorns, webs, cloud banks, bunting, reeds.

In:  a canvas with its setting. Out: the same canvas. The mood can be told by these forms alone, in any medium. Nothing
here is one of the attributes.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

from bam_engine.demo.art.canvas import Canvas
from bam_engine.demo.art.grounds import Setting
from bam_engine.demo.art.palette import lighter, mix, oklch
from bam_engine.demo.art.shapes import blob, box, ellipse, frill, jagged, limb, petal, smooth

Omen = Callable[[Canvas, Setting], None]


def omens(canvas: Canvas, setting: Setting, place: str) -> None:
    """Set one or two signs of each mood into the scene; ``place`` is the setting's name."""
    for mood in sorted(canvas.moods):
        outside, inside = _OMENS[mood]
        choice = outside if setting.open_air else inside
        choice = tuple(omen for omen in choice if _fits(omen, place))
        for number in canvas.rng.permutation(len(choice))[: 2 if mood == "scary" else 1]:
            choice[int(number)](canvas, setting)


def _graves(canvas: Canvas, setting: Setting) -> None:
    """Crooked stones and crosses on the ground."""
    rng = canvas.rng
    stone = canvas.palette.grade(oklch(0.5, 0.015, 240))
    for _ in range(int(rng.integers(3, 7))):
        size = rng.uniform(0.06, 0.12) * canvas.unit
        x, y = rng.uniform(0.02, 0.98) * canvas.wide, (setting.floor - rng.uniform(0.0, 0.16)) * canvas.high
        lean = rng.uniform(-0.22, 0.22) * size
        shade = lighter(stone, rng.uniform(-0.12, 0.06))
        if rng.random() < 0.5:
            slab = [(x - size * 0.4, y), (x - size * 0.4 + lean, y - size), (x + lean, y - size * 1.4)]
            slab += [(x + size * 0.4 + lean, y - size), (x + size * 0.4, y)]
            canvas.paint([smooth(slab, steps=4)], shade, swell=size * 0.12, lift=3)
        else:
            canvas.paint([limb([(x, y), (x + lean, y - size * 1.5)], size * 0.2, round_ends=False)], shade, swell=3)
            arm = [(x - size * 0.4 + lean * 0.7, y - size), (x + size * 0.4 + lean * 0.7, y - size * 1.05)]
            canvas.paint([limb(arm, size * 0.2, round_ends=False)], shade, swell=3)


def _thorns(canvas: Canvas, setting: Setting) -> None:
    """Brambles that reach in from the edges."""
    rng, dark = canvas.rng, lighter(canvas.palette.dark, -0.08)
    for _ in range(int(rng.integers(3, 6))):
        left = rng.random() < 0.5
        x, y = (-4.0 if left else canvas.wide + 4.0), rng.uniform(0.1, 1.0) * canvas.high
        reach = rng.uniform(0.2, 0.42) * canvas.unit * (1 if left else -1)
        bend = rng.uniform(-0.25, 0.25, 3) * canvas.unit
        spine = np.array(
            [(x, y), (x + reach * 0.4, y + bend[0]), (x + reach * 0.75, y + bend[1]), (x + reach, y + bend[2])]
        )
        canvas.paint([limb(spine, [9, 7, 4, 1.0])], dark, line=0, ink=0.9, swell=3)
        line = smooth(spine, closed=False)
        for number in range(2, len(line) - 2, 2):
            along = line[number + 1] - line[number - 1]
            side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) * (1 if number % 4 else -1)
            tip = line[number] + side * canvas.unit * 0.03
            canvas.paint([np.array([line[number - 1], tip, line[number + 1]])], dark, line=0, ink=0.9)


def _web(canvas: Canvas, setting: Setting) -> None:
    """A spider's web in an upper corner."""
    rng = canvas.rng
    right, reach = rng.random() < 0.5, rng.uniform(0.3, 0.46) * canvas.unit
    corner = np.array([canvas.wide if right else 0.0, 0.0])
    thread = mix(canvas.palette.sky[1], (0.9, 0.9, 0.9), 0.6)
    turns = np.linspace(0.0, math.pi / 2, 6)
    spokes = np.stack([np.cos(turns) * (-1 if right else 1), np.sin(turns)], axis=1)
    for spoke in spokes:
        canvas.paint([limb([corner, corner + spoke * reach * 1.1], 1.1)], thread, line=0, ink=0.8)
    for share in (0.3, 0.5, 0.72, 0.95):
        ring = [corner + spoke * reach * share for spoke in spokes]
        for first, second in itertools.pairwise(ring):
            middle = (first + second) / 2 * 0.93 + corner * 0.07
            canvas.paint([limb([first, middle, second], 1.0, steps=3)], thread, line=0, ink=0.7)


def _eyes(canvas: Canvas, setting: Setting) -> None:
    """Pairs of eyes that watch from the dark."""
    rng, glowing = canvas.rng, oklch(0.87, 0.18, float(canvas.rng.choice([60, 100, 30])))
    for _ in range(int(rng.integers(3, 7))):
        size = rng.uniform(0.012, 0.024) * canvas.unit
        x, y = rng.uniform(0.04, 0.96) * canvas.wide, rng.uniform(0.08, 0.75) * canvas.high
        dark = blob(x, y, size * 5, size * 3.4, rng, rough=0.2)
        canvas.paint([dark], lighter(canvas.palette.dark, -0.1), line=0, ink=0.85, opacity=0.85)
        for side in (-1.5, 1.5):
            canvas.paint([ellipse(x + side * size, y, size, size * 0.7, count=12)], glowing, line=0)
            canvas.paint(
                [ellipse(x + side * size, y, size * 0.25, size * 0.6, count=8)], (0.03, 0.02, 0.03), line=0, ink=1
            )


def _lightning(canvas: Canvas, setting: Setting) -> None:
    """A bolt from the upper edge."""
    rng = canvas.rng
    x, low = rng.uniform(0.15, 0.85) * canvas.wide, setting.horizon * canvas.high * rng.uniform(0.7, 1.0)
    path = jagged([(0.0, x), (low, x + rng.uniform(-0.2, 0.2) * canvas.wide)], rng, amount=canvas.unit * 0.06, times=3)[
        :, ::-1
    ]
    wide = np.linspace(canvas.unit * 0.014, 1.0, len(path)).tolist()
    canvas.glow(float(path[4, 0]), float(path[4, 1]), canvas.unit * 0.25, (0.9, 0.9, 1.0), 0.4)
    canvas.paint([limb(path, wide, steps=1, round_ends=False)], (0.97, 0.96, 0.9), line=0.6)


def _cracks(canvas: Canvas, setting: Setting) -> None:
    """Cracks that run through whatever is behind."""
    rng, dark = canvas.rng, lighter(canvas.palette.dark, -0.1)
    for _ in range(3):
        start = np.array([rng.uniform(0, 1) * canvas.wide, 0.0])
        end = start + np.array([rng.uniform(-0.3, 0.3) * canvas.wide, rng.uniform(0.3, 0.7) * canvas.high])
        path = jagged(np.stack([start[::-1], end[::-1]]), rng, amount=canvas.unit * 0.05, times=4)[:, ::-1]
        wide = np.linspace(4.5, 0.8, len(path)).tolist()
        canvas.paint([limb(path, wide, steps=1, round_ends=False)], dark, line=0, ink=0.95)


def _bank(canvas: Canvas, setting: Setting) -> None:
    """Low, heavy clouds from edge to edge."""
    rng = canvas.rng
    grey = mix(canvas.palette.sky[0], (0.3, 0.32, 0.36), 0.55)
    for number in range(9):
        x, y = (number + rng.uniform(-0.3, 0.3)) / 8 * canvas.wide, rng.uniform(-0.02, 0.13) * canvas.high
        shade, size = lighter(grey, rng.uniform(-0.09, 0.06)), rng.uniform(0.13, 0.2) * canvas.unit
        canvas.paint([frill(x, y, size * 1.4, size * 0.75, rng, lobes=9)], shade, swell=size * 0.4, ink=0.3, line=0.8)


def _puddles(canvas: Canvas, setting: Setting) -> None:
    """Puddles with rings of drops in them."""
    rng = canvas.rng
    for _ in range(int(rng.integers(3, 6))):
        x, y = rng.uniform(0, 1) * canvas.wide, rng.uniform(setting.floor - 0.05, 1.0) * canvas.high
        wide = rng.uniform(0.08, 0.18) * canvas.unit
        canvas.paint(
            [blob(x, y, wide, wide * 0.24, rng)], mix(canvas.palette.sky[1], canvas.palette.dark, 0.35), line=0.7
        )
        outer, inner = ellipse(x, y, wide * 0.4, wide * 0.09), ellipse(x, y, wide * 0.34, wide * 0.07)[::-1]
        canvas.paint([outer, inner], lighter(canvas.palette.sky[1], 0.1), line=0, ink=0.5)


def _wilted(canvas: Canvas, setting: Setting) -> None:
    """Withered stalks that hang their heads."""
    rng, brown = canvas.rng, canvas.palette.grade(oklch(0.38, 0.03, 70))
    for _ in range(int(rng.integers(6, 12))):
        x, high = rng.uniform(0, 1) * canvas.wide, rng.uniform(0.12, 0.26) * canvas.unit
        base, way = canvas.high * rng.uniform(0.94, 1.03), float(rng.choice([-1, 1]))
        spine = [(x, base), (x + way * high * 0.05, base - high), (x + way * high * 0.3, base - high * 1.05)]
        spine.append((x + way * high * 0.42, base - high * 0.7))
        canvas.paint([limb(spine, [2.6, 2.0, 1.6, 1.2])], brown, line=0, ink=0.8)
        canvas.paint([petal(*spine[-1], high * 0.2, high * 0.08, 1.57)], lighter(brown, -0.05), line=0.5, ink=0.6)


def _drips(canvas: Canvas, setting: Setting) -> None:
    """Streaks of wet that run down from the upper edge."""
    rng = canvas.rng
    dark = mix(canvas.palette.wall[1], canvas.palette.dark, 0.5)
    for _ in range(int(rng.integers(14, 30))):
        x, long = rng.uniform(0, 1) * canvas.wide, rng.uniform(0.1, 0.65) * canvas.high
        line = [(x, -4), (x + rng.uniform(-4, 4), long * 0.5), (x + rng.uniform(-6, 6), long)]
        canvas.paint([limb(line, [1.8, 1.4, 2.8])], dark, line=0, opacity=0.7, ink=0.45)


def _bunting(canvas: Canvas, setting: Setting) -> None:
    """A string of flags."""
    rng, palette = canvas.rng, canvas.palette
    for row in range(int(rng.integers(1, 3))):
        sag, start = rng.uniform(0.06, 0.12), 0.03 + row * 0.11
        shares = (np.arange(13) + 0.5) / 13
        ys = (start + sag * 4 * shares * (1 - shares)) * canvas.high
        rope = np.stack([shares * canvas.wide * 1.08 - 0.04 * canvas.wide, ys], axis=1)
        canvas.paint([limb(rope, 1.2, steps=2)], lighter(palette.dark, 0.2), line=0, ink=0.8)
        half, drop = canvas.wide * 0.03, canvas.unit * 0.085
        for x, y in rope:
            flag = np.array([[x - half, y], [x + half, y], [x, y + drop]])
            canvas.paint([flag], palette.accent(rng), line=0.8, swell=2, lift=3)


def _balloons(canvas: Canvas, setting: Setting) -> None:
    """Toy balloons on strings."""
    rng, palette = canvas.rng, canvas.palette
    for _ in range(int(rng.integers(5, 10))):
        x, y = rng.uniform(0.05, 0.95) * canvas.wide, rng.uniform(0.05, 0.42) * canvas.high
        size = rng.uniform(0.03, 0.055) * canvas.unit
        string = limb([(x, y + size), (x + size * 0.4, y + size * 2.2), (x, y + size * 3.4)], 1.2)
        canvas.paint([string], lighter(palette.dark, 0.2), line=0, ink=0.6)
        skin = smooth([(x, y + size * 1.25), (x - size, y), (x, y - size * 1.15), (x + size, y)])
        canvas.paint([skin], palette.accent(rng), swell=size, gloss=0.9, line=0.8, lift=2)


def _rays(canvas: Canvas, setting: Setting) -> None:
    """Rays of a sun that stands in a corner."""
    rng = canvas.rng
    x, y = float(rng.choice([0.08, 0.92])) * canvas.wide, 0.09 * canvas.high
    sun, radius = canvas.palette.grade(oklch(0.93, 0.13, 92)), 0.14 * canvas.unit
    for number in range(16):
        turn, long = number * math.pi / 8, radius * (1.75 if number % 2 else 2.2)
        way, side = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
        start = np.array([x, y]) + way * radius * 1.15
        beam = np.array([start - side * radius * 0.1, np.array([x, y]) + way * long, start + side * radius * 0.1])
        canvas.paint([beam], sun, line=0.7)
    canvas.paint([ellipse(x, y, radius, radius, count=40)], sun, line=0.9, swell=radius * 0.5)


def _strata(canvas: Canvas, setting: Setting) -> None:
    """Long level lines of mist or cloud."""
    rng, palette = canvas.rng, canvas.palette
    for _ in range(int(rng.integers(5, 10))):
        x, y = rng.uniform(0.1, 0.9) * canvas.wide, rng.uniform(0.12, 0.85) * setting.horizon * canvas.high
        half = rng.uniform(0.18, 0.45) * canvas.wide
        line = limb([(x - half, y), (x, y - 1.0), (x + half, y)], [0.8, canvas.unit * 0.012, 0.8])
        canvas.paint([line], mix(palette.sky[1], (1, 1, 1), 0.45), line=0.45, opacity=0.7)


def _seeds(canvas: Canvas, setting: Setting) -> None:
    """Seeds and petals that drift by."""
    rng, palette = canvas.rng, canvas.palette
    pale = mix(palette.sky[1], (1, 1, 1), 0.6) if setting.open_air else palette.accents[0]
    for _ in range(int(rng.integers(10, 20))):
        x, y, size = (
            rng.uniform(0, 1) * canvas.wide,
            rng.uniform(0.05, 0.8) * canvas.high,
            rng.uniform(0.014, 0.03) * canvas.unit,
        )
        canvas.paint([petal(x, y, size, size * 0.45, rng.uniform(0, 6.3))], pale, line=0.4, opacity=0.85)


def _reeds(canvas: Canvas, setting: Setting) -> None:
    """Slender grasses that all lean one way."""
    rng = canvas.rng
    green, way = lighter(canvas.palette.leaf, -0.05), float(rng.choice([-1, 1]))
    middle = rng.uniform(0.05, 0.95)
    for _ in range(int(rng.integers(9, 16))):
        x, high = (middle + rng.normal(0, 0.09)) * canvas.wide, rng.uniform(0.16, 0.34) * canvas.unit
        base = canvas.high * 1.02
        spine = [(x, base), (x + way * high * 0.06, base - high * 0.55), (x + way * high * 0.3, base - high)]
        canvas.paint([limb(spine, [3.2, 2.4, 0.7])], lighter(green, rng.uniform(-0.08, 0.1)), line=0, ink=0.6)


def _window_light(canvas: Canvas, setting: Setting) -> None:
    """A slanting patch of light on the wall."""
    rng = canvas.rng
    x, y, size = rng.uniform(0.1, 0.6) * canvas.wide, rng.uniform(0.1, 0.3) * canvas.high, canvas.unit * 0.13
    for row in range(2):
        for column in range(2):
            left, top = x + column * size * 1.15, y + row * size * 1.15 + column * size * 0.3
            pane = box(left, top, left + size, top + size) + np.array(
                [(0, 0), (0, size * 0.3), (0, size * 0.3), (0, 0)]
            )
            canvas.paint([pane], mix(canvas.palette.wall[0], (1.0, 0.97, 0.88), 0.7), line=0.3, opacity=0.75)


_OMENS: dict[str, tuple[tuple[Omen, ...], tuple[Omen, ...]]] = {  # in the open, and where there is no sky
    "scary": ((_graves, _graves, _lightning, _thorns, _web, _eyes), (_thorns, _web, _eyes, _cracks)),
    "gloomy": ((_bank, _bank, _puddles, _wilted), (_wilted, _drips)),
    "happy": ((_rays, _balloons, _bunting), (_bunting, _balloons)),
    "peaceful": ((_strata, _strata, _reeds, _seeds), (_seeds, _reeds, _window_light)),
}
_AFLOAT = (_eyes, _cracks, _drips, _balloons, _seeds)  # what needs neither ground nor wall


def _fits(omen: Omen, place: str) -> bool:
    return place == "room" if omen is _window_light else place != "space" or omen in _AFLOAT
