"""Gold mixed into assignments: which of the images that a person is given next are gold.

In:  images to be answered, images whose answer is known, and a schedule. Out: both in one order. Whether a place is
gold is drawn anew for each place, from a secret of the workspace, so that neither position nor number tells; and the
same place is drawn alike each time, so that how many images are left changes with the answers alone.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

FIRST, NEXT = 10, 40
"""How many images of a person the first share of a schedule is about, and the second; the third is about all others."""


@dataclass(frozen=True)
class Schedule:
    """The expected share of gold among the images that a person is given about an attribute: three fractions.

    Among the ``first`` 10, the ``following`` 40, and all ``later`` ones.
    """

    first: float = 0.5
    following: float = 0.2
    later: float = 0.05

    def share(self, place: int) -> float:
        """Return the share at a place, from 0."""
        return self.first if place < FIRST else self.following if place < FIRST + NEXT else self.later


@dataclass(frozen=True)
class Mixture:
    """What is mixed into the next images of a person.

    Attributes
    ----------
    rows
        The gold that they may be given, in its order.
    schedule
        Where it is expected.
    start
        How many images they were given before.
    seed
        What the places are drawn from: a secret, the attribute and the person.
    again
        Gold that they asked to see again: all of it is given, at places drawn at random, whatever the schedule.
    """

    rows: Sequence[int]
    schedule: Schedule
    start: int
    seed: Sequence[int]
    again: Sequence[int] = ()

    def into(self, rows: Sequence[int], *, but: Collection[int] = ()) -> list[tuple[int, bool]]:
        """Return ``rows`` in their order, with gold among them, and whether each is; without the gold in ``but``.

        Where the gold is over, or there are no rows, there is none. Whether the last of all is gold is drawn as
        anywhere else.

        Examples
        --------
        >>> Mixture([7, 8], Schedule(1.0, 1.0, 1.0), 0, [1]).into([1, 2])
        [(7, True), (8, True), (1, False), (2, False)]
        """
        again = [row for row in self.again if row not in but]
        if again:
            places = np.sort(np.random.default_rng().integers(len(rows) + 1, size=len(again)))
            order = np.insert(np.array(rows, np.int64), places, again).tolist()
            return [(row, row in again) for row in order]
        drawn, gold, mixed = self._draws(), iter([row for row in self.rows if row not in but]), list[tuple[int, bool]]()
        if not rows:
            return mixed
        for row in [*rows, None]:
            while next(drawn) and (one := next(gold, None)) is not None:
                mixed.append((one, True))
            if row is not None:
                mixed.append((row, False))
        return mixed

    def _draws(self) -> Iterator[bool]:
        rng, place = np.random.default_rng(list(self.seed)), self.start
        rng.random(self.start)
        while True:
            yield bool(rng.random() < self.schedule.share(place))
            place += 1
