"""Encodes pixels of few colours as lossless WebP (VP8L), in a fraction of libwebp's time.

In:  RGBA pixels with at most 256 colours, as one uint32 each. Out: the bytes of a file, or None for more colours.
Imports numba, so import it inside functions only; it releases the GIL.

Tiles of marks have few colours and are mostly empty. So the colours become a palette (the colour indexing transform,
with up to eight pixels packed into one), and a pixel is a literal or part of a run that repeats the pixels to the left,
those above, or those that followed the same four pixels last time. The picture has one set of prefix codes. libwebp
tries harder and saves some bytes; any decoder reads both.

The format: RFC 9649, section 3.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bam_engine.compiled import njit

_MAX_COLOURS = 256  # colours
_MAX_RUN = 4096  # pixels of a run
_LITERALS, _LENGTHS, _DISTANCES = 256, 24, 40  # symbols
_ABOVE, _LEFT, _NEAR = 1, 2, 120  # distance codes: the pixel above, the one to the left; other distances follow 120
_MIN_RUN, _LONG = 3, 32  # pixels: the shortest run; the length from which no longer one is searched for
_MAX_BITS, _MAX_LENGTH_BITS = 15, 7  # bits of a prefix code
_HASHES = 1 << 12
_ORDER = np.array([17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])


def encode_lossless(pixels: NDArray[np.uint32]) -> bytes | None:
    """Return pixels (h, w), R in the lowest byte, as a WebP file; None if they have more than 256 colours.

    Transparent pixels (A is 0) lose their colour.
    """
    height, width = pixels.shape
    written, size = _encode(np.ascontiguousarray(pixels).ravel(), width, height)
    if size == 0:
        return None
    body = bytes(written[:size])
    chunk = b"VP8L" + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk


@njit(nogil=True)
def _encode(pixels: Any, width: int, height: int) -> Any:
    """Return the VP8L stream (k,) uint8 and its length; length 0 for too many colours."""
    palette, indices, colours = _build_palette(pixels)
    out = np.empty(4 * len(pixels) + 8192, np.uint8)
    state = np.zeros(3, np.int64)  # pending bits, their number, bytes written
    if colours == 0:
        return out, state[2]
    _put(out, state, 0x2F, 8)
    _put(out, state, width - 1, 14)
    _put(out, state, height - 1, 14)
    _put(out, state, 1, 1)  # there is transparency
    _put(out, state, 0, 3)
    _put(out, state, 0b111, 3)  # a transform: colour indexing
    _put(out, state, colours - 1, 8)
    _put_palette(out, state, palette, colours)
    _put(out, state, 0, 1)  # no other transform
    bits = 3 if colours <= 2 else 2 if colours <= 4 else 1 if colours <= 16 else 0
    across = (width + (1 << bits) - 1) >> bits
    packed = _pack(indices, width, height, bits, across) if bits else indices
    _put(out, state, 0, 2)  # no colour cache, one set of prefix codes
    _put_pixels(out, state, packed, across)
    _put(out, state, 0, 7)  # flush the last byte
    return out, state[2]


@njit(nogil=True)
def _build_palette(pixels: Any) -> Any:
    """Return the palette in order of appearance, the colour index of each pixel, and the number of colours, or 0."""
    palette, indices = np.zeros(_MAX_COLOURS, np.uint32), np.empty(len(pixels), np.uint8)
    keys, numbers = np.zeros(4 * _MAX_COLOURS, np.uint32), np.full(4 * _MAX_COLOURS, -1, np.int32)
    count, last, number = 0, np.uint32(0), -1
    for at in range(len(pixels)):
        colour = pixels[at]
        if colour >> np.uint32(24) == 0:
            colour = np.uint32(0)
        if colour != last or number < 0:
            slot = np.int64((colour * np.uint32(2654435761)) & np.uint32(0xFFFFFFFF)) >> 22
            while numbers[slot] >= 0 and keys[slot] != colour:
                slot = (slot + 1) & (4 * _MAX_COLOURS - 1)
            if numbers[slot] < 0:
                if count == _MAX_COLOURS:
                    return palette, indices, 0
                keys[slot], numbers[slot], palette[count] = colour, count, colour
                count += 1
            last, number = colour, numbers[slot]
        indices[at] = number
    return palette, indices, count


@njit(nogil=True)
def _pack(indices: Any, width: int, height: int, bits: int, across: int) -> Any:
    """Pack several indices into one byte, the leftmost in the lowest bits."""
    packed, wide = np.zeros(across * height, np.uint8), 8 >> bits
    for row in range(height):
        for column in range(width):
            shift = wide * (column & ((1 << bits) - 1))
            packed[row * across + (column >> bits)] |= np.uint8(indices[row * width + column] << shift)
    return packed


@njit(nogil=True)
def _put(out: Any, state: Any, value: int, count: int) -> None:
    """Write the lowest ``count`` bits of a value, up to 32."""
    held, have, at = state[0] | (np.int64(value) << state[1]), state[1] + count, state[2]
    while have >= 8:
        out[at] = held & 255
        held, have, at = held >> 8, have - 8, at + 1
    state[0], state[1], state[2] = held, have, at


@njit(nogil=True)
def _put_palette(out: Any, state: Any, palette: Any, colours: int) -> None:
    """Write the palette as a picture one pixel high, each colour as its difference to the one before, by component."""
    parts = np.zeros((4, colours), np.int64)  # green, red, blue, alpha
    before = np.uint32(0)
    for at in range(colours):
        for part in range(4):
            shift = np.uint32((8, 0, 16, 24)[part])
            parts[part, at] = (np.int64(palette[at] >> shift) - np.int64(before >> shift)) & 255
        before = palette[at]
    _put(out, state, 0, 1)  # no colour cache
    lengths, codes = np.zeros((4, _LITERALS + _LENGTHS), np.int64), np.zeros((4, _LITERALS + _LENGTHS), np.int64)
    for part in range(4):
        size = _LITERALS + _LENGTHS if part == 0 else _LITERALS
        counts = np.zeros(size, np.int64)
        for at in range(colours):
            counts[parts[part, at]] += 1
        lengths[part, :size], codes[part, :size] = _put_code(out, state, counts)
    _put_one(out, state, 0)  # there are no distances
    for at in range(colours):
        for part in range(4):
            symbol = parts[part, at]
            _put(out, state, codes[part, symbol], lengths[part, symbol])


@njit(nogil=True)
def _put_pixels(out: Any, state: Any, pixels: Any, width: int) -> None:
    """Write the prefix codes, then the indices as literals and runs."""
    lengths, distances = _runs(pixels, width)
    greens, backs = np.zeros(_LITERALS + _LENGTHS, np.int64), np.zeros(_DISTANCES, np.int64)
    at = 0
    while at < len(pixels):
        if lengths[at]:
            greens[_LITERALS + _prefix(lengths[at])[0]] += 1
            backs[_prefix(distances[at])[0]] += 1
        else:
            greens[pixels[at]] += 1
        at += max(1, lengths[at])
    green_lengths, green_codes = _put_code(out, state, greens)
    for _ in range(2):
        _put_one(out, state, 0)  # red and blue
    _put_one(out, state, 255)
    back_lengths, back_codes = _put_code(out, state, backs)
    held, have, done = state[0], state[1], state[2]
    at = 0
    while at < len(pixels):
        if lengths[at]:
            symbol, extra, bits = _prefix(lengths[at])
            held |= green_codes[_LITERALS + symbol] << have
            have += green_lengths[_LITERALS + symbol]
            held |= extra << have
            have += bits
            symbol, extra, bits = _prefix(distances[at])
            held |= back_codes[symbol] << have
            have += back_lengths[symbol]
            held |= extra << have
            have += bits
            at += lengths[at]
        else:
            held |= green_codes[pixels[at]] << have
            have += green_lengths[pixels[at]]
            at += 1
        while have >= 8:
            out[done] = held & 255
            held, have, done = held >> 8, have - 8, done + 1
    state[0], state[1], state[2] = held, have, done


@njit(nogil=True)
def _runs(pixels: Any, width: int) -> Any:
    """Return the length of the run that starts at each pixel, or 0, and its distance code."""
    count = len(pixels)
    lengths, distances = np.zeros(count, np.int32), np.zeros(count, np.int32)
    seen = np.full(_HASHES, -1, np.int32)
    at = 0
    while at < count:
        best, code = 0, 0
        if at >= 1:
            best, code = _matching_length(pixels, at, 1), _LEFT
        if at >= width and best < _LONG:
            length = _matching_length(pixels, at, width)
            if length > best:
                best, code = length, _ABOVE
        if best < _LONG and at + 4 <= count:
            key = np.uint32(pixels[at]) | np.uint32(pixels[at + 1]) << np.uint32(8)
            key |= np.uint32(pixels[at + 2]) << np.uint32(16) | np.uint32(pixels[at + 3]) << np.uint32(24)
            slot = np.int64((key * np.uint32(2654435761)) & np.uint32(0xFFFFFFFF)) >> 20
            if seen[slot] >= 0:
                length = _matching_length(pixels, at, at - seen[slot])
                if length > best + 1:
                    best, code = length, at - seen[slot] + _NEAR
            seen[slot] = at
        if best >= _MIN_RUN:
            lengths[at], distances[at] = best, code
        at += best if best >= _MIN_RUN else 1
    return lengths, distances


@njit(nogil=True)
def _matching_length(pixels: Any, at: int, back: int) -> int:
    """Return how many pixels from ``at`` on equal those ``back`` before them."""
    limit = min(_MAX_RUN, len(pixels) - at)
    length = 0
    while length < limit and pixels[at + length] == pixels[at + length - back]:
        length += 1
    return length


@njit(nogil=True)
def _prefix(value: int) -> Any:
    """Return the symbol of a length or distance code (from 1), and its extra bits."""
    if value <= 4:
        return value - 1, 0, 0
    rest, high = value - 1, 0
    while rest >> (high + 1):
        high += 1
    bits = high - 1
    return 2 * high + ((rest >> bits) & 1), rest & ((1 << bits) - 1), bits


@njit(nogil=True)
def _put_one(out: Any, state: Any, symbol: int) -> None:
    """Write a prefix code of one symbol, which takes no bits."""
    _put(out, state, 0b101 if symbol > 1 else 0b001, 3)
    _put(out, state, symbol, 8 if symbol > 1 else 1)


@njit(nogil=True)
def _put_code(out: Any, state: Any, counts: Any) -> Any:
    """Write a prefix code for symbols with these counts; return the lengths and the codes (k,)."""
    used, one = 0, 0
    for symbol in range(len(counts)):
        if counts[symbol]:
            used, one = used + 1, symbol
    if used < 2:
        _put_one(out, state, one)
        return np.zeros(len(counts), np.int64), np.zeros(len(counts), np.int64)
    lengths = _code_lengths(counts, _MAX_BITS)
    symbols, extras = _run_lengths(lengths)
    often = np.zeros(19, np.int64)
    for symbol in symbols:
        often[symbol] += 1
    own = _code_lengths(often, _MAX_LENGTH_BITS)
    codes = _codes(own)
    alone = often.max() == len(symbols)  # a code of one symbol takes no bits
    last = 18
    while last > 3 and own[_ORDER[last]] == 0:
        last -= 1
    _put(out, state, 0, 1)
    _put(out, state, last + 1 - 4, 4)
    for place in range(last + 1):
        _put(out, state, own[_ORDER[place]], 3)
    _put(out, state, 0, 1)  # lengths of all symbols follow
    for place in range(len(symbols)):
        symbol = symbols[place]
        if not alone:
            _put(out, state, codes[symbol], own[symbol])
        if symbol >= 16:
            _put(out, state, extras[place], (2, 3, 7)[symbol - 16])
    return lengths, _codes(lengths)


@njit(nogil=True)
def _run_lengths(lengths: Any) -> Any:
    """Return lengths as symbols and extra bits: 0 to 15 literally, 16 repeats the last, 17 and 18 repeat zeros."""
    symbols, extras = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    count, at, before = 0, 0, 8
    while at < len(lengths):
        value, run = lengths[at], 1
        while at + run < len(lengths) and lengths[at + run] == value:
            run += 1
        if value == 0 and run >= 3:
            run = min(run, 138)
            symbols[count], extras[count] = (18, run - 11) if run >= 11 else (17, run - 3)
        elif value == before and run >= 3:
            run = min(run, 6)
            symbols[count], extras[count] = 16, run - 3
        else:
            symbols[count], run = value, 1
        before = value if value else before
        count, at = count + 1, at + run
    return symbols[:count], extras[:count]


@njit(nogil=True)
def _code_lengths(counts: Any, deepest: int) -> Any:
    """Return the lengths of a Huffman code, at most ``deepest``; counts of rare symbols are raised until it fits."""
    lengths, order, used = np.zeros(len(counts), np.int64), np.zeros(len(counts), np.int64), 0
    for symbol in range(len(counts)):
        if counts[symbol]:
            at = used
            while at > 0 and counts[order[at - 1]] > counts[symbol]:
                order[at] = order[at - 1]
                at -= 1
            order[at], used = symbol, used + 1
    least, weights = 1, np.zeros(used, np.int64)
    while used:
        for at in range(used):
            weights[at] = max(counts[order[at]], least)
        depths = _depths(weights)
        if depths[0] <= deepest:  # the rarest symbol has the longest code
            for at in range(used):
                lengths[order[at]] = max(depths[at], 1)
            return lengths
        least *= 2
    return lengths


@njit(nogil=True)
def _depths(weights: Any) -> Any:
    """Return the depths of the leaves of a Huffman tree over ascending weights, with two queues."""
    leaves = len(weights)
    nodes, parents = np.zeros(2 * leaves - 1, np.int64), np.zeros(2 * leaves - 1, np.int64)
    for leaf in range(leaves):
        nodes[leaf] = weights[leaf]
    leaf, inner = 0, leaves
    for made in range(leaves, 2 * leaves - 1):
        for _ in range(2):
            if leaf < leaves and (inner >= made or nodes[leaf] <= nodes[inner]):
                taken = leaf
                leaf += 1
            else:
                taken = inner
                inner += 1
            nodes[made] += nodes[taken]
            parents[taken] = made
    depths = np.zeros(2 * leaves - 1, np.int64)
    for node in range(2 * leaves - 3, -1, -1):
        depths[node] = depths[parents[node]] + 1
    return depths[:leaves]


@njit(nogil=True)
def _codes(lengths: Any) -> Any:
    """Return canonical codes of these lengths, with their bits in writing order."""
    codes, code = np.zeros(len(lengths), np.int64), 0
    for length in range(1, _MAX_BITS + 1):
        for symbol in range(len(lengths)):
            if lengths[symbol] == length:
                value = 0
                for bit in range(length):
                    value |= ((code >> bit) & 1) << (length - 1 - bit)
                codes[symbol] = value
                code += 1
        code <<= 1
    return codes
