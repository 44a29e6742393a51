"""Simulated annotators: they answer from the truth of a demo, wrong now and then, and play an attribute to the end.

In:  an attribute whose truth is known, an error rate, how many must agree. Out: answers stored under names that say
that they are simulated. They see which images are asked and what is true of them, never a score. Everything else (what
is asked, trained, promised) goes the way it goes for people.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.demo import demo_workspace
from bam_engine.errors import AnnotationError, LearningError, NoThreshold
from bam_engine.labelling import tasks
from bam_engine.labelling.tasks import Task
from bam_engine.progress import Report, silent
from bam_engine.training import certification, rounds, thresholds, validation
from bam_engine.training.rounds import DEFAULT_ROUNDS, AttributeState
from bam_engine.workspace.core import Workspace

ERROR_RATE = 0.05
MOST = 9  # annotators of one image: two and their disputes rarely need more than three
TARGETS = (0.90, 0.80, 0.70, 0.60, 0.50)  # tried in turn, where a higher precision cannot be had
_MOST_ROUNDS = 8  # where a round shows no positive at all, further ones are tried
_KEY = "simulated"  # the setting that keeps the last team


@dataclass(frozen=True)
class Team:
    """Simulated annotators: each is wrong of a share of the images, drawn once from the seed; ``people`` must agree."""

    error_rate: float = ERROR_RATE
    people: int = 1
    seed: int = 0

    def name(self, number: int) -> str:
        """Return the name of an annotator, from 1: it says that nobody is behind it."""
        return f"Simulated {number} ({100 * self.error_rate:.3g} % wrong)"


@dataclass(frozen=True)
class Played:
    """What was done: a line for each step, and whether the attribute is at its end."""

    lines: tuple[str, ...]
    finished: bool


@dataclass(frozen=True)
class Sizes:
    """How many images are asked: for the validation sample, in a round, of each half of the audit."""

    validation: int
    batch: int
    each: int


def sizes(n: int) -> Sizes:
    """Return the usual numbers for a collection of ``n`` images; for a small one, as much of it as leaves enough.

    Examples
    --------
    >>> sizes(2000)
    Sizes(validation=200, batch=100, each=100)
    >>> sizes(300)
    Sizes(validation=60, batch=15, each=30)
    """
    return Sizes(
        min(validation.SAMPLE_SIZE, max(10, n // 5)),
        min(100, max(10, n // 20)),
        min(audits.IMAGES_PER_SIDE, max(10, n // 10)),
    )


def team_of(workspace: Workspace) -> Team:
    """Return the team that answered last, or the usual one with the seed of the demo.

    Raises
    ------
    AnnotationError
        The workspace is no demo.
    """
    found = demo_workspace.demo(workspace)
    if found is None:
        raise AnnotationError(
            "simulated annotators were asked to answer, and this workspace is for real images: nobody knows their "
            "truth. Make a demo in a workspace of its own."
        )
    kept = db.read_setting(workspace.engine, _KEY) or {"error_rate": ERROR_RATE, "seed": found.seed}
    return Team(float(kept["error_rate"]), workspace.redundancy, int(kept["seed"]))


def choose_team(
    workspace: Workspace, *, error_rate: float = ERROR_RATE, people: int = 1, seed: int | None = None
) -> Team:
    """Keep who answers from now on and return it; ``people`` must agree on every label of the workspace.

    Raises
    ------
    AnnotationError
        The workspace is no demo, or the error rate is not a share below a half.
    BamError
        So many people cannot be asked.
    """
    before = team_of(workspace)
    if not 0 <= error_rate < 0.5:
        raise AnnotationError(
            f"simulated annotators cannot be wrong at a rate of {error_rate:g}: give a share from 0 to below 0.5; at a "
            "half their answers say nothing."
        )
    chosen = Team(error_rate, people, before.seed if seed is None else seed)
    if people != workspace.redundancy:
        workspace.redundancy = people
    db.write_setting(workspace.engine, _KEY, {"error_rate": chosen.error_rate, "seed": chosen.seed})
    return chosen


def said(truth: NDArray[np.int8], *, error_rate: float, rng: np.random.Generator) -> NDArray[np.int8]:
    """Return what one annotator says of every image (n,): the truth, or its opposite with the error rate.

    A larger collection keeps the answers of a smaller one; a higher rate keeps the errors of a lower one.
    """
    wrong = rng.random(len(truth)) < error_rate
    return np.where(wrong, 1 - truth, truth).astype(np.int8)


def answer(workspace: Workspace, task: Task, team: Team) -> int:
    """Let the team answer all that ``task`` still asks, disputes included; return how many answers were given.

    What people have answered stays theirs, and counts as theirs.

    Raises
    ------
    AnnotationError
        The workspace is no demo.
    NotFound
        The truth of the attribute is not known.
    """
    team_of(workspace)  # refuses a workspace of real images
    attribute = task.attribute
    truth, given = demo_workspace.truth(workspace, attribute.name), 0
    for number in range(1, MOST + 1):
        found = tasks.state(workspace, task)
        if found.complete and not (found.disputed and tasks.required_votes(workspace, task) > 1):
            break
        assignment = tasks.open_task(workspace, task, team.name(number), simulated=True)
        if assignment is None:
            continue
        rng = np.random.default_rng([team.seed, attribute.id, number])
        words = said(truth, error_rate=team.error_rate, rng=rng)
        left = [row for row in assignment.rows if row not in workspace.annotations.answered_rows(assignment.id)]
        answers = [NewAnswer(uuid.uuid4().hex, row, int(words[row])) for row in left]
        given += workspace.annotations.record(assignment.id, answers).new
    return given


def play_next(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> str | None:
    """Take the next step for ``attribute`` and say what it was; None where nothing is left to do.

    What waits for answers is answered; else it is drawn first: the validation sample, a round, then the threshold is
    kept and an audit drawn.

    Raises
    ------
    LearningError
        Nothing is embedded, or no cut keeps even a precision of 0.50.
    """
    team_of(workspace)
    waiting = certification.waiting_task(workspace, attribute)
    if waiting is not None:
        return f"the certification: {answer(workspace, waiting, team):,} answers"
    state = rounds.state(workspace, attribute)
    step = _STEPS.get(state.step)
    if step is None:
        raise LearningError(f"{attribute.name} cannot be played: the images have no vectors yet. Embed them first.")
    return step(workspace, state, team, report)


def _validation(workspace: Workspace, state: AttributeState, team: Team, _report: Report) -> str:
    if state.step == "draw_validation":
        count = sizes(len(workspace.catalogue)).validation
        validation.draw_validation(workspace, state.attribute, count, seed=_seed(team, state, 0))
    given = answer(workspace, tasks.validation_task(workspace, state.attribute), team)
    return f"the validation sample: {given:,} answers"


def _round(workspace: Workspace, state: AttributeState, team: Team, _report: Report) -> str:
    if state.step == "label_round":
        turn = state.rounds[-1]
    else:
        seed = _seed(team, state, 1 + len(state.rounds))
        turn = rounds.start_round(workspace, state.attribute, count=sizes(len(workspace.catalogue)).batch, seed=seed)
    return f"round {turn.number}: {answer(workspace, turn.task, team):,} answers"


def _train(workspace: Workspace, state: AttributeState, team: Team, report: Report) -> str:
    try:
        model = rounds.train(workspace, state.attribute, report=report)
    except LearningError:
        if len(state.rounds) >= _MOST_ROUNDS:
            raise
        return _round(workspace, state, team, report)  # no positive among the labels yet: ask on
    return f"trained on {model.details['labels']:,} labels"


def _decide(workspace: Workspace, state: AttributeState, team: Team, _report: Report) -> str | None:
    attribute = state.attribute
    threshold = thresholds.current_threshold(workspace, attribute)
    if threshold is None or not threshold.saved:
        return _keep(workspace, attribute)
    found = audits.latest_result(workspace, attribute)
    if play_done(workspace, attribute):
        return None
    if found is None:
        each = sizes(len(workspace.catalogue)).each
        seed = _seed(team, state, 100)
        found = audits.draw(workspace, attribute, n_accepted=each, n_rejected=each, people=team.people, seed=seed)
    given = answer(workspace, found.task, team)
    return f"the audit: {given:,} answers" if given else None  # what is disputed by all of them stays so


def _keep(workspace: Workspace, attribute: Attribute) -> str:
    """Keep the threshold for the highest of the targets that can be had."""
    for target in TARGETS:
        try:
            found = thresholds.suggest(workspace, attribute, target=target)
        except NoThreshold:
            continue
        thresholds.save(workspace, attribute, found)
        short = "" if target == TARGETS[0] else f"; no cut keeps {TARGETS[0]:.2f}"
        certified = "certified" if found.certified else "not certified"
        return f"the threshold for a precision of {target:.2f} is kept, {certified}{short}"
    raise NoThreshold(
        f"no cut of {attribute.name} keeps a precision of {TARGETS[-1]:.2f} on the validation sample. Label another "
        "round, or more validation images."
    )


_Step = Callable[[Workspace, AttributeState, Team, Report], str | None]
_STEPS: dict[str, _Step] = {
    "draw_validation": _validation,
    "label_validation": _validation,
    "start_round": _round,
    "label_round": _round,
    "train": _train,
    "decide": _decide,
}


def _seed(team: Team, state: AttributeState, place: int) -> int:
    """Return the seed of one draw, which follows from the team's."""
    found = np.random.SeedSequence([team.seed, state.attribute.id, place]).generate_state(1)
    return int(found[0] >> 1)


