"""What can be drawn: every subject by name, with its size and the content that it is.

In:  a name. Out: a :class:`Subject`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bam_engine.demo.art.pen import Pen
from bam_engine.demo.art.subjects import creatures, growing, things
from bam_engine.demo.art.subjects.birds import bird
from bam_engine.demo.art.subjects.buildings import building
from bam_engine.demo.art.subjects.cats import cat
from bam_engine.demo.art.subjects.dogs import dog
from bam_engine.demo.art.subjects.flowers import flower
from bam_engine.demo.art.subjects.look import Look
from bam_engine.demo.art.subjects.people import cyclist, person
from bam_engine.demo.art.subjects.trees import tree
from bam_engine.demo.art.subjects.vehicles import bicycle, car


@dataclass(frozen=True)
class Subject:
    """How to draw it, how wide and high it is at most in its own units, and the content that it shows ("" for none)."""

    draw: Callable[[Pen, Look], None]
    wide: float
    high: float
    attribute: str = ""


SUBJECTS: dict[str, Subject] = {
    "bicycle": Subject(bicycle, 1.55, 0.95, "bicycle"),
    "bird": Subject(bird, 1.35, 1.02, "bird"),
    "building": Subject(building, 1.3, 1.05, "building"),
    "cars": Subject(car, 1.34, 0.66, "cars"),
    "cat": Subject(cat, 1.3, 1.03, "cat"),
    "dog": Subject(dog, 1.45, 1.0, "dog"),
    "flower": Subject(flower, 1.15, 1.03, "flower"),
    "people": Subject(person, 1.05, 1.08, "people"),
    "cyclist": Subject(cyclist, 1.15, 1.15, "people"),
    "tree": Subject(tree, 0.95, 1.02, "tree"),
    "fruit": Subject(growing.fruit, 1.15, 0.62),
    "pots": Subject(things.pots, 1.5, 0.85),
    "sailboat": Subject(things.sailboat, 1.1, 1.08),
    "balloon": Subject(things.balloon, 1.2, 1.02),
    "fish": Subject(creatures.fish, 1.3, 0.95),
    "butterfly": Subject(creatures.butterfly, 1.15, 0.98),
    "mushroom": Subject(growing.mushroom, 1.05, 0.95),
    "cactus": Subject(growing.cactus, 0.9, 1.05),
    "rocket": Subject(things.rocket, 1.25, 1.1),
    "branch": Subject(growing.branch, 0.95, 1.0),
    "robot": Subject(creatures.robot, 0.85, 1.02),
    "rabbit": Subject(creatures.rabbit, 0.85, 1.05),
    "bus": Subject(things.bus, 1.48, 0.88),
    "moonscape": Subject(things.moonscape, 1.2, 1.05),
    "shapes": Subject(things.shapes, 1.25, 1.1),
    "sheep": Subject(creatures.sheep, 1.15, 0.8),
}
