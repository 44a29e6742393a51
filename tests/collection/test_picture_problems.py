"""Problems of a picture: each is found where it was made, and not in what is drawn flat on a plain ground."""

import io
import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from bam_engine.collection.picture_problems import PROBLEMS, measure, problems_of
from bam_engine.collection.thumbnails import Thumbnails

SIDE = 256


def scene() -> Image.Image:
    """A picture with colours, dark and bright places, soft shades and sharp edges."""
    rng = np.random.default_rng(3)
    across, down = np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE))
    shades = np.stack([across, 1 - down, 0.3 + 0.4 * across * down], axis=2)
    picture = Image.fromarray((shades * 255).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for x, y, r in rng.integers(8, 220, (30, 3)):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        draw.ellipse((x, y, x + r // 4, y + r // 4), fill=colour)
    return picture


def seen(picture: Image.Image, width: int = 640, height: int = 640) -> tuple[str, ...]:
    """Return the problems of a picture as its thumbnail shows them."""
    stored = Thumbnails("unused").render(picture).data
    with Image.open(io.BytesIO(stored)) as thumbnail:
        return problems_of(measure(thumbnail, width, height))


MADE: dict[str, Callable[[Image.Image], Image.Image]] = {
    "dark": lambda picture: ImageEnhance.Brightness(picture).enhance(0.15),
    "over-bright": lambda picture: Image.blend(picture, Image.new("RGB", picture.size, "white"), 0.93),
    "blurred": lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
    "grey": lambda picture: picture.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_problem_that_was_made_is_found_alone(name: str) -> None:
    assert seen(scene()) == ()
    assert seen(MADE[name](scene())) == (name,)


def test_size_and_aspect_are_those_of_the_image_and_not_of_its_small_copy() -> None:
    assert seen(scene(), 63, 80) == ("tiny",)
    assert seen(scene(), 64, 80) == ()
    assert seen(scene(), 3500, 10_000) == ()
    assert seen(scene(), 10_000, 3499) == ("odd aspect",)


@pytest.mark.parametrize("ground", ["white", "black"])
def test_a_small_flat_icon_on_a_plain_ground_has_no_problem(ground: str) -> None:
    icon = Image.new("RGB", (SIDE, SIDE), ground)
    draw = ImageDraw.Draw(icon)
    draw.polygon([(120, 118), (136, 118), (128, 138)], fill="#c8372d")
    assert seen(icon) == ()
    draw.rectangle((100, 100, 156, 156), fill="white" if ground == "black" else "black")
    assert seen(icon) == ("grey",)


@pytest.mark.parametrize("colour", ["black", "white", "#2a9df4"])
def test_one_colour_with_the_noise_of_a_camera_is_blank_and_not_blurred(colour: str) -> None:
    plain = np.asarray(Image.new("RGB", (SIDE, SIDE), colour), np.float32)
    noisy = plain + np.random.default_rng(1).normal(0, 3, plain.shape)
    for pixels in (plain, noisy):
        found = seen(Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)))
        assert "blank" in found
        assert "blurred" not in found


@pytest.mark.parametrize("contrast", [1.0, 0.25])
@pytest.mark.parametrize("sigma", [0.0, 1.5, 4.0])
def test_the_sharpness_of_an_edge_is_its_steepest_step_whatever_its_contrast(sigma: float, contrast: float) -> None:
    across = np.arange(SIDE) - SIDE / 2 + 0.5
    edge = (
        (across > 0).astype(float)
        if not sigma
        else np.array([0.5 * math.erf(x / sigma / 2**0.5) + 0.5 for x in across])
    )
    grey = np.repeat(np.tile(edge, (SIDE, 1))[:, :, None], 3, axis=2) * contrast
    found = measure(Image.fromarray(np.rint(grey * 255).astype(np.uint8)), SIDE, SIDE).sharpness
    window = [edge[at + 1] - edge[at] for at in range(SIDE - 1)]
    # within nine pixels an edge of sigma 4 covers a part of its range
    whole = edge[SIDE // 2 + 4] - edge[SIDE // 2 - 4] if sigma else 1.0
    assert found == pytest.approx(max(window) / whole, rel=0.06)


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (7, 7), (256, 3)])
def test_the_smallest_pictures_are_measured(size: tuple[int, int]) -> None:
    values = measure(Image.effect_noise(size, 80).convert("RGB"), *size)
    assert not any(math.isnan(value) for name, value in values._asdict().items() if name != "sharpness")
    assert "tiny" in problems_of(values)


def test_each_problem_is_told_with_its_value_and_limit() -> None:
    assert PROBLEMS["tiny"].described(12.0) == "12 pixels at its shorter side, limit 64"
    assert PROBLEMS["blurred"].described(0.271) == "0.27 of an edge between two pixels, limit 0.4"
