"""URLs of the web, as they are requested.

In:  texts of any kind, as lists of URLs hold them. Out: scheme, host, port and target, all of safe ASCII; one spelling
for one address, so that equal ones are recognised.
"""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from bam_engine.download.outcomes import Failure

MAX_LENGTH = 2_000
"""Characters of a URL that is requested."""

_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024  # below it, ports other than those of the web belong to services that are no web servers
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_IN_BRACKETS = re.compile(r"\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\](:[0-9]*)?")
_BARE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_ENCODED_DOT = re.compile(r"%2e", re.IGNORECASE)
_SAFE = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Url:
    """A URL of the web: its scheme, host in lower-case ASCII, port, and path with query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host, and port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def text(self) -> str:
        """The URL as it is written."""
        return self.origin + self.target

    def joined(self, location: str) -> "Url":
        """Return the URL that a redirect from here leads to.

        Raises
        ------
        Failure
            It is none of the web.
        """
        try:
            return parse_url(urljoin(self.text, location.strip()))
        except ValueError as error:
            raise Failure("redirects", f"The redirect to {_shown(location)} is not a URL.") from error


def parse_url(text: str) -> Url:
    """Return the URL that a text is: spaces and letters beyond ASCII encoded, without fragment, host in ASCII.

    Raises
    ------
    Failure
        Of the kind "bad url": it is none of the web, has a user name, a port of another service, or control
        characters.

    Examples
    --------
    >>> parse_url(" HTTPS://Bücher.example:443/a b.jpg#top ").text
    'https://xn--bcher-kva.example/a%20b.jpg'
    """
    text = text.strip()
    _check_text(text)
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
    except ValueError as error:
        raise _bad(text, str(error)) from error
    if "@" in parts.netloc or "\\" in parts.netloc:
        raise _bad(text, "it holds a user name")
    if "[" in parts.netloc and not _IN_BRACKETS.fullmatch(parts.netloc):
        raise _bad(text, "its host is no address")
    host = _host(text, parts.hostname or "")
    port = _PORTS[scheme] if port is None else port
    if port != _PORTS[scheme] and port < _FIRST_FREE_PORT and port not in _PORTS.values():
        raise _bad(text, f"port {port} is not one of the web")
    query = f"?{_encoded(parts.query, _SAFE + '?')}" if parts.query else ""
    return Url(scheme, host, port, _without_dots(_encoded(parts.path, _SAFE)) + query)


def is_url(text: str) -> bool:
    """Return whether a text is a URL that can be requested.

    Examples
    --------
    >>> is_url("https://example.org/1.jpg"), is_url("/etc/passwd")
    (True, False)
    """
    try:
        parse_url(text)
    except Failure:
        return False
    return True


def _check_text(text: str) -> None:
    if not text:
        raise Failure("bad url", "The line has no URL.")
    if len(text) > MAX_LENGTH:
        raise Failure("bad url", f"The URL has {len(text):,} characters; {MAX_LENGTH:,} are the most.")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise _bad(text, "it holds control characters")
    if "\ufffd" in text or not _is_unicode(text):
        raise _bad(text, "it holds bytes that are not UTF-8")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise _bad(text, "it does not begin with http:// or https://")
    if scheme[1].lower() not in _PORTS or not text[scheme.end() :].startswith("//"):
        raise _bad(text, f"{scheme[1]}: is not http:// or https://")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _host(text: str, host: str) -> str:
    if "%" in host:  # encoded, or the scope of an address
        raise _bad(text, "its host is no name")
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError as error:
            raise _bad(text, "its host is no address") from error
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise _bad(text, "its host is no name") from error
    host = host.lower().removesuffix(".")
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise _bad(text, "its host is no name")
    return host


def _encoded(part: str, safe: str) -> str:
    return quote(_BARE_PERCENT.sub("%25", part), safe=safe)


def _without_dots(path: str) -> str:
    """Return a path without the steps "." and "..", however they are encoded: what a server would look up."""
    path = _ENCODED_DOT.sub(".", path)
    if "/." not in path:
        return path or "/"
    steps: list[str] = []
    names = path.split("/")[1:]
    for name in names:
        if name == "..":
            steps[-1:] = []
        elif name != ".":
            steps.append(name)
    return "/" + "/".join(steps) + ("/" if names[-1] in (".", "..") and steps else "")


def _bad(text: str, why: str) -> Failure:
    return Failure("bad url", f"{_shown(text)} cannot be requested: {why}.")


def _shown(text: str) -> str:
    """Return a text as it is shown: printable, and not long."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in text[:100])
    return f"{shown}…" if len(text) > 100 else shown
