"""Titles: what a picture shows, where, and in which medium, in words.

In:  a plan and what was drawn. Out: a line such as "Two cats by the sea at dusk, watercolour", which serves as the
caption.
"""

from collections.abc import Mapping

from bam_engine.demo.art.media import MEDIA
from bam_engine.demo.art.studio import Plan

_NAMES = {
    "bicycle": ("a bicycle", "bicycles"),
    "bird": ("a bird", "birds"),
    "building": ("a building", "buildings"),
    "cars": ("a car", "cars"),
    "cat": ("a cat", "cats"),
    "dog": ("a dog", "dogs"),
    "flower": ("a flower", "flowers"),
    "people": ("somebody", "people"),
    "tree": ("a tree", "trees"),
    "fruit": ("fruit", "fruit"),
    "pots": ("pots", "pots"),
    "sailboat": ("a sailing boat", "sailing boats"),
    "balloon": ("a hot-air balloon", "hot-air balloons"),
    "fish": ("a fish", "fish"),
    "butterfly": ("a butterfly", "butterflies"),
    "mushroom": ("a mushroom", "mushrooms"),
    "cactus": ("a cactus", "cacti"),
    "rocket": ("a rocket", "rockets"),
    "planet": ("a planet with rings", "planets with rings"),
    "branch": ("a twig", "twigs"),
    "robot": ("a robot", "robots"),
    "rabbit": ("a rabbit", "rabbits"),
    "bus": ("a bus", "buses"),
    "moonscape": ("the sun", "suns"),
    "moon": ("the moon", "moons"),
    "shapes": ("composition", "compositions"),
    "sheep": ("a sheep", "sheep"),
}
_PLACES = {
    "backdrop": "",
    "sky": "in the sky",
    "room": "in a room",
    "meadow": "among the hills",
    "mountains": "before the mountains",
    "sea": "by the sea",
    "desert": "in the dunes",
    "snow": "in the snow",
    "street": "in the street",
    "underwater": "under water",
    "space": "among the stars",
}
_ALONE = {
    "mountains": "the mountains",
    "sea": "the sea",
    "meadow": "hills",
    "desert": "dunes",
    "snow": "snow",
    "underwater": "under water",
    "space": "the stars",
    "backdrop": "colours",
    "sky": "the sky",
    "room": "a room",
    "street": "a street",
}
_HOURS = {
    "dawn": "at dawn",
    "golden": "in the evening sun",
    "dusk": "at dusk",
    "night": "at night",
    "overcast": "under clouds",
    "day": "",
}
_INDOORS = frozenset({"backdrop", "room", "underwater", "space"})
_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


def title(plan: Plan, shown: Mapping[str, int]) -> str:
    """Return the title of a work: ``shown`` are the subjects by their words, in order, with how many of each are drawn.

    Examples
    --------
    >>> from bam_engine.demo.art.studio import plan
    >>> title(plan(0, 3), {"cat": 2}).startswith("Two cats")
    True
    """
    subjects = [_counted(word, count) for word, count in shown.items()]
    words = [f"{', '.join(subjects[:-1])} and {subjects[-1]}" if len(subjects) > 1 else "".join(subjects)]
    words.append(_PLACES[plan.setting] if subjects else _ALONE[plan.setting])
    if plan.setting not in _INDOORS:
        words.append(_HOURS[plan.hour])
    line = " ".join(word for word in words if word)
    comma = "; " if "," in line else ", "
    return f"{line[0].upper()}{line[1:]}{comma}{MEDIA[plan.medium].title}"


def _counted(word: str, count: int) -> str:
    one, many = _NAMES[word]
    return one if count == 1 else f"{_NUMBERS[count]} {many}" if count in _NUMBERS and one != many else many
