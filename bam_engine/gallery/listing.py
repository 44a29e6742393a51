"""The listing of a gallery: the rows that a query finds, in order, and what is told of a window of them.

In:  a :class:`Query`. Out: a :class:`Listing`, whose id names the query and the state of everything it speaks of, so
that what is told of it may be kept for good. Works on arrays over the whole collection, in a fraction of a second at
2.5 million; the last listings are remembered.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.errors import NotFound
from bam_engine.gallery import facets, near_duplicates
from bam_engine.gallery.conditions import Conditions, conditions, near
from bam_engine.gallery.ordering import ordered, wanted
from bam_engine.gallery.query import Query, from_json
from bam_engine.labelling import label_states, tasks
from bam_engine.labelling.label_states import LabelStates, label_version
from bam_engine.training.attribute_scores import AttributeScores, attribute_scores
from bam_engine.training.decisions import is_accepted
from bam_engine.workspace.core import Workspace

Rows = NDArray[np.int64]

REMEMBERED = 256 * 2**20
"""Bytes of rows that the remembered listings may take together; the newest is kept whatever its size."""

FACETS = ("colour", "year", "project", "label", "place")

_MOST_REMEMBERED = 64


@dataclass(frozen=True, eq=False)
class Listing:
    """What a query finds.

    Attributes
    ----------
    id
        20 letters and digits: another query, other scores, labels or images, another id.
    rows
        int64 (m,), in order.
    counts
        int64 (m,): how many images each stands for; None where near-duplicates are not folded.
    found
        Images before folding.
    n
        Images of the collection.
    line
        Where the rows stand by one attribute's score alone, how many of them its threshold accepts: a line belongs
        after so many. None otherwise.
    about
        The attribute that is looked at, scored; None without one, or without scores.
    labels
        How the labels for it stand; None without an attribute.
    notes
        What could not be asked, in sentences.
    emptied_by
        Where nothing is found, why.
    """

    id: str
    query: Query
    rows: Rows
    counts: NDArray[np.int64] | None
    found: int
    n: int
    line: int | None
    about: AttributeScores | None
    labels: LabelStates | None
    notes: tuple[str, ...] = ()
    emptied_by: str = ""

    def __len__(self) -> int:
        return len(self.rows)


def listed(workspace: Workspace, query: Query) -> Listing:
    """Return what ``query`` finds now; remembered until something that it speaks of changes.

    Raises
    ------
    NotFound
        An attribute, selection or image that it names is not there.
    BamError
        A condition cannot be asked, such as a text for an encoder that reads none.
    EmbeddingError
        It looks for likes, and nothing is embedded yet.

    Examples
    --------
    >>> cats = listed(workspace, Query(yes=("media_watercolor", "content_cat"), no=("content_people",)))
    ... # doctest: +SKIP
    >>> cats.rows[:3], cats.found  # doctest: +SKIP
    """
    n = len(workspace.catalogue)
    known = _known(workspace, query, n)
    listing_id = _identify(workspace, query, known, n)
    kept = _remembered(workspace).get(listing_id)
    if kept is not None:
        return kept
    asked = conditions(workspace, query, known, n)
    rows = ordered(workspace, np.flatnonzero(asked.together()), query, known, asked.found)
    made = _folded(workspace, _listing(workspace, listing_id, query, known, asked, rows))
    _remember(workspace, made)
    return made


def by_id(workspace: Workspace, listing_id: str, query: str = "") -> Listing:
    """Return the listing of this id, or, where it is not remembered, what its query (as JSON) finds now.

    What comes back has another id where the collection, its scores or labels have changed since.

    Raises
    ------
    NotFound
        It is not remembered, and no query is given.
    BamError
        The query cannot be read or asked.
    """
    with workspace.lock:
        kept = _remembered(workspace).get(listing_id)
        if kept is not None:
            _remembered(workspace).move_to_end(listing_id)
            return kept
    if not query:
        raise NotFound(f"the listing {listing_id[:40]!r} is not there any more: open the gallery again.")
    return listed(workspace, from_json(query))


def facet_counts(workspace: Workspace, query: Query, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return, for each facet, how many images each value would leave, with all other conditions of the query applied.

    Parameters
    ----------
    names
        Of ``FACETS``: ``label`` and ``place`` speak of the query's attribute. ``place`` counts all, accepted and
        rejected images, and those near the threshold.

    Raises
    ------
    NotFound, BamError
        As :func:`listed`.
    """
    n = len(workspace.catalogue)
    known = _known(workspace, query, n)
    version = _identify(workspace, replace(query, sort="oldest", seed=0, folded=False), known, n)
    version += str(facets.version(workspace))
    kept: OrderedDict[str, dict[str, dict[str, int]]] = workspace.memory_cache.setdefault("facet-counts", OrderedDict())
    with workspace.lock:
        told = dict(kept.get(version, {}))
    missing = [name for name in names if name not in told]
    if missing:
        asked = conditions(workspace, query, known, n)
        for name in missing:
            told[name] = _count(workspace, query, known, name, asked.together(without=name))
        with workspace.lock:
            kept[version] = told
            while len(kept) > _MOST_REMEMBERED:
                kept.popitem(last=False)
    return {name: told[name] for name in names}


