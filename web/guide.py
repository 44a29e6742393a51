"""The text and pictures of the guide, read from ``docs/guide.md``, which the page and the repository share."""

import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
_KINDS = {".webp": "image/webp", ".svg": "image/svg+xml"}
_PICTURE = re.compile(r"^!\[(?P<caption>[^\]]*)\]\((?P<path>[^)]+)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Picture:
    """A picture between paragraphs."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading and the Markdown texts and pictures below it, in order."""

    heading: str
    parts: tuple[str | Picture, ...]


def sections(text: str | None = None) -> tuple[Section, ...]:
    """Return the sections of the guide: the title with its lead, then one for each second-level heading."""
    source = (DOCS / "guide.md").read_text(encoding="utf-8") if text is None else text
    return tuple(_section(part) for part in re.split(r"^##? ", source, flags=re.MULTILINE)[1:])


def _section(text: str) -> Section:
    heading, _, body = text.partition("\n")
    parts: list[str | Picture] = []
    end = 0
    for match in _PICTURE.finditer(body):
        parts += [body[end : match.start()].strip(), Picture(DOCS / match["path"], match["caption"])]
        end = match.end()
    return Section(heading.strip(), tuple(part for part in (*parts, body[end:].strip()) if part))


def figure(picture: Picture) -> str:
    """Return the picture with its caption as self-contained HTML; the caption is also the alternative text."""
    data, kind = base64.b64encode(picture.path.read_bytes()).decode(), _KINDS[picture.path.suffix]
    caption = html.escape(picture.caption)
    return (
        f'<figure style="margin: .5rem 0 1rem; max-width: 880px"><img alt="{caption}" '
        f'src="data:{kind};base64,{data}" style="width: 100%; border-radius: 6px">'
        f'<figcaption style="font-size: .875rem">{caption}</figcaption></figure>'
    )
