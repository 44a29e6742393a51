"""Agreement of the annotators of an attribute, with an interval for every number.

Applies ``annotation.agreement`` and ``annotation.dawid_skene`` to the stored answers. Decisions of adjudicators are not
votes and are ignored here. Agreement is that of the *planned* answers: of the first people asked about each image, as
many as it was meant for. Who is asked further because these do not agree sees difficult images only, so their answers
enter the Dawid–Skene model alone (:mod:`.answer_model`). All intervals have 95% confidence:

- Proportions (raw agreement, yes rate, agreement with the majority): exact, clustered by project where projects repeat;
  see :func:`bam_engine.learning.proportions`.
- Kappa and alpha: for each limit, the wider of a bootstrap over projects and of the exact interval of the raw agreement
  transformed with the observed chance agreement. A bootstrap alone would call five shared images without a disagreement
  certain.
- Sensitivity and specificity: the wider of a bootstrap over projects and of the exact interval for the expected number
  of positive or negative images.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bam_engine import database as db
from bam_engine.annotation import IMPORT, SKIPPED, UNSURE, Answers, Attribute
from bam_engine.annotation import agreement as agreeing
from bam_engine.annotation.agreement import Table, Undefined, Unsure
from bam_engine.annotation.answer_log import answer_log
from bam_engine.formatting import count
from bam_engine.labelling import tasks
from bam_engine.labelling.answer_model import AnswerModel, draw_counts, fit_answers, prevalence, rate
from bam_engine.labelling.drawn_images import audit_images, held_out_rows
from bam_engine.labelling.measures import Floats, Measure, proportion, undefined
from bam_engine.workspace.core import Workspace
from bam_engine.workspace.memory import Kind

REPEATS = 1000  # bootstrap samples of the measures
MIN_PEOPLE = 2  # for whom an image is meant at least: a second answer is never asked for because of the first
MAX_PAIRS = 100  # pairs of annotators, those who share the most images
_TAIL = 0.025


@dataclass(frozen=True)
class PairAgreement:
    """The agreement of two annotators on the ``shared`` images that both answered."""

    first: str
    second: str
    shared: int
    raw: Measure
    kappa: Measure


@dataclass(frozen=True)
class AnnotatorAgreement:
    """One annotator.

    Of their ``answers``, ``settling`` ones were asked for because others did not agree. ``positive`` and ``unsure`` are
    fractions of the other ones, the planned answers. ``with_majority`` is the fraction of images on which they agree
    with the majority of the others, without their own vote, among planned answers. ``sensitivity`` and ``specificity``
    are those of the Dawid–Skene model.
    """

    name: str
    answers: int
    settling: int
    positive: Measure
    unsure: Measure
    with_majority: Measure
    sensitivity: Measure
    specificity: Measure


@dataclass(frozen=True)
class Agreement:
    """The agreement of the annotators of one attribute.

    ``answered`` images have an answer, ``shared`` of them several planned ones. ``settling`` further answers were asked
    for because these did not agree; they are in no measure but those of the Dawid–Skene model. ``prevalence`` is the
    fraction of positives among the images with several answers by that model; without it no annotator has a sensitivity
    either. ``pairs`` holds at most ``MAX_PAIRS`` pairs, those with the most shared images first.
    """

    attribute: Attribute
    unsure: Unsure
    answered: int
    shared: int
    settling: int
    raw: Measure
    alpha: Measure
    prevalence: Measure
    pairs: tuple[PairAgreement, ...]
    annotators: tuple[AnnotatorAgreement, ...]

    @property
    def not_counted(self) -> str:
        """Which answers are not counted as agreement, in a sentence; empty if all are."""
        if not self.settling:
            return ""
        return f"Not counted: {count(self.settling, 'answer')} of people who were asked since the first did not agree."


_AGREEMENTS = Kind[Agreement](
    "agreement of annotators", of="attribute", until="its next answer, or images or annotators change", limit=200
)


def measure(workspace: Workspace, attribute: Attribute, *, unsure: Unsure = "value", seed: int = 0) -> Agreement:
    """Return the agreement of the annotators of ``attribute``, cached until the next answer.

    Parameters
    ----------
    unsure
        ``"value"``: unsure is an answer of its own, which is stricter. ``"missing"``: unsure counts as no answer.
    seed
        Seed of the bootstrap.
    """
    names = workspace.annotators.names()
    version = (
        answer_log(workspace.engine, attribute.id),
        attribute,
        names,
        len(workspace.catalogue),
        seed,
        workspace.redundancy,
        workspace.judging_redundancy,
        len(held_out_rows(workspace, attribute)),
        len(workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id)),
    )

    def measured() -> Agreement:
        answers, projects = workspace.annotations.answers(attribute.id), workspace.catalogue.projects()
        planned = _planned(workspace, attribute, answers)
        return measure_answers(attribute, answers, planned, projects, names, unsure=unsure, seed=seed)

    return workspace.memory.get(_AGREEMENTS, (attribute.id, unsure), version, measured)


def planned_answers(workspace: Workspace, attribute: Attribute) -> Answers:
    """Return the answers that count as agreement: those asked for whatever others had said."""
    answers = workspace.annotations.answers(attribute.id)
    kept = _planned(workspace, attribute, answers)
    return Answers(answers.rows[kept], answers.annotators[kept], answers.answers[kept])


def _planned(workspace: Workspace, attribute: Attribute, answers: Answers) -> NDArray[np.bool_]:
    """Return which answers were asked for whatever others had said.

    An image is meant for as many people as the workspace requires, for two at least, and in an audit for those that the
    audit requires. Labels that were imported count, since nobody asked for them here. Whoever is asked to confirm a yes
    for a certification does not: they see no image that somebody has called no.
    """
    log = answer_log(workspace.engine, attribute.id)
    people = np.maximum(MIN_PEOPLE, tasks.redundancy(workspace, attribute).of(answers.rows))
    for audit in workspace.snapshot.rows_with(db.audits.c.attribute_id, attribute.id):
        judged = np.isin(answers.rows, audit_images(workspace, audit.id).rows)
        people[judged] = np.maximum(people[judged], audit.votes or 0)
    confirmed = np.setdiff1d(log.rows[log.given_for(["certification"])], held_out_rows(workspace, attribute))
    people[np.isin(answers.rows, confirmed)] = workspace.redundancy
    first = log.first_votes(answers)
    people -= _set_aside_before(workspace, attribute, answers, log.ids[first])
    return agreeing.planned_answers(answers, first, people) | log.given_for([IMPORT])[first]


def _set_aside_before(
    workspace: Workspace, attribute: Attribute, answers: Answers, first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return how many people had answered before each of ``answers`` whose answers have been set aside since.

    Their answers counted then, so whoever came next may have been asked because of them. ``first`` are the annotations
    by which each person answered first.
    """
    before, every = np.zeros(len(answers.rows), np.int64), answer_log(workspace.engine, attribute.id, set_aside=True)
    through: dict[int, int] = {}
    merges = dict(every.merges)
    for one, last in answer_log(workspace.engine, attribute.id).set_aside:
        through[merges.get(one, one)] = max(last, through.get(merges.get(one, one), 0))
    if not through:
        return before
    given = every.votes()
    began = every.ids[every.first_votes(given)]
    for person, last in through.items():
        theirs = given.annotators == person
        place = np.searchsorted(given.rows[theirs], answers.rows)
        rows, ids = np.append(given.rows[theirs], -1), np.append(began[theirs], last + 1)
        asked_after = (rows[place] == answers.rows) & (ids[place] < first) & (first <= last)
        before += asked_after & (answers.annotators != person)
    return before


