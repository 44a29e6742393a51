"""What is in BAM's file, counted while it is read: images, attributes, answers, and what could not be used.

In:  facts of the parts of the file, as JSON. Out: values for people. Knows no file and no store.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bam_engine.formatting import count

TABLES = {
    "scores": "scores",
    "automatic_labels": "automatic labels",
    "crowd_labels": "crowd labels",
    "crowd_raw_hits": "assignments",
    "crowd_raw_choices": "choices",
    "crowd_raw_captions": "captions",
}
"""The tables that a file may lack beside ``modules``, and what is not there without them."""


@dataclass(frozen=True)
class AttributeContents:
    """What a file has of one attribute.

    Attributes
    ----------
    scored
        The number of images with a score.
    low, high
        The lowest and the highest score; None without any. Only their order means something.
    positive, unsure, negative
        The numbers of BAM's automatic labels.
    crowd_positive, crowd_negative
        The numbers of images that the crowd has labelled so.
    choices
        The number of single answers by workers.
    """

    name: str
    scored: int = 0
    low: float | None = None
    high: float | None = None
    positive: int = 0
    unsure: int = 0
    negative: int = 0
    crowd_positive: int = 0
    crowd_negative: int = 0
    choices: int = 0


@dataclass(frozen=True)
class Contents:
    """What a file has.

    Attributes
    ----------
    images, without_url, projects, mature
        The images of ``modules``; those without a URL; their projects; those flagged as mature.
    attributes
        In the order of the columns of ``scores``, then of the other tables.
    labels, choices, assignments, workers, captions
        The lines of BAM's tables of what people said, and the number of different workers.
    absent
        The tables that the file lacks.
    left_out
        What could not be used, in sentences.
    """

    images: int
    without_url: int
    projects: int
    mature: int
    attributes: tuple[AttributeContents, ...]
    labels: int
    choices: int
    assignments: int
    workers: int
    captions: int
    absent: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def scored(self) -> tuple[str, ...]:
        """The names of the attributes with scores."""
        return tuple(one.name for one in self.attributes if one.scored)

    def lines(self) -> list[str]:
        """Return what is in the file in words: its counts, what it lacks, and what could not be used."""
        said = [
            f"{count(self.images, 'image')} of {count(self.projects, 'project')}, {self.mature:,} flagged as mature",
            f"{count(len(self.attributes), 'attribute')}, {len(self.scored)} with scores",
            f"{count(self.labels, 'crowd label')} from {count(self.choices, 'choice')} in "
            f"{count(self.assignments, 'assignment')} of {count(self.workers, 'worker')}",
            count(self.captions, "caption"),
        ]
        if self.without_url:
            said.append(f"{count(self.without_url, 'image')} without a URL")
        said += [f"no table {table}, so no {TABLES[table]}" for table in self.absent]
        return [*said, *self.left_out]


def contents_of(facts: Mapping[str, Any], absent: tuple[str, ...]) -> Contents:
    """Return the contents from what was noted of each part."""
    names = list(dict.fromkeys(name for kind in ("scored", "automatic", "crowd") for name in facts[kind]))
    attributes = tuple(
        AttributeContents(
            name, **(facts["scored"].get(name, {}) | facts["automatic"].get(name, {}) | facts["crowd"].get(name, {}))
        )
        for name in names
    )
    counted = ("images", "without_url", "projects", "mature", "labels", "choices", "assignments", "workers", "captions")
    return Contents(
        **{name: facts[name] for name in counted},
        attributes=attributes,
        absent=absent,
        left_out=tuple(facts["left_out"]),
    )
