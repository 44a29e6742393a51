"""What comes of one URL: a picture in a file, or why there is none.

In:  nothing. Out: the kinds of failures with their words, and whether trying again at once may help.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "bad url": "not a URL of the web",
        "private address": "a private or local address",
        "robots.txt": "forbidden by robots.txt",
        "opted out": "the server wants it in no collection (X-Robots-Tag)",
        "not found": "not there (404, 410)",
        "forbidden": "not for everybody (401, 403, 451)",
        "status": "another HTTP status",
        "busy": "too many requests (429)",
        "server error": "an error of the server (5xx)",
        "name": "the name of the host is not known",
        "connection": "the connection failed",
        "certificate": "the certificate of the host is not valid",
        "timeout": "no answer in time",
        "redirects": "too many redirects, or one that leads nowhere",
        "too large": "larger than the limit",
        "no image": "not a supported picture",
        "incomplete": "the answer ended early",
        "damaged": "the picture cannot be decoded",
    }
)
"""The kinds of failures, each in words."""

PASSING = frozenset({"busy", "server error", "name", "connection", "timeout", "incomplete"})
"""The kinds that may be over in a moment: these URLs are tried again in the same run."""

OF_THE_HOST = frozenset({"name", "connection", "certificate", "timeout"})
"""The kinds of which many in a row say that a host does not answer at all."""


class Failure(Exception):
    """Why a URL has given no picture.

    Parameters
    ----------
    kind
        One of :data:`KINDS`.
    reason
        A sentence for people.
    code
        The HTTP status, if there was an answer.
    wait
        Seconds that the server asks to wait before the next request, if it does.
    """

    def __init__(self, kind: str, reason: str, code: int | None = None, wait: float | None = None) -> None:
        super().__init__(reason)
        self.kind, self.reason, self.code, self.wait = kind, reason, code, wait
        self.redirected = False  # it is of another host, which a redirect led to


@dataclass(frozen=True)
class Picture:
    """A picture that was downloaded.

    Attributes
    ----------
    file
        Its path below the folder of the pictures.
    digest
        The SHA-256 of the file.
    width, height
        Its displayed size in pixels.
    size
        The bytes of the file.
    etag
        The server's name for this version of it; "" if it gives none.
    """

    file: str
    digest: str
    width: int
    height: int
    size: int
    etag: str = ""