def measure_answers(
    attribute: Attribute,
    answers: Answers,
    planned: NDArray[np.bool_],
    projects: NDArray[np.int64],
    names: dict[int, str],
    *,
    unsure: Unsure = "value",
    seed: int = 0,
) -> Agreement:
    """Return the agreement that answers show.

    Parameters
    ----------
    answers
        By row. ``planned`` ones count as agreement; see ``planned_answers`` in :mod:`bam_engine.annotation.agreement`.
    projects
        The project of each row.
    names
        Of the annotators, by id.
    """
    overlap = Answers(answers.rows[planned], answers.annotators[planned], answers.answers[planned])
    table, every = (agreeing.tabulate(each, unsure=unsure) for each in (overlap, answers))
    raw, alpha, pairs = _agreement(table, projects[table.rows], names, np.random.default_rng(seed))
    model = fit_answers(every, projects[every.rows], np.random.default_rng(seed))
    return Agreement(
        attribute=attribute,
        unsure=unsure,
        answered=len(every.rows),
        shared=int((agreeing.answer_counts(table).sum(axis=1) > 1).sum()),
        settling=int((~planned).sum()),
        raw=raw,
        alpha=alpha,
        prevalence=prevalence(model),
        pairs=pairs,
        annotators=_annotators(answers, planned, table, projects, names, model),
    )


