"""The query of a gallery, a value object: conditions and an order, written into URLs and saved views.

In:  fields, a URL's query or JSON. Out: a :class:`Query`. Knows no workspace: whether the attributes and selections
that it names exist is checked when it is listed.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from bam_engine.collection.picture_problems import PROBLEMS
from bam_engine.errors import BamError
from bam_engine.url_queries import parameters_from_json

PLACES = ("all", "accepted", "near", "rejected", "undecided", "uncovered")
SORTS = ("score", "closest", "contradicted", "found", "spread", "newest", "oldest", "shuffled", *PROBLEMS)
LABELS = ("positive", "negative", "unsure", "waiting", "disputed", "disagreed", "bulk", "unlabelled")

MAX_VALUES = 64
"""Values that a query may have of each kind: attributes, colours, projects, examples."""

_MAX_INT = 2**31 - 1


@dataclass(frozen=True)
class Query:
    """Conditions, which must all hold, and an order; a default value is no condition.

    Attributes
    ----------
    attribute
        The main attribute: its scores sort the images, its threshold divides them, its labels are shown.
    place
        Position relative to the threshold of ``attribute``: ``all``, ``accepted``, ``near`` (the closest on each side),
        ``rejected``, ``undecided`` (neither), ``uncovered`` (accepted, and the evidence for the threshold is not about
        them).
    score_from, score_to
        The lowest and the highest score for ``attribute``, both included; None is no limit.
    yes, no
        Names of attributes that must accept the image, and that must reject it.
    label
        States of the label for ``attribute``, any of them; see :func:`bam_engine.labelling.label_states.states`.
    tag
        Tags, any of them; see :class:`bam_engine.annotation.tag_store.Tags`.
    project, licence, format
        Values of a category, any of them; see :mod:`bam_engine.gallery.categories`.
    size, shape
        Bands of megapixels and shapes, any of them; see :mod:`bam_engine.gallery.dimensions`.
    colour, year
        Values of a facet, any of them; see :mod:`bam_engine.gallery.facets`.
    problem
        Problems of the picture, any of them; see :mod:`bam_engine.gallery.problems`.
    text
        Search by meaning, with an encoder that supports text.
    words
        Words that the title, captions, project and file name must contain.
    like
        Rows of example images: search for similar ones.
    upload
        The id of an uploaded image: search for similar ones.
    selection
        The id of a stored selection.
    sort
        ``score``: highest score first; ``closest``: closest to the threshold of ``attribute`` first, on either side;
        ``contradicted``: labels of ``attribute`` that teach and that its scores contradict most first, then the others;
        ``found``: best match of ``text``, ``words``, ``like`` or ``upload`` first; ``spread``: most diverse first;
        ``newest`` and ``oldest``: by when they were added; ``shuffled``: at random, by ``seed``; the name of a problem,
        such as ``blurred``: the worst first, those that are not measured last.
    folded
        Show one image of each group of near-duplicates.

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
    score_from: float | None = None
    score_to: float | None = None
    tag: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    licence: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    shape: tuple[str, ...] = ()
    colour: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    problem: tuple[str, ...] = ()
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
        if not 0 <= self.seed <= _MAX_INT:
            raise BamError(f"The seed {self.seed} must be between 0 and {_MAX_INT}.")
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple) and len(value) > MAX_VALUES:
                raise BamError(f"The query has {len(value)} values of {field.name!r}; the limit is {MAX_VALUES}.")

    @property
    def searched(self) -> bool:
        """Whether the query has a search, and so a best match."""
        return bool(self.text.strip() or self.words.strip() or self.like or self.upload)

    def url(self) -> dict[str, list[str]]:
        """Return the URL parameters: each field that differs from its default, with its values in order."""
        parameters: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                values = value if isinstance(value, tuple) else (int(value) if isinstance(value, bool) else value,)
                parameters[field.name] = [str(one) for one in values]
        return parameters

    def json(self) -> str:
        """Return the query as one line of JSON; equal queries give equal text."""
        return json.dumps(self.url(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def from_url(given: Mapping[str, str | Sequence[str]]) -> Query:
    """Return the query of URL parameters, or of its parsed JSON; unknown parameters are ignored.

    Raises
    ------
    BamError
        A value is invalid; the message says which values are valid.
    """
    parameters = {name: [value] if isinstance(value, str) else list(value) for name, value in given.items()}
    arguments: dict[str, object] = {}
    for field in fields(Query):
        values = parameters.get(field.name)
        if not values:
            continue
        if field.name == "like":
            arguments["like"] = tuple(_number("like", value) for value in values)
        elif isinstance(field.default, tuple):
            arguments[field.name] = tuple(dict.fromkeys(values))
        elif field.default is None:
            arguments[field.name] = _score(field.name, values[-1])
        elif isinstance(field.default, bool):
            arguments[field.name] = values[-1] not in ("", "0")
        else:
            arguments[field.name] = _number(field.name, values[-1]) if isinstance(field.default, int) else values[-1]
    return Query(**arguments)  # type: ignore[arg-type]


def with_names(query: Query, name_of: Callable[[str], str]) -> Query:
    """Return the query with every attribute under the name that ``name_of`` gives for it."""
    yes, no = (tuple(map(name_of, names)) for names in (query.yes, query.no))
    return replace(query, attribute=query.attribute and name_of(query.attribute), yes=yes, no=no)


def from_json(text: str) -> Query:
    """Return the query of :meth:`Query.json`.

    Raises
    ------
    BamError
        The text is no query, or too long.
    """
    return from_url(parameters_from_json(text, page="gallery", example='{"attribute": ["media_watercolor"]}'))


def _among(name: str, values: Iterable[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise BamError(f"The query's {name!r} cannot be {value[:60]!r}. It must be one of {', '.join(known)}.")


def _number(name: str, value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) <= 10:
        return min(int(value), _MAX_INT)
    raise BamError(f"The query's {name!r} must be a whole number, not {value[:60]!r}.")


def _score(name: str, value: str) -> float:
    try:
        score = float(value)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise BamError(f"The query's {name!r} must be a number, not {value[:60]!r}.")
    return score
