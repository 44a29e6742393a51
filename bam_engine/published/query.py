"""What is looked for in BAM's file, a value object: conditions and an order, written into URLs.

In:  fields, a URL's query or JSON. Out: a :class:`Query`. Knows no file: whether it has the attributes is checked when
they are looked for.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bam_engine.errors import BamError
from bam_engine.url_queries import parameters_from_json

BY = ("place", "automatic")
SORTS = ("best", "worst", "number")
MAX_VALUES = 64
"""Attributes that a query may name of each kind."""


@dataclass(frozen=True)
class Query:
    """Conditions, which must all hold, and an order; a default value is no condition.

    Attributes
    ----------
    yes, no
        Attributes that the images should have, and that they should not have.
    by
        ``place``: images that BAM has scored for all of these, whatever their scores; ``automatic``: images whose
        automatic labels say so, positive for ``yes`` and negative for ``no``.
    place_from, place_to
        Limits of the lowest place for these attributes, both included, from 0 to 1. The place for one of ``yes`` is the
        share of scored images with a lower score, for one of ``no`` with a higher one.
    crowd_yes, crowd_no
        Attributes that the crowd has labelled positive, and negative.
    words
        Words that must all occur in one caption, in any case.
    sort
        ``best``: highest lowest place first, as :func:`bam_engine.download.best_first`; ``worst``: the reverse;
        ``number``: by the number in the file. Without ``yes`` and ``no``, always by number.

    Examples
    --------
    >>> Query(yes=("media_watercolor", "content_cat"), place_from=0.99).url()
    {'yes': ['media_watercolor', 'content_cat'], 'place_from': ['0.99']}
    """

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    by: str = "place"
    place_from: float = 0.0
    place_to: float = 1.0
    crowd_yes: tuple[str, ...] = ()
    crowd_no: tuple[str, ...] = ()
    words: str = ""
    sort: str = "best"

    def __post_init__(self) -> None:
        for name, value, known in (("by", self.by, BY), ("sort", self.sort, SORTS)):
            if value not in known:
                raise BamError(f"The query's {name!r} cannot be {value[:60]!r}. It must be one of {', '.join(known)}.")
        for name in ("yes", "no", "crowd_yes", "crowd_no"):
            names = getattr(self, name)
            if isinstance(names, str):
                raise BamError(f"The query's {name!r} must be names of attributes, not the text {names[:60]!r}.")
            object.__setattr__(self, name, tuple(names))
            if len(names) > MAX_VALUES:
                raise BamError(f"The query names {len(names)} attributes; the limit is {MAX_VALUES}.")
        if not 0 <= self.place_from <= self.place_to <= 1:
            raise BamError(
                f"Places cannot be from {self.place_from:g} to {self.place_to:g}. They are shares from 0 to 1, the "
                "lower limit first."
            )
        if not self.names and (self.place_from, self.place_to) != (0, 1):
            raise BamError("Places are those for attributes. Name an attribute, or leave the limits out.")
        for yes, no in ((self.yes, self.no), (self.crowd_yes, self.crowd_no)):
            if both := [name for name in yes if name in no]:
                raise BamError(f"Images cannot be with and without {both[0][:60]}. Leave one of them out.")

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that the images should have, then those that they should not."""
        return (*self.yes, *self.no)

    def url(self) -> dict[str, list[str]]:
        """Return the parameters of a URL; defaults are left out."""
        parameters = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                parameters[field.name] = list(value) if isinstance(value, tuple) else [_text(value)]
        return parameters

    def json(self) -> str:
        """Return the query as JSON; equal queries are equal texts."""
        return json.dumps(self.url(), sort_keys=True)


def from_url(parameters: Mapping[str, list[str]]) -> Query:
    """Return the query of a URL's parameters; those that are no fields are ignored.

    Raises
    ------
    BamError
        A value is none that its field can have.
    """
    arguments: dict[str, Any] = {}
    for field in fields(Query):
        values = [value for value in parameters.get(field.name, []) if value]
        if not values:
            continue
        if isinstance(field.default, tuple):
            arguments[field.name] = tuple(dict.fromkeys(values))
        else:
            arguments[field.name] = _share(field.name, values[-1]) if isinstance(field.default, float) else values[-1]
    return Query(**arguments)


def from_json(text: str) -> Query:
    """Return the query of :meth:`Query.json`.

    Raises
    ------
    BamError
        The text is no query, or too long.
    """
    return from_url(parameters_from_json(text, page="page", example='{"yes": ["media_watercolor"]}'))


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)


def _share(name: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = math.nan
    if not math.isfinite(share):
        raise BamError(f"The query's {name!r} must be a number from 0 to 1, not {value[:60]!r}.")
    return share
