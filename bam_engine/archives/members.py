"""The members of an archive that are pictures, or that look like some and cannot be had.

In:  names and first bytes as they are in the archive. Out: which of them are read, and a sentence for those that are
not.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from bam_engine.collection import Details
from bam_engine.collection.files import MAX_PROJECT, NO, YES
from bam_engine.collection.formats import DECIDES, READABLE_SUFFIXES, UNSUPPORTED_SUFFIXES, is_picture
from bam_engine.collection.texts import printable
from bam_engine.formatting import file_size

MAX_BYTES = 256 * 1024**2
"""The largest member that is read."""

MAX_RATIO = 500
"""How many times its compressed size something may expand to, once it is larger than ``RATIO_FROM``."""

RATIO_FROM = 32 * 1024**2  # bytes

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".parquet", ".7z", ".rar")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "caption", "text", "alt"),
    "project_id": ("project", "project_id", "author", "artist"),
    "license": ("license", "licence", "rights"),
    "url": ("url", "image_url"),
}
_MATURE = ("mature", "mature_content", "nsfw")


@dataclass(frozen=True)
class Member:
    """A member of an archive: its name, its bytes, and what the archive tells of it; or the ``problem`` with it."""

    name: str
    content: bytes = b""
    details: Details = field(default_factory=Details)
    problem: str = ""


@dataclass
class Contents:
    """What is found on the way through an archive.

    Attributes
    ----------
    members
        Yields the pictures, and what looks like one and cannot be had, in the order of the archive.
    total
        The number of entries that the archive says it has; None where only reading it to its end tells.
    skipped
        Entries that are no pictures, so far.
    hidden
        Hidden entries, so far.
    damage
        Why the rest of the archive cannot be read, "" if it can.
    """

    members: Iterator[Member]
    total: int | None = None
    skipped: int = 0
    hidden: int = 0
    damage: str = ""


def is_hidden(name: str) -> bool:
    """Return whether a member is hidden, or one of the companion files of macOS."""
    return any((part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in name.split("/"))


def path_problem(name: str) -> str:
    """Return why a name leads out of a folder, or "".

    Examples
    --------
    >>> path_problem("cats/1.jpg")
    ''
    >>> path_problem("../1.jpg")
    'Its name leads out of the archive, so it was left out.'
    """
    path = name.replace("\\", "/")
    if path.startswith("/") or path[1:2] == ":" or ".." in path.split("/"):
        return "Its name leads out of the archive, so it was left out."
    return "Its name holds a null character, so it was left out." if "\0" in name else ""


def claims_picture(name: str) -> bool:
    """Return whether a name ends like that of a picture."""
    return PurePosixPath(name).suffix.lower() in READABLE_SUFFIXES | UNSUPPORTED_SUFFIXES


def size_problem(size: int, packed: int | None) -> str:
    """Return why something of this size is not read, or ""."""
    if size > MAX_BYTES:
        return f"It has {file_size(size)}; at most {file_size(MAX_BYTES)} are read."
    if packed is not None and size > RATIO_FROM and size > MAX_RATIO * max(1, packed):
        return f"It expands to more than {MAX_RATIO} times its size, as only a decompression bomb does."
    return ""


def read_member(name: str, size: int, packed: int | None, open_it: Callable[[], BinaryIO]) -> Member | None:
    """Return a picture with its bytes or its problem, or None where the member is something else.

    No more than the first bytes are read of what is no picture, and never more than ``MAX_BYTES``, whatever the
    archive says of the size.
    """
    with open_it() as file:
        head = file.read(DECIDES)
        if not is_picture(head) and not claims_picture(name):
            if name.lower().endswith(ARCHIVE_SUFFIXES):
                return Member(name, problem="It is an archive in an archive. Unpack it and add it by itself.")
            return None
        problem = path_problem(name) or size_problem(size, packed)
        if problem:
            return Member(name, problem=problem)
        content = head + file.read(MAX_BYTES + 1 - len(head))
    problem = size_problem(len(content), packed)
    return Member(name, problem=problem) if problem else Member(name, content)


def details_from(values: Mapping[str, Any]) -> Details:
    """Return what a record tells of a picture, by the usual names of its fields in small or capital letters."""
    lower = {str(name).lower(): value for name, value in values.items()}
    found = {key: next((w for n in names if (w := words(lower.get(n)))), None) for key, names in _NAMES.items()}
    flag = next((lower[name] for name in _MATURE if lower.get(name) is not None), None)
    word = str(flag).strip().lower()
    return Details(
        title=found["title"],
        project_id=(found["project_id"] or "")[:MAX_PROJECT] or None,
        license=found["license"],
        url=found["url"],
        mature_content=word in YES if word in YES | NO else None,
    )


def words(value: Any) -> str | None:
    """Return a text on one line that can be stored, or None where the value is none, or empty."""
    text = " ".join(str(value).split()) if isinstance(value, (str, int, float)) else ""
    return printable(text) or None
