"""Moving a workspace to another encoder, and beginning with one that is there in seconds.

The encoder in use stays in use until the other one has embedded every image and learned the labels of every attribute
that was trained before; then one write makes it the one in use. Whatever stops the work before that changes nothing
that anybody sees, and the next run goes on where it stopped. What the former encoder has stays with it, so going back
is that one write again.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.embedding import Executor, encoder_key, open_encoder
from bam_engine.errors import EmbeddingError, LearningError
from bam_engine.formatting import count
from bam_engine.maps.layout_store import list_layouts
from bam_engine.progress import Report, silent
from bam_engine.switching.results import outdated_attributes, results_of, untrained_attributes
from bam_engine.training import rounds
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.encoders import EncoderChoice
from bam_engine.workspace.flow import one_encoder, one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import EmbedSummary, embed_collection

PREVIEW = "builtin"
"""The encoder to begin with where the chosen one takes long."""
LONG = 60.0
"""Seconds of embedding from which on a preview is worth its own time."""

_PROCESSOR_SECONDS = {"builtin": 0.0064, "network": 0.0135, "combined": 0.019}
"""Of an image of 320 pixels, decoding included (docs/benchmarks.md)."""
_TRAINING_SECONDS = 3.0  # of one attribute with a few hundred labels
_TRAINING_SECONDS_AN_IMAGE = 5e-6


@dataclass(frozen=True)
class Move:
    """What a move to an encoder takes: images to embed, attributes to train, and seconds, None where nobody knows.

    ``kept`` attributes have a model that somebody relies on: they keep it, though it is not of all labels or images.
    ``open_rounds`` are attributes with the number of a round that is being labelled: it stays as it is, and trains the
    encoder that is in use when its last label has come.
    """

    key: str
    name: str
    to_embed: int
    to_train: tuple[str, ...]
    kept: tuple[str, ...]
    open_rounds: tuple[tuple[str, int], ...]
    seconds: float | None


@dataclass(frozen=True)
class Moved:
    """What a move has done: what it embedded, the attributes that it trained, and why others could not be trained.

    ``in_use`` says whether the encoder is the one in use. ``before`` is the key of the one from which it moved.
    """

    key: str
    before: str
    embedded: EmbedSummary
    trained: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    in_use: bool


@dataclass(frozen=True)
class Preparation:
    """An encoder that is to be used next: how far it has embedded the images, and the attributes left to train.

    It has a vector of those ``embedded``, and ``waiting`` ones are left to embed.
    """

    key: str
    name: str
    embedded: int
    waiting: int
    images: int
    to_train: tuple[str, ...]

    @property
    def embedded_all(self) -> bool:
        """Whether no image is left to embed."""
        return not self.waiting


def encoder_to_embed_with(
    workspace: Workspace, encoder: str | None = None, checkpoint: Path | None = None
) -> tuple[str, Path | None]:
    """Return the given encoder and checkpoint, or those of the encoder in use.

    Raises
    ------
    EmbeddingError
        A checkpoint is given alone, or the encoder in use cannot embed: nobody asked for another one.
    """
    choice = workspace.choice
    if encoder is not None:
        return encoder, checkpoint
    if checkpoint is not None:
        raise EmbeddingError(
            f"The checkpoint {checkpoint} was given without an encoder. Give the encoder of its weights, too."
        )
    if choice.problem:
        raise EmbeddingError(choice.problem)
    return choice.spec, choice.checkpoint


def seconds_to_embed(spec: str, images: int) -> float | None:
    """Return about how long an encoder takes on the processors of this machine; None where nobody knows."""
    each = _PROCESSOR_SECONDS.get(spec)
    return None if each is None else images * each / (os.cpu_count() or 1)


@one_flow
def plan_move(workspace: Workspace, spec: str, checkpoint: Path | None = None) -> Move:
    """Return what :func:`move` would do.

    Raises
    ------
    EmbeddingError
        The spec is invalid, or the checkpoint cannot be read.
    """
    key = encoder_key(spec, checkpoint)
    to_embed = count_images(workspace) - count_images(workspace, len(workspace.vectors(key)))
    outdated, kept = outdated_attributes(workspace, key, grows=to_embed > 0)
    to_train = untrained_attributes(workspace, key) + outdated
    opened = ((each.name, rounds.rounds_of(workspace, each)) for each in workspace.attributes.all())
    embedding = seconds_to_embed(spec, to_embed) if to_embed else 0.0
    training = len(to_train) * (_TRAINING_SECONDS + _TRAINING_SECONDS_AN_IMAGE * count_images(workspace))
    return Move(
        key,
        workspace.encoders.name_of(spec, checkpoint),
        to_embed,
        tuple(attribute.name for attribute in to_train),
        tuple(attribute.name for attribute in kept),
        tuple((name, stored[-1].number) for name, stored in opened if stored and not stored[-1].state.complete),
        None if embedding is None else embedding + training,
    )


@one_encoder
def move(
    workspace: Workspace,
    spec: str,
    checkpoint: Path | None = None,
    *,
    unasked: bool = False,
    on: Executor | None = None,
    report: Report = silent,
) -> Moved:
    """Embed the collection with an encoder, train on all labels with it, and then use it.

    Trained are the attributes of which it has no model, or one of other labels or images than those of today; a model
    with a saved threshold or a certification is kept as it is. Where nothing is embedded yet, or the encoder is the one
    in use, it is used from the start. One that has embedded every image is not opened, so that it need not be
    installed.

    Parameters
    ----------
    unasked
        Use it only if nothing rests on the one in use: no sample, round or answer, and no map.
    on
        A cluster that computes the vectors; by default, this process does.

    Raises
    ------
    EmbeddingError
        There are no images, the encoder cannot be opened, or somebody has chosen another one meanwhile.
    Stopped
        By ``report``; the encoder in use stays, and the same call goes on.
    DiskFull
        As ``Stopped``.
    """
    before, key = workspace.choice, encoder_key(spec, checkpoint)
    if key == before.key or not len(workspace.vectors()):
        if key != before.key:
            workspace.choose_encoder(spec, checkpoint)
        summary = embed_collection(workspace, on=on, report=report)
    else:
        summary = _embed_beside(workspace, spec, checkpoint, report, on)
    trained, failed = _train(workspace, key, report, again=key != before.key)
    in_use = workspace.encoders.chosen().key == key
    if key != before.key and not in_use and not failed and (not unasked or not is_relied_on(workspace)):
        use(workspace, key, instead_of=before.key)
        in_use = True
    return Moved(key, before.key, summary, trained, failed, in_use)


def use(workspace: Workspace, key: str, *, instead_of: str | None = None) -> None:
    """Use the encoder with ``key`` at once, without opening it: with the vectors, models and thresholds that it has.

    Raises
    ------
    EmbeddingError
        It has no vectors, or the encoder in use is not the one with the key ``instead_of``: somebody was faster.
    """
    if not len(workspace.vectors(key)):
        raise EmbeddingError(f"{workspace.encoder_name(key)} has embedded no image of this collection. Embed first.")
    workspace.encoders.choose(workspace.encoders.choice_for(key), instead_of=instead_of)


@one_encoder
def begin_with_preview(
    workspace: Workspace,
    spec: str,
    checkpoint: Path | None = None,
    *,
    on: Executor | None = None,
    report: Report = silent,
) -> Moved:
    """Embed a collection without vectors with the descriptors, use them, and go on with an encoder that takes longer.

    That one takes their place by itself if nothing rests on them yet; else it waits to be moved to.

    Raises
    ------
    EmbeddingError, Stopped, DiskFull
        As :func:`move`; what is embedded stays in use.
    """
    if encoder_key(spec, checkpoint) == encoder_key(PREVIEW):
        return move(workspace, spec, checkpoint, on=on, report=report)
    workspace.choose_encoder(PREVIEW)
    workspace.encoders.prepare(_choice(spec, checkpoint))
    embed_collection(workspace, on=on, report=_saying(report, "the fast preview comes first"))
    return move(workspace, spec, checkpoint, unasked=True, on=on, report=report)


def gains_from_preview(workspace: Workspace, spec: str) -> bool:
    """Return whether a collection without vectors can be looked at much sooner with the descriptors."""
    seconds = seconds_to_embed(spec, count_images(workspace))
    return spec != PREVIEW and not len(workspace.vectors()) and seconds is not None and seconds > LONG


@one_flow
def preparation(workspace: Workspace) -> Preparation | None:
    """Return how far the encoder is that a move or a preview has begun with; None where none is under way."""
    awaited = workspace.encoders.awaited()
    if awaited is None:
        return None
    found = results_of(workspace, awaited.key)
    return Preparation(found.key, found.name, found.embedded, found.waiting, found.images, found.to_train)


@one_flow
def is_relied_on(workspace: Workspace) -> bool:
    """Return whether a sample, a round, an answer or a map exists that was made with the encoder in use."""
    snapshot = workspace.snapshot
    answered = snapshot.read(
        "whether there are answers",
        [db.annotations],
        lambda connection, _: connection.execute(sa.select(db.annotations.c.id).limit(1)).first() is not None,
    )
    begun = snapshot.rows(db.rounds) or snapshot.rows(db.validation_draws)
    return answered or bool(begun) or bool(list_layouts(workspace))


def _embed_beside(
    workspace: Workspace, spec: str, checkpoint: Path | None, report: Report, on: Executor | None
) -> EmbedSummary:
    """Embed what an encoder that is not in use has not embedded yet, and wait for it to be used."""
    key = encoder_key(spec, checkpoint)
    if len(workspace.vectors(key)) >= len(workspace.catalogue):
        workspace.encoders.prepare(_choice(spec, checkpoint))
        return EmbedSummary(0, 0, 0.0)
    left = len(untrained_attributes(workspace, key) + outdated_attributes(workspace, key, grows=True)[0])
    then = f"then {count(left, 'attribute trains', 'attributes train')}" if left else ""
    report(0, len(workspace.catalogue), "opening the encoder")
    try:
        encoder = open_encoder(spec, checkpoint=checkpoint)
    except EmbeddingError:
        workspace.encoders.stay(key)  # it cannot be waited for
        raise
    workspace.encoders.prepare(_choice(spec, checkpoint))
    return embed_collection(workspace, encoder, on=on, report=_saying(report, then))


def _train(
    workspace: Workspace, key: str, report: Report, *, again: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Train what an encoder has not learned; return the names of the attributes, and the others with the reason.

    What people label meanwhile is learned, too. With ``again``, models that are not of the labels of today are trained
    again.
    """
    trained: dict[str, None] = {}
    failed: dict[str, str] = {}
    while waiting := [one for one in _to_train(workspace, key, again) if one.name not in trained.keys() | failed]:
        for place, attribute in enumerate(waiting):
            try:
                with workspace.using(key):
                    rounds.train(workspace, attribute, report=_part(report, attribute, place, len(waiting)))
                trained[attribute.name] = None
            except LearningError as error:
                failed[attribute.name] = str(error)
    return tuple(trained), tuple(failed.items())


@one_flow
def _to_train(workspace: Workspace, key: str, again: bool) -> list[Attribute]:
    return untrained_attributes(workspace, key) + (outdated_attributes(workspace, key)[0] if again else [])


def _choice(spec: str, checkpoint: Path | None) -> EncoderChoice:
    return EncoderChoice(spec, checkpoint and checkpoint.absolute(), encoder_key(spec, checkpoint))


def _saying(report: Report, words: str) -> Report:
    def said(done: int, total: int | None, message: str = "") -> None:
        report(done, total, " · ".join(filter(None, (message, words))))

    return said


def _part(report: Report, attribute: Attribute, place: int, parts: int) -> Report:
    """Return a report of one training among several, in steps of all of them."""
    words = f"training {readable(attribute.name)}, {place + 1} of {count(parts, 'attribute')}"

    def said(done: int, total: int | None, message: str = "") -> None:
        steps = total or 1
        report(place * steps + done, parts * steps, words)

    return said
