"""The compiled loops do what their definitions say."""

import subprocess
import sys

import numpy as np
import pytest

from bam_engine.demo.art import kernels
from bam_engine.demo.art.noise import field
from bam_engine.demo.art.palette import oklch, to_oklch
from bam_engine.demo.art.shapes import ellipse, limb, smooth
from tests.browser import ROOT


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("closed", [True, False])
def test_a_curve_goes_through_its_knots_and_ends_where_they_end(rng, closed):
    knots = rng.normal(size=(6, 2))
    curve = smooth(knots, closed=closed, steps=5)
    assert np.allclose(curve[::5], knots)
    assert closed or np.allclose(curve[-1], knots[-1])


def test_a_ring_has_its_points_on_the_ellipse_evenly_by_angle():
    ring = ellipse(3.0, 4.0, 2.0, 1.0, count=12)
    angle = np.arange(12) * 2 * np.pi / 12
    assert np.allclose(ring, np.stack([3 + 2 * np.cos(angle), 4 + np.sin(angle)], axis=1))
    turned = ellipse(0.0, 0.0, 2.0, 1.0, turn=np.pi / 2, count=12)
    assert np.allclose(turned, np.stack([-np.sin(angle), 2 * np.cos(angle)], axis=1))


DRAW = """
from bam_engine.demo.art import draw, kernels

kernels.prepare(3)
draw(0, 11)
print(*{len(loop.signatures) for loop, _ in kernels._loops})
"""


def test_each_loop_is_compiled_once_for_every_kind_of_argument_it_meets():
    """In a process of its own: what other tests call the loops with does not count."""
    run = subprocess.run([sys.executable, "-c", DRAW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["1"]


def test_a_colour_comes_back_from_oklch_and_its_chroma_is_cut_to_fit():
    for colour in [(0.2, 0.5, 0.7), (0.9, 0.1, 0.3), (0.5, 0.5, 0.5)]:
        assert oklch(*to_oklch(colour)) == pytest.approx(colour, abs=1e-3)
    light, chroma, hue = to_oklch(oklch(0.6, 0.4, 140.0))
    assert (light, hue) == pytest.approx((0.6, 140.0), abs=1.5)
    assert chroma < 0.4


def test_a_limb_is_as_wide_as_asked_at_its_knots():
    outline = limb([(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)], [2.0, 6.0, 4.0], steps=5, round_ends=False)
    assert np.ptp(outline[np.isclose(outline[:, 0], 10.0), 1]) == pytest.approx(6.0)
    assert np.ptp(outline[np.isclose(outline[:, 0], 0.0), 1]) == pytest.approx(2.0)
    rounded = limb([(0.0, 0.0), (10.0, 0.0), (20.0, 0.0)], 4.0)
    assert rounded[:, 0].min() == pytest.approx(-2.0, abs=0.1)
    assert rounded[:, 0].max() == pytest.approx(22.0, abs=0.1)


def test_a_coverage_is_limited_to_what_lies_in_another(rng):
    cover, other = rng.integers(0, 256, (2, 9, 7), np.uint8)
    expected = np.zeros((9, 7), int)
    for y in range(9):
        for x in range(7):
            there_y, there_x = y + 5 - 3, x + 2 - 4
            if 0 <= there_y < 9 and 0 <= there_x < 7:
                expected[y, x] = int(cover[y, x]) * int(other[there_y, there_x]) // 255
    kernels.limited(cover, 5, 2, other, 3, 4)
    assert (cover == expected).all()


def test_blending_lays_a_shape_over_the_planes_and_names_whose_pixels_they_are(rng):
    planes = rng.random((5, 4, kernels.PLANES), np.float32)
    before, part, subject = planes.copy(), np.zeros((5, 4), np.int32), np.zeros((5, 4), np.uint8)
    cover = rng.integers(0, 256, (5, 4)).astype(np.uint8)
    colour = np.array([0.2, 0.5, 0.9], np.float32)
    flow = np.zeros((5, 4), np.float32)
    kernels.blend(
        planes, part, subject, flow, cover, colour, colour, False, kernels.NO_FORM, (0.8, 0.3, 1.5, False), (7, 2)
    )
    share = (cover / 255 * 0.8)[..., None]
    assert np.allclose(planes[..., :3], before[..., :3] * (1 - share) + share * colour, atol=1e-5)
    assert np.allclose(planes[..., 8], before[..., 8] * (1 - share[..., 0]), atol=1e-5)
    mine = cover / 255 * 0.8 > 0.5
    assert ((subject == 2) == mine).all()
    assert ((part == 7) == mine).all()
    assert ((flow == 1.5) == mine).all()


def test_a_stroke_paints_what_is_within_half_its_width_of_its_line():
    painted, height = np.zeros((30, 40, 3), np.float32), np.zeros((30, 40), np.float32)
    start, end = np.array([8.0, 9.0]), np.array([30.0, 20.0])
    one = np.ones((1, 3), np.float32)
    kernels.brushed(painted, height, start[None], end[None], one, np.array([2.0]), 6.0)
    rows, columns = np.mgrid[:30, :40]
    way = end - start
    share = np.clip(((columns - start[0]) * way[0] + (rows - start[1]) * way[1]) / (way @ way), 0, 1)
    near = np.hypot(columns - start[0] - share * way[0], rows - start[1] - share * way[1]) <= 3
    assert ((painted[..., 0] == 1) == near).all()
    assert ((height == 2) == near).all()


@pytest.mark.parametrize("size", [1.0, 3.0, 8.0, 25.0])
def test_a_field_has_mean_0_spread_1_and_features_of_its_size(size):
    planes = np.stack([field((300, 300), size, np.random.default_rng(seed)) for seed in range(8)])
    assert abs(planes.mean()) < 0.25
    assert 0.6 < planes.std() < 1.4
    shift = max(1, round(size / 4))
    assert np.corrcoef(planes[:, :, shift:].ravel(), planes[:, :, :-shift].ravel())[0, 1] > (0.5 if size > 1 else -1)
