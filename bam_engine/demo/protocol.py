"""A protocol played from the first answer to the last, on a collection whose truth is known.

In:  a workspace to rehearse in, the truth, and a protocol: how many images each step asks about, and how many people.
Out: what it took of people, and what it delivered, by the truth. Every step is the function that the app calls; nothing
but the answers comes from the truth.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from bam_engine.annotation import Attribute
from bam_engine.annotation.answer_log import answer_log
from bam_engine.audit import audits
from bam_engine.demo.simulated_annotators import Team, answer_from
from bam_engine.errors import AuditError, LearningError
from bam_engine.guidance.sizes import sizes
from bam_engine.labelling import tasks
from bam_engine.labelling.drawn_images import certification_images
from bam_engine.progress import Report, silent
from bam_engine.training import certification, draw_tests, rounds, thresholds, validation
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import newest_model
from bam_engine.training.thresholds import TARGET
from bam_engine.workspace.core import Workspace

EXAMPLES = 5
"""Positives that somebody knows at the beginning, and shows to the first round."""

PURPOSES = ("validation", "round", "certification", "audit")


@dataclass(frozen=True)
class Protocol:
    """How an attribute is labelled.

    Attributes
    ----------
    sample
        Random images, labelled first.
    rounds, batch
        Rounds, and the images of each.
    planned
        Images of the certification, about.
    audit
        Images of each side of the audit; 0: there is none.
    audit_certified
        Whether a threshold that is certified is audited as well. Its promise was tested on random images of what an
        audit would look at.
    teachers, judges
        How many people answer about an image of a round, and about one of the other samples.
    strategy
        That of the rounds; empty: the app's, from the examples on. "random" takes no notice of the examples.
    """

    sample: int
    rounds: int
    batch: int
    planned: int
    audit: int
    audit_certified: bool = True
    teachers: int = 1
    judges: int = 1
    strategy: str = ""


def proposed(n: int, judges: int = 1) -> Protocol:
    """Return the protocol of the guide for ``n`` images: one person teaches, and the promise is what is judged."""
    size = sizes(n, sample=validation.CERTIFYING_SIZE)
    return Protocol(
        sample=max(10, size.validation * 3 // 10),
        rounds=rounds.DEFAULT_ROUNDS,
        batch=size.batch,
        planned=size.certification,
        audit=size.each,
        audit_certified=False,
        judges=judges,
    )


def fixed(n: int, judges: int = 1) -> Protocol:
    """Return the protocol with a fixed random sample, four rounds and an audit, all answered by as many people."""
    size = sizes(n, sample=validation.CERTIFYING_SIZE)
    return Protocol(
        sample=size.validation,
        rounds=rounds.DEFAULT_ROUNDS,
        batch=size.batch,
        planned=min(300, n // 4),
        audit=size.each,
        teachers=judges,
        judges=judges,
    )


@dataclass(frozen=True)
class DeliveredSet:
    """What is delivered: how many images, and by the truth its precision and its recall (nan where undefined)."""

    n: int
    precision: float
    recall: float


@dataclass(frozen=True)
class Played:
    """What a protocol took and gave.

    ``answers`` are those of people, by purpose; ``labelled_images`` are all images that anybody was asked about. The
    precision is ``certified`` if its test has passed, or if people have labelled all that is delivered. ``recall`` is
    the interval that the app states, None where it states none. ``problems`` say which step could not be taken, and
    why.
    """

    answers: Mapping[str, int]
    labelled_images: int
    delivered: DeliveredSet
    certified: bool
    recall: tuple[float, float] | None = None
    problems: tuple[str, ...] = ()

    @property
    def human_answers(self) -> int:
        """The number of all answers."""
        return sum(self.answers.values())


def play(
    workspace: Workspace,
    truth: NDArray[np.bool_],
    protocol: Protocol,
    *,
    error_rate: float = 0.0,
    target: float = TARGET,
    examples: int = EXAMPLES,
    answers: int = 0,
    seed: int = 0,
    report: Report = silent,
) -> Played:
    """Play a protocol for a new attribute of ``workspace``, which nobody else uses, and return what it gave.

    Parameters
    ----------
    truth : (n,) bool
    error_rate : float
        The proportion of wrong answers of each annotator, below 0.5.
    examples : int
        Positives, chosen at random, that the first round starts from.
    answers : int
        The certification goes on until as many answers are given, even beyond what the protocol plans.
    seed : int
        Of everything that is drawn. The same seed shows the same examples and draws the same sample.
    """
    attribute = workspace.attributes.add(f"rehearsal_{len(workspace.attributes.all())}", "content", "Is it?")
    team = Team(error_rate, protocol.teachers, seed, protocol.judges)
    run = _Run(workspace, attribute, truth.astype(np.int8), protocol, team, target)
    workspace.judging_redundancy, workspace.redundancy = protocol.judges, protocol.teachers
    steps, problems = run.steps(examples, answers), []
    for done, (name, step) in enumerate(steps.items()):
        report(done, len(steps), name)
        try:
            with workspace.reading():
                step()
        except (LearningError, AuditError) as error:
            problems.append(str(error))
    report(len(steps), len(steps), "played")
    return replace(run.result(), problems=tuple(problems))


def known_positives(truth: NDArray[np.bool_], count: int, seed: int) -> list[int]:
    """Return positives, chosen at random, that somebody knows at the beginning."""
    positive = np.flatnonzero(truth)
    chosen = np.random.default_rng([seed, 1]).choice(positive, min(count, len(positive)), replace=False)
    return [int(row) for row in chosen]


@dataclass(frozen=True)
class _Run:
    """One run: each step asks, answers and trains through the functions of the app."""

    workspace: Workspace
    attribute: Attribute
    truth: NDArray[np.int8]
    protocol: Protocol
    team: Team
    target: float

    def steps(self, examples: int, answers: int) -> dict[str, Callable[[], None]]:
        """Return the steps by name, in order; each may fail without stopping the next."""
        rounds = {
            f"round {number + 1}": partial(self._round, number, examples) for number in range(self.protocol.rounds)
        }
        return {
            "the random sample": self._sample,
            **rounds,
            "the certification": partial(self._certify, answers),
            "the threshold": self._save,
            "the audit": self._audit,
        }

    def _seed(self, place: int) -> int:
        return int(np.random.SeedSequence([self.team.seed, place]).generate_state(1)[0] >> 1)

    def _answer(self, task: tasks.Task) -> None:
        answer_from(self.workspace, task, self.team, self.truth)

    def _sample(self) -> None:
        validation.draw_validation(self.workspace, self.attribute, self.protocol.sample, seed=self._seed(0))
        self._answer(tasks.validation_task(self.workspace, self.attribute))

    def _round(self, number: int, examples: int) -> None:
        strategy, seeds = self.protocol.strategy, []
        if not number and strategy != "random":
            seeds = known_positives(self.truth == 1, examples, self.team.seed)
        begun = rounds.start_round(
            self.workspace,
            self.attribute,
            count=self.protocol.batch,
            strategy=strategy,
            seeds=seeds,
            seed=self._seed(10 + number),
        )
        self._answer(begun.task)
        rounds.train(self.workspace, self.attribute)

    def _certify(self, answers: int) -> None:
        """Certify batch by batch, until as many images are labelled as planned and as many answers given.

        Where the validation sample certifies the target already, nothing is left to certify.
        """
        protocol, model = self.protocol, newest_model(self.workspace, self.attribute)
        if draw_tests.certified(self.workspace, self.attribute, model, target=self.target, confidence=0.95) is not None:
            return
        state = certification.start(
            self.workspace, self.attribute, target=self.target, planned=protocol.planned, seed=self._seed(2)
        )
        while True:
            self._answer(state.certification.task)
            state = certification.state(self.workspace, state.certification)
            labelled = len(certification_images(self.workspace, state.certification.id).rows)
            enough = (
                labelled >= protocol.planned and sum(answers_given(self.workspace, self.attribute).values()) >= answers
            )
            if enough or not state.next_batch:
                return
            state = certification.extend(self.workspace, state.certification)

    def _save(self) -> None:
        choice = thresholds.suggest(self.workspace, self.attribute, target=self.target)
        thresholds.save(self.workspace, self.attribute, choice)

    def _audit(self) -> None:
        protocol = self.protocol
        if not protocol.audit or (is_certified(self.workspace, self.attribute) and not protocol.audit_certified):
            return
        drawn = audits.draw(
            self.workspace,
            self.attribute,
            n_accepted=protocol.audit,
            n_rejected=protocol.audit,
            people=protocol.judges,
            seed=self._seed(3),
        )
        self._answer(drawn.task)

    def result(self) -> Played:
        """Compare what is delivered with the truth."""
        return outcome(self.workspace, self.attribute, self.truth == 1)


def outcome(workspace: Workspace, attribute: Attribute, truth: NDArray[np.bool_]) -> Played:
    """Return what an attribute has taken of people so far, and compare what is delivered with the truth (n,)."""
    with workspace.reading():
        accepted = delivered_of(workspace, attribute).accepted
        found = thresholds.current_threshold(workspace, attribute)
    right = int((accepted & truth).sum())
    delivered = DeliveredSet(int(accepted.sum()), _part(right, int(accepted.sum())), _part(right, int(truth.sum())))
    evidence = None if found is None else found.evidence
    stated = evidence is not None and not np.isnan(evidence.recall)
    return Played(
        answers=MappingProxyType(answers_given(workspace, attribute)),
        labelled_images=len(np.unique(answer_log(workspace.engine, attribute.id).rows)),
        delivered=delivered,
        certified=is_certified(workspace, attribute),
        recall=(evidence.recall_low, evidence.recall_high) if evidence is not None and stated else None,
    )


def is_certified(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether a test has shown the precision of what is delivered, or people have labelled all of it."""
    found = thresholds.current_threshold(workspace, attribute)
    if found is None or not found.saved:
        return False
    return found.evidence.certified or bool(audits.nothing_to_doubt(workspace, attribute))


def answers_given(workspace: Workspace, attribute: Attribute) -> dict[str, int]:
    """Return the answers that people have given, by purpose."""
    log = answer_log(workspace.engine, attribute.id)
    return {purpose: int(log.given_for([purpose]).sum()) for purpose in PURPOSES}


def _part(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
