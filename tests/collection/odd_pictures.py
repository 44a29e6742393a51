"""Pictures that programs often show wrongly, as files: profiles, 16 bits, transparency, orientation, first frames.

Each is six flat fields, so that a lossy format and a scaled picture show the same colours as the file holds.
"""

import io
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

FIELD = 16
"""The side of a field in pixels; there are three across and two down."""
COLOURS = ((200, 60, 20), (30, 160, 60), (40, 70, 210), (240, 230, 40), (128, 128, 128), (10, 10, 10))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
WIDE = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))  # ProPhoto
EXCHANGED = SRGB[::-1]

_ORIENTATION = 0x0112


def fields(colours: Sequence[Sequence[int]] = COLOURS, dtype: type = np.uint8) -> np.ndarray:
    """Return the six fields as an array (32, 48, channels)."""
    grid = np.array(colours, dtype).reshape(2, 3, -1)
    return grid.repeat(FIELD, axis=0).repeat(FIELD, axis=1)


def odd_pictures() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each picture that a browser can show."""
    yield from _jpegs()
    yield from _pngs()
    yield from _animations()
    yield from _webps_and_avifs()
    yield from _bmps()


def _rgb() -> Image.Image:
    return Image.fromarray(fields())


def _see_through(alphas: Sequence[int] = (255, 255, 200, 128, 40, 0)) -> Image.Image:
    return Image.fromarray(fields([(*colour, alpha) for colour, alpha in zip(COLOURS, alphas, strict=True)]))


def _turned(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[_ORIENTATION] = value
    return exif


def _saved(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _jpegs() -> Iterator[tuple[str, bytes]]:
    rgb, best = _rgb(), {"quality": 95, "subsampling": 0}
    yield "jpeg", _saved(rgb, "JPEG", **best)
    yield "jpeg progressive", _saved(rgb, "JPEG", progressive=True, **best)
    yield "jpeg of RGB", _saved(rgb, "JPEG", keep_rgb=True, quality=95)
    yield "jpeg grey", _saved(rgb.convert("L"), "JPEG", **best)
    yield "jpeg CMYK", _saved(rgb.convert("CMYK"), "JPEG", quality=95)
    yield "jpeg CMYK with a profile", _saved(rgb.convert("CMYK"), "JPEG", quality=95, icc_profile=cmyk_profile())
    yield "jpeg with exchanged primaries", _saved(rgb, "JPEG", icc_profile=profile(EXCHANGED, 2.2), **best)
    yield "jpeg with wide primaries", _saved(rgb, "JPEG", icc_profile=profile(WIDE, 1.8), **best)
    yield "jpeg grey with a profile", _saved(rgb.convert("L"), "JPEG", icc_profile=grey_profile(1.0), **best)
    yield "jpeg with a profile of grey", _saved(rgb, "JPEG", icc_profile=grey_profile(1.0), **best)
    yield "jpeg with a broken profile", _saved(rgb, "JPEG", icc_profile=profile(EXCHANGED, 2.2)[:200], **best)
    yield (
        "jpeg grey with a profile of colours",
        _saved(rgb.convert("L"), "JPEG", icc_profile=profile(EXCHANGED, 1.0), **best),
    )
    for value in range(2, 9):
        yield f"jpeg turned {value}", _saved(rgb, "JPEG", exif=_turned(value), **best)


def _pngs() -> Iterator[tuple[str, bytes]]:
    rgb, grey, clear = _rgb(), _rgb().convert("L"), _see_through()
    yield "png", _saved(rgb, "PNG")
    yield "png grey", _saved(grey, "PNG")
    yield "png of 1 bit", _saved(grey.convert("1"), "PNG")
    yield "png grey see-through", _saved(clear.convert("LA"), "PNG")
    yield "png see-through", _saved(clear, "PNG")
    yield "png palette", _saved(rgb.quantize(6), "PNG")
    yield "png palette of 2 bits", _saved(rgb.quantize(4), "PNG", bits=2)
    yield "png palette see-through", _saved(rgb.quantize(6), "PNG", transparency=bytes((0, 90, 255, 128)))
    yield "png with a clear colour", _saved(rgb, "PNG", transparency=COLOURS[0])
    yield "png grey with a clear colour", _saved(grey, "PNG", transparency=grey.getpixel((0, 0)))
    for name, colour_type, channels in (("grey", 0, 1), ("", 2, 3), ("grey see-through", 4, 2), ("see-through", 6, 4)):
        yield f"png of 16 bits {name}".strip(), png(_sixteen(channels), colour_type)
    samples = _sixteen(1)
    yield "png of 16 bits grey with a clear colour", png(samples, 0, tRNS=struct.pack(">H", samples[0, 0, 0]))
    samples = _sixteen(3)
    yield "png of 16 bits with a clear colour", png(samples, 2, tRNS=struct.pack(">3H", *samples[0, 0].tolist()))
    exchanged, eight = b"a\0\0" + zlib.compress(profile(EXCHANGED, 2.2)), fields()
    yield "png with exchanged primaries", png(eight, 2, iCCP=exchanged)
    yield "png of 16 bits with exchanged primaries", png(_sixteen(3), 2, iCCP=exchanged)
    yield "png grey with a profile", png(np.asarray(grey)[..., None], 0, iCCP=b"a\0\0" + zlib.compress(grey_profile(1)))
    yield "png palette with exchanged primaries", _saved(rgb.quantize(6), "PNG", icc_profile=profile(EXCHANGED, 2.2))
    yield "png see-through with exchanged primaries", _saved(clear, "PNG", icc_profile=profile(EXCHANGED, 2.2))
    linear = {"gAMA": struct.pack(">I", 100_000)}
    primaries = {"cHRM": struct.pack(">8I", *_chromaticities(EXCHANGED))}
    yield "png with a gamma", png(eight, 2, **linear)
    yield "png with primaries", png(eight, 2, **primaries)
    yield "png with a gamma and primaries", png(eight, 2, **linear, **primaries)
    usual = struct.pack(">I", 45_455)
    yield "png with the usual gamma", png(eight, 2, gAMA=usual)
    yield (
        "png with the usual gamma and primaries",
        png(eight, 2, gAMA=usual, cHRM=struct.pack(">8I", *_chromaticities(SRGB))),
    )
    yield "png grey with a profile of colours", png(np.asarray(grey)[..., None], 0, iCCP=exchanged)
    yield "png with a gamma and sRGB", png(eight, 2, sRGB=b"\0", **linear)
    yield "png with cICP of Display P3", png(eight, 2, cICP=bytes((12, 13, 0, 1)))
    yield (
        "png with a long profile",
        png(eight, 2, iCCP=b"a\0\0" + zlib.compress(profile(EXCHANGED, 2.2) + bytes(3 << 20))),
    )
    for value in (3, 6):
        yield f"png turned {value}", _saved(rgb, "PNG", exif=_turned(value))
    yield "png with long text", png(eight, 2, zTXt=b"Comment\0\0" + zlib.compress(b"a" * (5 << 20)))
    yield "png with broken text", png(eight, 2, zTXt=b"Comment\0\7nothing", iTXt=b"\0", tEXt=b"a" * 90)
    yield (
        "png with a wrong checksum of a text",
        png(eight, 2, tEXt=b"a\0b").replace(chunk(b"tEXt", b"a\0b"), _wrong(b"tEXt", b"a\0b")),
    )
    gamma = chunk(b"gAMA", linear["gAMA"])
    yield (
        "png with a wrong checksum of the gamma",
        png(eight, 2, **linear).replace(gamma, _wrong(b"gAMA", linear["gAMA"])),
    )
    end = chunk(b"IEND", b"")
    yield (
        "png with long text at the end",
        png(eight, 2).replace(end, chunk(b"zTXt", b"c\0\0" + zlib.compress(b"a" * (5 << 20))) + end),
    )


def _animations() -> Iterator[tuple[str, bytes]]:
    rgb, clear = _rgb(), _see_through()
    plain = Image.new("RGB", rgb.size, "blue")
    still = {"save_all": True, "duration": 60_000, "loop": 1}
    for form in ("GIF", "PNG", "WEBP"):
        lossless = {"lossless": True} if form == "WEBP" else {}
        yield f"{form.lower()} animation", _saved(rgb, form, append_images=[plain], **still, **lossless)
    yield (
        "avif animation",
        _saved(rgb, "AVIF", append_images=[plain], quality=95, subsampling="4:4:4", range="limited", **still),
    )
    yield (
        "png animation without its picture",
        _saved(plain, "PNG", append_images=[rgb, plain], default_image=True, **still),
    )
    yield "gif", _saved(rgb.quantize(6), "GIF")
    yield "gif interlaced", _saved(rgb.quantize(6), "GIF", interlace=1)
    yield "gif see-through", _saved(clear.quantize(6, method=Image.Quantize.FASTOCTREE), "GIF")
    yield "gif smaller than its screen", gif_on_a_screen(background=1)
    yield "gif smaller than its screen and see-through", gif_on_a_screen(background=1, transparent=2)


def _webps_and_avifs() -> Iterator[tuple[str, bytes]]:
    rgb, exchanged = _rgb(), profile(EXCHANGED, 2.2)
    for form, best in (
        ("WEBP", {"lossless": True, "exact": True}),
        ("AVIF", {"quality": 95, "subsampling": "4:4:4", "range": "limited"}),
    ):
        name = form.lower()
        # Chromium and libavif disagree on the opacity of AVIF between none and all
        clear = _see_through() if form == "WEBP" else _see_through((255, 255, 255, 0, 0, 255))
        yield name, _saved(rgb, form, **best)
        yield f"{name} see-through", _saved(clear, form, **best)
        yield f"{name} with exchanged primaries", _saved(rgb, form, icc_profile=exchanged, **best)
        yield f"{name} see-through with exchanged primaries", _saved(clear, form, icc_profile=exchanged, **best)
        for value in (2, 3, 6):
            yield f"{name} turned {value}", _saved(rgb, form, exif=_turned(value), **best)
    yield "webp lossy", _saved(rgb, "WEBP", quality=95)
    p3 = _saved(rgb, "AVIF", quality=95, subsampling="4:4:4").replace(b"colrnclx\0\1", b"colrnclx\0\14")
    yield "avif with the primaries of Display P3", p3
    yield "avif grey", _saved(rgb.convert("L"), "AVIF", quality=95)


def _bmps() -> Iterator[tuple[str, bytes]]:
    rgb = _rgb()
    yield "bmp", _saved(rgb, "BMP")
    yield "bmp palette", _saved(rgb.quantize(6), "BMP")
    yield "bmp grey", _saved(rgb.convert("L"), "BMP")
    yield "bmp of 1 bit", _saved(rgb.convert("1"), "BMP")
    bgrx = fields([(b, g, r, 0) for r, g, b in COLOURS])
    bgra = np.asarray(_see_through())[..., [2, 1, 0, 3]]
    masks = struct.pack("<3I", 0xFF0000, 0xFF00, 0xFF)
    yield "bmp of 32 bits", bmp(bgrx, 32)
    yield "bmp of 32 bits with a filled fourth byte", bmp(bgra, 32)
    yield "bmp of 32 bits from the top", bmp(bgrx, 32, from_the_top=True)
    yield "bmp of 32 bits with masks", bmp(bgrx, 32, masks=masks)
    yield (
        "bmp of 32 bits with a mask of opacity",
        bmp(bgra, 32, masks=masks + struct.pack("<I", 0xFF000000), header=108),
    )
    red, green, blue = (fields()[..., n].astype(np.uint16) >> 3 for n in range(3))
    yield "bmp of 15 bits", bmp((red << 10 | green << 5 | blue)[..., None], 16)
    yield (
        "bmp of 16 bits",
        bmp((red << 11 | green << 6 | blue)[..., None], 16, masks=struct.pack("<3I", 0xF800, 0x7E0, 0x1F)),
    )


def _sixteen(channels: int) -> np.ndarray:
    """Return fields of 16-bit samples, whose last channel is opacity if there are 2 or 4."""
    colours = [(r * 257 + 77, g * 257 + 30, b * 257 + 99, 65_535 - 9_000 * n) for n, (r, g, b) in enumerate(COLOURS)]
    kept = {1: (0,), 2: (0, 3), 3: (0, 1, 2), 4: (0, 1, 2, 3)}[channels]
    return fields([[colour[n] for n in kept] for colour in colours], np.uint16)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _wrong(kind: bytes, data: bytes) -> bytes:
    return chunk(kind, data)[:-4] + b"abcd"


def png(samples: np.ndarray, colour_type: int, **before: bytes) -> bytes:
    """Return a PNG of an array (height, width, channels), with the chunks ``before`` its pixels."""
    height, width, _ = samples.shape
    lines = samples.astype(samples.dtype.newbyteorder(">")).reshape(height, -1).view(np.uint8)
    data = zlib.compress(np.hstack([np.zeros((height, 1), np.uint8), lines]).tobytes())
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.itemsize, colour_type, 0, 0, 0)
    chunks = [chunk(b"IHDR", header), *(chunk(name.encode(), content) for name, content in before.items())]
    return b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, chunk(b"IDAT", data), chunk(b"IEND", b"")])


def gif_on_a_screen(background: int, transparent: int | None = None) -> bytes:
    """Return a GIF whose only frame covers the middle of its screen."""
    palette = b"".join(bytes(colour) for colour in (*COLOURS, (0, 0, 0), (255, 255, 255)))
    frame = _saved(Image.fromarray(np.full((12, 20), 2, np.uint8)).convert("P"), "GIF")
    pixels = frame[frame.index(b",") + 10 :]  # after the descriptor of the frame, without a palette of its own
    screen = struct.pack("<HHBBB", 48, 32, 0b1111_0010, background, 0)
    control = b"" if transparent is None else b"!\xf9\4\1\0\0" + bytes([transparent]) + b"\0"
    return b"GIF89a" + screen + palette + control + b"," + struct.pack("<HHHHB", 14, 10, 20, 12, 0) + pixels


def bmp(samples: np.ndarray, bits: int, *, masks: bytes = b"", header: int = 40, from_the_top: bool = False) -> bytes:
    """Return a BMP of an array (height, width, channels) in the order of the file."""
    height, width, _ = samples.shape
    lines = (samples if from_the_top else samples[::-1]).astype(samples.dtype.newbyteorder("<")).tobytes()
    fixed = struct.pack(
        "<IiiHHIIiiII",
        header,
        width,
        -height if from_the_top else height,
        1,
        bits,
        3 if masks else 0,
        len(lines),
        0,
        0,
        0,
        0,
    )
    info = fixed + masks + bytes(max(0, header - 40 - len(masks)))
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(lines), 0, 0, 14 + len(info)) + info + lines


def _chromaticities(primaries: Sequence[tuple[float, float]]) -> list[int]:
    return [round(100_000 * value) for pair in ((0.3127, 0.3290), *primaries) for value in pair]


def profile(primaries: Sequence[tuple[float, float]], gamma: float) -> bytes:
    """Return an ICC profile of three primaries (x, y) with one gamma, under the white D50."""
    white = np.array([0.9642, 1.0, 0.8249])
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    matrix = columns * np.linalg.solve(columns, white)
    tags = {b"wtpt": _xyz(white), b"rXYZ": _xyz(matrix[:, 0]), b"gXYZ": _xyz(matrix[:, 1]), b"bXYZ": _xyz(matrix[:, 2])}
    return _icc(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma)))


def grey_profile(gamma: float) -> bytes:
    """Return an ICC profile of grey."""
    return _icc(b"GRAY", {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"kTRC": _curve(gamma)})


def cmyk_profile() -> bytes:
    """Return an ICC profile of CMYK that takes cyan for yellow and yellow for cyan."""
    lab = []
    for cyan, magenta, yellow, black in np.ndindex(2, 2, 2, 2):
        light = 255 * (1 - black) * (3 - cyan - magenta - yellow) / 3
        lab += [light, 128 + 60 * (magenta - yellow) * (1 - black), 128 + 60 * (cyan - yellow) * (1 - black)]
    same = bytes(range(256))
    identity = struct.pack(">9i", 65_536, 0, 0, 0, 65_536, 0, 0, 0, 65_536)
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + same * 4 + bytes(np.rint(lab).astype(np.uint8)) + same * 3
    return _icc(b"CMYK", {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"A2B0": lut}, b"prtr", b"Lab ")


def _icc(space: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr", connection: bytes = b"XYZ ") -> bytes:
    text = b"desc\0\0\0\0\0\0\0\5test\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0\0\0\0", **tags}
    place, table, content = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, place + len(content), len(data))
        content += data
    head = struct.pack(
        ">I4sI4s4s4s12x4s",
        132 + 12 * len(tags) + len(content),
        b"\0\0\0\0",
        0x02400000,
        kind,
        space,
        connection,
        b"acsp",
    )
    head += bytes(68 - len(head)) + struct.pack(">3i", 63_190, 65_536, 54_061)
    return head + bytes(128 - len(head)) + table + content


def _xyz(values: Sequence[float] | np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65_536 * float(value)) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma))
