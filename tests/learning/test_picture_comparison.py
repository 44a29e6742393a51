"""Two pictures are copies however one was saved, and two icons that differ in one small thing are not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bam_engine.learning.picture_comparison import difference, look_of
from benchmarks.copied_pictures import KINDS
from tests.drawn_pictures import SMALL, draw_collection

CHANGED_MORE = ("mirrored", "a small text")


def compared(one: Image.Image, other: Image.Image) -> float:
    looks = [look_of(np.asarray(each.convert("RGB"))) for each in (one, other)]
    found, reversed_ = difference(*looks), difference(*looks[::-1])
    assert (found <= 1) == (reversed_ <= 1), "the order does not matter"
    return found


def dial(hour: int, side: int = 160) -> Image.Image:
    """A clock, of which only the hand tells it from others."""
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, side - 5, side - 5), fill="#f2d16b", outline="black", width=side // 20)
    angle = np.pi * hour / 6
    end = side / 2 + 0.35 * side * np.sin(angle), side / 2 - 0.35 * side * np.cos(angle)
    draw.line((side / 2, side / 2, *end), fill="black", width=side // 16)
    return image


def scene(seed: int, size: tuple[int, int] = (400, 300)) -> Image.Image:
    """A picture with structures of many sizes, as photographs have."""
    rng = np.random.default_rng(seed)
    pixels = np.zeros((size[1], size[0], 3))
    for cells in (3, 6, 12, 24):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
        pixels += np.asarray(noise.resize(size, Image.Resampling.BICUBIC), float) / 4
    return Image.fromarray(pixels.astype(np.uint8))


def saved(image: Image.Image, kind: str, folder, seed: int = 0) -> Image.Image:
    change, ending, quality = KINDS[kind]
    file = folder / f"copy.{ending}"
    change(image, np.random.default_rng(seed)).save(file, **({"quality": quality} if quality else {}))
    return Image.open(file)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in CHANGED_MORE])
@pytest.mark.parametrize("original", [scene(1), scene(2, (300, 390)), dial(2)], ids=["wide", "high", "icon"])
def test_a_copy_is_known_however_it_was_saved(original: Image.Image, kind: str, tmp_path) -> None:
    assert compared(original, saved(original, kind, tmp_path)) <= 1


def test_a_mirrored_picture_is_another_one() -> None:
    assert compared(scene(1), scene(1).transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 1


def test_equal_pictures_do_not_differ_and_a_blank_one_equals_a_blank_one() -> None:
    assert compared(scene(3), scene(3)) == 0
    white, grey = (Image.new("RGB", (90, 60), colour) for colour in ("white", "#c0c0c0"))
    assert compared(white, white) == 0
    assert compared(white, grey) > 1


def test_icons_that_differ_in_one_hand_or_in_their_colour_are_two() -> None:
    for hour in range(1, 12):
        assert compared(dial(0), dial(hour)) > 1, f"12 and {hour} o'clock"
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("#d03030", "#3030d0"))
    assert compared(red, blue) > 1


def test_different_scenes_and_the_pictures_of_a_collection_of_one_style_are_told_apart(tmp_path) -> None:
    scenes = [scene(seed) for seed in range(8)]
    assert all(compared(scenes[i], scenes[j]) > 1 for i in range(8) for j in range(i))
    draw_collection(tmp_path, {**dict.fromkeys(SMALL, 0), next(iter(SMALL)): 12})
    drawn = [Image.open(file) for file in sorted(tmp_path.rglob("*.png"))[:12]]
    assert all(compared(drawn[i], drawn[j]) > 1 for i in range(len(drawn)) for j in range(i))


def test_pictures_of_another_shape_are_not_compared() -> None:
    assert compared(scene(1), scene(1, (400, 200))) == np.inf


def test_dark_pictures_are_compared_by_what_little_they_show() -> None:
    one, other = (Image.fromarray((np.asarray(scene(seed)) // 12).astype(np.uint8)) for seed in (1, 2))
    assert compared(one, one) == 0
    assert compared(one, other) > 1
