"""A window of what is found in BAM's file: what a gallery shows of its images. And which of them are in the collection.

In:  what a query has found, the number of a window. Out: plain lists, JSON-ready.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.download import Failure, parse_url
from bam_engine.errors import NotFound
from bam_engine.formatting import count, percent
from bam_engine.published.arrays import Arrays
from bam_engine.published.finding import Found
from bam_engine.published.lines import lines_of
from bam_engine.workspace.core import Workspace

BLOCK = 200
"""Images per window."""

_MARKS = {"positive": "yes", "negative": "no", "unsure": "unsure"}
_END = 40  # characters of the end of a URL


@dataclass(frozen=True)
class FileWindow:
    """Columns with one value for each image of a window, in the order of what was found.

    ``rows`` are the numbers of images in the file; ``pictures`` the rows of the collection with their pictures, None
    where it has none. ``titles`` are the ends of their URLs, ``words`` their lowest places. ``marks`` are what the
    crowd says about the first attribute of the query.
    """

    rows: list[int]
    pictures: list[int | None]
    titles: list[str]
    words: list[str]
    marks: list[str]

    def payload(self) -> dict[str, Any]:
        """Return the window as a JSON-ready dict, with what a gallery of the collection would have as well."""
        nothing = [None] * len(self.rows)
        others = {"scores": nothing, "probabilities": nothing, "accepted": nothing, "counts": [1] * len(self.rows)}
        return asdict(self) | others


def window(workspace: Workspace, arrays: Arrays, found: Found, block: int) -> FileWindow:
    """Return the ``block``-th window of ``BLOCK`` images; the last one is shorter.

    Raises
    ------
    NotFound
        There is no such window.
    CollectionError
        The file cannot be read, or has changed since its arrays were made.
    """
    place = slice(block * BLOCK, (block + 1) * BLOCK)
    positions = found.positions[place]
    if block < 0 or not len(positions):
        raise NotFound(f"{count(len(found), 'image')} of BAM's file match; there is no window {block}.")
    names = (*found.query.names, *found.query.crowd_yes, *found.query.crowd_no)[:1]
    lines = list(lines_of(arrays, positions, names))
    here = rows_of(workspace, [str(line["url"] or "") for line in lines])
    return FileWindow(
        rows=[line["mid"] for line in lines],
        pictures=[here.get(str(line["url"] or "")) for line in lines],
        titles=[short(str(line["url"] or "")) for line in lines],
        words=["" if lowest != lowest else f"place {percent(lowest)}" for lowest in found.lowest[place].tolist()],
        marks=[_MARKS.get(line[f"{names[0]}_crowd"], "") if names else "" for line in lines],
    )


def short(url: str) -> str:
    """Return the end of a URL, which tells images apart.

    Examples
    --------
    >>> short("https://images.example/disp/6e3c7e4c2301.1000017.jpg"), short("")
    ('6e3c7e4c2301.1000017.jpg', 'no URL')
    """
    return url.rstrip("/").rpartition("/")[2][-_END:] or url[-_END:] or "no URL"


def rows_of(workspace: Workspace, sources: Collection[str]) -> dict[str, int]:
    """Return the rows of the images of the collection that have these URLs or paths; of several, the first."""
    addresses = {source: _address(source) for source in sources if source}
    images, known = db.images, set(addresses.values())
    query = sa.select(images.c.row, images.c.url, images.c.uri).where(images.c.url.in_(known) | images.c.uri.in_(known))
    found: dict[str, int] = {}
    with workspace.engine.connect() as connection:
        for row, *names in connection.execute(query.order_by(images.c.row)):
            for name in names:
                found.setdefault(name, row)
    return {source: found[address] for source, address in addresses.items() if address in found}


def _address(source: str) -> str:
    """Return a URL as the catalogue spells it, or else a path as it is."""
    try:
        return parse_url(source).text
    except Failure:
        return source
