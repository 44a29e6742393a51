"""The workspace: opens the stores of one collection and holds the shared objects.

In:  a folder for permanent data, a folder for the cache. Out: the stores and the current encoder. Everything that works
on a workspace is a function in one of the packages above this one.
"""

import json
import os
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bam_engine.annotation.answer_store import Annotations
from bam_engine.annotation.attribute_store import Attributes
from bam_engine.collection import Catalogue, Thumbnails
from bam_engine.database import insert_new, open_database, read_setting, settings, write_setting
from bam_engine.embedding import Encoder, VectorStore, encoder_key, open_encoder
from bam_engine.errors import BamError, EmbeddingError
from bam_engine.jobs import Jobs
from bam_engine.workspace.sprites import SpriteFile


@dataclass(frozen=True)
class EncoderChoice:
    """The encoder of a workspace: its spec, its checkpoint file, and the key of its vectors."""

    spec: str
    checkpoint: Path | None
    key: str


class Workspace:
    """One collection with its labels and derived data.

    Parameters
    ----------
    folder
        Folder of ``bam.sqlite``, with the image records and labels. Created if missing.
    cache
        Folder for derived data, in a subfolder named after the workspace's id. Created if missing.
    database_url
        A SQLAlchemy URL to use instead of ``bam.sqlite``.

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

    def __init__(self, folder: Path, cache: Path, *, database_url: str | None = None) -> None:
        self.folder = folder.absolute()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            cache.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BamError(
                f"Cannot create the workspace {folder} or its cache {cache}: {error.strerror or error}. "
                "Set BAM_WORKSPACE and BAM_CACHE to writable folders."
            ) from error
        self.engine = open_database(database_url or f"sqlite:///{self.folder / 'bam.sqlite'}")
        self.id: str = self._identity()
        self.cache = cache.absolute() / self.id
        self.catalogue = Catalogue(self.engine)
        self.sprites = SpriteFile(self.cache / "sprites" / "24.bin")
        self.thumbnails = Thumbnails(self.cache / "thumbnails", on_store=self.sprites.pack)
        self.attributes = Attributes(self.engine)
        self.annotations = Annotations(self.engine)
        self.jobs = Jobs()
        self.lock = threading.RLock()  # guards the fields below; hold it only briefly
        self.memory_cache: dict[str, Any] = {}  # computed values, such as opened maps; may be cleared at any time
        self._locks: dict[str, threading.RLock] = {}
        self._encoder: tuple[str, Encoder] | None = None

    @classmethod
    def from_environment(cls) -> "Workspace":
        """Open the workspace given by ``BAM_WORKSPACE``, ``BAM_CACHE`` and ``BAM_DATABASE_URL``."""
        return cls(
            Path(os.environ.get("BAM_WORKSPACE", "workspace")),
            Path(os.environ.get("BAM_CACHE", "cache")),
            database_url=os.environ.get("BAM_DATABASE_URL"),
        )

    def close(self) -> None:
        """Close the database connections and open files."""
        self.engine.dispose()
        self.sprites.close()

    def _identity(self) -> str:
        with self.engine.begin() as connection:  # of concurrent openers, the first one sets the id
            insert_new(connection, settings, [{"key": "workspace", "value": json.dumps(uuid.uuid4().hex[:12])}])
        return str(read_setting(self.engine, "workspace"))

    def lock_for(self, name: str) -> threading.RLock:
        """Return the lock to hold during a slow computation; only callers with the same name wait for each other."""
        with self.lock:
            return self._locks.setdefault(name, threading.RLock())

    # Settings -------------------------------------------------------------------------------------------------------

    @property
    def redundancy(self) -> int:
        """How many annotators must agree on the label of an image."""
        return int(read_setting(self.engine, "redundancy", 1))

    @redundancy.setter
    def redundancy(self, votes: int) -> None:
        if not 1 <= votes <= 9:
            raise BamError(f"Cannot require {votes} votes per image. Choose a number from 1 to 9.")
        write_setting(self.engine, "redundancy", votes)

    # The encoder ----------------------------------------------------------------------------------------------------

    @property
    def choice(self) -> EncoderChoice:
        """The current encoder; ``builtin`` until another is chosen."""
        stored = read_setting(self.engine, "encoder", {"spec": "builtin", "checkpoint": None})
        checkpoint = Path(stored["checkpoint"]) if stored["checkpoint"] else None
        if checkpoint is not None and not checkpoint.exists():
            raise EmbeddingError(
                f"The checkpoint {checkpoint} of the encoder {stored['spec']} was not found. "
                "Restore the file, or choose an encoder again."
            )
        return EncoderChoice(stored["spec"], checkpoint, encoder_key(stored["spec"], checkpoint))

    def choose_encoder(self, spec: str, checkpoint: Path | None = None) -> Encoder:
        """Open an encoder and make it the current one; if it cannot be opened, nothing changes."""
        encoder = open_encoder(spec, checkpoint=checkpoint)
        path = str(checkpoint.absolute()) if checkpoint else None
        with self.lock_for("encoder"):
            self._encoder = (encoder.key, encoder)
            write_setting(self.engine, "encoder", {"spec": spec, "checkpoint": path})
        return encoder

    def encoder(self) -> Encoder:
        """Return the current encoder; it is loaded once."""
        with self.lock_for("encoder"):
            choice = self.choice
            if self._encoder is None or self._encoder[0] != choice.key:
                self._encoder = (choice.key, open_encoder(choice.spec, checkpoint=choice.checkpoint))
            return self._encoder[1]

    def vectors(self, key: str | None = None) -> VectorStore:
        """Return the vector store of the current encoder, or of the encoder with ``key``."""
        return VectorStore(self.cache / "vectors" / (key or self.choice.key))


def random_seed(seed: int | None) -> int:
    """Return ``seed``, or a random one that fits the database."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1) if seed is None else seed
