"""What a gallery shows and in which order, as a value: written into URLs, kept as saved views, compared, hashed.

In:  fields, a URL's query or JSON. Out: a :class:`Query`. Knows no image and no workspace: whether the attributes and
selections that it names are there is found out when it is listed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from bam_engine.errors import BamError

PLACES = ("all", "accepted", "near", "rejected")
SORTS = ("score", "closest", "found", "spread", "newest", "oldest", "shuffled")
LABELS = ("positive", "negative", "unsure", "waiting", "disputed", "disagreed", "bulk", "unlabelled")

MOST_CHOICES = 64
"""Attributes, colours, projects or examples that one query may name of a kind."""

LARGEST_URL = 8000
"""Characters that a query may have as JSON."""

_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Query:
    """Conditions, all of which hold, and an order; fields left alone ask nothing.

    Attributes
    ----------
    attribute
        The attribute that is looked at: its scores order the images, its threshold cuts them, its labels are shown.
    place
        Where an image stands to the threshold of ``attribute``: ``all``, ``accepted``, ``near`` (the nearest on either
        side), ``rejected``.
    yes, no
        Names of attributes that accept it, and that reject it.
    label
        States of the label for ``attribute``, any of them; see :func:`bam_engine.labelling.label_states.states`.
    project, colour, year
        Values of a facet, any of them; see :mod:`bam_engine.gallery.facets`.
    text
        Matches this by meaning (with an encoder that reads text), best first.
    words
        Title, project or file name holds every word.
    like
        Rows whose likes are shown.
    upload
        The id of a picture that somebody brought along, whose likes are shown.
    selection
        The id of a kept selection.
    sort
        ``score``: surest first; ``closest``: closest to the threshold of ``attribute`` first, on either side;
        ``found``: best match of ``text``, ``words``, ``like`` or ``upload`` first; ``spread``: the most different
        first; ``newest`` and ``oldest``: as they were added; ``shuffled``: by ``seed``.
    folded
        One image for each group of near-duplicates.

    Examples
    --------
    >>> Query(yes=("media_watercolor", "content_cat"), no=("content_people",)).url()
    {'yes': ['media_watercolor', 'content_cat'], 'no': ['content_people']}
    """

    attribute: str = ""
    place: str = "all"
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    colour: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    text: str = ""
    words: str = ""
    like: tuple[int, ...] = ()
    upload: str = ""
    selection: str = ""
    sort: str = "score"
    seed: int = 0
    folded: bool = False

    def __post_init__(self) -> None:
        _among("place", [self.place], PLACES)
        _among("sort", [self.sort], SORTS)
        _among("label", self.label, LABELS)
        if not 0 <= self.seed <= _LARGEST:
            raise BamError(f"the seed {self.seed} is not between 0 and {_LARGEST}: leave it out, or give another.")
        for name in ("yes", "no", "label", "project", "colour", "year", "like"):
            if len(getattr(self, name)) > MOST_CHOICES:
                raise BamError(f"{name} names {len(getattr(self, name))}, the limit is {MOST_CHOICES}: name fewer.")

    @property
    def searched(self) -> bool:
        """Whether something is looked for, so that there is a best match."""
        return bool(self.text.strip() or self.words.strip() or self.like or self.upload)

    def url(self) -> dict[str, list[str]]:
        """Return the query of a URL: what differs from the default, each name with its values in order."""
        told: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                values = value if isinstance(value, tuple) else (int(value) if isinstance(value, bool) else value,)
                told[field.name] = [str(one) for one in values]
        return told

    def json(self) -> str:
        """Return the query as one line of JSON; equal queries give equal text."""
        return json.dumps(self.url(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def from_url(given: Mapping[str, str | Sequence[str]]) -> Query:
    """Return the query that a URL's query, or its JSON read back, stands for; other names in it are passed over.

    Raises
    ------
    BamError
        A value cannot be: the message names it and says which can.
    """
    values = {name: [value] if isinstance(value, str) else list(value) for name, value in given.items()}
    told: dict[str, object] = {}
    for field in fields(Query):
        found = values.get(field.name)
        if not found:
            continue
        if field.name == "like":
            told["like"] = tuple(_number("like", value) for value in found)
        elif isinstance(field.default, tuple):
            told[field.name] = tuple(dict.fromkeys(found))
        elif isinstance(field.default, bool):
            told[field.name] = found[-1] not in ("", "0")
        else:
            told[field.name] = _number(field.name, found[-1]) if isinstance(field.default, int) else found[-1]
    return Query(**told)  # type: ignore[arg-type]


def from_json(text: str) -> Query:
    """Return the query that :meth:`Query.json` wrote.

    Raises
    ------
    BamError
        The text is something else, or too long.
    """
    if len(text) > LARGEST_URL:
        raise BamError(f"the query has {len(text):,} characters, the limit is {LARGEST_URL:,}: ask for less at once.")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BamError("the query cannot be read: it is not JSON. Open the gallery again.") from error
    shaped = isinstance(given, dict) and all(
        isinstance(values, list) and all(isinstance(value, str) for value in values) for values in given.values()
    )
    if not shaped:
        raise BamError('the query cannot be read: it is written like {"attribute": ["media_watercolor"]}.')
    return from_url(given)


def _among(name: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise BamError(f"{name} cannot be {value[:60]!r}: it is one of {', '.join(known)}.")


def _number(name: str, value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) <= 10:
        return min(int(value), _LARGEST)
    raise BamError(f"{name} must be a whole number, not {value[:60]!r}.")
