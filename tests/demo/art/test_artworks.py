"""A work is the same whenever and wherever it is drawn, its truth is what it shows, and there is something to see."""

import hashlib
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.demo.art import TRUTHS, draw, omens
from bam_engine.demo.art.composition import PLAIN, SEEN, WHOLE, compose
from bam_engine.demo.art.media import line_style
from bam_engine.demo.art.media.paper import DARKEST, FLATTEST
from bam_engine.demo.art.scenery import SETTINGS
from bam_engine.demo.art.studio import CONTENTS, MEDIA, MOODS, OTHER_MEDIA, plan

HASHED = (0, 3, 11, 29, 504, 1999)
DARKEST_OR_FLATTEST = (236, 859, 1680, 1960, 229, 449, 777, 954, 1188)  # as they come from their medium
CYCLISTS, CROWDED = (750, 1678, 1886), (208, 884, 1390, 1509, 1543)  # what is hardest to place


def fingerprint(index: int) -> str:
    return hashlib.sha256(draw(0, index).pixels.tobytes()).hexdigest()


def scene(index: int):
    what = plan(0, index)
    return what, compose(what, line_style(what.medium, what.studio.hand, float(min(what.studio.shape))))


def test_the_truths_are_the_twenty_attributes_of_the_template():
    assert set(TRUTHS) == {attribute.name for attribute in BAM_ATTRIBUTES}


@pytest.mark.slow
def test_a_work_is_the_same_in_any_order_thread_and_process():
    here = [fingerprint(index) for index in HASHED]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(fingerprint, HASHED[::-1])) == here[::-1]
    code = (
        "import hashlib; from bam_engine.demo.art import draw\n"
        f"for index in {HASHED[::-1]}: print(hashlib.sha256(draw(0, index).pixels.tobytes()).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert elsewhere == here[::-1]


def test_another_seed_draws_something_else():
    assert draw(1, 0).pixels.shape != draw(0, 0).pixels.shape or (draw(1, 0).pixels != draw(0, 0).pixels).any()


@pytest.mark.slow
@pytest.mark.parametrize("index", [*range(300, 324), *CYCLISTS, *CROWDED])
def test_the_truth_is_what_the_picture_shows(index):
    what, drawn = scene(index)
    work = draw(0, index)
    numbers = {name: [k for k, one in enumerate(drawn.subjects, 1) if one.name == name] for name in CONTENTS}
    for name, own in numbers.items():
        share = np.isin(drawn.subject, own).mean() if own else 0.0
        assert (f"content_{name}" in work.truth) == (share >= SEEN)
    assert {f"content_{name}" for name in what.contents} <= work.truth
    assert {truth for truth in work.truth if truth.startswith("emotion_")} == {f"emotion_{mood}" for mood in what.moods}
    assert (f"media_{what.medium}" in work.truth) == (what.medium in MEDIA)


@pytest.mark.slow
def test_subjects_are_seen_whole_but_for_a_few():
    seen = [one.seen for index in range(400, 460) for one in scene(index)[1].subjects]
    assert np.mean(np.array(seen) >= WHOLE) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("index", [*range(100, 116), *DARKEST_OR_FLATTEST])
def test_no_picture_is_too_dark_or_too_flat(index):
    tones = draw(0, index).pixels.mean(axis=2) / 255
    assert tones.mean() > 0.85 * DARKEST
    assert tones.std() > 0.7 * FLATTEST


@pytest.mark.slow
@pytest.mark.parametrize("index", range(500, 520))
def test_a_subject_can_be_told_from_what_is_behind_it(index):
    what, drawn = scene(index)
    mine = drawn.subject > 0
    if not what.subjects or not mine.any():
        return
    around = cv2.dilate(mine.astype(np.uint8), np.ones((25, 25), np.uint8)) > mine
    apart = np.linalg.norm(drawn.lit[mine].mean(axis=0) - drawn.lit[around].mean(axis=0))
    assert apart > 0.85 * PLAIN


@pytest.mark.slow
def test_a_single_subject_is_large_in_its_picture():
    shares = []
    for index in range(400, 480):
        what, drawn = scene(index)
        if len(what.subjects) == 1 and what.subjects[0][1] == 1:
            shares.append((drawn.subject > 0).mean())
    assert np.median(shares) > 0.2
    assert np.mean(np.array(shares) > 0.1) > 0.9


def test_what_is_behind_a_subject_is_paler_than_where_there_is_none(monkeypatch):
    index = next(index for index in range(2000) if plan(0, index).subjects and plan(0, index).setting == "street")
    behind = scene(index)[1].subject == 0
    spread = []
    for pale in (0.0, 0.6):
        monkeypatch.setattr("bam_engine.demo.art.composition._PALE", pale)
        spread.append(scene(index)[1].colour[behind].std(axis=0).mean())
    assert spread[1] < spread[0]


def test_signs_of_a_mood_stand_where_they_can():
    everywhere = {omen for both in omens._OMENS.values() for part in both for omen in part}
    in_space = {omen.__name__ for omen in everywhere if omens._fits(omen, "space")}
    assert in_space == {"_eyes", "_cracks", "_drips", "_balloons", "_seeds"}
    assert [place for place in SETTINGS if omens._fits(omens._window_light, place)] == ["room"]
    for outside, inside in omens._OMENS.values():  # every mood has a sign in every place
        assert all(any(omens._fits(omen, place) for omen in outside) for place in set(SETTINGS) - {"space"})
        assert all(any(omens._fits(omen, place) for omen in inside) for place in SETTINGS)


def test_everything_occurs_in_two_thousand_works():
    plans = [plan(0, index) for index in range(2000)]
    contents = Counter(name for one in plans for name in one.contents)
    moods = Counter(mood for one in plans for mood in one.moods)
    media = Counter(one.medium for one in plans)
    assert min(contents[name] for name in CONTENTS) >= 60
    assert min(moods[name] for name in MOODS) >= 150
    assert min(media[name] for name in MEDIA) >= 100
    assert min(media[name] for name in OTHER_MEDIA) >= 10
    assert sum(not one.contents for one in plans) >= 300
    assert sum(not one.moods for one in plans) >= 300


def test_moods_do_not_contradict_each_other():
    for index in range(2000):
        moods = plan(0, index).moods
        assert not ({"gloomy", "scary"} & moods and {"happy", "peaceful"} & moods)


def test_a_plan_does_not_depend_on_how_many_there_are():
    assert plan(0, 1234) == plan(0, 1234)
    assert plan(0, 100_000).index == 100_000


def test_studios_have_at_least_five_works_and_at_most_forty():
    sizes = Counter(plan(0, index).studio.name for index in range(2000))
    assert min(sizes.values()) >= 5
    assert max(sizes.values()) <= 40


def test_a_studio_keeps_to_its_medium_and_format():
    for index in range(200):
        one = plan(0, index)
        assert one.medium in (one.studio.medium, one.studio.second)
    shapes = {plan(0, index).studio.name: plan(0, index).studio.shape for index in range(500)}
    assert all(plan(0, index).studio.shape == shapes[plan(0, index).studio.name] for index in range(500))
