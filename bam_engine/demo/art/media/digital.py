"""Made in a computer: vector art (flat shapes, smooth gradients) and 3-D graphics (lit, shaded, glossy solids).

In:  a scene, the seed of a hand as a generator, a random generator. Out: pixels (h, w, 3), 0 … 1.
"""

import cv2
import numpy as np

from bam_engine.demo.art.canvas import LineStyle, Rendering
from bam_engine.demo.art.media.paper import Pixels
from bam_engine.demo.art.noise import Plane, blur, dyed, field, grey, thrice
from bam_engine.demo.art.palette import oklch


def vector_line(hand: np.random.Generator, size: float) -> LineStyle | None:
    """Most have no outline; some an even, exact one."""
    return None if hand.random() < 0.55 else LineStyle(size * hand.uniform(0.005, 0.012))


def vector(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Draw the picture in flat shapes."""
    rich, style = float(hand.uniform(1.05, 1.45)), str(hand.choice(["flat", "flat", "split", "gradient"]))
    outline = np.array(oklch(0.25, 0.06, hand.uniform(0, 360)), np.float32)
    mean = thrice(grey(r.colour))
    picture = np.clip(mean + (r.colour - mean) * np.float32(rich), 0, 1)
    picture = np.clip(picture * np.float32(1.06) + np.float32(0.03), 0, 1)
    if style == "split":  # one side lit, the other in shade, with a hard line between them
        away = _soft(np.asarray(-(r.across * r.light[0] + r.down * r.light[1]) - 0.12, np.float32), 0.03)
        picture = picture * (1 - dyed(away * (r.subject > 0), [0.2, 0.2, 0.12]))
    elif style == "gradient":
        rows = np.linspace(0.06, -0.08, r.shape[0], dtype=np.float32)[:, None, None]
        columns = np.linspace(0.05, -0.05, r.shape[1], dtype=np.float32)[None, :, None]
        picture = np.clip(picture * (1 + 1.2 * rows + columns), 0, 1)
    if style != "flat" or hand.random() < 0.5:
        picture = _long_shadow(picture, r) if hand.random() < 0.35 else picture
    cover = thrice(r.ink)
    picture = picture * (1 - cover) + dyed(r.ink, outline)
    if hand.random() < 0.3:  # a printed look: grain in the shade
        picture = picture * (1 + (0.1 * np.clip(1.25 - r.tone, 0.25, 1) * field(r.shape, 1.3, rng))[..., None])
    return np.asarray(picture, np.float32)


def _long_shadow(picture: Pixels, r: Rendering) -> Pixels:
    """The subjects' silhouettes drawn out to the lower right over the background, one flat tone."""
    mask = (r.subject > 0).astype(np.uint8)
    shadow = mask.copy()
    step = 1
    while step < max(r.shape):
        move = np.array([[1, 0, step], [0, 1, step]], np.float32)
        shadow = np.maximum(shadow, cv2.warpAffine(shadow, move, r.shape[::-1]))
        step *= 2
    cover = (blur(shadow.astype(np.float32), 0.6) * (1 - mask))[..., None]
    return np.asarray(picture * (1 - np.float32(0.13) * cover), np.float32)


def solid(r: Rendering, hand: np.random.Generator, rng: np.random.Generator) -> Pixels:
    """Render the picture as solids: key light, sky light, rim light, occlusion, gloss, and depth of field."""
    shine, tight = float(hand.uniform(0.15, 0.75)), float(hand.uniform(12, 46))
    clay, rim_hue = float(hand.uniform(0, 0.3)), float(hand.uniform(0, 360))
    deep, plain = bool(hand.random() < 0.6), float(hand.choice([0.0, 0.0, 0.55]))
    across, down = blur(r.across, 0.7), blur(r.down, 0.7)
    facing = np.sqrt(np.clip(1 - across * across - down * down, 0, 1))
    light = np.array(r.light, np.float32)
    direct = np.clip(across * light[0] + down * light[1] + facing * light[2], 0, None)
    shade = np.clip(r.tone / np.maximum(0.16 + direct * (0.84 / light[2]) * 0.86, 0.05), 0, 1.2)
    wrap = np.clip((across * light[0] + down * light[1] + facing * light[2] + 0.25) / 1.25, 0, 1)
    sky = 0.5 - 0.5 * down
    base = r.colour ** np.float32(1.6)  # towards linear light
    base = base * (1 - clay * 0.4) + np.float32(clay * 0.4) * thrice(grey(base))
    key = np.array(r.palette.light, np.float32) ** 2
    air = np.array(r.palette.ambient, np.float32) ** 2
    lift = np.float32(1.15 / max(0.3, float(light[2])))
    lit = base * (dyed(wrap * shade * lift, key) + dyed(0.30 + 0.34 * sky * (0.5 + 0.5 * shade), air))
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    glint = np.clip(across * half[0] + down * half[1] + facing * half[2], 0, 1) ** np.float32(tight)
    curved = np.clip((1 - facing) * 6, 0, 1)  # what lies flat has no highlight of its own
    lit += dyed(glint * curved * shade * (0.25 + r.gloss) * np.float32(shine), key)
    rim = (1 - facing) ** 3 * np.clip(-down * 0.5 + 0.6, 0, 1)
    lit += dyed(rim * np.float32(0.2), oklch(0.85, 0.09, rim_hue))
    hollow = _occlusion(r)
    lit *= thrice(1 - np.float32(0.45) * hollow)
    picture = np.clip(lit, 0, None)
    picture = picture * (1 + picture * 0.12) / (1 + picture * 0.22)
    picture = np.clip(picture, 0, 1) ** np.float32(1 / 1.75)
    picture = picture * (1 - plain) + plain * np.clip(r.lit * 1.05, 0, 1)  # some light their scenes flat
    return _focus(picture.astype(np.float32), r) if deep else picture.astype(np.float32)


def _occlusion(r: Rendering) -> Plane:
    """How much of the sky a place loses to what rises around it."""
    size = float(min(r.shape))
    near, far = blur(r.bulge, size * 0.008), blur(r.bulge, size * 0.03)
    return np.asarray(np.clip((near - r.bulge) * 0.09 + (far - r.bulge) * 0.03, 0, 1), np.float32)


def _focus(picture: Pixels, r: Rendering) -> Pixels:
    """The background is out of focus; colours of the subjects do not bleed into it."""
    mine = blur((r.subject > 0).astype(np.float32), 0.8)
    if float(mine.mean()) < 0.01:
        return picture
    size = float(min(r.shape))
    weight = (1 - mine)[..., None]
    soft = blur(picture * weight, size * 0.012) / np.maximum(blur(1 - mine, size * 0.012), 0.02)[..., None]
    rows = np.linspace(0, 1, r.shape[0], dtype=np.float32)[:, None]
    far = (np.clip(1.25 - rows * 1.1, 0.1, 1) * (1 - mine))[..., None]
    return np.asarray(picture * (1 - far) + np.clip(soft, 0, 1) * far, np.float32)


def _soft(plane: Plane, width: float) -> Plane:
    return np.asarray(np.clip(plane / np.float32(width) + np.float32(0.5), 0, 1), np.float32)
