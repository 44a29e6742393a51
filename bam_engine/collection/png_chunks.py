"""The chunks of a PNG that decide what is seen, without those that do not.

In:  a PNG file. Out: a file of the same picture that holds only the chunks of its pixels, and what the file says about
colours. A text of any length, a broken or an unknown chunk beside the pixels therefore never refuses a picture, as in a
browser.
"""

import bisect
import io
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf"})
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})
_CHECKED = frozenset({b"tRNS", b"eXIf", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP"})  # ignored with a wrong checksum
_LONGEST = 1 << 24  # bytes of a chunk that is checked, and of a colour profile


@dataclass(frozen=True)
class PngChunks:
    """The ``pixels`` as a PNG file, and the contents of the chunks about ``colours`` by name."""

    pixels: io.BufferedReader
    colours: dict[str, bytes]

    @property
    def bits(self) -> int:
        """The bits of a sample."""
        self.pixels.seek(len(SIGNATURE) + 16)
        return self.pixels.read(1).ljust(1, b"\0")[0]

    def profile(self) -> bytes | None:
        """Return the embedded ICC profile, or None."""
        name, _, content = self.colours.get("iCCP", b"").partition(b"\0")
        if not name or content[:1] != b"\0":
            return None
        try:
            return zlib.decompressobj().decompress(content[1:], _LONGEST)
        except zlib.error:
            return None


class _Chunk(NamedTuple):
    """Where a chunk is, with its length and checksum; its content if it is one that is checked."""

    kind: bytes
    start: int
    length: int
    content: bytes = b""


def read_chunks(file: BinaryIO) -> PngChunks:
    """Find the chunks of a PNG, whose pixels are not read."""
    found = list(_chunks(file))
    kept = [chunk for chunk in found if chunk.kind in _PIXELS | _ANIMATION]
    before = {chunk.kind for chunk in itertools.takewhile(lambda chunk: chunk.kind != b"IDAT", kept)}
    if b"fcTL" in before or b"acTL" not in before:  # the picture is the first frame, as it is without an animation
        kept = [chunk for chunk in kept if chunk.kind not in _ANIMATION]
    spans = [(0, len(SIGNATURE)), *((chunk.start, chunk.length) for chunk in kept)]
    colours = {chunk.kind.decode(): chunk.content for chunk in reversed(found) if chunk.kind in _CHECKED}
    return PngChunks(io.BufferedReader(_Spliced(file, spans), 1 << 16), colours)


def _chunks(file: BinaryIO) -> Iterator[_Chunk]:
    start = file.seek(len(SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in _CHECKED:
            yield _Chunk(kind, start, length + 12)
        elif length <= _LONGEST:
            content, checksum = file.read(length), file.read(4)
            if checksum == struct.pack(">I", zlib.crc32(kind + content)):
                yield _Chunk(kind, start, length + 12, content)
        if kind == b"IEND":
            break
        start = file.seek(start + length + 12)


class _Spliced(io.RawIOBase):
    """Parts of a file, read as if they were one; each is given as (start, length)."""

    def __init__(self, file: BinaryIO, spans: list[tuple[int, int]]) -> None:
        super().__init__()
        self._file = file
        self._starts = [start for start, _ in spans]
        self._ends = list(itertools.accumulate(length for _, length in spans))
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._ends[-1]}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        part = bisect.bisect_right(self._ends, self._place)
        if part == len(self._ends):
            return 0
        begins = self._ends[part - 1] if part else 0
        self._file.seek(self._starts[part] + self._place - begins)
        read = self._file.read(min(len(buffer), self._ends[part] - self._place))
        buffer[: len(read)] = read
        self._place += len(read)
        return len(read)
