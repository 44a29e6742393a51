"""Paths as people type and paste them, or set them in the environment."""

from pathlib import Path
from urllib.parse import unquote

from bam_engine.errors import BamError

_SCHEME = "file://"


def typed_path(text: str) -> Path:
    """Return the path that a text names.

    What exists under exactly this name is meant by it. Otherwise blanks at the ends, quotes around it and ``file://``
    before it are no part of the path, and ``~`` at its start is a home folder. No other character has a meaning.

    Raises
    ------
    BamError
        The text names no path: it is empty, or blank.

    Examples
    --------
    >>> typed_path(" '/home/anna/50% off?' ").as_posix()
    '/home/anna/50% off?'
    >>> typed_path("file:///home/anna/two%20words").as_posix()
    '/home/anna/two words'
    """
    if not text.strip():
        raise BamError("No path was given: the text is empty.")
    for spelling in (text, text.strip(), _unquoted(text.strip())):
        if _exists(Path(spelling)):
            return Path(spelling)
    path = Path(_unquoted(text.strip()))
    try:
        return path.expanduser()
    except RuntimeError:  # nobody of this name has a home
        return path


def _unquoted(text: str) -> str:
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    if text.lower().startswith(_SCHEME):
        host, slash, rest = text[len(_SCHEME) :].partition("/")
        if slash and host in ("", "localhost"):
            return "/" + unquote(rest)
    return text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
