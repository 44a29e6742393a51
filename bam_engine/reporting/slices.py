"""Figures of an attribute by *slice*: for saved views, or for each value of a facet, beside those of the whole.

In:  queries of the gallery. Out: :class:`Slices`, the least precise first. A slice is what a query matches, before
near-duplicates are grouped; its figures follow from the labels of random samples alone
(:mod:`bam_engine.training.slice_frames`). A query that asks for the scores or answers of the attribute itself has
none: such images are no random sample of anything. Nor has one that was picked from the sampled images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute, readable
from bam_engine.errors import BamError, NoThreshold
from bam_engine.formatting import count, percent_interval
from bam_engine.gallery import saved_views
from bam_engine.gallery.conditions import conditions
from bam_engine.gallery.image_facets import FACETS
from bam_engine.gallery.listing import identify, known_scores
from bam_engine.gallery.query import Query
from bam_engine.learning.slice_comparison import difference, holm, overlaps, p_value
from bam_engine.learning.slices import Figure, Figures, Frame, SliceCounts, too_wide
from bam_engine.training.slice_frames import slice_frame
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

MAX_VALUES = 20
"""Values of a facet that become slices: those with the most images."""

LEVEL = 0.05
"""The risk that any slice at all is said to differ from the rest where none does."""


@dataclass(frozen=True)
class Slice:
    """A slice and what is known of it.

    ``figures`` are None where there are none; ``problem`` then says why. ``notes`` say what limits them. ``apart`` is
    its precision less that of all other images, (value, low, high), None where either is not measured, and ``p`` its
    p-value; ``corrected`` is that for all slices of the table.
    """

    name: str
    query: Query
    figures: Figures | None = None
    problem: str = ""
    notes: tuple[str, ...] = ()
    apart: Figure | None = None
    p: float | None = None
    corrected: float | None = None

    @property
    def differs(self) -> bool:
        """Whether its precision differs from that of the rest, allowing for how many slices were looked at."""
        return self.corrected is not None and self.corrected <= LEVEL

    @property
    def too_few(self) -> str:
        """What is too little known, and how many more labels would do, in a sentence; "" if nothing."""
        if self.figures is None:
            return ""
        found = self.figures
        wanted = ((found.precision, found.more, "accepted"), (found.prevalence, found.more_random, "random"))
        needed = [
            f"about {count(more, f'more {which} image')} to know the {measure}"
            for (figure, more, which), measure in zip(wanted, ("precision", "prevalence"), strict=True)
            if more and too_wide(figure)
        ]
        if not needed:
            return ""
        return f"Too few labels: it takes {' and '.join(needed)} within ±5 points, all at random and in this slice."


@dataclass(frozen=True)
class Slices:
    """The slices of an attribute, the least precise first, then those without figures; ``whole`` are those of all.

    ``looks`` is how many slices were compared with the other images, for which what differs is corrected.
    """

    attribute: Attribute
    whole: Figures
    slices: tuple[Slice, ...]
    looks: int

    @property
    def summary(self) -> str:
        """What was found, allowing for how many slices were looked at, in sentences."""
        different = [each for each in self.slices if each.differs]
        if not self.looks:
            return "No slice has enough labels to be compared with the other images."
        among = f"Of {count(self.looks, 'slice')} compared with the other images"
        if not different:
            return f"{among}, none differs in its precision by more than chance explains."
        names = "; ".join(
            f"{each.name} ({percent_interval(*each.figures.precision)})" for each in different if each.figures
        )
        verb = "differs" if len(different) == 1 else "differ"
        return f"{among}, {len(different)} {verb} in precision by more than chance explains: {names}."

    @property
    def caution(self) -> str:
        """How the number of looks is allowed for, in a sentence."""
        return (
            "Each interval holds for its own slice at 95%; among many slices, some look different by chance alone. "
            f"What is said to differ allows for the {count(self.looks, 'slice')} compared here (Holm's correction), "
            "not for other tables, or for views that were tried and not saved. A slice is a saved view before "
            "near-duplicates are grouped. Precision counts what people have labelled, "
            "so it is higher where a round has asked much. Labels of rounds and audits tell of their own images alone."
        )


@one_flow
def slices_of(workspace: Workspace, attribute: Attribute, queries: Mapping[str, Query] | None = None) -> Slices:
    """Return the figures of each query by its name; by default of every saved view.

    Raises
    ------
    NoThreshold
        No threshold is in use, so nothing is accepted.
    """
    threshold = current_threshold(workspace, attribute)
    if threshold is None:
        raise NoThreshold(
            f"{readable(attribute.name)} has no threshold, so no image is accepted and there is no precision. Train it "
            "and choose a threshold first."
        )
    if queries is None:
        queries = {each.name: each.query for each in saved_views.load_all(workspace)}
    frame = slice_frame(workspace, attribute, threshold)
    n = len(frame.states)
    everything = SliceCounts(frame, members(workspace, n))
    whole = _whole(everything, threshold)
    found = [_measured(workspace, attribute, name, query, frame, everything, whole) for name, query in queries.items()]
    looks = sum(each.p is not None for each in found)
    return Slices(attribute, whole, tuple(sorted(_corrected(found), key=_worst_first)), looks)


def by_facet(workspace: Workspace, facet: str) -> dict[str, Query]:
    """Return a query for each value of a facet, the most frequent first, at most :data:`MAX_VALUES`.

    Raises
    ------
    BamError
        There is no such facet.
    """
    if facet not in FACETS:
        raise BamError(f"There is no facet {facet[:40]!r}. Choose one of {', '.join(FACETS)}.")
    counts = FACETS[facet].counts(workspace, members(workspace, len(workspace.catalogue)))
    values = sorted((value for value, number in counts.items() if number), key=lambda value: (-counts[value], value))
    return {value: Query(**{facet: (value,)}) for value in values[:MAX_VALUES]}  # type: ignore[arg-type]


def _whole(everything: SliceCounts, threshold: AttributeThreshold) -> Figures:
    """Return the figures of all images; precision and recall are those that every page shows."""
    evidence = threshold.evidence
    found = everything.figures()
    return replace(found, precision=evidence.precision_interval, recall=evidence.recall_interval)


def _measured(
    workspace: Workspace,
    attribute: Attribute,
    name: str,
    query: Query,
    frame: Frame,
    everything: SliceCounts,
    whole: Figures,
) -> Slice:
    own = chosen_by(query, attribute.name)
    if own:
        return Slice(name, query, problem=own)
    try:
        inside, notes = _matching(workspace, query, len(frame.states))
    except BamError as error:
        return Slice(name, query, problem=str(error))
    by_hand = bool(query.tag or query.selection or query.like)
    notes = (*notes, *_cautions(query, by_hand))
    for each in overlaps(frame, inside, members(workspace, len(inside))):
        if not each.by_chance:
            problem = (
                f"It holds {each.held:,} of the {count(each.sampled, 'image')} of a sample, where chance would put "
                f"about {each.expected:,.0f}: it was picked by them, so their labels say nothing of its other images."
            )
            return Slice(name, query, problem=problem, notes=notes)
    counts = SliceCounts(frame, inside)
    if counts.images == everything.images:
        return Slice(name, query, whole, notes=notes)
    figures = counts.figures(whole)
    if figures.not_covered:
        notes = (
            *notes,
            f"Not about {count(figures.not_covered, 'accepted image')}, which came after the sample was drawn or could "
            "not be looked at then.",
        )
    result = Slice(name, query, figures, notes=notes)
    if by_hand:
        return result
    rest = SliceCounts(frame, members(workspace, len(inside)) & ~inside)
    if not (counts.labels and rest.labels):
        return result
    return replace(result, apart=difference(counts.precision(), rest.precision()), p=p_value(counts, rest))


def _cautions(query: Query, by_hand: bool) -> list[str]:
    """Return what has to be known of how a slice was chosen."""
    found = []
    if by_hand:
        found.append(
            "Chosen by hand: the figures hold only if whoever chose did not go by answers or scores, and it is not "
            "compared with the others."
        )
    names = dict.fromkeys((*query.yes, *query.no, *([query.attribute] if query.label else [])))
    if names:
        others = " and ".join(map(readable, names))
        found.append(f"It goes by answers about {others}: the figures hold only if few of the sampled images have one.")
    return found


def chosen_by(query: Query, name: str) -> str:
    """Return why a query has no figures for the attribute ``name``; "" if it can have some.

    Examples
    --------
    >>> chosen_by(Query(yes=("media_watercolor",)), "media_watercolor")
    'It is chosen by what is accepted as watercolor (media), so its images are no random sample.'
    >>> chosen_by(Query(attribute="media_watercolor", colour=("red",)), "media_watercolor")
    ''
    """
    by = ""
    if query.attribute == name:
        by = "scores" if query.score_from is not None or query.score_to is not None else by
        by = "the threshold" if query.place != "all" else by
        by = "answers" if query.label else by
        by = by and f"{by} of {readable(name)}"
    if name in (*query.yes, *query.no):
        by = f"what is {'accepted' if name in query.yes else 'rejected'} as {readable(name)}"
    return by and f"It is chosen by {by}, so its images are no random sample."


_MASKS = Kind[tuple[Mask, tuple[str, ...]]](
    "images of slices",
    of="query and the state of its data",
    until="never: the id is a digest",
    limit=100,
    max_bytes=100_000_000,
    size=lambda found: found[0].nbytes,
)


def _matching(workspace: Workspace, query: Query, n: int) -> tuple[Mask, tuple[str, ...]]:
    """Return the images that match a query, whatever its order, and notes on conditions that are ignored."""
    plain = replace(query, sort="oldest", seed=0, folded=False)
    known = known_scores(workspace, plain, n)

    def match() -> tuple[Mask, tuple[str, ...]]:
        found = conditions(workspace, plain, known, n)
        inside = found.together()
        inside.flags.writeable = False
        return inside, tuple(found.notes)

    return workspace.memory.get(_MASKS, identify(workspace, plain, known, n), None, match)


def _corrected(found: list[Slice]) -> list[Slice]:
    tested = [each.p for each in found if each.p is not None]
    corrected = iter(holm(tested).tolist())
    return [each if each.p is None else replace(each, corrected=next(corrected)) for each in found]


def _worst_first(one: Slice) -> tuple[int, float, str]:
    if one.figures is None:
        return 2, 0.0, one.name
    value = one.figures.precision[0]
    return (1, 0.0, one.name) if np.isnan(value) else (0, value, one.name)
