"""Images of BAM's file become images of the collection: those of a query, downloaded, with what the crowd said of them.

In:  what a query has found, a number. Out: a list of URLs that is downloaded as any other, and votes under the names of
the file's workers. Run again, it goes on after the last finished URL, and stores no answer twice.
"""

from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from bam_engine.collection import bam_file
from bam_engine.download import FOLDER, Downloaded, Settings, download_list, is_url
from bam_engine.errors import CollectionError, ExchangeError
from bam_engine.files import replacing
from bam_engine.formatting import count
from bam_engine.labelling.bam_answers import ImportedAnswers, import_bam
from bam_engine.progress import Report, silent
from bam_engine.published.arrays import Arrays
from bam_engine.published.finding import Found
from bam_engine.published.lines import lines_of
from bam_engine.published.pictures import picture_settings
from bam_engine.published.window import rows_of
from bam_engine.spreadsheets import write_lines
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.downloads import stores_of

MOST = 10_000
"""Images that are downloaded of one query, at most."""

USUAL = 1_000
"""The same where no number is named."""

_PAGE = 1_000  # images looked up at once
_CROWD = ("crowd_raw_hits", "crowd_raw_choices")


@dataclass(frozen=True)
class Fetched:
    """What was downloaded, and what was stored of the crowd's answers: None where the file has none about these."""

    downloaded: Downloaded
    answers: ImportedAnswers | None

    def lines(self) -> list[str]:
        """Return in words what was added, and what was stored."""
        added, failed = count(self.downloaded.added, "picture"), count(self.downloaded.failed, "URL")
        said = [f"{added} added, {failed} failed"]
        return said if self.answers is None else [*said, *self.answers.lines()]


def download_found(
    workspace: Workspace, arrays: Arrays, found: Found, count: int = USUAL, *, report: Report = silent
) -> Fetched:
    """Download the first images of a query that the collection does not have, and import the crowd's answers.

    The list is called after the query. Contact and rules for hosts are those with which pictures are shown, where they
    are.

    Parameters
    ----------
    count
        The most images to download, from 1 to :data:`MOST`.

    Raises
    ------
    CollectionError
        The number is out of range, no image is left to download, or as :func:`download_list`.
    DiskFull, Stopped
        As :func:`download_list`.
    """
    if not 1 <= count <= MOST:
        raise CollectionError(f"{count:,} images cannot be downloaded at once. Choose from 1 to {MOST:,}.")
    name = f"bam-{found.id[:10]}"
    path = workspace.folder / FOLDER / "lists" / f"{name}.csv"
    if not _write_list(workspace, arrays, found, count, path):
        raise CollectionError("There is nothing to download: the images have no URL, or are in the collection already.")
    shown = picture_settings(workspace)
    settings = None if shown is None else replace(Settings(), contact=shown.contact, hosts=shown.hosts)
    done = download_list(stores_of(workspace), path, name=name, settings=settings, report=report)
    return Fetched(done, _answers(workspace, arrays.file, report))


def _write_list(workspace: Workspace, arrays: Arrays, found: Found, count: int, path: Path) -> int:
    """Write the URLs of the first images that are not in the collection; return how many there are."""
    written, positions = 0, found.positions
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        write_lines(file, [("url", "project", "license", "mature")])
        for first in range(0, len(positions), _PAGE):
            if written == count:
                break
            page = list(lines_of(arrays, positions[first : first + _PAGE], ()))
            page = [line for line in page if is_url(str(line["url"] or ""))]
            here = rows_of(workspace, [line["url"] for line in page])
            new = list(islice((line for line in page if line["url"] not in here), count - written))
            columns = ("url", "project", "license", "mature")
            write_lines(file, ([line[name] for name in columns] for line in new))
            written += len(new)
    return written


def _answers(workspace: Workspace, file: Path, report: Report) -> ImportedAnswers | None:
    with bam_file.opened(file) as connection:
        if not all(bam_file.has_table(connection, table) for table in _CROWD):
            return None
    try:
        return import_bam(workspace, file, report=report)
    except ExchangeError:  # the crowd was asked about none of the images of the collection
        return None
