"""The rules of what to do next: a table of cases, of which the first that holds decides.

In:  :class:`~bam_engine.guidance.facts.Facts`. Out: the case, with its step and its reason in a sentence, and what
could be done instead. DESIGN.md shows the table. Nothing here reads a store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bam_engine.formatting import count, percent
from bam_engine.guidance import reasons
from bam_engine.guidance.facts import Certifying, Facts
from bam_engine.guidance.sizes import MOST_ROUNDS
from bam_engine.training.rounds import DEFAULT_ROUNDS

Step = Literal[
    "add_images",
    "embed",
    "add_attribute",
    "draw_validation",
    "label_validation",
    "start_round",
    "label_round",
    "train",
    "diagnose",
    "decide",
    "certify",
    "label_certification",
    "extend",
    "label_extension",
    "audit",
    "label_audit",
    "measure_recall",
    "label_recall",
    "done",
]
"""The steps of the work, in order."""

GOOD_RECALL = 0.9
"""The recall from which on a certified threshold is good enough to stop at."""

MIN_CERTIFIABLE = 60
"""Images that a certification could ask about, up to which it is not worth its labels: label or audit all of them."""


@dataclass(frozen=True)
class Alternative:
    """A step that can be done instead, and when one would."""

    step: Step
    reason: str


@dataclass(frozen=True)
class Rule:
    """A case: when it holds, in words for the table and as a function; its step, and its reason in a sentence."""

    case: str
    holds: Callable[[Facts], bool]
    step: Step
    reason: Callable[[Facts], str]


def can_find(facts: Facts) -> bool:
    """Return whether a certification can be started that may find a threshold."""
    return facts.certifying is None and not facts.certified and not facts.proven and facts.certifiable > MIN_CERTIFIABLE


def _all_labelled(facts: Facts) -> bool:
    """Return whether people have labelled all that is delivered."""
    return facts.delivered is not None and facts.delivered.exhausted


def _in_progress(facts: Facts) -> bool:
    """Return whether a certification goes on: to a first threshold, then to looser ones within what was planned.

    Once a certified threshold is chosen, it is not taken back by asking more.
    """
    certifying = facts.certifying
    if certifying is None or not certifying.goes_on or (facts.saved and facts.certified):
        return False
    return certifying.certified is None or (certifying.needed or 0) <= certifying.planned - certifying.labels


def _batch_waits(certifying: Certifying | None) -> bool:
    """Return whether labels are awaited, or confirmations without which it cannot go on."""
    if certifying is None:
        return False
    stuck = certifying.placed and certifying.certified is None and not certifying.goes_on
    return certifying.batch.left > 0 or (stuck and certifying.unconfirmed > 0)


def _extends(facts: Facts) -> bool:
    """Return whether a promise can be extended over images that came later, or its extension can go on."""
    extending = facts.extending
    going_on = extending is not None and extending.certified is None and extending.goes_on
    return going_on or facts.extendable > 0


def _unused_certificate(facts: Facts) -> bool:
    certified = facts.certifying is not None and facts.certifying.certified is not None
    return certified and not (facts.saved and facts.certified)


def _nothing_measured(facts: Facts) -> bool:
    return facts.model and facts.threshold is None and facts.verdict is not None and facts.verdict.share is None


RULES: tuple[Rule, ...] = (
    Rule("no image has a vector", lambda f: not f.embedded, "embed", lambda f: "The images have no vectors yet."),
    Rule(
        "people have labelled every image",
        lambda f: 0 < f.images == f.labelled,
        "done",
        lambda f: "People have labelled every image: nothing is left to decide.",
    ),
    Rule(
        "there is no validation sample",
        lambda f: f.validation.total == 0 and f.drawable > 0,
        "draw_validation",
        reasons.cost,
    ),
    Rule(
        "the validation sample is not labelled",
        lambda f: f.validation.left > 0,
        "label_validation",
        lambda f: reasons.progress_of(f.validation),
    ),
    Rule(
        "the newest round is not labelled",
        lambda f: f.batch.left > 0,
        "label_round",
        lambda f: reasons.progress_of(f.batch),
    ),
    Rule(
        "the newest round is labelled, and only one answer is among all labels",
        lambda f: f.round > 0 and not f.trained and not f.trainable and f.askable > 0,
        "start_round",
        reasons.one_kind,
    ),
    Rule(
        "the newest round is labelled and not learned",
        lambda f: f.round > 0 and not f.trained and f.trainable,
        "train",
        reasons.untrained,
    ),
    Rule(
        "a batch of the certification is not labelled",
        lambda f: _batch_waits(f.certifying),
        "label_certification",
        lambda f: reasons.asked(f.certifying),
    ),
    Rule(
        "a batch that extends the guarantee is not labelled",
        lambda f: _batch_waits(f.extending),
        "label_extension",
        lambda f: reasons.asked(f.extending),
    ),
    Rule(
        "the audit is not labelled",
        lambda f: f.audit is not None and not f.audit.complete,
        "label_audit",
        lambda f: "" if f.audit is None else reasons.progress_of(f.audit.progress),
    ),
    Rule(
        "nothing is trained, and a round can ask about images",
        lambda f: not f.model and f.askable > 0,
        "start_round",
        reasons.first_round,
    ),
    Rule(
        "nothing is trained, and only the sample can grow",
        lambda f: not f.model and f.drawable > 0,
        "draw_validation",
        lambda f: "No image is left for a round, since its project is held out: label the rest as well.",
    ),
    Rule(
        "nothing is trained, and no image is left",
        lambda f: not f.model,
        "add_images",
        lambda f: "No image is left to label, and nothing can be trained.",
    ),
    Rule(
        "a threshold is chosen, and people have labelled all that is delivered, confirmed where that can be asked",
        lambda f: f.saved and _all_labelled(f) and not (f.unconfirmed and can_find(f)),
        "done",
        reasons.all_by_people,
    ),
    Rule(
        "a certification may find a threshold, or a looser one, within what was planned",
        _in_progress,
        "certify",
        reasons.certify,
    ),
    Rule(
        "a certification has found a threshold, and it is not the one chosen",
        _unused_certificate,
        "decide",
        reasons.use_certified,
    ),
    Rule("images came later that what is certified could cover", _extends, "extend", reasons.extend_over),
    Rule(
        "the audit missed the target, and a certification can find a threshold",
        lambda f: f.audit is not None and f.audit.met is False and can_find(f),
        "certify",
        reasons.audit_missed,
    ),
    Rule(
        "the audit missed the target",
        lambda f: f.audit is not None and f.audit.met is False,
        "diagnose",
        reasons.audit_missed,
    ),
    Rule(
        "the audit does not tell, nothing is certified, and a certification can find a threshold",
        lambda f: f.saved and f.audit is not None and f.audit.met is None and can_find(f),
        "certify",
        reasons.certify,
    ),
    Rule("the audit is labelled", lambda f: f.saved and f.audit is not None, "done", reasons.audit_shows),
    Rule(
        "a threshold is chosen, and no accepted image is left that an audit could draw",
        lambda f: f.saved and not f.auditable,
        "done",
        lambda f: f"No accepted image is left that an audit could draw.{reasons.not_covered(f)}",
    ),
    Rule(
        "a threshold is chosen and not certified, and a certification can find one",
        lambda f: f.saved and can_find(f),
        "certify",
        reasons.certify,
    ),
    Rule(
        "a threshold is chosen and not audited",
        lambda f: f.saved,
        "audit",
        lambda f: f"{count(f.auditable, 'accepted image')} {'has' if f.auditable == 1 else 'have'} no label.",
    ),
    Rule(
        "it does not learn",
        lambda f: f.learned == "no",
        "diagnose",
        lambda f: "Its average precision is hardly better than guessing.",
    ),
    Rule(
        "a threshold is certified, and its recall is at least 90% or another round is unlikely to help",
        lambda f: (
            f.certified
            and f.threshold is not None
            and (f.threshold.evidence.recall >= GOOD_RECALL or f.gain == "unlikely")
        ),
        "decide",
        reasons.choose,
    ),
    Rule(
        "there are fewer than 4 rounds, and another is not unlikely to help",
        lambda f: f.certifying is None and f.round < DEFAULT_ROUNDS and f.askable > 0 and f.gain != "unlikely",
        "start_round",
        reasons.more_rounds,
    ),
    Rule(
        "there are fewer than 8 rounds, and another is likely to help",
        lambda f: f.certifying is None and f.round < MOST_ROUNDS and f.askable > 0 and f.gain == "likely",
        "start_round",
        reasons.more_rounds,
    ),
    Rule("the rounds are over, and a certification can find a threshold", can_find, "certify", reasons.certify),
    Rule("a threshold reaches the target", lambda f: f.threshold is not None, "decide", reasons.choose),
    Rule(
        "a certification has found no threshold, and none reaches the target",
        lambda f: f.certifying is not None,
        "diagnose",
        reasons.unreachable,
    ),
    Rule(
        "nothing can be measured on the validation sample, and it can grow",
        lambda f: _nothing_measured(f) and f.drawable > 0,
        "draw_validation",
        lambda f: "" if f.verdict is None else f.verdict.reason,
    ),
    Rule(
        "no threshold reaches the target, there are fewer than 8 rounds, and another is not unlikely to help",
        lambda f: f.round < MOST_ROUNDS and f.askable > 0 and f.gain != "unlikely",
        "start_round",
        reasons.more_rounds,
    ),
    Rule("no threshold reaches the target", lambda f: True, "diagnose", reasons.unreachable),
)
"""The cases in order. The first that holds decides, and the last always does."""


def rule_of(facts: Facts) -> Rule:
    """Return the first rule that holds."""
    return next(rule for rule in RULES if rule.holds(facts))


def alternatives(facts: Facts, step: Step) -> tuple[Alternative, ...]:
    """Return what could be done instead of ``step``; each can be done now."""
    found: list[Alternative] = []
    resting = facts.model and not facts.batch.left and step not in ("train", "embed")
    if facts.askable and facts.gain != "unlikely" and resting:
        words = "Another round is likely to help." if facts.gain == "likely" else "It may find more, or may not."
        found.append(Alternative("start_round", words))
    if facts.threshold is not None and resting:
        found.append(Alternative("decide", "A stricter or a looser threshold trades precision for recall."))
    if _can_certify(facts) and resting:
        found.append(Alternative("certify", f"Small batches can certify a precision of {percent(facts.target)}."))
    if facts.saved and facts.auditable and resting:
        found.append(Alternative("audit", "A fresh sample measures what is accepted."))
    if facts.recall is not None and facts.recall.left and resting:
        found.append(
            Alternative("label_recall", f"The sample below the threshold: {reasons.progress_of(facts.recall)}")
        )
    elif facts.saved and facts.below and facts.recall is None and resting:
        found.append(Alternative("measure_recall", "A sample below the threshold shows how many positives it misses."))
    if facts.drawable and facts.validation.total and facts.validation.left == 0 and not facts.batch.left:
        found.append(Alternative("draw_validation", "More validation images narrow the intervals."))
    return tuple(each for each in found if each.step != step)


def _can_certify(facts: Facts) -> bool:
    possible = can_find(facts) or (_in_progress(facts) and not facts.certified)
    return possible and (facts.unconfirmed > 0 or not _all_labelled(facts))
