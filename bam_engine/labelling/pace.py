"""Pace: how long each person looks at an image, and who answers faster than a person can look.

In:  the seconds that come with the answers of a page of the grid: the time for which the page was visible, shared out
among its images. Out: for each person the median over their pages, which an idle minute does not move, with its exact
interval. Answers that are corrected, imported or given elsewhere have no seconds and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation.annotator_store import merged_into
from bam_engine.formatting import count
from bam_engine.labelling.patterns import FALSE_ALARM
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.memory import Kind

LOOK = 0.2
"""Seconds below which nobody is taken to have looked: in search the eye rests for 0.28 s on average, in scenes for
0.33 s (Rayner, "Eye movements in reading and information processing", Psychological Bulletin 124, 1998)."""

FEWEST = 6
"""Pages that an interval of a median takes at 95%."""


@dataclass(frozen=True)
class Pace:
    """The seconds for an image of one person.

    ``median`` is over ``pages``, each of which counts once; ``low`` and ``high`` are its 95% interval by the sign test,
    nan of fewer than six pages. ``fast`` pages took less than a look for each image. It is ``too_fast`` if these are
    surely more than half of all.
    """

    median: float
    low: float
    high: float
    pages: int
    images: int
    fast: int
    too_fast: bool

    @property
    def text(self) -> str:
        """The figures in a sentence."""
        interval = "" if np.isnan(self.low) else f" ({self.low:.2f}–{self.high:.2f})"
        of = f"the median of {count(self.pages, 'page')} with {count(self.images, 'image')}"
        if not self.too_fast:
            return f"{self.median:.2f} s{interval} for an image, {of}."
        return (
            f"Answers faster than a person can look: {self.median:.2f} s{interval} for an image, {of}. {self.fast:,} "
            f"of the pages took less than {LOOK} s for each."
        )


_PACES = Kind[Mapping[int, Pace]]("seconds for an image", of="workspace", until="the next answer or merge", limit=20)


@one_flow
def paces(workspace: Workspace) -> Mapping[int, Pace]:
    """Return the pace of each person whose answers have seconds, by id."""
    version = workspace.snapshot.version(db.annotations, db.merged_annotators)
    return workspace.memory.get(_PACES, "all", version, lambda: _paces(workspace))


def _paces(workspace: Workspace) -> Mapping[int, Pace]:
    given = db.annotations.c
    first = sa.func.min(given.id).label("first")
    query = (
        sa.select(given.annotator_id, given.seconds, sa.func.count().label("images"), first)
        .where(given.seconds.is_not(None))
        .group_by(given.annotator_id, given.attribute_id, given.made_at, given.seconds)
        .order_by(first)
    )
    merged, pages = merged_into(workspace.snapshot), dict[int, list[tuple[float, int]]]()
    with workspace.engine.connect() as connection:
        for annotator_id, seconds, images, _ in connection.execute(query):
            own = pages.setdefault(merged.get(annotator_id, annotator_id), [])
            if own and own[-1][0] == seconds:  # a page of two assignments is sent in two parts
                images += own.pop()[1]
            own.append((seconds, images))
    return MappingProxyType({who: pace_of(*zip(*own, strict=True), tests=len(pages)) for who, own in pages.items()})


def pace_of(seconds: Sequence[float], images: Sequence[int], *, tests: int) -> Pace:
    """Return the pace of a person from their pages: the seconds for each image, and how many images.

    It is too fast if more than half of the pages take less than :data:`LOOK`, by an exact one-sided sign test at
    ``FALSE_ALARM`` shared out among all ``tests`` (Bonferroni): where nobody is too fast, somebody is flagged in one
    workspace of twenty at most. Pages count as independent.

    Examples
    --------
    >>> pace_of([0.05] * 12, [24] * 12, tests=50).too_fast
    True
    >>> pace_of([0.05] * 4, [24] * 4, tests=50).too_fast, pace_of([0.9] * 12, [24] * 12, tests=50).too_fast
    (False, False)
    """
    from scipy.special import bdtr, bdtrc

    ordered, n = np.sort(np.asarray(seconds, np.float64)), len(seconds)
    low = high = float("nan")
    if n >= FEWEST:
        out = int((bdtr(np.arange(n), n, 0.5) <= 0.025).sum()) - 1  # pages left out at either end
        low, high = float(ordered[out]), float(ordered[n - 1 - out])
    fast = int((ordered < LOOK).sum())
    too_fast = fast > 0 and bool(bdtrc(fast - 1, n, 0.5) <= FALSE_ALARM / max(tests, 1))
    return Pace(float(np.median(ordered)), low, high, n, int(sum(images)), fast, too_fast)
