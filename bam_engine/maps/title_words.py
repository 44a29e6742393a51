"""The words of each image's title, captions and file name, which may name a region of a map.

In:  a workspace. Out: the distinct words of each image, cached on disk until a name changes.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from bam_engine import derived
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

_log = logging.getLogger(__name__)

MIN_IMAGES = 5
"""Images that must have a word; rarer words are dropped."""

RULES = 3
"""Version of what counts as a word: words of older versions are read again."""

_WORD = re.compile(r"[^\W\d_]{3,30}")
_WORD_OF_FILE = re.compile(r"(?<![^\W_])[^\W\d_]{3,30}(?![^\W_])")  # no digit beside it: “pic” in pic0012 is none
_WORDS = (
    "the and for with from its his her their this that are was were has have had not but all any can our your who "
    "which into onto over under also than then them they she him you one two three untitled image img photo picture "
    "author artist unknown jpg jpeg png gif webp tif tiff svg bmp heic pict dsc dscn dscf dcim pxl mvc imgp"
)
_STOP_WORDS = frozenset(_WORDS.split())
_PARTS = "pic pics file scan screenshot thumb thumbnail copy edit edited final full val"
_PARTS_OF_FILE_NAMES = frozenset(_PARTS.split())  # in a title they are words: “full moon”


@dataclass(frozen=True)
class Words:
    """The words of image ``i`` are ``vocabulary[codes[begin[i]:begin[i + 1]]]``."""

    begin: NDArray[np.int64]
    codes: NDArray[np.int32]
    vocabulary: tuple[str, ...]


_WORDS_OF_TITLES = Kind[Words]("words of titles", of="workspace", until="images, titles or captions change", limit=1)


def words_of(workspace: Workspace) -> Words:
    """Return the words of every image, cached until images, titles or captions change.

    A word has at least three letters and no digit, in lower case; stop words are dropped. An image without a title has
    the words of its file name, without "final", "copy" and the like, and without letters beside a digit, as in
    ``pic0012``. Words are numbered
    in order of first occurrence.
    """
    version = version_of(workspace)
    return workspace.memory.get(_WORDS_OF_TITLES, None, version, lambda: _stored_or_read(workspace, version))


def version_of(workspace: Workspace) -> str:
    """Return a version that changes whenever an image's words may."""
    return f"{RULES}.{workspace.catalogue.digests().fingerprint()}.{workspace.catalogue.names_version}"


def _stored_or_read(workspace: Workspace, version: str) -> Words:
    """Return the words from the cache file if it has this version, else from the catalogue, and store them."""
    path = workspace.cache / "title-words.npz"
    stored = derived.read_arrays(path, version)
    if stored is not None:
        vocabulary = tuple(stored["vocabulary"].tobytes().decode().split("\n"))
        return Words(stored["begin"], stored["codes"], vocabulary)
    words = _read(workspace)
    packed = np.frombuffer("\n".join(words.vocabulary).encode(), np.uint8)
    try:
        derived.write_arrays(path, {"begin": words.begin, "codes": words.codes, "vocabulary": packed}, version)
    except OSError as error:
        _log.warning("The words of titles cannot be cached in %s: %s.", path, error.strerror or error)
    return words


def _read(workspace: Workspace) -> Words:
    known: dict[str, int] = {}
    codes: list[NDArray[np.int32]] = []
    lengths: list[int] = []
    for words in _words(workspace):
        distinct = dict.fromkeys(words)  # in order of occurrence
        own = [known.setdefault(word, len(known)) for word in distinct if word not in _STOP_WORDS]
        lengths.append(len(own))
        codes.append(np.array(own, np.int32))
    every = np.concatenate(codes) if codes else np.empty(0, np.int32)
    frequent = np.bincount(every, minlength=len(known)) >= MIN_IMAGES
    used = frequent[every] if len(every) else np.empty(0, bool)
    owner = np.repeat(np.arange(len(lengths)), lengths)[used]
    begin = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(lengths)))]).astype(np.int64)
    vocabulary = tuple(word for word, keep in zip(known, frequent, strict=True) if keep)
    return Words(begin, (np.cumsum(frequent) - 1)[every[used]].astype(np.int32), vocabulary)


def _words(workspace: Workspace) -> Iterator[list[str]]:
    """Yield the words of each image in order, stop words and repetitions included."""
    for page in workspace.catalogue.names_from(0):
        for title, captions, _, uri in page:
            own = _WORD.findall(title.lower()) if title else _of_file(uri)
            yield own + (_WORD.findall(captions.lower()) if captions else [])


def _of_file(uri: str) -> list[str]:
    words = _WORD_OF_FILE.findall(PurePath(uri).stem.lower())
    return [word for word in words if word not in _PARTS_OF_FILE_NAMES]
