"""The workspace: opens the stores of one collection and holds the shared objects.

In:  a folder for permanent data, a folder for the cache. Out: the stores and the current encoder. Everything that works
on a workspace is a function in one of the packages above this one.
"""

import errno
import json
import logging
import os
import shutil
import tempfile
import threading
import uuid
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa

from bam_engine.annotation.annotator_store import Annotators
from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.annotation.caption_store import Captions
from bam_engine.annotation.lease_store import Leases
from bam_engine.annotation.pauses import Pauses
from bam_engine.annotation.proposal_store import Proposals
from bam_engine.annotation.set_aside import SetAsideAnswers
from bam_engine.annotation.tag_store import Tags
from bam_engine.collection import Catalogue, Thumbnails, mark_as_cache
from bam_engine.collection.digests import Digests
from bam_engine.collection.removals import Removals
from bam_engine.database import (
    Snapshot,
    images,
    insert_new,
    keep_actor,
    on_restore,
    open_database,
    read_setting,
    reading,
    settings,
    snapshot_of,
    write_setting,
)
from bam_engine.embedding import DEFAULT_ENCODER, Encoder, VectorStore, open_encoder
from bam_engine.errors import BamError, EmbeddingError
from bam_engine.files import PRIVATE_FOLDER, is_due, sweep
from bam_engine.jobs import Jobs
from bam_engine.team import Team
from bam_engine.typed_paths import typed_path
from bam_engine.workspace.encoders import EncoderChoice, Encoders, first_choice
from bam_engine.workspace.memory import Kind, Memory
from bam_engine.workspace.sprites import SpriteFile

T = TypeVar("T")

DATABASE = "bam.sqlite"
"""The name of the database in the folder of a workspace, unless it is elsewhere."""

SWEPT = "SWEPT"
"""The name of the file in the cache whose time is that of the last sweep."""

MAX_SEED = 2**31 - 1
"""The largest seed that every kind of database stores."""

ASSIGNMENT_SIZE = 34
"""How many images an assignment has at most, unless the workspace says otherwise: as many as in BAM."""

MAX_ASSIGNMENT = 1000
LEASE_MINUTES = 30
"""How long others wait for the images of an assignment that nobody answers, unless the workspace says otherwise."""

MAX_CAPTIONS_ASKED = 9
MAX_LEASE = 7 * 24 * 60

_ASK_EVERY = 1.0  # seconds between questions whether the digests of images have changed
_DIGESTS = Kind[Digests]("digests of images", of="workspace", until="images are added", limit=1)
_STORES = Kind[VectorStore]("opened vector files", of="encoder", until="images are added", limit=4)


_NOT_PERMITTED = (errno.EACCES, errno.EPERM, errno.EROFS)
_log = logging.getLogger(__name__)

_ENCODERS = Kind[Encoder]("encoders", of="workspace", until="another is chosen", limit=1)


