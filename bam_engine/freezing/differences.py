"""What differs between two moments of a dataset: images, labels, decisions, and what is delivered.

In:  the contents of both. Out: for each change the rows of its images at either moment. An image is its bytes: one that
has another name, place or number is the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.formatting import count, decimal
from bam_engine.freezing.contents import LABELS, AttributeContents, Contents, Facts

Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Images:
    """Images by their rows before and after, int64 (m,) each; -1 where there is no such image."""

    before: Rows
    after: Rows

    def __len__(self) -> int:
        return len(self.before)

    def where(self, mask: NDArray[np.bool_]) -> "Images":
        """Return those of a mask, bool (m,)."""
        return Images(self.before[mask], self.after[mask])


@dataclass(frozen=True)
class FactChange:
    """A fact of an attribute that changed: ``what``, in words, and how it reads before and after; "" for nothing."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class AttributeDifference:
    """What changed about an attribute that is in use at both moments.

    Attributes
    ----------
    before, after
        Its facts.
    relabelled
        The images of both moments whose label changed.
    labels_before, labels_after
        Their labels, uint8, as places in ``LABELS``.
    delivered_in, delivered_out
        The images that are delivered after only, and before only; also where the image itself is new or gone.
    delivered_before, delivered_after
        How many are delivered.
    """

    before: Facts
    after: Facts
    relabelled: Images
    labels_before: NDArray[np.uint8]
    labels_after: NDArray[np.uint8]
    delivered_in: Images
    delivered_out: Images
    delivered_before: int
    delivered_after: int

    @property
    def name(self) -> str:
        """What it is called after."""
        return self.after.name

    @property
    def facts(self) -> list[FactChange]:
        """The decisions and promises that changed."""
        return list(_changes(self.before, self.after))

    @property
    def broken(self) -> bool:
        """Whether what was promised before does not follow from what is promised after: it is gone or weaker."""
        old, new = self.before.guaranteed, self.after.guaranteed
        if old is None or new is None:
            return bool(self.before.promise) and not self.after.promise
        return bool(self.before.promise) and any(now < then for then, now in zip(old, new, strict=True))

    @property
    def transitions(self) -> list[tuple[str, str, int]]:
        """How many labels changed from what to what, the most first."""
        pairs = self.labels_before.astype(int) * len(LABELS) + self.labels_after
        numbers = np.bincount(pairs, minlength=len(LABELS) ** 2)
        order = [int(pair) for pair in np.argsort(-numbers, kind="stable") if numbers[pair]]
        return [(LABELS[pair // len(LABELS)], LABELS[pair % len(LABELS)], int(numbers[pair])) for pair in order]

    def __bool__(self) -> bool:
        return bool(len(self.relabelled) or len(self.delivered_in) or len(self.delivered_out) or self.facts)


@dataclass(frozen=True, eq=False)
class Difference:
    """What changed between two moments of a dataset.

    ``images_in`` and ``images_out`` entered and left the collection, which has ``images_before`` and then
    ``images_after``. ``attributes`` are those that are in use at both moments and changed. ``settings`` say which
    required votes did.
    """

    images_before: int
    images_after: int
    images_in: Images
    images_out: Images
    attributes_in: tuple[Facts, ...]
    attributes_out: tuple[Facts, ...]
    attributes: tuple[AttributeDifference, ...]
    settings: tuple[FactChange, ...] = ()

    @property
    def broken(self) -> int:
        """How many guarantees there are no more: gone, weaker, or of attributes that are not in use any more."""
        return sum(each.broken for each in self.attributes) + sum(bool(facts.promise) for facts in self.attributes_out)

    def __bool__(self) -> bool:
        changed = len(self.images_in) or len(self.images_out) or self.attributes_in or self.attributes_out
        return bool(changed or self.attributes or self.settings)


def compare(before: Contents, after: Contents) -> Difference:
    """Return what changed from ``before`` to ``after``.

    Attributes are the same if they have the same id and were added at the same time, whatever they are called.

    Examples
    --------
    >>> digests = np.array([[1, 1], [2, 2], [3, 3]], np.uint64)
    >>> first = Contents(digests[:2], np.ones(2, bool), ())
    >>> renumbered = Contents(digests[[2, 1]], np.ones(2, bool), ())
    >>> found = compare(first, renumbered)
    >>> len(found.images_in), len(found.images_out), found.images_in.after.tolist()
    (1, 1, [0])
    """
    both = _aligned(before, after)
    inside = (_at(before.members, both.before, False), _at(after.members, both.after, False))
    known = {_key(each.facts): each for each in before.attributes}
    pairs = [(known.get(_key(each.facts)), each) for each in after.attributes]
    kept = {_key(each.facts) for each in after.attributes}
    found = [_compare(old, new, both, inside) for old, new in pairs if old is not None]
    return Difference(
        before.images,
        after.images,
        both.where(~inside[0] & inside[1]),
        both.where(inside[0] & ~inside[1]),
        tuple(new.facts for old, new in pairs if old is None),
        tuple(each.facts for each in before.attributes if _key(each.facts) not in kept),
        tuple(difference for difference in found if difference),
        tuple(_settings(before.votes, after.votes)),
    )


def _settings(before: tuple[int, int], after: tuple[int, int]) -> Iterator[FactChange]:
    for what, old, new in zip(("required votes", "required votes of samples"), before, after, strict=True):
        yield from _change(what, str(old), str(new))


def _key(facts: Facts) -> tuple[int, str]:
    return facts.id, facts.made_at


def _aligned(before: Contents, after: Contents) -> Images:
    """Return every image of either moment with its rows: those of ``before`` in their order, then the new ones."""
    old, new = (np.ascontiguousarray(each.digests).view("V16").ravel() for each in (before, after))
    _, in_old, in_new = np.intersect1d(old, new, assume_unique=True, return_indices=True)
    rows = np.full(len(old), -1, np.int64)
    rows[in_old] = in_new
    added = np.setdiff1d(np.arange(len(new)), in_new)
    first = np.concatenate([np.arange(len(old)), np.full(len(added), -1)])
    return Images(first, np.concatenate([rows, added]))


def _at(values: NDArray[Any], rows: Rows, otherwise: object) -> NDArray[Any]:
    """Return the values of rows, ``otherwise`` for -1."""
    found = np.full(len(rows), otherwise, values.dtype)
    found[rows >= 0] = values[rows[rows >= 0]]
    return found


def _compare(
    old: AttributeContents, new: AttributeContents, both: Images, inside: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> AttributeDifference:
    labels = (_at(old.labels, both.before, 0), _at(new.labels, both.after, 0))
    delivered = (_at(old.delivered, both.before, False), _at(new.delivered, both.after, False))
    changed = inside[0] & inside[1] & (labels[0] != labels[1])
    return AttributeDifference(
        old.facts,
        new.facts,
        both.where(changed),
        labels[0][changed],
        labels[1][changed],
        both.where(~delivered[0] & delivered[1]),
        both.where(delivered[0] & ~delivered[1]),
        int(delivered[0].sum()),
        int(delivered[1].sum()),
    )


def _changes(before: Facts, after: Facts) -> Iterator[FactChange]:
    for what, field in (("name", "name"), ("question", "question"), ("guidelines", "instructions")):
        yield from _change(what, getattr(before, field), getattr(after, field))
    yield from _change("encoder", before.encoder, after.encoder)
    if before.model != after.model:
        yield FactChange("classifier", _trained(before), _trained(after))
    yield from _change("threshold", _threshold(before), _threshold(after))
    if before.promise != after.promise:
        now = after.promise or after.taken_back or "Nothing is guaranteed."
        yield FactChange("guarantee", before.promise or "Nothing is guaranteed.", now)
    yield from _change("audit", before.audit, after.audit)


def _change(what: str, before: str, after: str) -> Iterator[FactChange]:
    if before != after:
        yield FactChange(what, before, after)


def _trained(facts: Facts) -> str:
    return facts.model[:12]


def _threshold(facts: Facts) -> str:
    if facts.threshold is None:
        return ""
    return f"{decimal(facts.threshold, 3)}, {'saved' if facts.saved else 'suggested'}"


def summary(difference: Difference) -> str:
    """Return a sentence with the number of each kind of change.

    Examples
    --------
    >>> summary(compare(Contents(np.zeros((0, 2), np.uint64), np.zeros(0, bool), ()), Contents(
    ...     np.ones((1, 2), np.uint64), np.ones(1, bool), ())))
    '1 image in, 0 out.'
    """
    if not difference:
        return "Nothing has changed."
    words = [f"{count(len(difference.images_in), 'image')} in, {len(difference.images_out):,} out"]
    labels = sum(len(each.relabelled) for each in difference.attributes)
    if labels:
        words.append(f"{count(labels, 'label')} changed")
    if any(len(each.delivered_in) or len(each.delivered_out) for each in difference.attributes):
        entered = sum(len(each.delivered_in) for each in difference.attributes)
        left = sum(len(each.delivered_out) for each in difference.attributes)
        words.append(f"{entered:,} delivered that were not, {left:,} not any more")
    if difference.attributes_in:
        words.append(f"{count(len(difference.attributes_in), 'attribute')} in")
    if difference.attributes_out:
        words.append(f"{count(len(difference.attributes_out), 'attribute')} out")
    if difference.broken:
        words.append(count(difference.broken, "guarantee no longer holds", "guarantees no longer hold"))
    words += [f"{change.what} {change.before} → {change.after}" for change in difference.settings]
    return f"{'; '.join(words)}."
