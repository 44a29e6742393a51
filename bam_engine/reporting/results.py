"""The results of an attribute, one for each encoder: a model, its threshold and its audit.

Everything else shows the newest model of the encoder in use. What was certified, audited or given a threshold with
another encoder stays, and is found here, so that an export can say so and use it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.errors import ExchangeError
from bam_engine.formatting import decimal, percent_interval
from bam_engine.labelling.tasks import attribute_of
from bam_engine.training.models import TrainedModel, encoders_of, latest_model, models
from bam_engine.training.thresholds import AttributeThreshold, current_threshold
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

Standing = Literal["audited", "certified", "saved", "suggested", "scored"]
"""What stands behind a result: the best first."""

_WORDS: dict[Standing, str] = {
    "audited": "audited",
    "certified": "certified, not audited",
    "saved": "threshold saved, not certified, not audited",
    "suggested": "threshold only suggested, not audited",
    "scored": "no threshold",
}
_ORDER = list(_WORDS)


@dataclass(frozen=True)
class Result:
    """What a model of one encoder says about an attribute.

    ``encoder`` is the encoder's name for people, and ``in_use`` whether it is the one in use. ``audit`` is the newest
    audit of the threshold.
    """

    attribute: Attribute
    model: TrainedModel
    encoder: str
    in_use: bool
    threshold: AttributeThreshold | None
    audit: AuditResult | None

    @property
    def key(self) -> str:
        """The key of the encoder."""
        return self.model.encoder

    @property
    def standing(self) -> Standing:
        """What stands behind the result; an audit counts once it is complete."""
        if self.threshold is None:
            return "scored"
        if self.audit is not None and self.audit.complete and self.audit.precision is not None:
            return "audited"
        evidence = self.threshold.evidence
        if evidence.certified or evidence.recall_target is not None:
            return "certified"
        return "saved" if self.threshold.saved else "suggested"

    @property
    def short_words(self) -> str:
        """The standing in words, with the audited precision."""
        words = _WORDS[self.standing]
        if self.standing == "audited" and self.audit is not None and self.audit.precision_interval is not None:
            words += f": precision {percent_interval(*self.audit.precision_interval)}"
        return words

    @property
    def words(self) -> str:
        """The same with the threshold, where there is one."""
        words = self.short_words
        return words if self.threshold is None else f"{words}; scores of {decimal(self.threshold.value, 3)} or more"


def other_encoders(workspace: Workspace, attribute: Attribute) -> list[str]:
    """Return the keys of the encoders that have a model of ``attribute`` and are not in use."""
    return [key for key in encoders_of(workspace, attribute) if key != workspace.choice.key]


@one_flow
def results_of(workspace: Workspace, attribute: Attribute) -> list[Result]:
    """Return the result of each encoder, that of the encoder in use first, then the best standing.

    For the encoder in use it is that of the newest model; for another one that of the model with the best standing, the
    newest of several, since a later training does not undo what was audited.
    """
    results = [_best(workspace, attribute, key) for key in other_encoders(workspace, attribute)]
    results.sort(key=lambda result: _ORDER.index(result.standing))
    newest = latest_model(workspace, attribute)
    return results if newest is None else [_result(workspace, attribute, newest), *results]


def _best(workspace: Workspace, attribute: Attribute, encoder: str) -> Result:
    """Return the result of an encoder's model with the best standing, which is the newest or one with evidence."""
    snapshot, trained = workspace.snapshot, models(workspace, attribute, encoder)
    tables = (db.thresholds, db.certifications)
    with_evidence = {row.model_id for table in tables for row in snapshot.rows_with(table.c.attribute_id, attribute.id)}
    candidates = [model for model in trained if model.id in with_evidence or model is trained[-1]]
    results = [_result(workspace, attribute, model) for model in candidates]
    return min(reversed(results), key=lambda result: _ORDER.index(result.standing))


def _result(workspace: Workspace, attribute: Attribute, model: TrainedModel) -> Result:
    return Result(
        attribute,
        model,
        workspace.encoder_name(model.encoder),
        model.encoder == workspace.choice.key,
        current_threshold(workspace, attribute, model),
        audits.latest_result(workspace, attribute, model),
    )


@dataclass(frozen=True)
class Overlooked:
    """A result of another encoder with more behind it than that of the encoder in use, and a note that says so."""

    result: Result
    note: str


@one_flow
def overlooked(workspace: Workspace, encoders: Collection[str] = ()) -> dict[str, Overlooked]:
    """Return by attribute the results that an export leaves out and that have more behind them than what it gives.

    The attributes in ``encoders``, for which one is given, are left out: somebody chose.
    """
    given = {attribute_of(workspace, name).id for name in encoders}
    others = {
        attribute.name: better_elsewhere(workspace, attribute)
        for attribute in workspace.attributes.all()
        if attribute.id not in given
    }
    return {name: other for name, other in others.items() if other is not None}


@one_flow
def better_elsewhere(workspace: Workspace, attribute: Attribute) -> Overlooked | None:
    """Return the result of another encoder that has more behind it than that of the encoder in use, or None.

    Without a result of the encoder in use, any other one has; beside one, a threshold that is only suggested has not.
    """
    if not other_encoders(workspace, attribute):
        return None
    results = results_of(workspace, attribute)
    others = [result for result in results if not result.in_use]
    mine = results[0] if results[0].in_use else None
    rank = _ORDER.index(others[0].standing)
    if mine is not None and rank >= min(_ORDER.index(mine.standing), _ORDER.index("suggested")):
        return None
    here = "nothing is trained" if mine is None else mine.words
    there = f"With {others[0].encoder}: {others[0].words}."
    return Overlooked(others[0], f"{there} With {workspace.encoder_name()}, the encoder in use: {here}.")


def chosen(workspace: Workspace, attribute: Attribute, encoder: str | None = None) -> Result | None:
    """Return the result of an encoder, by its key, spec or name, or of the one in use; None where that has none.

    Raises
    ------
    ExchangeError
        The given encoder has no result of this attribute.
    """
    results = results_of(workspace, attribute)
    if encoder is None:
        return next((result for result in results if result.in_use), None)
    for result in results:
        choice = workspace.choice_of(result.key)
        if encoder in (result.key, result.encoder, None if choice is None else choice.spec):
            return result
    there = ", ".join(f"{result.key} ({result.encoder})" for result in results) or "none"
    raise ExchangeError(
        f"{attribute.name} has no result with the encoder {encoder}. There are results with: {there}. Choose one of "
        "these, or train a model with that encoder."
    )
