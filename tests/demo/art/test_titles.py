"""Titles say what is there, how many of it, where and in which medium."""

import dataclasses

import pytest

from bam_engine.demo.art import draw
from bam_engine.demo.art.studio import CONTENTS, MEDIA, OTHER_MEDIA, PLACES, THINGS, plan
from bam_engine.demo.art.titles import title

PLAIN = dataclasses.replace(plan(0, 0), setting="backdrop", medium="oilpaint", hour="day")


@pytest.mark.parametrize(
    ("shown", "line"),
    [
        ({"cat": 1}, "A cat, oil painting"),
        ({"cat": 2}, "Two cats, oil painting"),
        ({"fish": 3}, "Three fish, oil painting"),
        ({"flower": 9}, "Flowers, oil painting"),
        ({"planet": 1}, "A planet with rings, oil painting"),
        ({"people": 1, "dog": 1}, "Somebody and a dog, oil painting"),
        ({"tree": 1, "people": 2, "dog": 1}, "A tree, two people and a dog; oil painting"),
        ({}, "Colours, oil painting"),
    ],
)
def test_a_title_agrees_in_number(shown, line):
    assert title(PLAIN, shown) == line


def test_every_subject_setting_and_medium_has_words():
    settings = {setting for places in PLACES.values() for setting in places}
    for name in (*CONTENTS, *THINGS):
        for setting in settings:
            for medium in (*MEDIA, *OTHER_MEDIA):
                one = dataclasses.replace(PLAIN, setting=setting, medium=medium)
                assert title(one, {name: 2})
                assert title(one, {})


def test_what_subjects_draw_several_of_is_counted():
    titles = [draw(0, index).title for index in range(60, 84)]
    assert any(line.startswith(("Two", "Three", "Four")) or "s " in line.split(",")[0] for line in titles)
    assert all(line[0].isupper() for line in titles)
