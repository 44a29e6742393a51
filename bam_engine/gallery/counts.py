"""What the filters of a gallery show: how many images have each value, with all other conditions of the query applied.

In:  a query. Out: counts by value, and the histogram of the scores. They come from the same masks as the listing
(:mod:`bam_engine.gallery.conditions`), so a count is the length of the listing after a click on its value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from bam_engine.gallery import image_facets
from bam_engine.gallery.conditions import Conditions, borderline, conditions
from bam_engine.gallery.listing import identify, known_scores
from bam_engine.gallery.query import Query
from bam_engine.labelling import label_states, tasks
from bam_engine.training.attribute_scores import AttributeScores, attribute_scores
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

FACETS = (*image_facets.FACETS, "label", "place")

BINS = 40
"""Bins of a histogram of scores."""

FACET_COUNTS = Kind[dict[str, int]](
    "facet counts", of="facet, query and the state of its data", until="never: the id is a digest", limit=1000
)


@dataclass(frozen=True)
class ScoreHistogram:
    """How many images score in each of :data:`BINS` equal bins from ``low`` to ``high``, the ends of all scores.

    ``accepted`` are those that are accepted, ``others`` the rest; ``cut`` is the threshold that divides them by score.
    """

    low: float
    high: float
    cut: float
    accepted: tuple[int, ...]
    others: tuple[int, ...]


_HISTOGRAMS = Kind[ScoreHistogram | None](
    "histograms of scores", of="query and the state of its data", until="never: the id is a digest", limit=100
)


class _Counting:
    """One query and the masks of its conditions, which are made once, and only if a count is not cached."""

    def __init__(self, workspace: Workspace, query: Query) -> None:
        self.workspace, self.query = workspace, query
        self.n = len(workspace.catalogue)
        self.known = known_scores(workspace, query, self.n)
        self.version = identify(workspace, replace(query, sort="oldest", seed=0, folded=False), self.known, self.n)
        self.version += str(image_facets.version(workspace))

    @cached_property
    def conditions(self) -> Conditions:
        return conditions(self.workspace, self.query, self.known, self.n)


def facet_counts(workspace: Workspace, query: Query, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Return for each facet how many images match each of its values, with all other conditions of the query applied.

    Parameters
    ----------
    names
        Some of ``FACETS``. ``label`` and ``place`` refer to the query's attribute; ``place`` counts all, accepted,
        rejected and undecided images, accepted ones that are not covered, and those near the threshold.

    Raises
    ------
    NotFound, BamError
        As :func:`bam_engine.gallery.listing.list_images`.
    """
    counting = _Counting(workspace, query)

    def counted(name: str) -> dict[str, int]:
        inside = counting.conditions.together(without=name)
        if name in image_facets.FACETS:
            return image_facets.FACETS[name].counts(workspace, inside)
        if name == "place":
            return _by_place(counting.known.get(query.attribute), inside)
        return _by_label(workspace, query.attribute, inside)

    return {
        name: workspace.memory.get(FACET_COUNTS, (name, counting.version), None, partial(counted, name))
        for name in names
    }


def attribute_counts(workspace: Workspace, query: Query, names: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return how many images each attribute accepts and rejects, with all conditions on other attributes applied.

    Attributes without scores are left out.
    """
    counting = _Counting(workspace, query)
    result = {}
    for name in names:
        scored = attribute_scores(workspace, name, counting.n)
        if scored is None:
            continue

        def counted(name: str = name, scored: AttributeScores = scored) -> dict[str, int]:
            without = f"yes:{name}" if name in query.yes else f"no:{name}"
            inside = counting.conditions.together(without=without)
            accepted, rejected = scored.accepted, scored.rejected
            return {"accepted": int((inside & accepted).sum()), "rejected": int((inside & rejected).sum())}

        key = (name, counting.version, str(scored.version()))
        result[name] = workspace.memory.get(FACET_COUNTS, key, None, counted)
    return result


def score_histogram(workspace: Workspace, query: Query) -> ScoreHistogram | None:
    """Return how the scores of the query's attribute are spread, with all conditions but that on the score applied.

    None without an attribute, or where fewer than two scores differ.
    """
    counting = _Counting(workspace, query)
    scored = counting.known.get(query.attribute)
    if scored is None:
        return None

    def counted() -> ScoreHistogram | None:
        every = scored.scores[counting.conditions.members]
        every = every[~np.isnan(every)]
        if not len(every) or every.min() == every.max():
            return None
        low, high = float(every.min()), float(every.max())
        inside = counting.conditions.together(without="score") & ~np.isnan(scored.scores)
        place = (scored.scores[inside] - np.float32(low)) * np.float32(BINS / (high - low))
        bins = np.clip(place.astype(np.int64), 0, BINS - 1)
        accepted = np.bincount(bins[scored.accepted[inside]], minlength=BINS)
        others = np.bincount(bins, minlength=BINS) - accepted
        return ScoreHistogram(low, high, scored.cut, tuple(accepted.tolist()), tuple(others.tolist()))

    return workspace.memory.get(_HISTOGRAMS, counting.version, None, counted)


def _by_place(scored: AttributeScores | None, inside: Mask) -> dict[str, int]:
    counts = {"all": int(inside.sum())}
    if scored is None:
        return counts
    accepted, rejected = scored.accepted, scored.rejected
    return counts | {
        "accepted": int((inside & accepted).sum()),
        "rejected": int((inside & rejected).sum()),
        "undecided": int((inside & ~(accepted | rejected)).sum()),
        "uncovered": int((inside & scored.not_covered).sum()),
        "near": int((inside & borderline(scored, len(inside))).sum()),
    }


def _by_label(workspace: Workspace, attribute: str, inside: Mask) -> dict[str, int]:
    labels = label_states.states(workspace, tasks.attribute_of(workspace, attribute))
    counts = {state: int(inside[rows[rows < len(inside)]].sum()) for state, rows in labels.rows.items()}
    labelled = sum(count for state, count in counts.items() if state != "disagreed")
    return counts | {"unlabelled": int(inside.sum()) - labelled}
