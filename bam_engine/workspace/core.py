"""The workspace: opens the stores of one collection and holds the few objects that are shared.

In:  a folder for what cannot be made again, a folder for what can. Out: the stores, and the encoder that is in use.
The flows of work stand beside this file, one module each, as functions of a workspace.
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
    """The encoder that a workspace uses: what was asked for, its checkpoint file, and the key of its vectors."""

    spec: str
    checkpoint: Path | None
    key: str


class Workspace:
    """One collection with everything that was said and made of it.

    Parameters
    ----------
    folder
        Holds ``bam.sqlite``: the images' records and what people said. Made if missing.
    cache
        Holds derived things, in a folder named after this workspace. Made if missing.
    database_url
        A SQLAlchemy URL instead of ``bam.sqlite``.

    Raises
    ------
    BamError
        A folder or the database cannot be opened.

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
                f"the workspace {folder} or its cache {cache} cannot be made: {error.strerror or error}. "
                "Give a folder that can be written, with BAM_WORKSPACE and BAM_CACHE."
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
        self.lock = threading.RLock()  # guards what is below, and is held for moments only
        self.memory_cache: dict[str, Any] = {}  # what flows keep between calls, such as opened maps; safe to drop
        self._making: dict[str, threading.RLock] = {}
        self._encoder: tuple[str, Encoder] | None = None

    @classmethod
    def from_environment(cls) -> "Workspace":
        """Open the workspace named by ``BAM_WORKSPACE``, ``BAM_CACHE`` and ``BAM_DATABASE_URL``."""
        return cls(
            Path(os.environ.get("BAM_WORKSPACE", "workspace")),
            Path(os.environ.get("BAM_CACHE", "cache")),
            database_url=os.environ.get("BAM_DATABASE_URL"),
        )

    def close(self) -> None:
        """Close the database's connections."""
        self.engine.dispose()
        self.sprites.close()

    def _identity(self) -> str:
        with self.engine.begin() as connection:  # of two that open a new one at once, both take the name that was first
            insert_new(connection, settings, [{"key": "workspace", "value": json.dumps(uuid.uuid4().hex[:12])}])
        return str(read_setting(self.engine, "workspace"))

    def lock_for(self, what: str) -> threading.RLock:
        """Return the lock to hold while something is made that takes a while: only who needs the same waits for it."""
        with self.lock:
            return self._making.setdefault(what, threading.RLock())

    # Settings -------------------------------------------------------------------------------------------------------

    @property
    def redundancy(self) -> int:
        """How many annotators must agree on an image before its answer counts."""
        return int(read_setting(self.engine, "redundancy", 1))

    @redundancy.setter
    def redundancy(self, people: int) -> None:
        if not 1 <= people <= 9:
            raise BamError(f"{people} people cannot be asked to agree on an image: give a number from 1 to 9")
        write_setting(self.engine, "redundancy", people)

    # The encoder ----------------------------------------------------------------------------------------------------

    @property
    def choice(self) -> EncoderChoice:
        """The encoder in use; ``builtin`` until another is chosen."""
        stored = read_setting(self.engine, "encoder", {"spec": "builtin", "checkpoint": None})
        checkpoint = Path(stored["checkpoint"]) if stored["checkpoint"] else None
        if checkpoint is not None and not checkpoint.exists():
            raise EmbeddingError(
                f"the encoder {stored['spec']} was opened from {checkpoint}, which is gone. "
                "Put the file back, or choose an encoder again."
            )
        return EncoderChoice(stored["spec"], checkpoint, encoder_key(stored["spec"], checkpoint))

    def choose_encoder(self, spec: str, checkpoint: Path | None = None) -> Encoder:
        """Open an encoder and make it the one in use; nothing changes if it cannot be opened."""
        encoder = open_encoder(spec, checkpoint=checkpoint)
        kept = str(checkpoint.absolute()) if checkpoint else None
        with self.lock_for("encoder"):
            self._encoder = (encoder.key, encoder)
            write_setting(self.engine, "encoder", {"spec": spec, "checkpoint": kept})
        return encoder

    def encoder(self) -> Encoder:
        """Return the encoder in use, loaded once."""
        with self.lock_for("encoder"):
            choice = self.choice
            if self._encoder is None or self._encoder[0] != choice.key:
                self._encoder = (choice.key, open_encoder(choice.spec, checkpoint=choice.checkpoint))
            return self._encoder[1]

    def vectors(self, key: str | None = None) -> VectorStore:
        """Return the vector store of the encoder in use, or of another by its key."""
        return VectorStore(self.cache / "vectors" / (key or self.choice.key))


def random_seed(seed: int | None) -> int:
    """Return ``seed``, or a fresh one that fits the database."""
    return int(np.random.SeedSequence().generate_state(1)[0] >> 1) if seed is None else seed