def _known(workspace: Workspace, query: Query, n: int) -> dict[str, AttributeScores | None]:
    """Return every attribute that the query names, scored."""
    names = dict.fromkeys((query.attribute, *query.yes, *query.no))
    return {name: attribute_scores(workspace, name, n) for name in names if name}


def _count(
    workspace: Workspace, query: Query, known: dict[str, AttributeScores | None], facet: str, inside: NDArray[np.bool_]
) -> dict[str, int]:
    if facet in ("colour", "year", "project"):
        by = {"colour": facets.colour_counts, "year": facets.year_counts, "project": facets.project_counts}[facet]
        return by(workspace, inside)
    if facet == "place":
        about = known.get(query.attribute)
        counts = {"all": int(inside.sum())}
        if about is not None:
            counts |= {"accepted": int((inside & about.accepted).sum())}
            counts |= {"rejected": int((inside & about.rejected).sum())}
            counts |= {"near": int((inside & near(about, len(inside))).sum())}
        return counts
    labels = label_states.states(workspace, tasks.attribute_of(workspace, query.attribute))
    told = {state: int(inside[rows[rows < len(inside)]].sum()) for state, rows in labels.rows.items()}
    labelled = sum(count for state, count in told.items() if state != "disagreed")
    return told | {"unlabelled": int(inside.sum()) - labelled}


def _identify(workspace: Workspace, query: Query, known: dict[str, AttributeScores | None], n: int) -> str:
    """Name the query and the state of what it speaks of."""
    seen: list[object] = [query.json(), n]
    if query.text or query.like or query.upload or query.sort == "spread":
        seen += [workspace.choice.key, len(workspace.vectors())]
    if query.colour or query.year or query.project or query.words:
        seen.append(facets.version(workspace))
    seen += [name if about is None else about.version() for name, about in known.items()]
    if query.attribute:
        seen.append(label_version(workspace, tasks.attribute_of(workspace, query.attribute)))
    if query.folded:
        seen.append(near_duplicates.groups_version(workspace))
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:20]


def _listing(
    workspace: Workspace,
    key: str,
    query: Query,
    known: dict[str, AttributeScores | None],
    asked: Conditions,
    rows: Rows,
) -> Listing:
    about = known.get(query.attribute)
    labels = None
    if query.attribute:
        labels = label_states.states(workspace, tasks.attribute_of(workspace, query.attribute))
    by_one_score = about is not None and query.sort == "score" and wanted(query, known) == [(about, True)]
    line = int(is_accepted(about.scores[rows], about.cut).sum()) if about is not None and by_one_score else None
    notes = list(asked.notes)
    if query.attribute and about is None and not notes:
        notes.append("This attribute has no scores yet: the images are shown in the order they were added.")
    return Listing(
        id=key,
        query=query,
        rows=rows,
        counts=None,
        found=len(rows),
        n=asked.n,
        line=line,
        about=about,
        labels=labels,
        notes=tuple(notes),
        emptied_by=asked.emptied_by() if asked.n and not len(rows) else "",
    )


def _folded(workspace: Workspace, made: Listing) -> Listing:
    """Fold near-duplicates into the first of each group, where that is asked and they were looked for."""
    if not made.query.folded or not len(made.rows):
        return made
    if not near_duplicates.has_groups(workspace):
        note = "Near-duplicates were not looked for yet, so none are folded (identical files count once anyway)."
        return replace(made, notes=(*made.notes, note))
    rows, counts = near_duplicates.fold(workspace, made.rows)
    line = made.line
    if line is not None and made.about is not None:
        line = int(is_accepted(made.about.scores[rows], made.about.cut).sum())
    return replace(made, rows=rows, counts=counts, line=line)


def _remembered(workspace: Workspace) -> "OrderedDict[str, Listing]":
    with workspace.lock:
        kept: OrderedDict[str, Listing] = workspace.memory_cache.setdefault("listings", OrderedDict())
        return kept


def _remember(workspace: Workspace, made: Listing) -> None:
    made.rows.flags.writeable = False
    with workspace.lock:
        kept = _remembered(workspace)
        kept[made.id] = made
        room = sum(listing.rows.nbytes for listing in kept.values())
        while len(kept) > 1 and (len(kept) > _MOST_REMEMBERED or room > REMEMBERED):
            room -= kept.popitem(last=False)[1].rows.nbytes
