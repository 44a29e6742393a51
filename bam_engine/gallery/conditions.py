"""The conditions of a gallery's query, each as a mask over the collection.

In:  a query and the attributes it names, with their scores. Out: one mask and description for each condition.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import readable
from bam_engine.collection.words import search_terms
from bam_engine.errors import BamError
from bam_engine.formatting import decimal
from bam_engine.gallery import search, selections, uploads
from bam_engine.gallery.image_facets import FACETS
from bam_engine.gallery.query import Query
from bam_engine.labelling import label_states, tasks
from bam_engine.training.attribute_scores import AttributeScores
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import members
from bam_engine.workspace.vectors import most_similar

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

NEAR = 500
"""Most images on each side of a threshold that count as borderline; of few, a tenth does."""

MAX_MATCHES = 1000
"""Images that a search by meaning or by example returns."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """The masks (n,) and descriptions of a query's conditions, by field name, and notes on what could not be applied.

    ``members`` are the images of the collection, whatever the conditions. ``ranked`` are the rows of a search, best
    first, or None without a search.
    """

    members: Mask
    masks: dict[str, Mask] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ranked: Rows | None = None

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.members)

    def add(self, name: str, mask: Mask, words: str) -> None:
        """Add a condition."""
        self.masks[name], self.words[name] = mask, words

    def together(self, *, without: str = "") -> Mask:
        """Return where all conditions hold, or all but one."""
        inside = self.members.copy()
        for name, mask in self.masks.items():
            if name != without:
                inside &= mask
        return inside

    def emptied_by(self) -> str:
        """Explain an empty result: the conditions without which something would be left."""
        counts = [(self.words[name], int(self.together(without=name).sum())) for name in self.masks]
        removable = [f"without “{words}” there would be {count:,}" for words, count in counts if count]
        if removable:
            return "; ".join(removable)
        empty = [self.words[name] for name, mask in self.masks.items() if not mask.any()]
        if empty:
            return "no image of the collection is " + ", nor ".join(f"“{words}”" for words in empty)
        return "no single condition is the cause: remove more than one"


def conditions(workspace: Workspace, query: Query, known: Mapping[str, AttributeScores | None], n: int) -> Conditions:
    """Return the masks of ``query`` over ``n`` images; ``known`` has the scores of every attribute that it names.

    Raises
    ------
    NotFound
        A selection, attribute or image that the query names does not exist.
    BamError
        Another value is invalid, such as an unknown colour or a text that is too long.
    """
    result = Conditions(members(workspace, n))
    _by_place(result, query, known)
    for name in query.yes:
        _by_attribute(result, f"yes:{name}", known[name], name, accepted=True)
    for name in query.no:
        _by_attribute(result, f"no:{name}", known[name], name, accepted=False)
    if query.label:
        _by_label(workspace, result, query)
    _by_score(result, query, known)
    for name, facet in FACETS.items():
        values = getattr(query, name)
        if values:
            result.add(name, facet.mask(workspace, values, n), f"{name}: {' or '.join(values)}")
    if query.selection:
        result.add("selection", _mask_of(selections.rows_of(workspace, query.selection), n), "in the selection")
    return replace(result, ranked=_search(workspace, result, query))


def _by_place(result: Conditions, query: Query, known: Mapping[str, AttributeScores | None]) -> None:
    if query.place == "all":
        return
    if not query.attribute:
        raise BamError(f"The place {query.place!r} needs an attribute. Choose one.")
    scored, name = known[query.attribute], readable(query.attribute)
    if scored is None:
        result.notes.append(f"{name} has no scores yet, so no image is accepted or rejected: all are shown.")
        return
    if query.place == "near":
        result.add("place", borderline(scored, result.n), f"near the threshold of {name}")
    elif query.place == "uncovered":
        result.add("place", scored.not_covered, f"accepted as {name} and not covered")
    elif query.place == "undecided":
        result.add("place", ~(scored.accepted | scored.rejected), f"undecided as {name}")
    else:
        accepted = query.place == "accepted"
        mask, words = (scored.accepted, "accepted as") if accepted else (scored.rejected, "rejected as")
        result.add("place", mask, f"{words} {name}")
    _note_missing_threshold(result, scored)


def _by_score(result: Conditions, query: Query, known: Mapping[str, AttributeScores | None]) -> None:
    if query.score_from is None and query.score_to is None:
        return
    if not query.attribute:
        raise BamError("A range of scores needs an attribute. Choose one.")
    scored, name = known[query.attribute], readable(query.attribute)
    if scored is None:
        result.notes.append(f"{name} has no scores yet; the range of scores is ignored.")
        return
    inside = ~np.isnan(scored.scores)
    words = []
    if query.score_from is not None:
        inside &= scored.scores >= np.float32(query.score_from)
        words.append(f"at least {decimal(query.score_from, 3)}")
    if query.score_to is not None:
        inside &= scored.scores <= np.float32(query.score_to)
        words.append(f"at most {decimal(query.score_to, 3)}")
    result.add("score", inside, f"score {' and '.join(words)}")


def _by_attribute(result: Conditions, key: str, scored: AttributeScores | None, name: str, *, accepted: bool) -> None:
    if scored is None:
        result.notes.append(f"{readable(name)} has no scores yet; this condition is ignored.")
        return
    mask = scored.accepted if accepted else scored.rejected
    result.add(key, mask, readable(name) if accepted else f"not {readable(name)}")
    _note_missing_threshold(result, scored)


def _note_missing_threshold(result: Conditions, scored: AttributeScores) -> None:
    if scored.threshold is None:
        note = (
            f"{readable(scored.attribute.name)} has no threshold yet. The classifier's default, "
            f"{decimal(scored.cut, 3)}, is used; it guarantees nothing."
        )
        if note not in result.notes:
            result.notes.append(note)


def borderline(scored: AttributeScores, n: int) -> Mask:
    """Return the tenth of each side whose scores are closest to the cut, at most ``NEAR`` images."""
    inside = np.zeros(n, bool)
    for side in scored.sides:
        rows = np.flatnonzero(side)
        near = min(NEAR, math.ceil(len(rows) / 10))
        if near:
            distance = np.abs(scored.scores[rows] - np.float32(scored.cut))
            inside[rows[np.argpartition(distance, near - 1)[:near]]] = True
    return inside


def _by_label(workspace: Workspace, result: Conditions, query: Query) -> None:
    if not query.attribute:
        raise BamError("A label state needs an attribute. Choose one.")
    states = label_states.states(workspace, tasks.attribute_of(workspace, query.attribute))
    inside = np.zeros(result.n, bool)
    for state in query.label:
        inside |= states.mask(state, result.n)
    result.add("label", inside, f"label: {' or '.join(query.label)}")


def _search(workspace: Workspace, result: Conditions, query: Query) -> Rows | None:
    """Add the query's searches; return the rows of the last one, best first."""
    rows: Rows | None = None
    if query.words.strip():
        rows = search.by_words(workspace, query.words, result.n)
        result.add("words", _mask_of(rows, result.n), f"named “{query.words[:60]}”")
        if not search_terms(query.words):
            result.notes.append(f"“{query.words[:60]}” has no word to look for. Type letters or digits.")
    if query.text.strip():
        rows = search.by_text(workspace, query.text, MAX_MATCHES)
        result.add("text", _mask_of(rows, result.n), f"among the {MAX_MATCHES:,} best matches for “{query.text[:60]}”")
    if query.like:
        rows = search.by_images(workspace, query.like, MAX_MATCHES)
        result.add("like", _mask_of(rows, result.n), f"among the {MAX_MATCHES:,} most similar to the examples")
    if query.upload:
        rows = most_similar(workspace, uploads.upload_of(workspace, query.upload).vector, MAX_MATCHES)[0]
        result.add("upload", _mask_of(rows, result.n), f"among the {MAX_MATCHES:,} most similar to the uploaded image")
    return rows


def _mask_of(rows: Rows, n: int) -> Mask:
    inside = np.zeros(n, bool)
    inside[rows[rows < n]] = True
    return inside