def agreement_of_votes(
    answers: Answers, projects: NDArray[np.int64], *, unsure: Unsure = "value", seed: int = 0
) -> tuple[Measure, Measure]:
    """Return raw agreement and Krippendorff's alpha of votes that all count, each with its 95% interval.

    Parameters
    ----------
    answers
        By row.
    projects
        The project of each row.
    unsure, seed
        See :func:`measure`.
    """
    table = agreeing.tabulate(answers, unsure=unsure)
    groups = projects[table.rows]
    images, coincidences = agreeing.coincidences(table)
    (samples,) = _bootstrap([groups[images]], [coincidences], np.random.default_rng(seed))
    return _of_all(table, groups, coincidences, agreeing.alpha_of(samples))


def answers_by_annotator(workspace: Workspace) -> dict[int, int]:
    """Return how many answers each annotator ever gave, set aside or not, by id; a merged one's are the other's."""
    logs = [answer_log(workspace.engine, attribute.id, set_aside=True) for attribute in workspace.attributes.all()]
    given = np.concatenate([np.empty(0, np.int32), *(log.annotators[log.answers != SKIPPED] for log in logs)])
    ids, counts = np.unique(given, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def suggest_overlap(workspace: Workspace) -> Literal["second_annotator", "second_vote"]:
    """Return what would give images several answers, where none has.

    "second_annotator" if each image needs several votes but only one person has answered; "second_vote" if each image
    needs one vote only.
    """
    return "second_annotator" if max(workspace.redundancy, workspace.judging_redundancy) > 1 else "second_vote"


# Agreement of all annotators and of pairs


def _agreement(
    table: Table, groups: NDArray[np.int64], names: dict[int, str], rng: np.random.Generator
) -> tuple[Measure, Measure, tuple[PairAgreement, ...]]:
    pairs = sorted(agreeing.annotator_pairs(table), key=lambda pair: -len(agreeing.shared_images(table, *pair)))
    pairs = pairs[:MAX_PAIRS]
    images, coincidences = agreeing.coincidences(table)
    summands = [(images, coincidences), *(agreeing.contingency(table, i, j) for i, j in pairs)]
    samples = _bootstrap([groups[where] for where, _ in summands], [each for _, each in summands], rng)
    raw, alpha = _of_all(table, groups, coincidences, agreeing.alpha_of(samples[0]))
    lines = [
        _of_two(table, groups, pair, agreeing.kappa_of(each), names)
        for pair, each in zip(pairs, samples[1:], strict=True)
    ]
    return raw, alpha, tuple(sorted(lines, key=lambda line: (-line.shared, line.first, line.second)))


def _bootstrap(groups: list[NDArray[np.int64]], tables: list[Floats], rng: np.random.Generator) -> list[Floats]:
    """Sum each of the (n, 3, 3) tables over projects drawn with replacement, the same for all: (REPEATS, 3, 3) each."""
    projects, codes = np.unique(np.concatenate(groups), return_inverse=True)
    if len(projects) == 0:
        return [np.empty((0, 3, 3)) for _ in tables]
    summed = np.zeros((len(projects), len(tables), 3, 3))
    start = 0
    for index, table in enumerate(tables):
        np.add.at(summed[:, index], codes[start : start + len(table)], table)
        start += len(table)
    flat = summed.reshape(len(projects), -1)
    result = np.array([draw_counts(len(projects), rng) @ flat for _ in range(REPEATS)])
    return list(np.moveaxis(result.reshape(-1, len(tables), 3, 3), 1, 0))


def _of_all(table: Table, groups: NDArray[np.int64], coincidences: Floats, samples: Floats) -> tuple[Measure, Measure]:
    try:
        pairs = agreeing.answer_pairs(table)
    except Undefined as error:
        neither = undefined(str(error), int((agreeing.answer_counts(table).sum(axis=1) > 1).sum()))
        return neither, neither
    weights = 2 / (pairs.answers * (pairs.answers - 1))
    raw = proportion(pairs.same, groups[pairs.images], weights=weights, n=len(coincidences))
    try:
        value = agreeing.krippendorff_alpha(table)
    except Undefined as error:
        return raw, undefined(str(error), len(coincidences))
    paired = proportion(pairs.same, groups[pairs.images], weights=1 / (pairs.answers - 1), n=len(coincidences))
    expected = float(agreeing.alpha_expected_disagreement(coincidences.sum(axis=0)))
    return raw, _chance_corrected(value, expected, paired, samples)


def _of_two(
    table: Table, groups: NDArray[np.int64], pair: tuple[int, int], samples: Floats, names: dict[int, str]
) -> PairAgreement:
    both = agreeing.shared_images(table, *pair)
    raw = proportion(table.codes[both, pair[0]] == table.codes[both, pair[1]], groups[both])
    try:
        value = agreeing.cohen_kappa(table, *pair)
        expected = float(agreeing.kappa_expected_disagreement(agreeing.contingency(table, *pair)[1].sum(axis=0)))
        kappa = _chance_corrected(value, expected, raw, samples)
    except Undefined as error:
        kappa = undefined(str(error), len(both))
    first, second = (names[int(table.annotators[column])] for column in pair)
    return PairAgreement(first, second, len(both), raw, kappa)


def _chance_corrected(value: float, expected: float, raw: Measure, samples: Floats) -> Measure:
    """Return kappa or alpha with its interval: both are 1 - (1 - raw agreement) / expected disagreement."""
    low, high = (1 - (1 - limit) / expected for limit in (raw.low, raw.high))
    values = samples[~np.isnan(samples)]
    if len(values):
        low, high = min(low, np.quantile(values, _TAIL)), max(high, np.quantile(values, 1 - _TAIL))
    return Measure(value, max(float(low), -1.0), min(float(high), 1.0), raw.n, coefficient=True)


# Each annotator


def _annotators(
    answers: Answers,
    planned: NDArray[np.bool_],
    table: Table,
    projects: NDArray[np.int64],
    names: dict[int, str],
    model: AnswerModel,
) -> tuple[AnnotatorAgreement, ...]:
    groups = projects[table.rows]
    lines = []
    for key in np.unique(answers.annotators):
        own = answers.annotators == key
        every, column = _column(model.table, int(key)), _column(table, int(key))
        unsure = proportion(answers.answers[own & planned] == UNSURE, projects[answers.rows[own & planned]])
        positive = with_majority = undefined(_without_planned(bool((own & planned).any())), 0)
        if column is not None:
            codes = table.codes[:, column]
            answered = codes != agreeing.NO_ANSWER
            positive = proportion(codes[answered] == agreeing.YES, groups[answered])
            places, own_codes, others = agreeing.beside_others(table, column)
            with_majority = proportion(own_codes == others, groups[places])
        lines.append(
            AnnotatorAgreement(
                name=names[int(key)],
                answers=0 if every is None else int((model.table.codes[:, every] != agreeing.NO_ANSWER).sum()),
                settling=int((own & ~planned).sum()),
                positive=positive,
                unsure=unsure,
                with_majority=with_majority,
                sensitivity=rate(model, every, 1),
                specificity=rate(model, every, 0),
            )
        )
    return tuple(lines)


def _column(table: Table, annotator: int) -> int | None:
    """Return the column of an annotator, or None for one without an answer."""
    column = int(np.searchsorted(table.annotators, annotator))
    return column if column < len(table.annotators) and table.annotators[column] == annotator else None


def _without_planned(unsure: bool) -> str:
    """Return why an annotator has no planned answer that counts."""
    if unsure:
        return "They were unsure about every image."
    return "They were asked only about images on which others did not agree."
