"""The listing of a gallery: the rows that match a query, in order.

In:  a :class:`Query`. Out: a :class:`Listing`, whose id identifies the query and the state of everything it depends on,
so that its content can be cached forever. Works on arrays over the whole collection, in a fraction of a second for 2.5
million images; recent listings are cached.
"""

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.errors import NotFound
from bam_engine.gallery import image_facets, near_duplicates
from bam_engine.gallery.conditions import Conditions, conditions
from bam_engine.gallery.ordering import order_rows, scoring_attributes
from bam_engine.gallery.query import Query, from_json
from bam_engine.labelling import label_states, tasks
from bam_engine.labelling.label_states import LabelStates, label_version, last_answer
from bam_engine.learning import is_accepted
from bam_engine.training.attribute_scores import AttributeScores, attribute_scores
from bam_engine.training.models import encoders_of
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import removed
from bam_engine.workspace.memory import Kind
from bam_engine.workspace.vectors import vectors_state

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Listing:
    """The result of a query.

    Attributes
    ----------
    id
        20 letters and digits, which change with the query, the scores, the labels and the images.
    rows
        int64 (m,), in order.
    counts
        int64 (m,): how many images each row represents; None where near-duplicates are not grouped.
    matched
        Number of matching images, before grouping.
    n
        Number of images in the collection.
    line
        How many of the rows score at or above the threshold, where they are sorted by one attribute's score alone: a
        dividing line belongs after these. None otherwise.
    scored
        The scores of the query's attribute; None without an attribute or without scores.
    labels
        The state of its labels; None without an attribute.
    notes
        Sentences on conditions that could not be applied.
    emptied_by
        The reason for an empty result.
    """

    id: str
    query: Query
    rows: Rows
    counts: NDArray[np.int64] | None
    matched: int
    n: int
    line: int | None
    scored: AttributeScores | None
    labels: LabelStates | None
    notes: tuple[str, ...] = ()
    emptied_by: str = ""

    def __len__(self) -> int:
        return len(self.rows)


LISTINGS = Kind[Listing](
    "listings",
    of="query and the state of its data",
    until="never: the id is a digest",
    limit=64,
    max_bytes=256_000_000,
    size=lambda listing: listing.rows.nbytes,
)


def list_images(workspace: Workspace, query: Query) -> Listing:
    """Return the current result of ``query``, cached until something that it depends on changes.

    Raises
    ------
    NotFound
        An attribute, selection or image that it names does not exist.
    BamError
        A condition cannot be applied, such as a text search with an encoder for images only.
    EmbeddingError
        It searches for similar images, and nothing is embedded yet.

    Examples
    --------
    >>> cats = list_images(workspace, Query(yes=("media_watercolor", "content_cat"), no=("content_people",)))
    ... # doctest: +SKIP
    >>> cats.rows[:3], cats.matched  # doctest: +SKIP
    """
    n = len(workspace.catalogue)
    known = known_scores(workspace, query, n)
    listing_id = identify(workspace, query, known, n)

    def make() -> Listing:
        matching = conditions(workspace, query, known, n)
        rows = order_rows(workspace, np.flatnonzero(matching.together()), query, known, matching.ranked)
        listing = _fold(workspace, _listing(workspace, listing_id, query, known, matching, rows))
        listing.rows.flags.writeable = False
        return listing

    return workspace.memory.get(LISTINGS, listing_id, None, make)


def by_id(workspace: Workspace, listing_id: str, query: str = "") -> Listing:
    """Return the cached listing of this id, or else the current result of its query (as JSON).

    The result has another id where the collection, its scores or its labels have changed.

    Raises
    ------
    NotFound
        It is not cached, and no query is given.
    BamError
        The query cannot be parsed or applied.
    """
    cached = workspace.memory.peek(LISTINGS, listing_id)
    if cached is not None:
        return cached
    if not query:
        raise NotFound(f"The listing {listing_id[:40]!r} is no longer cached. Open the gallery again.")
    return list_images(workspace, from_json(query))


