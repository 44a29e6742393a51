"""The conditions of a gallery's query, each as a mask over the collection.

In:  a query and the attributes it names, scored. Out: one mask for each condition that the query states, with its
words. Nothing is sorted here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import readable
from bam_engine.errors import BamError
from bam_engine.gallery import facets, search, selections, uploads
from bam_engine.gallery.query import Query
from bam_engine.labelling import label_states, tasks
from bam_engine.training.attribute_scores import AttributeScores
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.vectors import most_similar

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

NEAR = 500
"""Images on either side of a threshold that are near it."""

FOUND = 1000
"""Images that a search by meaning or by example finds."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """The masks (n,) of a query by the name of its field, what each says, and what could not be asked.

    ``found`` are the rows that a search found, best first, or None where nothing is looked for.
    """

    n: int
    masks: dict[str, Mask] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    found: Rows | None = None

    def together(self, *, without: str = "") -> Mask:
        """Return where all conditions hold, or all but one."""
        inside = np.ones(self.n, bool)
        for name, mask in self.masks.items():
            if name != without:
                inside &= mask
        return inside

    def emptied_by(self) -> str:
        """Say which conditions leave nothing: those without which something would be left."""
        told = [(self.words[name], int(self.together(without=name).sum())) for name in self.masks]
        guilty = [f"without “{words}” there would be {count:,}" for words, count in told if count]
        if guilty:
            return "; ".join(guilty)
        alone = [self.words[name] for name, mask in self.masks.items() if not mask.any()]
        if alone:
            return "no image of the collection is " + ", nor ".join(f"“{words}”" for words in alone)
        return "no single condition is the cause: take away more than one"


def conditions(workspace: Workspace, query: Query, known: Mapping[str, AttributeScores | None], n: int) -> Conditions:
    """Return the masks of ``query`` over ``n`` images; ``known`` holds every attribute that it names.

    Raises
    ------
    NotFound
        A selection, attribute or image that the query names is not there.
    BamError
        Another value cannot be, such as a colour that has no name, or a text that is too long.
    """
    asked = Conditions(n)
    _by_place(asked, query, known)
    for name in query.yes:
        _by_attribute(asked, f"yes:{name}", known[name], name, accepted=True)
    for name in query.no:
        _by_attribute(asked, f"no:{name}", known[name], name, accepted=False)
    if query.label:
        _by_label(workspace, asked, query)
    facet: Callable[..., Mask]
    for name, facet in (("project", facets.in_projects), ("colour", facets.in_colours), ("year", facets.in_years)):
        values = getattr(query, name)
        if values:
            _add(asked, name, facet(workspace, values, n), f"{name}: {' or '.join(values)}")
    if query.selection:
        _add(asked, "selection", _holding(selections.rows_of(workspace, query.selection), n), "in the selection")
    found = _searched(workspace, asked, query)
    return asked if found is None else Conditions(n, asked.masks, asked.words, asked.notes, found)


def _add(asked: Conditions, name: str, mask: Mask, words: str) -> None:
    asked.masks[name], asked.words[name] = mask, words


def _by_place(asked: Conditions, query: Query, known: Mapping[str, AttributeScores | None]) -> None:
    if query.place == "all":
        return
    if not query.attribute:
        raise BamError(f"{query.place} images are asked for, but of no attribute: choose an attribute.")
    about, name = known[query.attribute], readable(query.attribute)
    if about is None:
        asked.notes.append(f"{name} has no scores yet, so no image is accepted or rejected: all are shown.")
        return
    if query.place == "near":
        _add(asked, "place", near(about, asked.n), f"near the threshold of {name}")
    else:
        accepted = query.place == "accepted"
        mask, words = (about.accepted, "accepted as") if accepted else (about.rejected, "rejected as")
        _add(asked, "place", mask, f"{words} {name}")
    _about_cut(asked, about)


def _by_attribute(asked: Conditions, key: str, about: AttributeScores | None, name: str, *, accepted: bool) -> None:
    if about is None:
        asked.notes.append(f"{readable(name)} has no scores yet, so it cannot be asked for: it is left out.")
        return
    mask = about.accepted if accepted else about.rejected
    _add(asked, key, mask, readable(name) if accepted else f"not {readable(name)}")
    _about_cut(asked, about)


def _about_cut(asked: Conditions, about: AttributeScores) -> None:
    if about.threshold is None:
        note = (
            f"{readable(about.attribute.name)} has no threshold yet: its separation point, {about.cut:.2f}, stands in "
            "and promises nothing."
        )
        if note not in asked.notes:
            asked.notes.append(note)


def near(about: AttributeScores, n: int) -> Mask:
    """Return the ``NEAR`` images on either side whose scores are nearest to the cut, fewer where there are fewer."""
    inside = np.zeros(n, bool)
    for side in (about.accepted, about.rejected):
        rows = np.flatnonzero(side)
        if len(rows) > NEAR:
            distance = np.abs(about.scores[rows] - np.float32(about.cut))
            rows = rows[np.argpartition(distance, NEAR - 1)[:NEAR]]
        inside[rows] = True
    return inside


def _by_label(workspace: Workspace, asked: Conditions, query: Query) -> None:
    if not query.attribute:
        raise BamError("a state of the label is asked for, but of no attribute: choose an attribute.")
    found = label_states.states(workspace, tasks.attribute_of(workspace, query.attribute))
    inside = np.zeros(asked.n, bool)
    for state in query.label:
        inside |= found.mask(state, asked.n)
    _add(asked, "label", inside, f"label: {' or '.join(query.label)}")


def _searched(workspace: Workspace, asked: Conditions, query: Query) -> Rows | None:
    """Add what is looked for; return what the last search found, best first."""
    found: Rows | None = None
    if query.words.strip():
        found = search.by_words(workspace, query.words, asked.n)
        _add(asked, "words", _holding(found, asked.n), f"named “{query.words[:60]}”")
    if query.text.strip():
        found = search.by_text(workspace, query.text, FOUND)
        _add(asked, "text", _holding(found, asked.n), f"among the {FOUND:,} that match “{query.text[:60]}” best")
    if query.like:
        found = search.by_images(workspace, query.like, FOUND)
        _add(asked, "like", _holding(found, asked.n), f"among the {FOUND:,} most like the examples")
    if query.upload:
        found = most_similar(workspace, uploads.upload_of(workspace, query.upload).vector, FOUND)[0]
        _add(asked, "upload", _holding(found, asked.n), f"among the {FOUND:,} most like the picture")
    return found


def _holding(rows: Rows, n: int) -> Mask:
    inside = np.zeros(n, bool)
    inside[rows[rows < n]] = True
    return inside
