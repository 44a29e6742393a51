"""Simulated annotators, who answer from the ground truth of a demo with an error rate.

Their answers are stored under names that say that they are simulated. They see the images of a task and the true
labels, never a score. Everything else (queries, training, guarantees) works as it does for people.
"""

import uuid
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import UNSURE, Attribute, NewAnswer
from bam_engine.annotation.answer_log import answer_log
from bam_engine.demo import demo_workspace, following
from bam_engine.demo.following import Follower
from bam_engine.errors import AnnotationError, LearningError, NoThreshold
from bam_engine.formatting import count, percent
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.labelling import assigning, tasks
from bam_engine.labelling.tasks import Task
from bam_engine.progress import Report, silent
from bam_engine.training import certification, certification_store, rounds, thresholds, validation
from bam_engine.training.rounds import DEFAULT_ROUNDS
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.flow import one_flow

ERROR_RATE = 0.05
MAX_VOTES = 9  # per image; two annotators and their disputes rarely need more than three
TARGETS = (0.90, 0.80, 0.70, 0.60, 0.50)  # tried in this order
_KEY = "simulated"  # the setting that stores the last team


@dataclass(frozen=True)
class Team:
    """Simulated annotators with one error rate; ``people`` votes are required per image, ``judges`` where it judges."""

    error_rate: float = ERROR_RATE
    people: int = 1
    seed: int = 0
    judges: int = demo_workspace.JUDGES

    def name(self, number: int) -> str:
        """Return the name of annotator ``number``, from 1."""
        return f"Simulated {number} ({100 * self.error_rate:.3g} % wrong)"


@dataclass(frozen=True)
class _Chosen:
    """A team as the settings store it; its size is the votes that the workspace requires."""

    error_rate: float
    seed: int


@dataclass(frozen=True)
class PlayResult:
    """A line for each step that was taken, and whether the attribute is finished."""

    lines: tuple[str, ...]
    finished: bool


def team_of(workspace: Workspace) -> Team:
    """Return the current team, or the default one with the seed of the demo.

    Raises
    ------
    AnnotationError
        The workspace is not a demo.
    """
    demo = demo_workspace.demo(workspace)
    if demo is None:
        raise AnnotationError(
            "Simulated annotators cannot answer in a workspace of real images, which have no ground truth. "
            "Create a demo in another workspace."
        )
    stored = db.read_setting(workspace.engine, _KEY)
    if stored is None:
        return Team(ERROR_RATE, workspace.redundancy, demo.seed, workspace.judging_redundancy)
    chosen = db.from_document(_Chosen, stored, what="the simulated annotators")
    return Team(chosen.error_rate, workspace.redundancy, chosen.seed, workspace.judging_redundancy)


def choose_team(
    workspace: Workspace,
    *,
    error_rate: float = ERROR_RATE,
    people: int = 1,
    judges: int | None = None,
    seed: int | None = None,
) -> Team:
    """Store and return the team that answers from now on.

    ``people`` and ``judges`` become the votes that the workspace requires; ``judges`` are as many unless given.

    Raises
    ------
    AnnotationError
        The workspace is not a demo, or the error rate is not in [0, 0.5).
    BamError
        ``people`` or ``judges`` are out of range.
    """
    before = team_of(workspace)
    if not 0 <= error_rate < 0.5:
        raise AnnotationError(
            f"The error rate {error_rate:g} is out of range. Give a proportion from 0 to below 0.5: at a half, "
            "answers carry no information."
        )
    chosen = Team(error_rate, people, before.seed if seed is None else seed, people if judges is None else judges)
    if (chosen.people, chosen.judges) != (before.people, before.judges):
        workspace.judging_redundancy = chosen.judges
        workspace.redundancy = chosen.people
    db.write_setting(workspace.engine, _KEY, db.to_document(_Chosen(chosen.error_rate, chosen.seed)))
    return chosen


