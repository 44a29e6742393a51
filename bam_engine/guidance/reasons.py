"""The reasons of the next step, in sentences: one function for each kind of case in :mod:`bam_engine.guidance.rules`.

In:  :class:`~bam_engine.guidance.facts.Facts`. Out: words. What is decided is decided by the rules.
"""

from bam_engine.formatting import count, decimal, percent
from bam_engine.guidance.facts import Certifying, Facts, Progress
from bam_engine.guidance.sizes import sizes
from bam_engine.training.rounds import DEFAULT_ROUNDS


def progress_of(progress: Progress) -> str:
    """Return how much of a task is labelled, and where answers of more people are missing."""
    words = (
        f"{progress.answered:,} of {count(progress.total, 'image')} {'is' if progress.total == 1 else 'are'} labelled."
    )
    if not progress.short:
        return words
    have = "has" if progress.short == 1 else "have"
    return f"{words} Each image needs {progress.votes} votes, and {progress.short:,} {have} fewer."


def cost(facts: Facts) -> str:
    """Say what the sample is for, and what the attribute costs."""
    cost = sizes(facts.images).cost(facts.images, votes=facts.votes, judges=facts.judges)
    return f"Precision and recall are measured on it. {cost}"


def one_kind(f: Facts) -> str:
    """Say why the labels of the newest round cannot teach: people disagree, or all answers are the same."""
    if f.disputed:
        disputes = f"People disagree about {count(f.disputed, 'image')} of round {f.round}"
        return f"{disputes}, and what they agree on cannot teach yet: decide these, or ask about others."
    return "All labels that could teach are the same so far: another round looks for the others."


def untrained(facts: Facts) -> str:
    """Say that the newest round waits for its training."""
    if facts.elsewhere and not facts.model:
        return "The labels are all there, and this encoder has not learned from them yet."
    number = facts.batch.answered
    images = "The one image" if number == 1 else f"All {count(number, 'image')}"
    return f"{images} of round {facts.round} {'is' if number == 1 else 'are'} labelled."


def first_round(facts: Facts) -> str:
    """Say what stands before the first round."""
    if facts.validation.total:
        return f"The validation sample of {count(facts.validation.total, 'image')} is labelled."
    return "Nothing is trained yet."


def more_rounds(facts: Facts) -> str:
    """Say what another round is for."""
    if facts.gain == "likely":
        return "The gain of the last round exceeds chance, so another is likely to help."
    if facts.threshold is None:
        return f"No threshold reaches a precision of {percent(facts.target)} yet."
    if facts.precise:
        recall = percent(facts.threshold.evidence.recall)
        return (
            f"A precision of {percent(facts.target)} is certified, at a recall of about {recall}: a round may raise it."
        )
    if facts.round == 0:
        return "It is trained on imported labels; a round selects what teaches it most."
    return f"{count(facts.round, 'round')} of {DEFAULT_ROUNDS} {'is' if facts.round == 1 else 'are'} trained."


def unreachable(facts: Facts) -> str:
    """Say that no threshold reaches the target, and why no round is asked for."""
    words = f"No threshold reaches a precision of {percent(facts.target)}"
    if facts.certifying is not None:
        return f"{words}, and none could be certified for it. A lower target or another encoder may do."
    if not facts.askable:
        return f"{words}, and no image is left for a round. A lower target or another encoder may do."
    if facts.gain != "unlikely":
        return f"{words} after {count(facts.round, 'round')}. A lower target or another encoder may do."
    return f"{words}, and another round is unlikely to help. A lower target or another encoder may do."


def choose(facts: Facts) -> str:
    """Say why it is time to choose a threshold."""
    if facts.precise and facts.learned != "fully":
        return f"A precision of {percent(facts.target)} is certified."
    if facts.certifying is not None and facts.gain != "unlikely":
        return f"No threshold could be certified for {percent(facts.target)}: this one is measured, and nothing more."
    return _rounds_end(facts)


def _rounds_end(facts: Facts) -> str:
    """Say why no further round is asked for."""
    if facts.learned == "fully":
        return "Further rounds have nothing to gain."
    if facts.gain == "unlikely":
        return "Another round is unlikely to help."
    if not facts.askable:
        return "No image is left for another round."
    return f"{count(facts.round, 'round')} {'is' if facts.round == 1 else 'are'} trained."


def use_certified(facts: Facts) -> str:
    """Say what is certified, where another threshold is in use, or none."""
    words = f"A precision of {percent(facts.target)} is certified"
    return f"{words}, and the threshold in use is not." if facts.saved else f"{words}."


