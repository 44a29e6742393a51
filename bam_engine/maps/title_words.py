"""The words of titles, captions and file names, by image: what areas of a map may be named after.

In:  a workspace. Out: for each image the words it has, each once. Kept under the cache as long as no name changes.
"""

import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.errors import DiskFull
from bam_engine.files import replacing
from bam_engine.workspace.core import Workspace

MIN_IMAGES = 5
"""Images that have a word, at least; a rarer one names no area."""

_WORD = re.compile(r"[^\W\d_]{3,30}")
_COMMON_WORDS = (
    "the and for with from its his her their this that are was were has have had not but all any can our your who "
    "which into onto over under also than then them they she him you one two three untitled image img photo picture "
    "author artist unknown jpg jpeg png gif webp tif tiff svg"
)
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Words:
    """The words of image ``i`` are ``vocabulary[codes[begin[i]:begin[i + 1]]]``."""

    begin: NDArray[np.int64]
    codes: NDArray[np.int32]
    vocabulary: tuple[str, ...]


def words_of(workspace: Workspace) -> Words:
    """Return the words of every image, read anew only when images, titles or captions have changed.

    A word has at least three letters and no digit; letters are folded to lower case; "the" and its like are left out.
    Where an image has no title, its file's name stands in. Words are numbered as they are first met.

    Raises
    ------
    DiskFull
        They cannot be kept.
    """
    version = version_of(workspace)
    held: tuple[str, Words] | None = workspace.memory_cache.get("title-words")
    if held is not None and held[0] == version:
        return held[1]
    path = workspace.cache / "title-words.npz"
    words = None
    with suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile), np.load(path) as kept:
        if str(kept["version"]) == version:
            vocabulary = tuple(kept["vocabulary"].tobytes().decode().split("\n"))
            words = Words(kept["begin"], kept["codes"], vocabulary)
    if words is None:
        words = _read(workspace)
        packed = np.frombuffer("\n".join(words.vocabulary).encode(), np.uint8)
        try:
            with replacing(path) as temporary:
                np.savez(temporary, begin=words.begin, codes=words.codes, vocabulary=packed, version=np.array(version))
        except OSError as error:
            raise DiskFull(f"{path} cannot be written: {error.strerror or error}. Free some room.") from error
    workspace.memory_cache["title-words"] = (version, words)
    return words


def version_of(workspace: Workspace) -> str:
    """Return what changes whenever an image's words may."""
    with workspace.engine.connect() as connection:
        captions = connection.scalar(sa.select(sa.func.max(db.captions.c.id))) or 0
    return f"{len(workspace.catalogue)}.{workspace.catalogue.details_version}.{captions}"


def _read(workspace: Workspace) -> Words:
    captions = _captions(workspace)
    known: dict[str, int] = {}
    codes: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    for row, text in enumerate(_texts(workspace)):
        said = dict.fromkeys(_WORD.findall(f"{text} {captions.get(row, '')}".lower()))  # each once, in their order
        found = [known.setdefault(word, len(known)) for word in said if word not in _COMMON]
        lengths.append(len(found))
        codes.append(np.array(found, np.int32))
    every = np.concatenate(codes) if codes else np.empty(0, np.int32)
    often = np.bincount(every, minlength=len(known)) >= MIN_IMAGES
    kept = often[every] if len(every) else np.empty(0, bool)
    owner = np.repeat(np.arange(len(lengths)), lengths)[kept]
    begin = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(lengths)))]).astype(np.int64)
    vocabulary = tuple(word for word, there in zip(known, often, strict=True) if there)
    return Words(begin, (np.cumsum(often) - 1)[every[kept]].astype(np.int32), vocabulary)


def _texts(workspace: Workspace) -> Iterator[str]:
    for page in workspace.catalogue.names_from(0):
        for title, _, uri in page:
            yield title or PurePath(uri).stem


def _captions(workspace: Workspace) -> dict[int, str]:
    said = db.captions
    found: dict[int, str] = {}
    with workspace.engine.connect() as connection:
        for row, caption in connection.execute(sa.select(said.c.row, said.c.caption).order_by(said.c.id)):
            found[row] = f"{found.get(row, '')} {caption}"
    return found
