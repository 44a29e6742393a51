"""What is known of an attribute and what to do next, as one value that every page, command and report reads.

In:  a workspace and an attribute. Out: a :class:`Guidance`: the step, the reason, the figures behind it, and what could
be done instead. The rules are those of :mod:`bam_engine.guidance.rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bam_engine import database as db
from bam_engine.annotation import Attribute, readable
from bam_engine.formatting import count, decimal_interval, percent_interval
from bam_engine.guidance import reasons
from bam_engine.guidance.facts import Facts, Progress, gather
from bam_engine.guidance.rules import Alternative, Step, alternatives, rule_of
from bam_engine.labelling.label_states import label_version
from bam_engine.training.evaluation_set import evidence_version
from bam_engine.training.models import latest_model
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.memory import Kind

_TITLES: dict[Step, str] = {
    "add_images": "Add images.",
    "embed": "Compute the embeddings.",
    "add_attribute": "Define an attribute.",
    "draw_validation": "{name} needs a validation sample.",
    "label_validation": "Label the validation sample for {name}.",
    "start_round": "{name} is ready for its next round.",
    "label_round": "Label round {round} of {name}.",
    "train": "Train the model of {name}.",
    "diagnose": "{name} does not reach its target.",
    "decide": "{name} is trained. Choose a threshold.",
    "certify": "Certify the threshold of {name}.",
    "label_certification": "Label the certification batch of {name}.",
    "label_extension": "Label the batch that extends the guarantee of {name} to images that came later.",
    "extend": "Extend what is certified of {name} over the images that came later.",
    "audit": "{name} has a threshold. Audit it on a fresh sample.",
    "label_audit": "Label the audit of {name}.",
    "measure_recall": "Measure the recall of {name}.",
    "label_recall": "Label the recall sample of {name}.",
    "done": "{name} is finished.",
}


@dataclass(frozen=True)
class Figure:
    """A proportion or statistic with its limits, and the ``labels`` that it rests on."""

    name: str
    value: float
    low: float
    high: float
    labels: int

    @property
    def words(self) -> str:
        """The figure as people read it."""
        wrote = decimal_interval if self.name == "average precision" else percent_interval
        return wrote(self.value, self.low, self.high)


@dataclass(frozen=True)
class Guidance:
    """What is known of an attribute, and what to do next.

    ``attribute`` is its name, None where the step concerns the whole workspace ("done" does once every attribute is
    done), and then there are no ``facts``. ``round`` is the number of its newest round, 0 before the first. ``images``
    counts the images that are left to embed. ``figures`` are the evidence, each from the labels of now.
    """

    step: Step
    reason: str
    attribute: str | None = None
    round: int = 0
    images: int = 0
    alternatives: tuple[Alternative, ...] = ()
    figures: tuple[Figure, ...] = ()
    facts: Facts | None = None

    @property
    def title(self) -> str:
        """The step in a sentence."""
        if self.attribute is None:
            return "Every attribute is finished." if self.step == "done" else _TITLES[self.step]
        if self.step == "diagnose" and self.facts is not None and self.facts.learned == "no":
            return f"“{readable(self.attribute)}” does not learn yet."
        if self.step == "certify" and self.facts is not None and self.facts.certifying is None:
            return f"Certify a threshold for “{readable(self.attribute)}”."
        return _TITLES[self.step].format(name=f"“{readable(self.attribute)}”", round=self.round)

    @property
    def summary(self) -> str:
        """The step and its reason in sentences."""
        return f"{self.title} {self.reason}".rstrip()

    @property
    def labelling(self) -> Progress | None:
        """The progress of the task that is to be labelled; None where the step is another."""
        facts = self.facts
        if facts is None:
            return None
        tasks = {"label_validation": facts.validation, "label_round": facts.batch}
        if facts.certifying is not None:
            tasks["label_certification"] = facts.certifying.batch
        if facts.extending is not None:
            tasks["label_extension"] = facts.extending.batch
        if facts.audit is not None:
            tasks["label_audit"] = facts.audit.progress
        return tasks.get(self.step)

    def figure(self, name: str) -> Figure | None:
        """Return the figure of that name, or None."""
        return next((each for each in self.figures if each.name == name), None)

    def interval(self, name: str) -> tuple[float, float, float] | None:
        """Return the figure of that name as (value, low, high), or None."""
        figure = self.figure(name)
        return None if figure is None else (figure.value, figure.low, figure.high)


_GUIDANCE = Kind[Guidance]("guidance", of="attribute", until="a label, a draw, a model or a file changes", limit=1000)

_TABLES = (
    db.audits,
    db.certification_cuts,
    db.certifications,
    db.images,
    db.measurements,
    db.models,
    db.recall_samples,
    db.removals,
    db.returns,
    db.rounds,
    db.thresholds,
    db.validation_draws,
)


@one_flow
def guidance_of(workspace: Workspace, attribute: Attribute) -> Guidance:
    """Return what is known of ``attribute`` with the encoder in use, and what to do next, whatever others need."""
    model = latest_model(workspace, attribute)
    version = (
        label_version(workspace, attribute),
        None if model is None else evidence_version(workspace, attribute, model),
        workspace.snapshot.version(*_TABLES),
        workspace.catalogue.missing_version,
        len(workspace.vectors()),
    )
    subject = (attribute.id, attribute.name, workspace.choice.key)
    return workspace.memory.get(_GUIDANCE, subject, version, lambda: advise(attribute, gather(workspace, attribute)))


def advise(attribute: Attribute, facts: Facts) -> Guidance:
    """Return the guidance that follows from the facts about ``attribute``."""
    rule = rule_of(facts)
    waiting = reasons.without_vectors(facts) if rule.step == "done" else ""
    return Guidance(
        step=rule.step,
        reason=rule.reason(facts) + waiting,
        attribute=attribute.name,
        round=facts.round,
        alternatives=alternatives(facts, rule.step),
        figures=_figures(facts),
        facts=facts,
    )


def _figures(facts: Facts) -> tuple[Figure, ...]:
    found: list[Figure] = []
    if facts.verdict is not None and facts.verdict.share is not None:
        share = facts.verdict.share
        found.append(Figure("average precision", share.value, share.low, share.high, facts.verdict.labels))
    if facts.threshold is not None:
        evidence, delivered = facts.threshold.evidence, facts.delivered
        if delivered is not None and delivered.exhausted:  # people said yes to each
            found.append(Figure("precision", 1.0, 1.0, 1.0, delivered.by_people))
        else:
            found.append(Figure("precision", *evidence.precision_interval, evidence.n))
        rests_on = evidence.n if facts.recall_labels is None else facts.recall_labels
        found.append(Figure("recall", *evidence.recall_interval, rests_on))
    if facts.audit is not None and facts.audit.precision is not None:
        found.append(Figure("audited precision", *facts.audit.precision, facts.audit.labels))
    return tuple(found)


@one_flow
def overall(workspace: Workspace, of: Sequence[Guidance]) -> Guidance:
    """Return what to do next in the whole workspace, given the guidance ``of`` each attribute.

    Work that was begun comes first, and what goes on before what needs a cure.
    """
    images, tried = count_images(workspace), count_images(workspace, len(workspace.vectors()))
    if images == 0:
        return Guidance("add_images", "The collection is empty.")
    if tried < images:
        left = images - tried
        return Guidance("embed", f"{count(left, 'image has', 'images have')} no vectors yet.", images=left)
    if not of:
        return Guidance("add_attribute", "There are no attributes yet.")
    unfinished = [each for each in of if each.step != "done"]
    if not unfinished:
        return Guidance("done", "Export the dataset.")
    started = [each for each in unfinished if is_started(each)]
    return min(started or unfinished, key=lambda each: each.step == "diagnose")


def is_started(of: Guidance) -> bool:
    """Return whether a validation sample or a round was drawn for an attribute, or something is trained."""
    facts = of.facts
    return facts is not None and (facts.validation.total > 0 or facts.round > 0 or facts.model)


def not_started(workspace: Workspace, attribute: Attribute, images: int, *, embedded: bool) -> Guidance:
    """Return the guidance of an attribute for which nothing has been drawn or labelled yet."""
    votes, judges = workspace.redundancy, workspace.judging_redundancy
    facts = Facts(images=images, votes=votes, judges=judges, embedded=embedded, drawable=images, askable=images)
    return advise(attribute, facts)
