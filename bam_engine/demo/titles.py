"""Titles: what a picture shows, where, and in which medium, in words.

In:  a plan. Out: a line such as "Two cats by the sea at dusk, watercolour", which serves as the caption.
"""

from bam_engine.demo.media import MEDIA
from bam_engine.demo.studio import Plan

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
    "balloon": ("hot-air balloons", "hot-air balloons"),
    "fish": ("a fish", "fish"),
    "butterfly": ("a butterfly", "butterflies"),
    "mushroom": ("mushrooms", "mushrooms"),
    "cactus": ("a cactus", "cacti"),
    "rocket": ("a journey to space", "journeys to space"),
    "branch": ("a twig", "twigs"),
    "robot": ("a robot", "robots"),
    "rabbit": ("a rabbit", "rabbits"),
    "bus": ("a bus", "buses"),
    "moonscape": ("a light in the sky", "lights in the sky"),
    "shapes": ("composition", "compositions"),
    "sheep": ("a sheep", "sheep"),
}
_PLACES = {
    "backdrop": "", "room": "in a room", "meadow": "among the hills", "mountains": "before the mountains", "sea": "by the sea",
    "desert": "in the dunes", "snow": "in the snow", "street": "in the street", "underwater": "under water",
    "space": "among the stars",
}  # fmt: skip
_ALONE = {
    "mountains": "the mountains", "sea": "the sea", "meadow": "hills", "desert": "dunes", "snow": "snow", "underwater": "under water",
    "space": "the stars", "backdrop": "colours", "room": "a room", "street": "a street",
}  # fmt: skip
_HOURS = {
    "dawn": "at dawn",
    "golden": "in the evening sun",
    "dusk": "at dusk",
    "night": "at night",
    "overcast": "under clouds",
    "day": "",
}
_INDOORS = frozenset({"backdrop", "room", "underwater", "space"})
_NUMBERS = {2: "two", 3: "three"}


def title(plan: Plan) -> str:
    """Return the title of a planned work.

    Examples
    --------
    >>> from bam_engine.demo.studio import plan
    >>> title(plan(0, 0)).count(",")
    1
    """
    subjects = [
        _NAMES[name][0] if count == 1 else f"{_NUMBERS[count]} {_NAMES[name][1]}" for name, count in plan.subjects
    ]
    if not subjects:
        words = [_ALONE[plan.setting]]
    else:
        words = [
            subjects[0] if len(subjects) == 1 else f"{', '.join(subjects[:-1])} and {subjects[-1]}",
            _PLACES[plan.setting],
        ]
    if plan.setting not in _INDOORS:
        words.append(_HOURS[plan.hour])
    line = " ".join(word for word in words if word)
    comma = "; " if "," in line else ", "
    return f"{line[0].upper()}{line[1:]}{comma}{MEDIA[plan.medium].title}"
