"""What each encoder of a workspace has: vectors, models, thresholds, audits and maps.

Images, labels, samples and rounds belong to no encoder. Whatever was computed from vectors stays with theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.maps.layout_store import list_layouts
from bam_engine.training.comparison import is_relied_on, may_train_again
from bam_engine.training.models import all_models, latest_model
from bam_engine.training.rounds import is_current
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embedded_rows


@dataclass(frozen=True)
class EncoderResults:
    """What an encoder has. The names of attributes are in the order of definition.

    Of the ``images``, it has a vector of those ``embedded``; ``waiting`` ones it has not tried. Attributes are
    ``trained`` if it has a model of them. Those ``untrained`` have a model of another encoder and none of this. Those
    ``behind`` have one that is not of the labels and images of today; those ``kept`` too, but somebody relies on it, so
    that it is not trained again. ``thresholds`` and ``audits`` are those of newest models, which are in force as soon
    as the encoder is in use; ``earlier`` attributes had one with a model before. ``maps`` are titles. ``problem`` says
    why the encoder cannot embed any more, if that is known without opening it.
    """

    key: str
    name: str
    in_use: bool
    embedded: int
    waiting: int
    images: int
    trained: tuple[str, ...]
    untrained: tuple[str, ...]
    behind: tuple[str, ...]
    kept: tuple[str, ...]
    thresholds: tuple[str, ...]
    audits: tuple[str, ...]
    earlier: tuple[str, ...]
    maps: tuple[str, ...]
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether no image waits to be embedded."""
        return not self.waiting

    @property
    def to_train(self) -> tuple[str, ...]:
        """The attributes that a move trains."""
        return self.untrained + self.behind

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The names of attributes by what the encoder has of them, without empty lists."""
        lists = {
            "trained": self.trained,
            "not trained yet": self.untrained,
            "not of all labels of today": self.behind,
            "not of all labels of today, kept for a threshold": self.kept,
            "thresholds": self.thresholds,
            "audits": self.audits,
            "thresholds of earlier models": self.earlier,
        }
        return {what: names for what, names in lists.items() if names}


@one_flow
def encoder_results(workspace: Workspace) -> list[EncoderResults]:
    """Return what each encoder has, that in use first, then by name."""
    keys = workspace.encoders.keys()
    each = [results_of(workspace, key) for key in keys]
    return sorted(each, key=lambda one: (not one.in_use, one.name, one.key))


def results_of(workspace: Workspace, key: str) -> EncoderResults:
    """Return what the encoder with ``key`` has."""
    attributes, images = workspace.attributes.all(), count_images(workspace)
    models = {model.id: model for model in all_models(workspace) if model.encoder == key}
    newest = {model.attribute_id: model.id for model in models.values()}
    thresholds = [row for row in workspace.snapshot.rows(db.thresholds) if row.model_id in models]
    in_force = {row.id: row.attribute_id for row in thresholds if row.model_id == newest[row.attribute_id]}
    audited = {row.attribute_id for row in workspace.snapshot.rows(db.audits) if row.threshold_id in in_force}
    with workspace.using(key):
        maps = tuple(record.title for record in list_layouts(workspace))
        embedded = len(embedded_rows(workspace))
    behind, kept = outdated_attributes(workspace, key)
    return EncoderResults(
        key=key,
        name=workspace.encoder_name(key),
        in_use=key == workspace.choice.key,
        embedded=embedded,
        waiting=images - count_images(workspace, len(workspace.vectors(key))),
        images=images,
        trained=_names(attributes, _trained(workspace, key)),
        untrained=tuple(attribute.name for attribute in untrained_attributes(workspace, key)),
        behind=tuple(attribute.name for attribute in behind),
        kept=tuple(attribute.name for attribute in kept),
        thresholds=_names(attributes, set(in_force.values())),
        audits=_names(attributes, audited),
        earlier=_names(attributes, {row.attribute_id for row in thresholds} - set(in_force.values())),
        maps=maps,
        problem=workspace.encoders.choice_for(key).problem,
    )


def untrained_attributes(workspace: Workspace, key: str) -> list[Attribute]:
    """Return the attributes that have a model of another encoder, and none, or an unfinished one, of that with ``key``.

    They have labels, which this encoder has not learned.
    """
    trained = _trained(workspace, key)
    with_model = {model.attribute_id for model in all_models(workspace) if model.measurement is not None}
    return [each for each in workspace.attributes.all() if each.id in with_model and each.id not in trained]


def outdated_attributes(
    workspace: Workspace, key: str, *, grows: bool = False
) -> tuple[list[Attribute], list[Attribute]]:
    """Return the attributes whose newest model of an encoder is not of the labels and vectors of today.

    The second list is of those on whose model somebody relies, with a threshold or a certification: another training
    would put these out of use. Attributes with an open round are in neither list. Where images will be embedded first
    (``grows``), no model is of all vectors.
    """
    trained = _trained(workspace, key)
    behind: list[Attribute] = []
    kept: list[Attribute] = []
    for attribute in workspace.attributes.all():
        model = latest_model(workspace, attribute, key)
        if attribute.id not in trained or model is None or not may_train_again(workspace, attribute):
            continue
        if grows or not is_current(workspace, attribute, model):
            (kept if is_relied_on(workspace, model) else behind).append(attribute)
    return behind, kept


def _trained(workspace: Workspace, key: str) -> set[int]:
    """Return the ids of the attributes with a finished model of an encoder."""
    finished = [model for model in all_models(workspace) if model.measurement is not None]
    return {model.attribute_id for model in finished if model.encoder == key}


def _names(attributes: Iterable[Attribute], ids: set[int]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in attributes if attribute.id in ids)
