"""What servers ask of programs: robots.txt and the header X-Robots-Tag.

In:  texts. Out: whether a path may be fetched, and whether a picture may be collected. Pure: nothing is fetched here.

References
----------
RFC 9309, Robots Exclusion Protocol.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

PRODUCT = "bam-engine"
"""By which name servers address this program."""

OPT_OUTS = frozenset({"noai", "noimageai", "noimageindex", "noindex", "none"})
"""The directives of X-Robots-Tag with which a server wants a picture in no collection."""

MAX_BYTES = 512 * 1024
"""The bytes of a robots.txt that are read."""

_MAX_RULES = 10_000
_AGENT_OF_TAG = re.compile(r"\s*([A-Za-z0-9_-]+)\s*:(.*)", re.DOTALL)
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})


@dataclass(frozen=True)
class Robots:
    """The rules of one robots.txt for this program: (allowed, pattern)."""

    rules: tuple[tuple[bool, str], ...] = ()

    def allows(self, target: str) -> bool:
        """Return whether a path with its query may be fetched: the longest pattern decides, of equals one that allows.

        Examples
        --------
        >>> rules = parse_robots("User-agent: *\\nDisallow: /private/\\nAllow: /private/*.jpg$")
        >>> rules.allows("/private/a.jpg"), rules.allows("/private/a.png"), rules.allows("/a.png")
        (True, False, True)
        """
        path = _normal(target)
        matching = [(len(pattern), allowed) for allowed, pattern in self.rules if _matches(pattern, path)]
        return max(matching, default=(0, True))[1]


EVERYTHING = Robots()
"""The rules of a server that has no robots.txt."""


def parse_robots(text: str, product: str = PRODUCT) -> Robots:
    """Return the rules for ``product``: those of its own groups or, if there are none, those for everybody."""
    own: list[tuple[bool, str]] = []
    general: list[tuple[bool, str]] = []
    named, agents, in_rules = False, set[str](), False
    for name, value in _lines(text):
        if name == "user-agent":
            agents = set() if in_rules else agents
            in_rules = False
            agents.add(value.lower())
            named |= _is_named(value.lower(), product)
        elif name in ("allow", "disallow"):
            in_rules = True
            if value:
                rule = (name == "allow", _normal(value))
                own += [rule] if any(_is_named(agent, product) for agent in agents) else []
                general += [rule] if "*" in agents else []
    return Robots(tuple((own if named else general)[:_MAX_RULES]))


def opted_out(tags: Iterable[str], product: str = PRODUCT) -> str | None:
    """Return the directive of X-Robots-Tag headers that keeps a picture out of collections, or None.

    Directives for another program, as in ``otherbot: noindex``, do not count.

    Examples
    --------
    >>> opted_out(["all", "NoAI, noimageindex"])
    'noai'
    >>> opted_out(["otherbot: noindex"])
    """
    for tag in tags:
        match = _AGENT_OF_TAG.match(tag)
        if match and match[1].lower() not in _WITH_VALUE:
            if not _is_named(match[1].lower(), product):
                continue
            tag = match[2]
        for part in tag.lower().split(","):
            if part.strip() in OPT_OUTS:
                return part.strip()
    return None


def _lines(text: str) -> Iterable[tuple[str, str]]:
    for line in text.removeprefix("\ufeff").splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()


def _is_named(agent: str, product: str) -> bool:
    """Return whether a line is for this program: its first word is the product, whatever the version."""
    return re.split(r"[/\s]", agent, maxsplit=1)[0] == product


def _normal(path: str) -> str:
    """Return a path or a pattern with one spelling for each octet."""
    return quote(unquote_to_bytes(path), safe="/?&=*$:@!'()+,;~-._")


def _matches(pattern: str, path: str) -> bool:
    """Return whether a pattern matches the beginning of a path; ``*`` is any text, ``$`` at the end the path's end.

    Takes time in proportion to the lengths multiplied, whatever the pattern.
    """
    whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    if not others:
        return not whole or place == len(path)
    for part in others[:-1] if whole else others:
        found = path.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return not whole or (path.endswith(others[-1]) and len(path) - len(others[-1]) >= place)
