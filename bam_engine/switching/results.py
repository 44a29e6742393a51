"""What each encoder of a workspace has: vectors, models, thresholds, audits and maps.

Images, labels, samples and rounds belong to no encoder. Whatever was computed from vectors stays with theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.maps.layout_store import list_layouts
from bam_engine.training.models import all_models
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images


@dataclass(frozen=True)
class EncoderResults:
    """What an encoder has. ``trained`` and the next three are the names of attributes, in the order of definition.

    ``embedded`` of the ``images`` were embedded, or tried in vain. ``untrained`` attributes have a model of another
    encoder and none of this; ``thresholds`` are those with a saved threshold, ``audits`` those with an audit. ``maps``
    are titles. ``problem`` says why the encoder cannot embed any more, if that is known without opening it.
    """

    key: str
    name: str
    in_use: bool
    embedded: int
    images: int
    trained: tuple[str, ...]
    untrained: tuple[str, ...]
    thresholds: tuple[str, ...]
    audits: tuple[str, ...]
    maps: tuple[str, ...]
    problem: str = ""

    @property
    def complete(self) -> bool:
        """Whether no image waits to be embedded."""
        return self.embedded >= self.images

    @property
    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The names of attributes by what the encoder has of them, without empty lists."""
        lists = {
            "trained": self.trained,
            "not trained yet": self.untrained,
            "thresholds": self.thresholds,
            "audits": self.audits,
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
    attributes = workspace.attributes.all()
    encoders = {model.id: model.encoder for model in all_models(workspace)}
    thresholds = [row for row in workspace.snapshot.rows(db.thresholds) if encoders[row.model_id] == key]
    kept = {row.id for row in thresholds}
    audited = {row.attribute_id for row in workspace.snapshot.rows(db.audits) if row.threshold_id in kept}
    with workspace.using(key):
        maps = tuple(record.title for record in list_layouts(workspace))
    untrained = {attribute.id for attribute in untrained_attributes(workspace, key)}
    return EncoderResults(
        key=key,
        name=workspace.encoder_name(key),
        in_use=key == workspace.choice.key,
        embedded=count_images(workspace, len(workspace.vectors(key))),
        images=count_images(workspace),
        trained=_names(attributes, _trained(workspace, key)),
        untrained=_names(attributes, untrained),
        thresholds=_names(attributes, {row.attribute_id for row in thresholds}),
        audits=_names(attributes, audited),
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


def _trained(workspace: Workspace, key: str) -> set[int]:
    """Return the ids of the attributes with a finished model of an encoder."""
    finished = [model for model in all_models(workspace) if model.measurement is not None]
    return {model.attribute_id for model in finished if model.encoder == key}


def _names(attributes: Iterable[Attribute], ids: set[int]) -> tuple[str, ...]:
    return tuple(attribute.name for attribute in attributes if attribute.id in ids)
