"""What is done to whole planes means what it says, and a wash ends before its sheet."""

import numpy as np
import pytest

from bam_engine.demo.art.media.paper import edge_of_wash
from bam_engine.demo.art.noise import dyed, grey, thrice, tinted, turn_of


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(7).random((9, 12, 3), np.float32)


def test_grey_is_the_mean_of_the_channels_and_thrice_spreads_it_again(picture):
    assert np.allclose(grey(picture), picture.mean(axis=2), atol=1e-6)
    assert np.array_equal(thrice(grey(picture)), np.repeat(grey(picture)[..., None], 3, axis=2))


def test_tinting_multiplies_each_channel_and_lifts_all(picture):
    gain = np.array([1.1, 0.9, 0.4])
    assert np.allclose(tinted(picture, gain, 0.05), picture * gain + 0.05, atol=1e-6)


def test_dyeing_gives_a_plane_a_colour(picture):
    colour = (0.2, 0.5, 0.9)
    assert np.allclose(dyed(picture[..., 0].copy(), colour), picture[..., :1] * colour, atol=1e-6)


def test_the_turn_of_a_value_is_what_is_left_above_the_whole_number_below_it():
    values = np.array([-1.25, -0.5, 0.0, 0.75, 3.5], np.float32)
    assert np.allclose(turn_of(values), values % 1)


def test_a_wash_ends_before_the_sheet_does_and_is_darkest_at_its_rim():
    shape = (240, 300)
    cover = edge_of_wash(shape, 240.0, np.random.default_rng(3), rim=0.5)
    border = np.ones(shape, bool)
    border[2:-2, 2:-2] = False
    assert cover[border].max() == 0
    assert np.allclose(cover[100:140, 100:200], 1, atol=0.01)
    assert 1.3 < cover.max() <= 1.5
    assert edge_of_wash(shape, 240.0, np.random.default_rng(3), rim=0.0).max() == 1
