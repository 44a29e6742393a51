"""The records of the catalogue: an image, where it is, and what is wrong with a file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from bam_engine.collection.buckets import Access
from bam_engine.collection.originals import Original, original_at

OK, MISSING, REPLACED = "ok", "missing", "replaced"

FILE_STATES: Mapping[str, str] = MappingProxyType(
    {
        MISSING: "The file was not there when its folder was last added.",
        REPLACED: "The file holds something else since its folder was last added.",
    }
)
"""What is the matter with the file of an image, by its status."""


@dataclass(frozen=True)
class NewImage:
    """An image that has no row yet; ``generated`` if it is a demo image of this program.

    ``stamp`` is that of the file when ``digest`` was computed, if it can be relied on.
    """

    uri: str
    width: int
    height: int
    digest: str
    title: str | None = None
    project_id: str | None = None
    mature_content: bool | None = None
    license: str | None = None
    status: str = OK
    stamp: str | None = None
    url: str | None = None
    generated: bool = False


@dataclass(frozen=True)
class Image:
    """One image of the collection: the bytes with ``digest``. ``row`` is its index into every array.

    ``uri`` is the path of its file, or the address of an object in a bucket; ``buckets`` says how those are reached
    that need more than an address. Where ``status`` is "missing", no file was there when its folder was last added;
    where it is "replaced", the path holds something else by now, and ``uri`` is the path and the digest: no file.
    ``url`` is where it was downloaded from, if it was.
    """

    id: int
    row: int
    uri: str
    title: str | None
    project_id: str | None
    width: int
    height: int
    digest: str
    mature_content: bool | None
    license: str | None
    status: str
    stamp: str | None
    url: str | None
    buckets: Mapping[str, Access] = field(default_factory=dict, repr=False, compare=False)

    @property
    def path(self) -> Original:
        """The file, or the object of a bucket."""
        return original_at(self.uri, self.buckets, self.stamp)

    @property
    def name(self) -> str:
        """The name of the file where the image was last seen; of one that was downloaded, the end of its URL."""
        end = unquote(urlsplit(self.url).path).rpartition("/")[2] if self.url else ""
        return end or self.last_path.rpartition("/")[2]

    @property
    def last_path(self) -> str:
        """Where the image was last seen; another picture may be there."""
        return self.uri.removesuffix(_mark(self.digest))


@dataclass(frozen=True)
class Place:
    """Where an image is: a path, and the lasting stamp of its file, if there is one."""

    uri: str
    stamp: str | None = None


@dataclass(frozen=True)
class Problem:
    """A file that failed at ``stage`` ("ingest" or "embed:KEY"), and the reason."""

    uri: str
    reason: str
    stage: str = field(default="ingest")

    @property
    def path(self) -> str:
        """The path of the file."""
        return last_path(self.uri)


def uri_of_replaced(image: Image) -> str:
    """Return the URI of an image whose path holds something else: the path with the digest, which is no file's."""
    return image.uri + _mark(image.digest)


def last_path(uri: str) -> str:
    """Return the path of a URI, without the digest that marks an image whose path holds something else."""
    return _MARK.sub("", uri)


def _mark(digest: str) -> str:
    return f"#sha256={digest}"


_MARK = re.compile(r"#sha256=[0-9a-f]{64}$")