class Workspace:
    """One collection with its labels and derived data.

    Parameters
    ----------
    folder
        Folder of ``bam.sqlite``, with the image records and labels. Created if missing.
    cache
        Folder for derived data, in a subfolder named after the workspace's id. Created if missing; where that is not
        permitted, a temporary folder takes its place.
    database_url
        A SQLAlchemy URL to use instead of ``bam.sqlite``.
    only_read
        Leave a SQLite database as it is, whoever may write it.

    Raises
    ------
    BamError
        A folder cannot be created, or the database cannot be opened.

    Examples
    --------
    >>> workspace = Workspace(Path("workspace"), Path("cache"))  # doctest: +SKIP
    >>> len(workspace.catalogue)  # doctest: +SKIP
    0
    """

    def __init__(
        self, folder: Path, cache: Path, *, database_url: str | sa.URL | None = None, only_read: bool = False
    ) -> None:
        self.folder = folder.absolute()
        cache = cache.absolute()
        try:
            self.folder.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
            if not _can_be_made(cache):
                cache = _temporary_cache(self)
        except OSError as error:
            raise BamError(
                f"Cannot create the workspace {folder} or its cache {cache}: {error.strerror or error}. "
                "Set BAM_WORKSPACE and BAM_CACHE to writable folders."
            ) from error
        address = database_address(self.folder, database_url)
        self.engine = open_database(address, copies=self.folder, only_read=only_read)
        self.id: str = self._identity()
        self.cache = cache / self.id
        with suppress(OSError):  # a cache that cannot be written can be read
            self.cache.mkdir(PRIVATE_FOLDER, exist_ok=True)
            mark_as_cache(self.cache)
        self.catalogue = Catalogue(self.engine)
        self.removals = Removals(self.engine)
        self.sprites = SpriteFile(self.cache / "sprites" / "24.bin", self.digest_of)
        self.thumbnails = Thumbnails(self.cache / "thumbnails", digest_of=self.digest_of, on_store=self.sprites.pack)
        self.attributes = Attributes(self.engine)
        self.annotators = Annotators(self.engine)
        self.annotations = Annotations(self.engine)
        self.team = Team(self.engine)
        self.leases = Leases(self.engine)
        self.remarks = self.annotations.remarks
        self.pauses = Pauses(self.engine)
        self.set_aside_answers = SetAsideAnswers(self.engine)
        self.captions = Captions(self.engine)
        self.tags = Tags(self.engine)
        self.proposals = Proposals(self.engine)
        self.encoders = Encoders(self.engine, self.cache)
        self.jobs = Jobs(within=self._within_job)
        self.memory = Memory()
        on_restore(self.engine, self.memory.clear)
        self._lock = threading.Lock()
        self._states: dict[type, object] = {}

    @classmethod
    def from_environment(cls) -> "Workspace":
        """Open the workspace given by ``BAM_WORKSPACE``, ``BAM_CACHE`` and ``BAM_DATABASE_URL``."""
        folder, cache = folder_from_environment(), cache_from_environment()
        return cls(folder, cache, database_url=os.environ.get("BAM_DATABASE_URL"))

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders of the workspace and of its cache, where no image is looked for."""
        return self.folder, self.cache

    def close(self) -> None:
        """Close the database connections and open files."""
        self.engine.dispose()
        self.sprites.close()

    def sweep(self) -> None:
        """Remove what killed processes left unfinished, once a day; no process is silent for that long in a file."""
        if is_due(self.cache / SWEPT):
            sweep(self.cache)
            for folder in (self.folder, self.folder / "backups"):
                sweep(folder, deep=False)

    def _identity(self) -> str:
        if (stored := read_setting(self.engine, "workspace")) is not None:
            return str(stored)
        first: dict[str, Any] = {"workspace": uuid.uuid4().hex[:12]}
        with self.engine.begin() as connection:  # of concurrent openers, the first one sets the id
            empty = connection.execute(sa.select(images.c.row).limit(1)).first() is None
            if empty:  # with images, it is older than ids, and was embedded with another default
                first["encoder"] = first_choice(DEFAULT_ENCODER)
            insert_new(connection, settings, [{"key": key, "value": json.dumps(value)} for key, value in first.items()])
        return str(read_setting(self.engine, "workspace"))

    def state(self, owner: type[T]) -> T:
        """Return the one ``owner`` of this workspace, made on first use: the state of a module while the process lasts.

        What can be recomputed belongs in :attr:`memory`, what people enter in the database.
        """
        with self._lock:
            existing = self._states.get(owner)
            if not isinstance(existing, owner):
                existing = self._states[owner] = owner()
            return existing

    # The database ---------------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """The tables of the database: as the flow that the caller is in sees them, or, outside one, as they are now."""
        return snapshot_of(self.engine)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Begin a flow, a piece of work that reads one snapshot and uses one encoder.

        See :func:`bam_engine.database.reading`, and :meth:`using`.

        Examples
        --------
        >>> with workspace.reading():  # doctest: +SKIP
        ...     overview(workspace)
        """
        with reading(self.engine), self.using():
            yield

    def _within_job(self) -> AbstractContextManager[None]:
        """Return the context of a job: the encoder in use and the person who acts, both when it starts."""
        return _entered(self.using(self.choice.key), keep_actor(self.engine))

    def digest_of(self, row: int) -> str:
        """Return the digest of an image; of a row beyond the collection, "".

        It is asked for every picture of a map, so the database is asked at most once a second, and for a new row.
        """
        return self._known_digests().text(row) or self.catalogue.digests().text(row)

    @property
    def picture_version(self) -> str:
        """A version of all pictures by row: an address that contains it never shows another picture.

        It follows new images within a second; a row that a version does not count keeps its picture all the same.
        """
        return f"{self.id}-{self._known_digests().fingerprint()}"

    def _known_digests(self) -> Digests:
        """Return the digests as they were at most a second ago."""
        return self.memory.get_within(_DIGESTS, None, _ASK_EVERY, self.catalogue.digests, lambda digests: digests)

    # Settings -------------------------------------------------------------------------------------------------------

    @property
    def redundancy(self) -> int:
        """How many annotators must agree on the label of an image; on one that judges, :attr:`judging_redundancy`."""
        return int(read_setting(self.engine, "redundancy", 1))

    @redundancy.setter
    def redundancy(self, votes: int) -> None:
        self._write_votes("redundancy", votes)

    @property
    def judging_redundancy(self) -> int:
        """How many must agree on an image of a validation sample, a certification or an audit.

        As many as on any other, until it is set: one person teaches, two judge.
        """
        return int(read_setting(self.engine, "judging_redundancy", self.redundancy))

    @judging_redundancy.setter
    def judging_redundancy(self, votes: int) -> None:
        self._write_votes("judging_redundancy", votes)

    def _write_votes(self, name: str, votes: int) -> None:
        if not 1 <= votes <= 9:
            raise BamError(f"Cannot require {votes} votes per image. Choose a number from 1 to 9.")
        write_setting(self.engine, name, votes)

    @property
    def assignment_size(self) -> int:
        """How many images an assignment has at most."""
        return int(read_setting(self.engine, "assignment_size", ASSIGNMENT_SIZE))

    @assignment_size.setter
    def assignment_size(self, images: int) -> None:
        if not 1 <= images <= MAX_ASSIGNMENT:
            raise BamError(f"Cannot assign {images:,} images at a time. Choose a number from 1 to {MAX_ASSIGNMENT:,}.")
        write_setting(self.engine, "assignment_size", images)

    @property
    def lease_minutes(self) -> int:
        """After how many minutes without an answer the images of an assignment are given to others."""
        return int(read_setting(self.engine, "lease_minutes", LEASE_MINUTES))

    @lease_minutes.setter
    def lease_minutes(self, minutes: int) -> None:
        if not 1 <= minutes <= MAX_LEASE:
            raise BamError(f"Cannot lease images for {minutes:,} minutes. Choose a number from 1 to {MAX_LEASE:,}.")
        write_setting(self.engine, "lease_minutes", minutes)

    @property
    def captions_asked(self) -> int:
        """How many images of each assignment are to be described in words; 0, as in a new workspace, for none."""
        return int(read_setting(self.engine, "captions_asked", 0))

    @captions_asked.setter
    def captions_asked(self, images: int) -> None:
        if not 0 <= images <= MAX_CAPTIONS_ASKED:
            raise BamError(f"Cannot ask for {images} descriptions. Choose a number from 0 to {MAX_CAPTIONS_ASKED}.")
        write_setting(self.engine, "captions_asked", images)

    # The encoder ----------------------------------------------------------------------------------------------------

    @property
    def choice(self) -> EncoderChoice:
        """The encoder in use. A new workspace begins with the default; an older one may name none: ``builtin``."""
        return self.encoders.in_use

    def using(self, key: str | None = None) -> AbstractContextManager[None]:
        """Use one encoder inside, whatever is chosen meanwhile: that of ``key``, or the one in use.

        A flow and a job use the encoder with which they have begun; a choice made inside counts from then on.

        Examples
        --------
        >>> with workspace.using("network-v1"):  # doctest: +SKIP
        ...     latest_model(workspace, attribute)
        """
        return self.encoders.using(key)

    def choose_encoder(self, spec: str, checkpoint: Path | None = None) -> Encoder:
        """Open an encoder and make it the current one; if it cannot be opened, nothing changes."""
        encoder = open_encoder(spec, checkpoint=checkpoint)
        self.encoders.choose(EncoderChoice(spec, None if checkpoint is None else checkpoint.absolute(), encoder.key))
        return self.memory.put(_ENCODERS, None, encoder.key, encoder)

    def choice_of(self, key: str) -> EncoderChoice | None:
        """Return the encoder whose vectors have ``key``; None where it is not known, or its checkpoint has gone."""
        return self.encoders.choice_of(key)

    def encoder_name(self, key: str | None = None) -> str:
        """Return the name for people of the encoder in use, or of the one whose vectors, models or maps have ``key``.

        An encoder with a checkpoint is named after it, too; one that this program cannot open any more, and one of
        several with the same name, by its key as well.
        """
        return self.encoders.name(key)

    def encoder(self) -> Encoder:
        """Return the current encoder; it is loaded once.

        Raises
        ------
        EmbeddingError
            It cannot be opened.
        """
        choice = self.choice

        def load() -> Encoder:
            if choice.problem:
                raise EmbeddingError(choice.problem)
            return open_encoder(choice.spec, checkpoint=choice.checkpoint)

        return self.memory.get(_ENCODERS, None, choice.key, load)

    def vectors(self, key: str | None = None) -> VectorStore:
        """Return the vector store of the current encoder, or of the encoder with ``key``."""
        folder, digests = self.cache / "vectors" / (key or self.choice.key), self.catalogue.digests()
        return self.memory.get(_STORES, folder, id(digests.array), lambda: VectorStore(folder, images=digests.array))


