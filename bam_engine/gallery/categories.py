"""Categories: the project, the licence and the file format of every image, and how many images are in each.

In:  a workspace. Out: codes, masks and counts. They come from the catalogue in one pass, and are cached on disk,
extended by new images, until an image's details change.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine import derived
from bam_engine.collection.digests import Digests
from bam_engine.errors import BamError
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

Mask = NDArray[np.bool_]

UNKNOWN = "(not known)"
"""The value of images about which a facet is unknown."""

MAX_VALUES = 200
"""Values of a category that are listed, the largest ones."""

_SPELLINGS = {"JPG": "JPEG", "JPE": "JPEG", "JFIF": "JPEG", "TIF": "TIFF", "JP2": "JPEG 2000", "J2K": "JPEG 2000"}
_log = logging.getLogger(__name__)


def format_of(uri: str) -> str | None:
    """Return the format that the ending of a file's name stands for, such as ``JPEG``; None without an ending.

    Examples
    --------
    >>> format_of("/pictures/pear.jpg"), format_of("/old/pear.png#sha256=0f"), format_of("/pictures/pear")
    ('JPEG', 'PNG', None)
    """
    stem, _, ending = uri.partition("#sha256=")[0].rpartition("/")[2].rpartition(".")
    return _SPELLINGS.get(ending.upper(), ending.upper()) or None if stem else None


_SOURCES: dict[str, tuple[sa.Column[Any], Callable[[str], str | None]]] = {
    "project": (db.images.c.project_id, str),
    "licence": (db.images.c.license, str),
    "format": (db.images.c.uri, format_of),
}
CATEGORIES = tuple(_SOURCES)


@dataclass(frozen=True)
class Categories:
    """The value of every image: ``codes`` (n,) int32 index ``names``; 0 means none."""

    codes: NDArray[np.int32]
    names: tuple[str, ...]


_CATEGORIES = Kind[Categories](
    "categories of images", of="kind of category", until="images are added or details change", limit=len(CATEGORIES)
)


def categories(workspace: Workspace, kind: str) -> Categories:
    """Return the value of every image for one of :data:`CATEGORIES`.

    The first read takes about one second per million images.
    """
    version = (workspace.catalogue.digests().fingerprint(), workspace.catalogue.details_version)
    return workspace.memory.get(_CATEGORIES, kind, version, lambda: _read(workspace, kind, version[1]))


def category_mask(workspace: Workspace, kind: str, values: Sequence[str], n: int) -> Mask:
    """Return which of ``n`` images have one of the values; :data:`UNKNOWN` are those without one.

    Raises
    ------
    BamError
        No image of the collection has such a value.
    """
    known = categories(workspace, kind)
    codes = []
    for value in values:
        if value != UNKNOWN and value not in known.names[1:]:
            raise BamError(f"There is no {kind} {value[:60]!r} in the collection. Choose another.")
        codes.append(0 if value == UNKNOWN else known.names.index(value, 1))
    wanted = np.zeros(len(known.names), bool)
    wanted[codes] = True
    return wanted[known.codes[:n]]


def category_counts(workspace: Workspace, kind: str, mask: Mask) -> dict[str, int]:
    """Return how many of the images in ``mask`` have each value: the ``MAX_VALUES`` largest, ``UNKNOWN`` last."""
    known = categories(workspace, kind)
    by_code = np.bincount(known.codes[: len(mask)][mask], minlength=len(known.names))
    largest = np.argsort(-by_code[1:], kind="stable")[:MAX_VALUES] + 1
    counts = {known.names[code]: int(by_code[code]) for code in largest if by_code[code]}
    return counts | {UNKNOWN: int(by_code[0])}


def _read(workspace: Workspace, kind: str, details_version: int) -> Categories:
    """Return the values of all images: the stored ones, and those of newer images from the catalogue."""
    digests = workspace.catalogue.digests()
    n, file = len(digests), workspace.cache / "facets" / f"{kind}s-{details_version}.npz"
    known = _stored(file, kind, digests)
    if len(known.codes) >= n:
        return Categories(known.codes[:n], known.names)
    code_of: dict[str | None, int] = {None: 0} | {name: code for code, name in enumerate(known.names) if code}
    column, value_of = _SOURCES[kind]
    query = sa.select(column).where(db.images.c.row >= len(known.codes)).order_by(db.images.c.row)
    with workspace.engine.connect() as connection:
        read = connection.execution_options(yield_per=50_000).scalars(query)
        values = (None if text is None else value_of(text) for text in read)
        newer = np.fromiter((code_of.setdefault(value, len(code_of)) for value in values), np.int32)
    codes = np.concatenate([known.codes, newer])
    result = Categories(codes, ("", *(name for name in code_of if name is not None)))
    _store(result, file, kind, digests)
    return Categories(codes[:n], result.names)


def _stored(file: Path, kind: str, digests: Digests) -> Categories:
    """Return the stored values; none where they are missing, damaged or of other images."""
    stored = derived.read_arrays(file, _made_of(kind))
    if stored is None or digests.fingerprint(len(stored["codes"])) != str(stored["images"]):
        return Categories(np.empty(0, np.int32), ("",))
    return Categories(stored["codes"], tuple(json.loads(bytes(stored["names"]))))


def _store(result: Categories, file: Path, kind: str, digests: Digests) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "codes": result.codes,
        "names": np.frombuffer(json.dumps(result.names).encode(), np.uint8),
        "images": np.array(digests.fingerprint(len(result.codes))),
    }
    try:
        derived.write_arrays(file, arrays, _made_of(kind))
        for old in file.parent.glob(f"{kind}s-*.npz"):
            if old != file:
                old.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("The %ss cannot be cached in %s: %s.", kind, file.parent, error.strerror or error)


def _made_of(kind: str) -> str:
    return f"{kind}s 2"