def simulate_answers(truth: NDArray[np.int8], *, error_rate: float, rng: np.random.Generator) -> NDArray[np.int8]:
    """Return one annotator's answers (n,): the true labels, each flipped with probability ``error_rate``.

    With the same seed, a larger collection extends the answers of a smaller one, and a higher rate adds errors to those
    of a lower one.
    """
    wrong = rng.random(len(truth)) < error_rate
    return np.where(wrong, 1 - truth, truth).astype(np.int8)


def answer(workspace: Workspace, task: Task, team: Team) -> int:
    """Let the team complete ``task``, disputes included; return the number of new answers.

    Answers of people stay as they are and count.

    Raises
    ------
    AnnotationError
        The workspace is not a demo.
    NotFound
        The attribute has no ground truth.
    """
    team_of(workspace)  # refuses a workspace of real images
    return answer_from(workspace, task, team, demo_workspace.true_labels(workspace, task.attribute.name))


def answer_from(workspace: Workspace, task: Task, team: Team, truth: NDArray[np.int8]) -> int:
    """Let the team complete ``task`` from the true labels (n,), disputes included; return the number of new answers.

    The workspace is a demo, or one to rehearse in (:mod:`bam_engine.demo.rehearsal`): :func:`answer` checks it.
    """
    attribute, given = task.attribute, 0
    for number in range(1, MAX_VOTES + 1):
        state = tasks.state(workspace, task)
        if state.complete and not (state.disputed and tasks.required_votes(workspace, task) > 1):
            break
        assignment = assigning.open_task(workspace, task, team.name(number), simulated=True)
        if assignment is None:
            continue
        rng = np.random.default_rng([team.seed, attribute.id, number])
        simulated = simulate_answers(truth, error_rate=team.error_rate, rng=rng)
        answered = workspace.annotations.answered_rows(assignment.id)
        left = [row for row in assignment.rows if row not in answered]
        answers = [NewAnswer(uuid.uuid4().hex, row, int(simulated[row])) for row in left]
        given += workspace.annotations.record(assignment.id, answers).new
    return given


