"""Who may ask a team's server for what: one table of addresses and the least role for each.

In:  a request. Out: a role, or that anybody may ask, or None for an address that the table does not name, which nobody
gets. Addresses are compared as routes see them: whole, decoded once, in their exact spelling.
"""

import re
from typing import Final

from starlette.types import Scope

from bam_engine.team import Role


class Open:
    """The rule of what answers anybody."""


OPEN: Final = Open()

PAGES: dict[str, Role] = {
    "": Role.VIEWER,
    "overview": Role.VIEWER,
    "gallery": Role.VIEWER,
    "map": Role.VIEWER,
    "image": Role.VIEWER,
    "attributes": Role.REVIEWER,
    "annotate": Role.ANNOTATOR,
    "work": Role.VIEWER,
    "rounds": Role.REVIEWER,
    "threshold": Role.REVIEWER,
    "audit": Role.REVIEWER,
    "report": Role.VIEWER,
    "agreement": Role.REVIEWER,
    "annotators": Role.REVIEWER,
    "proposals": Role.VIEWER,
    "people": Role.VIEWER,
    "images": Role.OWNER,
    "embed": Role.OWNER,
    "duplicates": Role.OWNER,
    "export": Role.REVIEWER,
    "bam_file": Role.VIEWER,
    "snapshots": Role.REVIEWER,
    "guide": Role.VIEWER,
}
"""The least role for each page, by its address."""

READ, WRITE = frozenset({"GET", "HEAD"}), frozenset({"POST"})
_FORM = READ | WRITE

ROUTES: tuple[tuple[frozenset[str], str, Role | Open], ...] = (
    (_FORM, r"/sign-in", OPEN),
    (READ, r"/sign-in/provider(/back)?", OPEN),
    (_FORM, r"/sign-in/name", OPEN),
    (_FORM, r"/sign-in/connect", Role.VIEWER),
    (_FORM, r"/sign-out", OPEN),
    (_FORM, r"/join", OPEN),
    (_FORM, r"/join/[A-Za-z0-9_-]{1,200}", OPEN),
    (READ, r"/_stcore/health", OPEN),
    (WRITE, r"/api/assignments/[^/]+/answers", Role.ANNOTATOR),
    (WRITE, r"/api/attributes/\d+/images/\d+/answer", Role.ANNOTATOR),
    (READ, r"/api/dataset", Role.VIEWER),  # and enough accepted answers: web/routes/dataset.py
    (READ, r"/api/attributes/\d+/borderline\.json", Role.VIEWER),
    (READ, r"/api/(gallery|bam-file|maps|selections)/.+", Role.VIEWER),
    (READ, r"/(thumbs|large)/\d+\.webp", Role.VIEWER),
    (READ, r"/tiles/.+", Role.VIEWER),
    (READ, r"/modules/.+", Role.VIEWER),
    (READ, r"/static/.+", Role.VIEWER),
    (READ, r"/(media|component|_stcore/bidi-components)/.+", Role.VIEWER),
    (READ, r"/(favicon\.png|manifest\.json)", Role.VIEWER),
    (READ, r"/_stcore/host-config", Role.VIEWER),
    (frozenset({"PUT", "DELETE"}), r"/_stcore/upload_file/[^/]+/[^/]+", Role.VIEWER),
    (frozenset({"WEBSOCKET"}), r"/_stcore/stream", Role.VIEWER),
)
"""Methods, addresses and the least role of everything that is no page; the first that fits counts."""

_COMPILED = [(methods, re.compile(address), rule) for methods, address, rule in ROUTES]


def rule_of(scope: Scope) -> Role | Open | None:
    """Return the least role for a request, ``OPEN``, or None for what nobody gets."""
    path = scope["path"]
    if scope.get("root_path"):  # a proxy's prefix, which no route of ours has
        return None
    method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
    if method in READ and is_page(scope):
        return PAGES[path[1:]]
    return next((rule for methods, address, rule in _COMPILED if method in methods and address.fullmatch(path)), None)


def is_page(scope: Scope) -> bool:
    """Return whether a request has the address of a page."""
    return scope["type"] == "http" and scope["path"][:1] == "/" and scope["path"][1:] in PAGES
