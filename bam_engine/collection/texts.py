"""Which paths and texts a database can store, and how others are shown."""

MAX_TEXT = 2_500
"""Bytes of a path: PostgreSQL keeps no longer text in an index."""


def printable(text: str) -> str:
    """Return ``text`` with invalid Unicode (undecodable bytes of a file name) as escapes, cut if it is too long."""
    content = text.encode("utf-8", "backslashreplace")
    return content.decode() if len(content) <= MAX_TEXT else f"{content[: MAX_TEXT - 3].decode(errors='ignore')}…"


def storable(uri: str) -> bool:
    """Return whether any database can store ``uri`` unchanged: it is valid text, of ``MAX_TEXT`` bytes at most."""
    return printable(uri) == uri


def why_not_storable(uri: str) -> str:
    """Return why a URI is not :func:`storable`, and what to do."""
    if uri.encode("utf-8", "replace").decode() != uri:
        return "The file name has bytes that are not valid text. Rename the file."
    return f"The path has more than {MAX_TEXT:,} bytes. Shorten the names of its folders."
