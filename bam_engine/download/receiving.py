"""The body of an answer, read into a file as far as it is a picture within the limits.

In:  the headers and the chunks of an answer. Out: the bytes in a file. Stops at the first byte that is too many, and at
the first ones that are no picture; compressed bodies are expanded piece by piece, and what they expand to counts.
"""

import zlib
from collections.abc import AsyncIterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from bam_engine.collection.formats import DECIDES, format_of, what_it_is
from bam_engine.download.outcomes import Failure
from bam_engine.formatting import file_size

_PIECE = 1 << 16  # bytes that are expanded at once
_NO_PICTURES = ("text/html", "application/xhtml", "application/json", "application/pdf", "video/", "audio/")
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 47}  # of zlib: with the header of gzip, or whichever there is


class _Expander(Protocol):
    def __call__(self, chunk: bytes, /) -> Iterator[bytes]: ...


def check_headers(headers: Mapping[str, str], max_bytes: int) -> None:
    """Refuse an answer that says itself that it is no picture, or too large.

    Parameters
    ----------
    headers
        The headers by their names in lower case.

    Raises
    ------
    Failure
        Of the kind "no image" or "too large".
    """
    kind = headers.get("content-type", "").strip().lower()
    if kind.startswith(_NO_PICTURES):
        what = "a web page" if "html" in kind else kind.partition(";")[0][:60]
        raise Failure("no image", f"The server sends {what}, not an image.")
    length = headers.get("content-length", "").strip()
    if length.isascii() and length.isdigit() and int(length[:20]) > max_bytes:
        raise _too_large(int(length[:20]), max_bytes)


async def receive(chunks: AsyncIterable[bytes], encoding: str, file: BinaryIO, max_bytes: int) -> str:
    """Write the body of an answer into ``file``; return its format, one of ``collection.formats.SUPPORTED``.

    Parameters
    ----------
    encoding
        The header Content-Encoding.
    max_bytes
        The largest picture, after it was expanded.

    Raises
    ------
    Failure
        The body is empty, no supported picture, too large, or encoded in a way that was not asked for.
    """
    expand = _expander(encoding.strip().lower())
    head, size = b"", 0
    kind: str | None = None
    async for chunk in chunks:
        for piece in expand(chunk):
            size += len(piece)
            if size > max_bytes:
                raise _too_large(None, max_bytes)
            if kind is None:
                head += piece
                if len(head) >= DECIDES:
                    kind = _kind(head)
            file.write(piece)
    return kind or _kind(head)


def _kind(head: bytes) -> str:
    if not head:
        raise Failure("no image", "The answer is empty (0 bytes).")
    kind = format_of(head[:DECIDES])
    if kind is None:
        raise Failure("no image", f"The file is {what_it_is(head[:DECIDES])}.")
    return kind


def _too_large(size: int | None, max_bytes: int) -> Failure:
    found = f"has {file_size(size)}" if size is not None else "is larger"
    return Failure("too large", f"The file {found}; the limit is {file_size(max_bytes)}.")


def _expander(encoding: str) -> _Expander:
    if encoding in ("", "identity"):
        return lambda chunk: iter((chunk,))
    if encoding not in _WINDOWS:
        raise Failure("no image", f"The server sends it encoded as {encoding[:40]!r}, which was not asked for.")
    decoder = zlib.decompressobj(_WINDOWS[encoding])

    def expand(chunk: bytes) -> Iterator[bytes]:
        rest, full = chunk, True
        try:
            while (rest or full) and not decoder.eof:
                piece = decoder.decompress(rest, _PIECE)
                rest, full = decoder.unconsumed_tail, len(piece) == _PIECE
                yield piece
        except zlib.error as error:
            raise Failure("damaged", "The answer cannot be decompressed.") from error

    return expand


def storage_name(digest: str, kind: str) -> Path:
    """Return the path of a picture below its folder: by its bytes alone, whatever its URL says."""
    suffix = {"JPEG": "jpg", "JPEG2000": "jp2", "TIFF": "tif"}.get(kind, kind.lower())
    return Path(digest[:2], f"{digest[:32]}.{suffix}")