@one_flow
def play_next(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> str | None:
    """Take the next step for ``attribute`` and return it in words; None where nothing is left to do.

    It is the step that the guidance gives everybody (:mod:`bam_engine.guidance`). Where no threshold reaches the
    target, the highest one that can be reached takes its place.

    Raises
    ------
    LearningError
        Nothing is embedded, or no cut reaches even the lowest of the targets.
    """
    team_of(workspace)
    guidance = guidance_of(workspace, attribute)
    if guidance.step in ("add_images", "embed"):
        raise LearningError(
            f"Simulated annotators cannot label {attribute.name} before the images are embedded. Embed them first."
        )
    if _ended(guidance):
        return None
    if guidance.step == "diagnose":
        return _save_threshold(workspace, attribute)
    follower = Follower(
        workspace, attribute, partial(answer, workspace, team=team), seed=team.seed, sample=validation.CERTIFYING_SIZE
    )
    step = following.take(follower, guidance, report=report)
    return None if step == "the audit: 0 answers" else step  # disputes of the whole team stay open


def _ended(guidance: Guidance) -> bool:
    """Return whether nothing is left to do: it is done, or what was saved cannot be made to meet its target."""
    saved = guidance.facts is not None and guidance.facts.saved
    return guidance.step == "done" or (guidance.step == "diagnose" and saved)


def _save_threshold(workspace: Workspace, attribute: Attribute) -> str:
    """Save the threshold for the highest target that can be reached."""
    for target in TARGETS:
        try:
            choice = thresholds.suggest(workspace, attribute, target=target)
        except NoThreshold:
            continue
        thresholds.save(workspace, attribute, choice)
        note = "" if target == TARGETS[0] else f"; {percent(TARGETS[0])} is out of reach"
        return f"{following.threshold_words(choice)}{note}"
    raise NoThreshold(
        f"No threshold of {attribute.name} reaches a precision of {percent(TARGETS[-1])} on the validation sample. "
        "Label more validation images."
    )


def play(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> PlayResult:
    """Label ``attribute`` from its current state to the end: validation, four rounds, threshold, audit.

    Raises
    ------
    LearningError
        It cannot continue; finished steps are saved.
    Stopped
        Raised by ``report``; finished steps are saved, and the next call resumes.
    """
    lines: list[str] = []
    total = 1 + 2 * DEFAULT_ROUNDS + 2
    while True:
        done = _steps_done(workspace, attribute)
        report(done, max(total, done), lines[-1] if lines else "")
        step = play_next(workspace, attribute, team)
        if step is None:
            report(total, total, guidance_of(workspace, attribute).reason)
            return PlayResult(tuple(lines), True)
        if step.endswith(": 0 answers"):
            task = step.removesuffix(": 0 answers")
            raise LearningError(
                f"Simulated annotators have answered all they can and did not complete {task}. Label the rest yourself."
            )
        lines.append(step)


def play_one(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> PlayResult:
    """Take the next labelling step, training first on a labelled round.

    Raises
    ------
    LearningError
        See :func:`play_next`.
    """
    lines: list[str] = []
    while not lines or lines[-1].startswith("trained"):
        report(len(lines), 2, lines[-1] if lines else "")
        step = play_next(workspace, attribute, team)
        if step is None:
            break
        lines.append(step)
    report(2, 2, lines[-1] if lines else "")
    finished = is_finished(workspace, attribute)
    return PlayResult(tuple(lines), finished)


def is_finished(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether no step of ``attribute`` is left."""
    return _ended(guidance_of(workspace, attribute))


def can_continue(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether a step of ``attribute`` is left and can be taken now."""
    guidance = guidance_of(workspace, attribute)
    return (guidance.step == "diagnose" or following.can_take(guidance)) and not _ended(guidance)


def _steps_done(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many steps of :func:`play` are done."""
    sample = tasks.state(workspace, tasks.validation_task(workspace, attribute))
    begun = rounds.rounds_of(workspace, attribute)
    done = int(sample.complete)
    done += sum(int(one.state.complete) + int(one.model is not None) for one in begun[:DEFAULT_ROUNDS])
    facts = guidance_of(workspace, attribute).facts
    return done + int(facts is not None and facts.saved)


def certify(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> PlayResult:
    """Let the team label the started certification batch by batch, up to the planned number of labels.

    Raises
    ------
    LearningError
        No certification was started.
    Stopped
        Raised by ``report``; finished labels are saved.
    """
    current = certification_store.current(workspace, attribute)
    if current is None:
        raise LearningError(f"{attribute.name} has no certification. Start one first.")
    lines: list[str] = []
    while True:
        state = certification.state(workspace, current)
        report(min(state.batch.answered, current.planned), current.planned, "labels")
        given = answer(workspace, current.task, team) if state.task.left else 0
        if given:
            lines.append(count(given, "answer"))
        elif state.next_batch and state.batch.answered < current.planned:
            current = certification.extend(workspace, state.certification).certification
        else:
            report(current.planned, current.planned, "labels")
            return PlayResult(tuple(lines), True)


@dataclass(frozen=True)
class AnswerCounts:
    """The numbers of answers by people and by simulated annotators."""

    people: int
    simulated: int


@one_flow
def count_answers(workspace: Workspace, attribute: Attribute | None = None) -> AnswerCounts:
    """Count the answers that stand, of one attribute or of all: the newest to each image of an assignment."""
    of = workspace.attributes.all() if attribute is None else [attribute]
    simulated = [one.id for one in workspace.annotations.annotators() if one.simulated]
    by_people = by_simulated = 0
    for each in of:
        log = answer_log(workspace.engine, each.id)
        keys = log.assignments.astype(np.int64)[::-1] << 32 | log.rows[::-1]
        newest = len(log) - 1 - np.unique(keys, return_index=True)[1]
        given = log.annotators[newest[log.answers[newest] >= UNSURE]]
        robots = int(np.isin(given, simulated).sum())
        by_people, by_simulated = by_people + len(given) - robots, by_simulated + robots
    return AnswerCounts(by_people, by_simulated)