@contextmanager
def _entered(*contexts: AbstractContextManager[None]) -> Iterator[None]:
    with ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


def folder_from_environment() -> Path:
    """Return the folder of the workspace, given by ``BAM_WORKSPACE``."""
    return typed_path(os.environ.get("BAM_WORKSPACE") or "workspace")


def cache_from_environment() -> Path:
    """Return the folder of derived data, given by ``BAM_CACHE``."""
    return typed_path(os.environ.get("BAM_CACHE") or "cache")


def database_address(folder: Path, url: str | sa.URL | None = None) -> str | sa.URL:
    """Return the address of a workspace's database: ``url``, or that of ``bam.sqlite`` in its folder."""
    return url or sa.URL.create("sqlite", database=str(folder.absolute() / DATABASE))


def _can_be_made(cache: Path) -> bool:
    """Make the folder of derived data; return whether that is permitted."""
    try:
        cache.mkdir(PRIVATE_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in _NOT_PERMITTED:
            raise
        _log.warning("The cache %s cannot be made (%s): a temporary folder takes its place.", cache, error.strerror)
        return False
    return True


def _temporary_cache(workspace: Workspace) -> Path:
    """Return a new folder, which is removed when the workspace is no longer used, or when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="bam-cache-"))
    weakref.finalize(workspace, shutil.rmtree, folder, ignore_errors=True)
    return folder


def random_seed(seed: int | None) -> int:
    """Return ``seed``, or a random one that fits the database.

    Raises
    ------
    BamError
        The seed does not fit the database.
    """
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1)[0] >> 1)
    if not 0 <= seed <= MAX_SEED:
        raise BamError(f"Cannot use the seed {seed}. Choose a number from 0 to {MAX_SEED}.")
    return seed
