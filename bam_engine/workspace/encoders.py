"""Which encoder a workspace uses: the one chosen, those chosen before, and the one that a piece of work began with.

In:  the database and the folder of the cache. Out: :class:`EncoderChoice`. No encoder is opened here: stored vectors,
models and maps are known by their key, and stay usable when their encoder cannot be opened any more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bam_engine.database import from_document, lock, put_setting, read_setting, settings, to_document, write_setting
from bam_engine.embedding import VectorStore, display_name, encoder_key
from bam_engine.errors import EmbeddingError


@dataclass(frozen=True)
class EncoderChoice:
    """The encoder of a workspace: its spec, its checkpoint file, and the key of its vectors.

    ``problem`` says why it cannot embed: its checkpoint is not where it was, say. Its vectors can be used all the same.
    """

    spec: str
    checkpoint: Path | None
    key: str
    problem: str = ""


@dataclass(frozen=True)
class _Stored:
    """An encoder as the settings store it; the key is None where an earlier version stored it."""

    spec: str
    checkpoint: str | None = None
    key: str | None = None

    @property
    def file(self) -> Path | None:
        return Path(self.checkpoint) if self.checkpoint else None


_BUILTIN = _Stored("builtin")
"""The encoder of workspaces that name none: they are older than the choice."""


@dataclass
class _Use:
    """The encoder that a piece of work uses, None before it has asked."""

    choice: EncoderChoice | None
    ended: bool = False  # a thread or task that was started in it may outlast it


class Encoders:
    """The encoders of a workspace."""

    def __init__(self, engine: sa.Engine, cache: Path) -> None:
        self._engine = engine
        self._vectors = cache / "vectors"
        self._use: ContextVar[_Use | None] = ContextVar("encoder", default=None)

    @property
    def in_use(self) -> EncoderChoice:
        """The encoder in use: the one chosen, or the one that the caller works with (:meth:`using`)."""
        use = self._use.get()
        if use is None or use.ended:
            return self.chosen()
        if use.choice is None:
            use.choice = self.chosen()
        return use.choice

    @contextmanager
    def using(self, key: str | None = None) -> Iterator[None]:
        """See :meth:`bam_engine.workspace.Workspace.using`."""
        outer = self._use.get()
        if key is None and outer is not None and not outer.ended:
            yield
            return
        use = _Use(None if key is None else self.choice_for(key))
        token = self._use.set(use)
        try:
            yield
        finally:
            use.ended = True
            self._use.reset(token)

    def chosen(self) -> EncoderChoice:
        """Return the choice that is stored, whatever the caller works with."""
        stored = read_setting(self._engine, "encoder")
        return self._resolved(_BUILTIN if stored is None else _read(stored))

    def choose(self, choice: EncoderChoice, *, instead_of: str | None = None) -> None:
        """Store a choice, unless another than that with the key ``instead_of`` is stored: somebody was faster.

        Raises
        ------
        EmbeddingError
            Somebody was.
        """
        with self._engine.begin() as connection:
            lock(connection, settings)
            before = self.chosen()
            if instead_of not in (None, before.key) and before.key != choice.key:
                raise EmbeddingError(
                    f"Somebody has chosen another encoder meanwhile: {self.name(before.key)} is in use. To use "
                    f"{self.name(choice.key)} instead, choose it again."
                )
            known = {each.key: _document(each) for each in (before, choice)}
            put_setting(connection, "encoder", known[choice.key])
            put_setting(connection, "encoders", read_setting(self._engine, "encoders", {}) | known)
            put_setting(connection, "awaited encoder", None)
        use = self._use.get()
        if use is not None:
            use.choice = choice

    def prepare(self, choice: EncoderChoice) -> None:
        """Store which encoder is to be used next, until one is chosen."""
        write_setting(self._engine, "awaited encoder", _document(choice))

    def awaited(self) -> EncoderChoice | None:
        """Return the encoder that is to be used next, or None; the one chosen is in use already."""
        stored = read_setting(self._engine, "awaited encoder")
        found = None if stored is None else self._resolved(_read(stored))
        return None if found is None or found.key == self.chosen().key else found

    def stay(self, instead_of: str | None = None) -> None:
        """Wait for no other encoder any more; with a key, not for the encoder that has it."""
        awaited = self.awaited()
        if instead_of is None or (awaited is not None and awaited.key == instead_of):
            write_setting(self._engine, "awaited encoder", None)

    def choice_of(self, key: str) -> EncoderChoice | None:
        """Return the encoder whose vectors have ``key``; None where it is not known, or its checkpoint has gone."""
        for stored in self._known_as(key):
            with suppress(EmbeddingError):
                if encoder_key(stored.spec, stored.file) == key:
                    return EncoderChoice(stored.spec, stored.file, key)
        return None

    def choice_for(self, key: str) -> EncoderChoice:
        """Return the encoder whose vectors have ``key``, with a problem where it cannot embed any more."""
        found = self.choice_of(key)
        if found is not None:
            return found
        stored = next((each for each in self._known_as(key) if each.key == key), None)
        if stored is not None:
            return self._resolved(stored)
        spec = VectorStore(self._vectors / key).meta.get("spec") or key
        return EncoderChoice(spec, None, key, f"The encoder {spec} is not known any more. Choose another to embed.")

    def keys(self) -> list[str]:
        """Return the keys of the encoder in use and of those with stored vectors, sorted."""
        stored = {meta.parent.name for meta in self._vectors.glob("*/meta.json")}
        return sorted(stored | {self.in_use.key})

    def name(self, key: str | None = None) -> str:
        """See :meth:`bam_engine.workspace.Workspace.encoder_name`."""
        choice = self.in_use
        if key not in (None, choice.key):
            choice = self.choice_for(str(key))
        name = self.name_of(choice.spec, choice.checkpoint)
        nameless = bool(choice.problem) and choice.checkpoint is None
        return (
            f"{name}, {choice.key}" if name != choice.key and (nameless or self._is_shared(name, choice.key)) else name
        )

    def name_of(self, spec: str, checkpoint: Path | None = None) -> str:
        """Return the name for people of an encoder, whether or not it has embedded anything."""
        name = display_name(spec)
        return name if checkpoint is None else f"{name}, {checkpoint.name}"

    def _is_shared(self, name: str, key: str) -> bool:
        """Return whether another encoder that was chosen has the same name: its checkpoint is called the same, say."""
        known = [_read(document) for document in read_setting(self._engine, "encoders", {}).values()]
        return any(each.key != key and self.name_of(each.spec, each.file) == name for each in known)

    def _resolved(self, stored: _Stored) -> EncoderChoice:
        try:
            key = encoder_key(stored.spec, stored.file)
        except EmbeddingError as error:
            problem = (
                f"The encoder {stored.spec} cannot be opened. {error} Restore the file, or choose an encoder again."
            )
            return EncoderChoice(stored.spec, stored.file, stored.key or self._stored_key(stored.spec), problem)
        if stored.key in (None, key):
            return EncoderChoice(stored.spec, stored.file, key)
        problem = (
            f"The encoder {stored.spec} is not what it was when it was chosen: its weights or this program have "
            "changed. What it has embedded stays usable. To embed further images, choose it again."
        )
        return EncoderChoice(stored.spec, stored.file, str(stored.key), problem)

    def _stored_key(self, spec: str) -> str:
        """Return the key of stored vectors by an encoder, or else one without vectors."""
        for meta in sorted(self._vectors.glob("*/meta.json")):
            if VectorStore(meta.parent).meta.get("spec") == spec:
                return meta.parent.name
        return "unknown"

    def _known_as(self, key: str) -> list[_Stored]:
        """Return what may be the encoder with a key, likeliest first."""
        single = [read_setting(self._engine, name) for name in ("encoder", "awaited encoder")]
        documents = [*single, read_setting(self._engine, "encoders", {}).get(key)]
        spec = VectorStore(self._vectors / key).meta.get("spec")
        return [*(_read(one) for one in documents if one), _BUILTIN, *([_Stored(spec)] if spec else [])]


def first_choice(spec: str) -> dict[str, Any]:
    """Return the document of the choice that a new workspace begins with."""
    return to_document(_Stored(spec, key=encoder_key(spec)))


def _read(document: Any) -> _Stored:
    return from_document(_Stored, document, what="the choice of the encoder")


def _document(choice: EncoderChoice) -> dict[str, Any]:
    return to_document(_Stored(choice.spec, None if choice.checkpoint is None else str(choice.checkpoint), choice.key))
