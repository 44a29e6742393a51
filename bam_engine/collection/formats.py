"""What a file is, by its content.

In:  the first bytes of a file. Out: the format that Pillow reads, or what else it is, in words.
"""

import re

DECIDES = 512
"""The number of bytes at the beginning of a file that decide."""

SUPPORTED = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
READABLE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".jp2", ".j2k", ".avif"}
)
RAW_SUFFIXES = frozenset({".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw"})
UNSUPPORTED_SUFFIXES = frozenset(
    {".heic", ".heif", ".jxl", ".psd", ".svg", ".ico", ".exr", ".hdr", ".dcm", ".tga", ".xcf", ".eps"} | RAW_SUFFIXES
)

_BEGINNINGS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
)
_OTHERS = (
    (b"\xff\x0a", "JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL picture"),
    (b"8BPS", "Photoshop file"),
    (b"\0\0\1\0", "Windows icon"),
    (b"\0\0\2\0", "Windows cursor"),
    (b"v/1\1", "OpenEXR picture"),
    (b"#?RADIANCE", "Radiance picture"),
    (b"#?RGBE", "Radiance picture"),
    (b"II\xbc", "JPEG XR picture"),
    (b"IIRO", "raw file of a camera"),
    (b"IIRS", "raw file of a camera"),
    (b"MMOR", "raw file of a camera"),
    (b"IIU\0", "raw file of a camera"),
    (b"FUJIFILMCCD-RAW", "raw file of a camera"),
    (b"gimp xcf", "GIMP file"),
    (b"qoif", "QOI picture"),
    (b"DDS ", "DirectDraw surface"),
    (b"SIMPLE  =", "FITS file"),
    (b"%!PS-Adobe", "PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "PostScript file"),
    (b"\xd7\xcd\xc6\x9a", "Windows metafile"),
    (b"AT&TFORM", "DjVu file"),
)
_NETPBM = re.compile(rb"P[1-6Ff]\s+(#|[0-9])")
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1", b"mif2"})


_NO_PICTURES = (
    (b"%PDF", "a PDF document"),
    (b"PK\3\4", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a compressed archive"),
    (b"7z\xbc\xaf", "a compressed archive"),
    (b"Rar!", "a compressed archive"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"version https://git-lfs", "a pointer of Git LFS, whose content has not been fetched"),
    (b"\0\5\x16\7", "a companion file of macOS"),
)


def is_picture(head: bytes) -> bool:
    """Return whether a file is a picture, supported or not, as far as its first bytes show."""
    return format_of(head) is not None or _unsupported(head) is not None


def format_of(head: bytes) -> str | None:
    """Return the format from ``SUPPORTED`` of a file by its first bytes, or None."""
    for beginning, name in _BEGINNINGS:
        if head.startswith(beginning):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in (12, 16, 40, 52, 56, 64, 108, 124):
        return "BMP"
    if head[:4] in _TIFFS and head[8:10] != b"CR":
        return "TIFF"
    if _NETPBM.match(head):
        return "PPM"
    return "AVIF" if _brands(head) & {b"avif", b"avis"} else None


def what_it_is(head: bytes) -> str:
    """Return in words what a file is that is not in a supported format: "a HEIC picture, which is not supported"."""
    if (name := _unsupported(head)) is not None:
        return f"{'an' if name[0] in 'ISO' else 'a'} {name}, which is not supported"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page, not an image"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "a video, not an image"
    found = next((name for beginning, name in _NO_PICTURES if head.startswith(beginning)), None)
    if found is None:
        found = "text" if _is_text(head) else "of an unknown format"
    return f"{found}, not an image"


def _is_text(head: bytes) -> bool:
    return not any(byte < 32 and byte not in b"\t\n\f\r" for byte in head) and b"\x7f" not in head


def _unsupported(head: bytes) -> str | None:
    if head[:4] in _TIFFS:
        return "raw file of a camera"
    brands = _brands(head)
    if brands & _HEIC:
        return "HEIC picture"
    if b"crx " in brands:
        return "raw file of a camera"
    if head[128:132] == b"DICM":
        return "DICOM file"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!doctype svg", b"<!--")) and b"<svg" in text):
        return "SVG drawing"
    return next((name for beginning, name in _OTHERS if head.startswith(beginning)), None)


def _brands(head: bytes) -> frozenset[bytes]:
    """Return the brands of an ISO media file: what its content can be read as."""
    if head[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return frozenset([head[8:12], *(head[place : place + 4] for place in range(16, end - 3, 4))])
