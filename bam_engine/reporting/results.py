"""The results of an attribute, of each encoder and of earlier models: a model, its threshold and its audit.

Everything else shows the newest model of the encoder in use. What was certified, audited or given a threshold with
another encoder, or with an earlier model, stays, and is found here, so that an export can say so and use it.
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
from bam_engine.training.models import TrainedModel, encoders_of, models
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

    ``encoder`` is the encoder's name for people, and ``in_use`` whether it is the one in use. ``newest`` says whether
    the model is the newest of its encoder, which is in force as soon as the encoder is in use. ``audit`` is the newest
    audit of the threshold.
    """

    attribute: Attribute
    model: TrainedModel
    encoder: str
    in_use: bool
    newest: bool
    threshold: AttributeThreshold | None
    audit: AuditResult | None

    @property
    def key(self) -> str:
        """The key of the encoder."""
        return self.model.encoder

    @property
    def choice(self) -> str:
        """What :func:`chosen` finds the result by: the key of the encoder, with the model if that is an earlier one."""
        return self.key if self.newest else f"{self.key}, model {self.model.id}"

    @property
    def source(self) -> str:
        """The encoder's name, and whether the model is an earlier one."""
        return self.encoder if self.newest else f"{self.encoder}, an earlier model"

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
            words += f", precision {percent_interval(*self.audit.precision_interval)} of what had no label"
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
    """Return the results of each encoder, that of the encoder in use first, then the best standing.

    The result of an encoder is that of its newest model, whether or not the encoder is in use. An earlier model has a
    result of its own if more stands behind it: a later training does not undo what was audited.
    """
    results = [each for key in encoders_of(workspace, attribute) for each in _results(workspace, attribute, key)]
    return sorted(results, key=lambda result: (not (result.in_use and result.newest), _rank(result), not result.newest))


def _results(workspace: Workspace, attribute: Attribute, encoder: str) -> list[Result]:
    """Return the result of an encoder's newest model, and that of the earlier one that has most behind it, if more."""
    snapshot, trained = workspace.snapshot, models(workspace, attribute, encoder)
    tables = (db.thresholds, db.certifications)
    with_evidence = {row.model_id for table in tables for row in snapshot.rows_with(table.c.attribute_id, attribute.id)}
    newest = _result(workspace, attribute, trained[-1], newest=True)
    earlier = [
        _result(workspace, attribute, model, newest=False)
        for model in reversed(trained[:-1])
        if model.id in with_evidence
    ]
    best = min(earlier, key=_rank, default=newest)
    return [newest, best] if _rank(best) < _rank(newest) else [newest]


def _result(workspace: Workspace, attribute: Attribute, model: TrainedModel, *, newest: bool) -> Result:
    return Result(
        attribute,
        model,
        workspace.encoder_name(model.encoder),
        model.encoder == workspace.choice.key,
        newest,
        current_threshold(workspace, attribute, model),
        audits.latest_result(workspace, attribute, model),
    )


def _rank(result: Result) -> int:
    """Return the place of what stands behind a result: 0 is the best."""
    return _ORDER.index(result.standing)


@dataclass(frozen=True)
class Overlooked:
    """A result with more behind it than the one in force, that of the encoder in use, and a note that says so."""

    result: Result
    note: str


@one_flow
def overlooked(workspace: Workspace, encoders: Collection[str] = ()) -> dict[str, Overlooked]:
    """Return by attribute the results that an export leaves out and that have more behind them than what it gives.

    They are of another encoder, or of an earlier model. The attributes in ``encoders``, for which one is given, are
    left out: somebody chose.
    """
    given = {attribute_of(workspace, name).id for name in encoders}
    others = {
        attribute.name: better_result(workspace, attribute)
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
    return better_result(workspace, attribute, elsewhere=True)


@one_flow
def better_result(workspace: Workspace, attribute: Attribute, *, elsewhere: bool = False) -> Overlooked | None:
    """Return what :func:`better_elsewhere` does, or an earlier model's result, unless it must be ``elsewhere``."""
    results = results_of(workspace, attribute)
    mine = results[0] if results and results[0].in_use and results[0].newest else None
    others = [result for result in results if result is not mine and not (elsewhere and result.in_use)]
    if not others or (mine is not None and _rank(others[0]) >= min(_rank(mine), _ORDER.index("suggested"))):
        return None
    here = "nothing is trained" if mine is None else mine.words
    there = f"With {others[0].source}: {others[0].words}."
    return Overlooked(others[0], f"{there} With {workspace.encoder_name()}, the encoder in use: {here}.")


def chosen(workspace: Workspace, attribute: Attribute, encoder: str | None = None) -> Result | None:
    """Return the result of an encoder, by its key, spec or name, or of the one in use; None where that has none.

    It is that of the encoder's newest model. An earlier one is found by the :attr:`Result.choice` that results state.

    Raises
    ------
    ExchangeError
        The given encoder has no result of this attribute, or several encoders are meant.
    """
    results = results_of(workspace, attribute)
    if encoder is None:
        return next((result for result in results if result.in_use and result.newest), None)
    named = [result for result in results if result.newest and encoder in (_spec(workspace, result), result.encoder)]
    found = [result for result in results if result.choice == encoder] or named
    if len(found) == 1:
        return found[0]
    there = "; ".join(f"{result.choice} ({result.source}: {result.short_words})" for result in results) or "none"
    if found:
        raise ExchangeError(
            f"Several encoders of {attribute.name} are called {encoder}. Choose one of the results: {there}."
        )
    raise ExchangeError(
        f"{attribute.name} has no result with the encoder {encoder}. There are results with: {there}. Choose one of "
        "these, or train a model with that encoder."
    )


def _spec(workspace: Workspace, result: Result) -> str:
    return workspace.encoders.choice_for(result.key).spec