def known_scores(workspace: Workspace, query: Query, n: int) -> dict[str, AttributeScores | None]:
    """Return the scores of every attribute that the query names."""
    names = dict.fromkeys((query.attribute, *query.yes, *query.no))
    return {name: attribute_scores(workspace, name, n) for name in names if name}


def identify(workspace: Workspace, query: Query, known: dict[str, AttributeScores | None], n: int) -> str:
    """Return an id of the query and the state of everything it depends on."""
    state: list[object] = [query.json(), workspace.catalogue.digests().fingerprint(n), removed(workspace).version]
    if query.text or query.like or query.upload or query.sort == "spread":
        state += [workspace.choice.key, vectors_state(workspace)]
    if query.sort in PROBLEMS or any(getattr(query, name) for name in image_facets.FACETS):
        state.append(image_facets.version(workspace))
    if query.words:
        state.append(workspace.catalogue.names_version)
    state += [name if scored is None else scored.version() for name, scored in known.items()]
    if query.attribute:
        attribute = tasks.attribute_of(workspace, query.attribute)
        state += [label_version(workspace, attribute), last_answer(workspace, attribute)]
    if query.folded:
        state.append(near_duplicates.groups_version(workspace))
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:20]


def _listing(
    workspace: Workspace,
    key: str,
    query: Query,
    known: dict[str, AttributeScores | None],
    matching: Conditions,
    rows: Rows,
) -> Listing:
    scored = known.get(query.attribute)
    labels = None
    if query.attribute:
        labels = label_states.states(workspace, tasks.attribute_of(workspace, query.attribute))
    by_one_score = scored is not None and query.sort == "score" and scoring_attributes(query, known) == [(scored, True)]
    line = int(is_accepted(scored.scores[rows], scored.cut).sum()) if scored is not None and by_one_score else None
    notes = list(matching.notes)
    if query.attribute and scored is None and not notes:
        as_added = query.sort in ("score", "closest") or (query.sort == "found" and not query.searched)
        order = " Images are in the order in which they were added."
        unordered = as_added and not scoring_attributes(query, known)
        notes.append(_no_scores(workspace, query.attribute) + order * unordered)
    if scored is not None and not len(workspace.vectors()):
        notes.append("The images have no vectors, so none has a score. Embed the collection.")
    return Listing(
        id=key,
        query=query,
        rows=rows,
        counts=None,
        matched=len(rows),
        n=int(matching.members.sum()),
        line=line,
        scored=scored,
        labels=labels,
        notes=tuple(notes),
        emptied_by=matching.emptied_by() if matching.n and not len(rows) else "",
    )


def _no_scores(workspace: Workspace, name: str) -> str:
    """Say that an attribute has no scores, and with which encoders it was trained, if any."""
    others = encoders_of(workspace, tasks.attribute_of(workspace, name))
    if not others:
        return "This attribute has no scores yet."
    trained = " and ".join(map(workspace.encoder_name, others))
    return f"This attribute was trained with {trained}, not with the encoder in use, {workspace.encoder_name()}."


def _fold(workspace: Workspace, listing: Listing) -> Listing:
    """Reduce each group of near-duplicates to its first image, if the query says so and the groups are known."""
    if not listing.query.folded or not len(listing.rows):
        return listing
    if not near_duplicates.has_groups(workspace):
        note = (
            "Near-duplicates have not been searched for yet, so none are grouped. Exact duplicates count once anyway."
        )
        return replace(listing, notes=(*listing.notes, note))
    rows, counts = near_duplicates.fold(workspace, listing.rows)
    line = listing.line
    if line is not None and listing.scored is not None:
        line = int(is_accepted(listing.scored.scores[rows], listing.scored.cut).sum())
    return replace(listing, rows=rows, counts=counts, line=line)
