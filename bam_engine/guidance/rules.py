"""The rules of what to do next: a table of cases, of which the first that holds decides.

In:  :class:`~bam_engine.guidance.facts.Facts`. Out: the case, with its step and its reason in a sentence, and what
could be done instead. DESIGN.md shows the table. Nothing here reads a store.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bam_engine.formatting import count, decimal, percent
from bam_engine.guidance.facts import Certifying, Facts, Progress
from bam_engine.guidance.sizes import sizes
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
    "audit",
    "label_audit",
    "measure_recall",
    "label_recall",
    "done",
]
"""The steps of the work, in order."""

GOOD_RECALL = 0.9
"""The recall from which on a certified threshold is good enough to stop at."""

MOST_ROUNDS = 8
"""Rounds after which none is asked for, though no threshold may reach the target."""

MIN_CERTIFIABLE = 60
"""Images without a label that are accepted, below which a certification is not worth its labels: audit all of them."""


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


def _left(progress: Progress) -> str:
    """Return how much of a task is labelled, and where answers of more people are missing."""
    words = (
        f"{progress.answered:,} of {count(progress.total, 'image')} {'is' if progress.total == 1 else 'are'} labelled."
    )
    if not progress.short:
        return words
    have = "has" if progress.short == 1 else "have"
    return f"{words} Each image needs {progress.votes} votes, and {progress.short:,} {have} fewer."


def _cost(facts: Facts) -> str:
    cost = sizes(facts.images).cost(facts.images, votes=facts.votes, judges=facts.judges)
    return f"Precision and recall are measured on it. {cost}"


def _one_kind(f: Facts) -> str:
    """Say why the labels of the newest round cannot teach: people disagree, or all answers are the same."""
    if f.disputed:
        disputes = f"People disagree about {count(f.disputed, 'image')} of round {f.round}"
        return f"{disputes}, and what they agree on cannot teach yet: decide these, or ask about others."
    return "All labels that could teach are the same so far: another round looks for the others."


def _untrained(facts: Facts) -> str:
    if facts.elsewhere and not facts.model:
        return "The labels are all there, and this encoder has not learned from them yet."
    return f"All {count(facts.batch.answered, 'image')} of round {facts.round} are labelled."


def _first(facts: Facts) -> str:
    if facts.validation.total:
        return f"The validation sample of {count(facts.validation.total, 'image')} is labelled."
    return "Nothing is trained yet."


def _more_rounds(facts: Facts) -> str:
    if facts.gain == "likely":
        return "The gain of the last round exceeds chance, so another is likely to help."
    if facts.threshold is None:
        return f"No threshold reaches a precision of {percent(facts.target)} yet."
    if facts.certified:
        recall = percent(facts.threshold.evidence.recall)
        return (
            f"A precision of {percent(facts.target)} is certified, at a recall of about {recall}: a round may raise it."
        )
    if facts.round == 0:
        return "It is trained on imported labels; a round selects what teaches it most."
    return f"{count(facts.round, 'round')} of {DEFAULT_ROUNDS} {'is' if facts.round == 1 else 'are'} trained."


def _unreachable(facts: Facts) -> str:
    words = f"No threshold reaches a precision of {percent(facts.target)}"
    if not facts.askable:
        return f"{words}, and no image is left for a round. A lower target or another encoder may do."
    return f"{words}, and another round is unlikely to help. A lower target or another encoder may do."


def _decide(facts: Facts) -> str:
    if facts.learned == "fully":
        return "Further rounds have nothing to gain."
    if facts.certified:
        return f"A precision of {percent(facts.target)} is certified."
    if facts.gain == "unlikely":
        return "Another round is unlikely to help."
    if not facts.askable:
        return "No image is left for another round."
    return f"{count(facts.round, 'round')} {'is' if facts.round == 1 else 'are'} trained."


def _use_certified(facts: Facts) -> str:
    certified = facts.certifying.certified if facts.certifying is not None else None
    cut = "" if certified is None else f": scores of {decimal(certified, 3)} or more"
    words = f"A precision of {percent(facts.target)} is certified{cut}"
    return f"{words}, and the threshold in use is not." if facts.saved else f"{words}."


def _certify(facts: Facts) -> str:
    certifying = facts.certifying
    if certifying is None:
        return f"No threshold is certified for a precision of {percent(facts.target)}."
    if not certifying.placed:
        return "Its pilot is labelled, which shows where the precision falls: the next batch tests it."
    needed = certifying.needed or 0
    return (
        f"Its last batch is labelled, and no threshold is certified for {percent(facts.target)} yet: about "
        f"{count(needed, 'more label')} should suffice at this rate."
    )


def _asked(certifying: Certifying | None) -> str:
    """Return how much of a batch is labelled, or what has to be confirmed."""
    if certifying is None:
        return ""
    if certifying.batch.left:
        return _left(certifying.batch)
    number, verb = certifying.unconfirmed, "has" if certifying.unconfirmed == 1 else "have"
    return f"{count(number, 'image')} labelled yes by fewer people than judge {verb} to be confirmed before they count."


def _extend(facts: Facts) -> str:
    """Say what of the later images is to be extended over, or how far the extension is."""
    extending = facts.extending
    if not facts.extendable and extending is not None:
        needed = count(extending.needed or 0, "more label")
        return f"Its last batch is labelled, and the later images are not covered yet: about {needed} should suffice."
    came = f"{count(facts.extendable, 'accepted image')} came later"
    return f"{came}, and the certified precision of {percent(facts.target)} does not cover {_them(facts.extendable)}."


def _them(number: int) -> str:
    return "it" if number == 1 else "them"


def _not_covered(facts: Facts) -> str:
    """Say, after what is finished, which images the promise is not about."""
    if not facts.certified or not facts.later:
        return ""
    came = f"{count(facts.later, 'accepted image')} that came later {'is' if facts.later == 1 else 'are'}"
    return f" {came} not covered by what is certified."


def _all_by_people(facts: Facts) -> str:
    number = 0 if facts.delivered is None else facts.delivered.by_people
    verb = "the image that is" if number == 1 else f"all {count(number, 'image')} that are"
    return f"People have labelled {verb} delivered: nothing is left to audit."


def _audited(facts: Facts) -> str:
    target, met = percent(facts.target), None if facts.audit is None else facts.audit.met
    if met:
        return f"The audit meets the target of {target}.{_not_covered(facts)}"
    words = f"The audit is inconclusive about the target of {target}"
    if facts.certified:
        return f"{words}, which is certified.{_not_covered(facts)}"
    return f"{words}: a larger one, or a certification, may tell."


def _missed(facts: Facts) -> str:
    words = f"The audit misses the target of {percent(facts.target)}"
    if facts.certifying is not None and facts.certifying.certified is None and not facts.certifying.goes_on:
        return f"{words}, and no threshold could be certified for it. A lower target or another encoder may do."
    return f"{words}: a stricter threshold, or a better classifier, is needed."


def _in_progress(facts: Facts) -> bool:
    return facts.certifying is not None and facts.certifying.certified is None and facts.certifying.goes_on


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
        lambda f: (
            f"Precision and recall are measured on it. {sizes(f.images).cost(f.images, votes=f.votes, judges=f.judges)}"
        ),
    ),
    Rule(
        "the validation sample is not labelled",
        lambda f: f.validation.left > 0,
        "label_validation",
        lambda f: _left(f.validation),
    ),
    Rule("the newest round is not labelled", lambda f: f.batch.left > 0, "label_round", lambda f: _left(f.batch)),
    Rule(
        "the newest round is labelled, and only one answer is among all labels",
        lambda f: f.round > 0 and not f.trained and not f.trainable and f.askable > 0,
        "start_round",
        _one_kind,
    ),
    Rule(
        "the newest round is labelled and not learned",
        lambda f: f.round > 0 and not f.trained and f.trainable,
        "train",
        _untrained,
    ),
    Rule(
        "a batch of the certification is not labelled",
        lambda f: _batch_waits(f.certifying),
        "label_certification",
        lambda f: _asked(f.certifying),
    ),
    Rule(
        "a batch that extends the guarantee is not labelled",
        lambda f: _batch_waits(f.extending),
        "label_certification",
        lambda f: _asked(f.extending),
    ),
    Rule(
        "the audit is not labelled",
        lambda f: f.audit is not None and not f.audit.complete,
        "label_audit",
        lambda f: "" if f.audit is None else _left(f.audit.progress),
    ),
    Rule(
        "nothing is trained, and a round can ask about images",
        lambda f: not f.model and f.askable > 0,
        "start_round",
        _first,
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
        "a threshold is chosen, and people have labelled all that is delivered",
        lambda f: f.saved and f.delivered is not None and f.delivered.exhausted,
        "done",
        _all_by_people,
    ),
    Rule(
        "a certification has found a threshold, and it is not the one chosen",
        _unused_certificate,
        "decide",
        _use_certified,
    ),
    Rule("a certification has not found a threshold yet, and may", _in_progress, "certify", _certify),
    Rule("images came later that what is certified could cover", _extends, "extend", _extend),
    Rule(
        "the audit missed the target, and a certification can find a threshold",
        lambda f: (
            f.audit is not None
            and f.audit.met is False
            and f.certifying is None
            and not f.proven
            and f.drawable > MIN_CERTIFIABLE
        ),
        "certify",
        _missed,
    ),
    Rule(
        "the audit missed the target",
        lambda f: f.audit is not None and f.audit.met is False,
        "diagnose",
        _missed,
    ),
    Rule("the audit is labelled", lambda f: f.saved and f.audit is not None, "done", _audited),
    Rule(
        "a threshold is chosen, and no accepted image is left that an audit could draw",
        lambda f: f.saved and not f.auditable,
        "done",
        lambda f: f"No accepted image is left that an audit could draw.{_not_covered(f)}",
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
        "it is as good as it gets, and a threshold reaches the target",
        lambda f: f.learned == "fully" and f.threshold is not None,
        "decide",
        _decide,
    ),
    Rule(
        "a threshold is certified, and its recall is at least 90% or another round is unlikely to help",
        lambda f: (
            f.certified
            and f.threshold is not None
            and (f.threshold.evidence.recall >= GOOD_RECALL or f.gain == "unlikely")
        ),
        "decide",
        _decide,
    ),
    Rule(
        "a threshold reaches the target, and another round is unlikely to help",
        lambda f: f.threshold is not None and f.gain == "unlikely",
        "decide",
        _decide,
    ),
    Rule(
        "there are fewer than 4 rounds, and another is not unlikely to help",
        lambda f: f.round < DEFAULT_ROUNDS and f.askable > 0 and f.gain != "unlikely",
        "start_round",
        _more_rounds,
    ),
    Rule(
        "there are fewer than 8 rounds, and another is likely to help",
        lambda f: f.round < MOST_ROUNDS and f.askable > 0 and f.gain == "likely",
        "start_round",
        _more_rounds,
    ),
    Rule("a threshold reaches the target", lambda f: f.threshold is not None, "decide", _decide),
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
        _more_rounds,
    ),
    Rule("no threshold reaches the target", lambda f: True, "diagnose", _unreachable),
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
        found.append(Alternative("label_recall", f"The sample below the threshold: {_left(facts.recall)}"))
    elif facts.saved and facts.below and facts.recall is None and resting:
        found.append(Alternative("measure_recall", "A sample below the threshold shows how many positives it misses."))
    if facts.drawable and facts.validation.total and facts.validation.left == 0 and not facts.batch.left:
        found.append(Alternative("draw_validation", "More validation images narrow the intervals."))
    return tuple(each for each in found if each.step != step)


def _can_certify(facts: Facts) -> bool:
    if facts.certified or (facts.delivered is not None and facts.delivered.exhausted):
        return False
    if facts.certifying is not None:
        return facts.certifying.goes_on
    return not facts.proven and facts.drawable > MIN_CERTIFIABLE