def certify(facts: Facts) -> str:
    """Say what a certification finds, or how far it is."""
    certifying, goal = facts.certifying, f"a precision of {percent(facts.target)}"
    if certifying is None and facts.saved and facts.unconfirmed and not facts.auditable:
        number = count(facts.unconfirmed, "image")
        return f"{number} labelled yes by fewer people than judge: a certification lets others confirm them first."
    if certifying is None and facts.saved:
        return f"No test has shown that it has {goal}: small batches of labels find one that does."
    if certifying is None:
        return f"{_rounds_end(facts)} Small batches of labels find the loosest threshold that is sure of {goal}."
    if not certifying.placed:
        return "Its pilot is labelled, which shows where the precision falls: the next batch tests it."
    needed = count(max(certifying.needed or 0, certifying.more), "more label")
    if certifying.certified is not None:
        so_far = f"{goal[0].upper()}{goal[1:]} is certified from a score of {decimal(certifying.certified, 3)} on"
        return f"{so_far}: about {needed} may certify a looser threshold, which delivers more."
    return (
        f"Its last batch is labelled, and no threshold is certified for {percent(facts.target)} yet: about "
        f"{needed} should suffice at this rate."
    )


def asked(certifying: Certifying | None) -> str:
    """Return how much of a batch is labelled, or what has to be confirmed."""
    if certifying is None:
        return ""
    if certifying.batch.left:
        return progress_of(certifying.batch)
    number, verb = certifying.unconfirmed, "has" if certifying.unconfirmed == 1 else "have"
    return f"{count(number, 'image')} labelled yes by fewer people than judge {verb} to be confirmed before they count."


def extend_over(facts: Facts) -> str:
    """Say what of the later images is to be extended over, or how far the extension is."""
    extending = facts.extending
    if not facts.extendable and extending is not None:
        needed = count(extending.needed or 0, "more label")
        return f"Its last batch is labelled, and the later images are not covered yet: about {needed} should suffice."
    came = f"{count(facts.extendable, 'accepted image')} came later"
    return f"{came}, and the certified precision of {percent(facts.target)} does not cover {_them(facts.extendable)}."


def _them(number: int) -> str:
    """Return "it" for one, "them" for more."""
    return "it" if number == 1 else "them"


def not_covered(facts: Facts) -> str:
    """Say, after what is finished, which images the promise is not about."""
    if not facts.certified or not facts.later:
        return ""
    came = f"{count(facts.later, 'accepted image')} that came later {'is' if facts.later == 1 else 'are'}"
    return f" {came} not covered by what is certified."


def without_vectors(facts: Facts) -> str:
    """Say, after what is finished, which images wait for a vector, without which nothing is decided of them."""
    if not facts.without_vectors:
        return ""
    number = facts.without_vectors
    have = count(number, "image has no vector", "images have no vectors")
    return f" {have} yet: compute the embeddings to decide {_them(number)}."


def all_by_people(facts: Facts) -> str:
    """Say that people have labelled all that is delivered."""
    number = 0 if facts.delivered is None else facts.delivered.by_people
    verb = "the image that is" if number == 1 else f"all {count(number, 'image')} that are"
    words = f"People have labelled {verb} delivered: nothing is left to audit."
    if not facts.unconfirmed:
        return words
    have = "has" if facts.unconfirmed == 1 else "have"
    return f"{words} {count(facts.unconfirmed, 'image')} of these {have} fewer than {facts.judges} votes."


def audit_shows(facts: Facts) -> str:
    """Say what the audit shows of the target, where it does not miss it."""
    target, met = percent(facts.target), None if facts.audit is None else facts.audit.met
    if met:
        return f"The audit meets the target of {target}.{not_covered(facts)}"
    if facts.precise:
        return f"A precision of {target} is certified, and the audit does not contradict it.{not_covered(facts)}"
    words = f"The audit is inconclusive about the target of {target}"
    if facts.certifying is not None:
        return f"{words}, and no threshold could be certified for it: what is delivered is measured, not guaranteed."
    if not facts.auditable:
        return f"{words}, and no accepted image is left to ask about."
    return f"{words}: a larger one may tell."


def audit_missed(facts: Facts) -> str:
    """Say that the audit misses the target, and what may help."""
    words = f"The audit misses the target of {percent(facts.target)}"
    if facts.certifying is not None and facts.certifying.certified is None and not facts.certifying.goes_on:
        return f"{words}, and no threshold could be certified for it. A lower target or another encoder may do."
    return f"{words}: a stricter threshold, or a better classifier, is needed."
