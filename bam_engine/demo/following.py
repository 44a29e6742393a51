"""Following the guidance: the step that it names is taken, through the functions of the app and with its usual sizes.

In:  a workspace and an attribute, and who answers. Out: what was done, in words. Nothing is decided here: the guidance
says what is next, to people and to simulated annotators alike.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.formatting import count, percent
from bam_engine.guidance.guidance import Guidance
from bam_engine.guidance.sizes import Sizes, sizes
from bam_engine.labelling import tasks
from bam_engine.labelling.tasks import Task
from bam_engine.learning import Threshold
from bam_engine.progress import Report, silent
from bam_engine.training import certification, certification_store, extension, rounds, thresholds, validation
from bam_engine.training.validation import SAMPLE_SIZE
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.membership import count_images


@dataclass(frozen=True)
class Follower:
    """Whoever follows the guidance of an attribute.

    Attributes
    ----------
    answer
        Lets people complete a task, and returns the number of their answers.
    seed
        Of everything that is drawn, together with the attribute.
    sample
        Images of the validation sample in a large collection.
    examples
        Positives that the first round starts from.
    """

    workspace: Workspace
    attribute: Attribute
    answer: Callable[[Task], int]
    seed: int = 0
    sample: int = SAMPLE_SIZE
    examples: tuple[int, ...] = ()

    @property
    def sizes(self) -> Sizes:
        """The sizes that the pages propose for this collection."""
        return sizes(count_images(self.workspace), sample=self.sample)

    def draw_seed(self, place: int) -> int:
        """Derive the seed of one draw."""
        words = np.random.SeedSequence([self.seed, self.attribute.id, place]).generate_state(1)
        return int(words[0] >> 1)


def take(follower: Follower, guidance: Guidance, *, report: Report = silent) -> str | None:
    """Take the step that the guidance names; return it in words, or None where it is none of those to be taken here.

    Not taken are the ends ("done", "diagnose"), and what no annotator does: adding images, and embedding them.

    Raises
    ------
    BamError
        It cannot be taken, which is a fault of the guidance.
    """
    step = _STEPS.get(guidance.step)
    return None if step is None else step(follower, guidance, report)


def can_take(guidance: Guidance) -> bool:
    """Return whether :func:`take` takes the step."""
    return guidance.step in _STEPS


def _validation(follower: Follower, guidance: Guidance, _report: Report) -> str:
    workspace, attribute = follower.workspace, follower.attribute
    if guidance.step == "draw_validation":
        drawn = len(tasks.validation_task(workspace, attribute).rows)
        validation.draw_validation(workspace, attribute, follower.sizes.validation, seed=follower.draw_seed(drawn))
    given = follower.answer(tasks.validation_task(workspace, attribute))
    return f"the validation sample: {count(given, 'answer')}"


def _round(follower: Follower, guidance: Guidance, _report: Report) -> str:
    workspace, attribute = follower.workspace, follower.attribute
    if guidance.step == "label_round":
        begun = rounds.rounds_of(workspace, attribute)[-1]
    else:
        begun = rounds.start_round(
            workspace,
            attribute,
            count=follower.sizes.batch,
            seeds=[] if guidance.round else list(follower.examples),
            seed=follower.draw_seed(1 + guidance.round),
        )
    return f"round {begun.number}: {count(follower.answer(begun.task), 'answer')}"


def _train(follower: Follower, _guidance: Guidance, report: Report) -> str:
    model = rounds.train(follower.workspace, follower.attribute, report=report)
    return f"trained on {count(model.labels, 'label')}"


def _decide(follower: Follower, guidance: Guidance, _report: Report) -> str:
    target = thresholds.TARGET if guidance.facts is None else guidance.facts.target
    choice = thresholds.suggest(follower.workspace, follower.attribute, target=target)
    thresholds.save(follower.workspace, follower.attribute, choice)
    return threshold_words(choice)


def threshold_words(choice: Threshold) -> str:
    """Return in words which threshold was saved."""
    certified = "certified" if choice.certified else "not certified"
    return f"the threshold for a precision of {percent(choice.target)}, {certified}"


def _certify(follower: Follower, guidance: Guidance, _report: Report) -> str:
    workspace, attribute = follower.workspace, follower.attribute
    if guidance.step == "certify":
        target = thresholds.TARGET if guidance.facts is None else guidance.facts.target
        started = certification_store.current(workspace, attribute, target=target)
        if started is None:
            planned, seed = follower.sizes.certification, follower.draw_seed(200)
            certification.start(workspace, attribute, target=target, planned=planned, seed=seed)
        else:
            certification.extend(workspace, started)
    if guidance.step == "extend":
        extension.extend(workspace, attribute, seed=follower.draw_seed(300))
    waiting = extension.waiting_task(workspace, attribute)
    given = 0 if waiting is None else follower.answer(waiting)
    return f"the certification: {count(given, 'answer')}"


def _audit(follower: Follower, guidance: Guidance, _report: Report) -> str:
    workspace, attribute = follower.workspace, follower.attribute
    result = audits.latest_result(workspace, attribute)
    if guidance.step == "audit" or result is None:
        each = follower.sizes.each if guidance.facts is None else guidance.facts.audit_size
        result = audits.draw(
            workspace,
            attribute,
            n_accepted=each,
            n_rejected=each,
            people=workspace.judging_redundancy,
            seed=follower.draw_seed(100),
        )
    return f"the audit: {count(follower.answer(result.task), 'answer')}"


_Step = Callable[[Follower, Guidance, Report], str]
_STEPS: dict[str, _Step] = {
    "draw_validation": _validation,
    "label_validation": _validation,
    "start_round": _round,
    "label_round": _round,
    "train": _train,
    "decide": _decide,
    "certify": _certify,
    "label_certification": _certify,
    "label_extension": _certify,
    "extend": _certify,
    "audit": _audit,
    "label_audit": _audit,
}