def play(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> Played:
    """Play ``attribute`` from where it stands to its end: validation, four rounds, threshold kept, audit.

    Raises
    ------
    LearningError
        It cannot go on; what was played is kept.
    Stopped
        Raised by ``report``; what was played is kept, and playing again goes on from there.
    """
    lines: list[str] = []
    total = 1 + 2 * DEFAULT_ROUNDS + 2
    while True:
        done = _done(workspace, attribute)
        report(done, max(total, done), lines[-1] if lines else "")
        words = play_next(workspace, attribute, team)
        if words is None:
            report(total, total, "the audit is judged")
            return Played(tuple(lines), True)
        if words.endswith(": 0 answers"):
            raise LearningError(f"{words}: simulated annotators have answered all they can. Label the rest yourself.")
        lines.append(words)


def play_one(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> Played:
    """Let the team answer what waits, or what comes next, training first where a labelled round is not trained on yet.

    Raises
    ------
    LearningError
        See :func:`play_next`.
    """
    lines: list[str] = []
    while not lines or lines[-1].startswith("trained"):
        report(len(lines), 2, lines[-1] if lines else "")
        words = play_next(workspace, attribute, team)
        if words is None:
            break
        lines.append(words)
    report(2, 2, lines[-1] if lines else "")
    finished = play_done(workspace, attribute)
    return Played(tuple(lines), finished)


def play_done(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether nothing is left to play: the audit of the threshold in force is judged."""
    found = audits.latest_result(workspace, attribute)
    return found is not None and found.complete and not found.unsettled


def may_go_on(workspace: Workspace, attribute: Attribute) -> bool:
    """Return whether something of ``attribute`` can be played now: embedded images, and a step that is not behind."""
    if len(workspace.vectors()) == 0:
        return False
    return not play_done(workspace, attribute) or rounds.state(workspace, attribute).step != "decide"


def _done(workspace: Workspace, attribute: Attribute) -> int:
    """Return how many of the steps of :func:`play` are behind."""
    state = rounds.state(workspace, attribute)
    found = int(state.validation.complete)
    found += sum(int(turn.state.complete) + int(turn.model is not None) for turn in state.rounds[:DEFAULT_ROUNDS])
    threshold = thresholds.current_threshold(workspace, attribute)
    return found + int(state.step == "decide" and threshold is not None and threshold.saved)


def certify(workspace: Workspace, attribute: Attribute, team: Team, *, report: Report = silent) -> Played:
    """Let the team label the certification that was started, batch after batch, until as many labels as were planned.

    Raises
    ------
    LearningError
        No certification was started.
    Stopped
        Raised by ``report``; what was labelled is kept.
    """
    found = certification.current(workspace, attribute)
    if found is None:
        raise LearningError(
            f"{attribute.name} has no certification to label. Start one on the Threshold page, then let it be labelled."
        )
    lines: list[str] = []
    while True:
        state = certification.state(workspace, found)
        report(min(state.task.answered, found.planned), found.planned, "labels")
        given = answer(workspace, found.task, team) if state.task.total > state.task.answered else 0
        if given:
            lines.append(f"{given:,} answers")
        elif state.next_batch and state.task.answered < found.planned:
            found = certification.extend(workspace, state.certification).certification
        else:
            report(found.planned, found.planned, "labels")
            return Played(tuple(lines), True)


@dataclass(frozen=True)
class WhoAnswered:
    """How many answers stand, by people and by simulated annotators."""

    people: int
    simulated: int


def who_answered(workspace: Workspace, attribute: Attribute | None = None) -> WhoAnswered:
    """Count the answers that were not withdrawn, of one attribute or of all."""
    told, who = db.annotations, db.annotators
    query = (
        sa.select(who.c.simulated, sa.func.count())
        .join(who, who.c.id == told.c.annotator_id)
        .where(told.c.answer != "withdrawn", sa.true() if attribute is None else told.c.attribute_id == attribute.id)
        .group_by(who.c.simulated)
    )
    with workspace.engine.connect() as connection:
        found = {bool(simulated): int(count) for simulated, count in connection.execute(query)}
    return WhoAnswered(found.get(False, 0), found.get(True, 0))
