"""The guide's text and pictures, read from ``docs/guide.md``: one text for the page and the repository.

In:  the file. Out: its sections, each a row of Markdown texts and pictures. Draws nothing.
"""

import base64
import html
import re
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
_PICTURE = re.compile(r"^!\[(?P<caption>[^\]]*)\]\((?P<path>[^)]+)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Picture:
    """A picture between two texts."""

    path: Path
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in order."""

    heading: str
    parts: tuple[str | Picture, ...]


def sections(text: str | None = None) -> tuple[Section, ...]:
    """Return the sections of the guide: its title with the lead, then one for each heading of the second level."""
    whole = (DOCS / "guide.md").read_text(encoding="utf-8") if text is None else text
    return tuple(_section(part) for part in re.split(r"^##? ", whole, flags=re.MULTILINE)[1:])


def _section(text: str) -> Section:
    heading, _, body = text.partition("\n")
    parts: list[str | Picture] = []
    end = 0
    for found in _PICTURE.finditer(body):
        parts += [body[end : found.start()].strip(), Picture(DOCS / found["path"], found["caption"])]
        end = found.end()
    return Section(heading.strip(), tuple(part for part in (*parts, body[end:].strip()) if part))


def figure(picture: Picture) -> str:
    """Return the picture with its caption as HTML that needs nothing else; the caption is what a screen reader says."""
    data = base64.b64encode(picture.path.read_bytes()).decode()
    words = html.escape(picture.caption)
    return (
        f'<figure style="margin: .5rem 0 1rem; max-width: 880px"><img alt="{words}" '
        f'src="data:image/webp;base64,{data}" style="width: 100%; border-radius: 6px">'
        f'<figcaption style="font-size: .875rem">{words}</figcaption></figure>'
    )
