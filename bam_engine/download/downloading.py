"""Downloading a list of URLs: its lines are noted, its pictures fetched, and added to the collection as they come.

In:  the stores of a collection, the folder of all lists, a list. Out: pictures in a folder, images with their URLs in
the catalogue, and the status of every URL. Stopped anywhere, also by a power cut, the next run goes on after the last
finished URL.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from bam_engine.collection import Catalogue, Details, Thumbnails, ingest_files
from bam_engine.download.addresses import allowed_networks
from bam_engine.download.fetching import Fetcher
from bam_engine.download.lists import Columns, check_list, file_state, read_list
from bam_engine.download.network import CheckedNetwork, Resolve, resolve
from bam_engine.download.outcomes import KINDS, Failure
from bam_engine.download.running import Run, Time
from bam_engine.download.settings import Settings
from bam_engine.download.statuses import Counts, Statuses, Stored
from bam_engine.download.url_lists import UrlList, name_of, note_settings, prepare, url_list, working_on
from bam_engine.errors import CollectionError
from bam_engine.files import flush_to_disk
from bam_engine.progress import Report, silent

_FLUSHING = 16  # files at once
_THREADS = 80  # that resolve names and store pictures; more than requests at once, so that neither holds up the other


@dataclass(frozen=True)
class Stores:
    """Where pictures go: the catalogue and the thumbnails of a collection, and the folder of its lists of URLs."""

    catalogue: Catalogue
    thumbnails: Thumbnails
    home: Path


@dataclass(frozen=True)
class Downloaded:
    """What a run has done: the list as it is now, and how many pictures were added or could not be had."""

    list: UrlList
    added: int
    failed: int

    @property
    def counts(self) -> Counts:
        """How many URLs of the list are in which state."""
        return self.list.counts


def download_list(
    stores: Stores,
    file: str | Path,
    *,
    name: str | None = None,
    columns: Columns | None = None,
    settings: Settings | None = None,
    refresh: bool = False,
    report: Report = silent,
    clock: Time | None = None,
    resolver: Resolve = resolve,
) -> Downloaded:
    """Download the pictures of a list of URLs and add them to the collection.

    A list that was begun goes on; what its file holds in addition by now is added to it. Each image keeps its URL and
    the title, project, licence and mature flag of its line. Of equal URLs the first line counts, and pictures with the
    same bytes are one image.

    Parameters
    ----------
    name
        What the list is called; by default like its file.
    columns
        Which columns hold what; by default guessed by their names.
    settings
        How it is downloaded; by default as before, or by the defaults of :class:`Settings`.
    refresh
        Ask servers for newer versions of pictures that are in the collection.
    report
        Called now and then with the number of finished URLs and of all.

    Raises
    ------
    CollectionError
        The list cannot be read, is being downloaded already, or real images do not belong into this collection.
    DiskFull
        The disk is full. What is finished is stored.
    Stopped
        Raised by ``report``. What is finished is stored.
    """
    path = check_list(file)
    _check_kind(stores)
    chosen = name_of(path, name)
    with working_on(stores.home, chosen) as statuses:
        _read(statuses, path, columns, report)
        if settings is not None:
            note_settings(statuses, settings)
        if refresh:
            statuses.ask_again()
        return _run(stores, chosen, statuses, report, clock, resolver)


def resume_list(
    stores: Stores,
    name: str,
    *,
    retry: Iterable[str] | None = (),
    settings: Settings | None = None,
    report: Report = silent,
    clock: Time | None = None,
    resolver: Resolve = resolve,
) -> Downloaded:
    """Go on with a list, and try failed URLs again.

    Parameters
    ----------
    retry
        The kinds of failures (of :data:`KINDS`) whose URLs are tried again; None for all.
    settings
        How it is downloaded from now on; by default as before.

    Raises
    ------
    NotFound
        There is no list of this name.
    CollectionError, DiskFull, Stopped
        As in :func:`download_list`; or a kind of failure is not known.
    """
    kinds = None if retry is None else list(retry)
    for kind in kinds or ():
        if kind not in KINDS:
            raise CollectionError(f"There is no kind of failure {kind!r}. There are: {', '.join(KINDS)}.")
    url_list(stores.home, name)
    _check_kind(stores)
    with working_on(stores.home, name) as statuses:
        if settings is not None:
            note_settings(statuses, settings)
        statuses.forget_unread()
        statuses.try_again(kinds)
        return _run(stores, name, statuses, report, clock, resolver)


def _check_kind(stores: Stores) -> None:
    if (reason := stores.catalogue.why_apart(generated=False)) is not None:
        raise CollectionError(f"No pictures of the web can be added: each would be {reason}")


def _read(statuses: Statuses, path: Path, columns: Columns | None, report: Report) -> None:
    """Note the lines of a list that are not known yet; a file that has not changed is not read again."""
    state = json.dumps([file_state(path), asdict(columns or Columns())])
    if statuses.read("read") == state:
        return
    for lines in statuses.add(read_list(path, columns)):
        report(lines, None, "reading the list")
    statuses.write("read", state)
    statuses.write("source", str(path))


def _run(
    stores: Stores, name: str, statuses: Statuses, report: Report, clock: Time | None, resolver: Resolve
) -> Downloaded:
    found = url_list(stores.home, name)
    prepare(found.pictures)
    stores.catalogue.note_source(str(found.pictures))
    network = CheckedNetwork(allowed_networks(), resolver)

    async def go() -> Run:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "download"))
        fetcher = Fetcher(found.settings, found.pictures, network)
        run = Run(statuses, fetcher, found.settings, adder(stores, found.pictures), report, clock or Time())
        try:
            await run.go()
        finally:
            await fetcher.aclose()
        return run

    run = _played(go)
    return Downloaded(url_list(stores.home, name), run.added, run.failed)


def _played(go: Callable[[], Coroutine[None, None, Run]]) -> Run:
    """Run ``go`` to its end: here, or in a thread of its own where this one runs an event loop, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(go())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(go())).result()


class adder:  # noqa: N801 - reads like a function
    """Adds stored pictures to the collection; those that cannot be decoded are removed again.

    Parameters
    ----------
    pictures
        Their folder.
    """

    def __init__(self, stores: Stores, pictures: Path) -> None:
        self._stores, self._pictures = stores, pictures

    def __call__(self, batch: Sequence[Stored]) -> list[tuple[int, Failure]]:
        """Add pictures; return the ids of those that cannot be added, and why."""
        paths = {one.id: str(self._pictures / one.file) for one in batch}
        with ThreadPoolExecutor(_FLUSHING) as pool:  # what the catalogue holds is on the disk
            list(pool.map(flush_to_disk, map(Path, set(paths.values()))))
        details: dict[str, Details] = {}
        for one in batch:
            details.setdefault(paths[one.id], Details(one.title, one.project, one.license, one.mature, one.url))
        known = self._stores.catalogue.rows_of(details)  # of equal pictures, the first line counts
        details |= dict.fromkeys(known, Details())
        problems = ingest_files(self._stores.catalogue, self._stores.thumbnails, details, folder=self._pictures)
        reasons = {problem.uri: problem.reason for problem in problems}
        for uri in reasons:
            Path(uri).unlink(missing_ok=True)
        return [(one.id, Failure("damaged", reasons[paths[one.id]])) for one in batch if paths[one.id] in reasons]
