"""The memory that decoding may take at once, whoever asks for it: requests, an ingest, an encoder.

In:  an opened image, before its pixels are decoded. Out: its turn. An image waits until as much memory is free as it
needs; one that needs a little more than there is at all is decoded alone, and one that needs more than that is refused.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile, Jpeg2KImagePlugin, JpegImagePlugin

from bam_engine.errors import ImageUnreadable
from bam_engine.formatting import decimal, file_size

BUDGET = 1_000_000_000
"""Bytes, in each process: enough for 200 megapixels of RGB, which Pillow keeps in four bytes each."""

ALONE = 1.2
"""How much of the budget one image may take that is decoded while no other is; with the program, below 1.5 GB."""

_BYTES = {"WEBP": 16, "AVIF": 10, "JPEG2000": 20}
"""Bytes for each pixel while a file of the format is decoded: its library has copies of its own."""

_BYTES_OF_MODE = {"1": 2, "P": 2, "L": 2, "I;16": 6, "I;16L": 6, "I;16B": 6, "I": 12, "F": 12}
"""The same by the mode of the image, if it is not four bytes: its pixels and what :mod:`.samples` makes of them."""

_BANDED = ("1", "P", "PA", "LA", "RGBA")
_BAND = 24 * (1 << 22)  # bytes that :mod:`.colours` takes for a band of an image of these modes

_HEAD = 65_536  # bytes in which the coding style of a JPEG 2000 is looked for


# Pillow keeps pixels in blocks. One of more than 32 MiB is given back to the system as soon as it is free.
Image.core.set_block_size(1 << 26)  # type: ignore[attr-defined]


class MemoryBudget:
    """Bytes that concurrent threads share; who has waited longest is served first, so that nobody waits for ever.

    A thread must not ask for more while it holds some: two of them could wait for each other.

    Examples
    --------
    >>> budget = MemoryBudget(100)
    >>> with budget.held(60):
    ...     budget.free
    40
    """

    def __init__(self, total: int) -> None:
        self.total = self.free = total
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def held(self, amount: int) -> Iterator[None]:
        """Wait for ``amount`` bytes, at most ``total``, and hold them."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and amount <= self.free)
                self.free -= amount
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.free += amount
                self._changed.notify_all()


_budget = MemoryBudget(BUDGET)


@contextmanager
def memory_for(image: ImageFile.ImageFile, size: int | None) -> Iterator[None]:
    """Hold the memory that decoding ``image`` takes.

    An image that needs more than ``BUDGET`` is decoded alone. Whoever wants all pixels, and so gives no ``size``, keeps
    them in any case: how many bytes they take is not limited. Of the others, nothing large remains afterwards.

    Raises
    ------
    ImageUnreadable
        The image needs more than ``ALONE`` times ``BUDGET``.
    """
    needed = memory_needed(image)
    if needed > _budget.total and size is not None and isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile):
        image.reduce = levels = _levels_to_drop(image, size)
        needed >>= 2 * levels
    limit = _budget.total * ALONE
    if needed > limit and size is not None:
        pixels = image.width * image.height
        raise ImageUnreadable(
            f"The image is too large: to decode {image.width:,} × {image.height:,} pixels of {image.format} takes "
            f"{file_size(needed)} of memory, and the limit is {file_size(int(limit))}. That is enough for about "
            f"{decimal(pixels * limit / needed / 1e6, 0)} megapixels of this kind. Scale it down, or convert it to "
            "JPEG, and add it again."
        )
    with _budget.held(min(needed, _budget.total)):
        yield


def memory_needed(image: ImageFile.ImageFile) -> int:
    """Return about how many bytes decoding an opened image takes, once it is scaled as it will be decoded."""
    pixels = image.width * image.height
    if isinstance(image, JpegImagePlugin.JpegImageFile) and image.info.get("progressive"):
        # Its coefficients are held at full size: two bytes for each sample of each component.
        (_, most_across, most_down, _), *_ = image.layer
        samples = sum(across * down for _, across, down, _ in image.layer) / (most_across * most_down)
        full = pixels * image.decoderconfig[0] ** 2 if image.decoderconfig else pixels
        return 4 * pixels + int(2 * samples * full)
    band = min(24 * pixels, _BAND) if image.mode in _BANDED else 0
    return pixels * _BYTES.get(image.format or "", _BYTES_OF_MODE.get(image.mode, 4)) + band


def _levels_to_drop(image: ImageFile.ImageFile, size: int) -> int:
    """Return how often a JPEG 2000 can be halved before it is decoded, keeping ``size`` pixels on its shorter side."""
    if image.fp is None:
        return 0
    image.fp.seek(0)
    head = image.fp.read(_HEAD)
    place = head.find(b"\xff\x4f\xff\x51") + 2  # the start of the codestream, and the segment of its size
    while place >= 2 and (marker := head[place : place + 2]) != b"\xff\x52":  # up to the one of its coding style
        if len(marker) < 2 or marker[0] != 0xFF:
            return 0
        place += 2 + int.from_bytes(head[place + 2 : place + 4])
    levels = head[place + 9] if 2 <= place < len(head) - 9 else 0
    return min(levels, max(0, (min(image.size) // max(size, 1)).bit_length() - 1))
