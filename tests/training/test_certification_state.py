"""How far a certification is, in numbers and in words, and the risk that all of an attribute share."""

import pytest
import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.formatting import decimal
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import direct_answers, tasks
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import (
    certification,
    certification_history,
    certification_store,
    certified_cuts,
    rounds,
    thresholds,
)
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote
from tests.training.certifying import finish, trained

__all__ = ["trained"]


def test_what_is_to_be_confirmed_holds_nothing_up_and_is_no_label_of_the_certification(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    trained.judging_redundancy = 2
    started = certification.start(trained, watercolor, target=0.9, planned=60, seed=3).certification
    pilot = {row: int(oracle.knows(trained, row)) for row in started.pilot.tolist()}
    for name in ("oracle", "ben"):
        vote(trained, watercolor, name, pilot, purpose="certification")
    state = certification.state(trained, started)
    assert not state.task.complete, "some have to be confirmed"
    assert state.batch.complete
    assert state.batch.answered == len(pilot)
    (line,) = certification_history.history(trained, watercolor)
    assert line.labels == sum(line.batches) == len(pilot)
    oracle.answer(trained, tasks.validation_task(trained, watercolor), name="ben")
    guidance = guidance_of(trained, watercolor)
    assert guidance.facts is not None
    assert guidance.facts.certifying is not None
    assert guidance.facts.certifying.batch.left == 0
    assert guidance.facts.certifying.labels == len(pilot)
    assert guidance.facts.certifying.unconfirmed == state.task.left > 0
    extended = certification.extend(trained, state.certification).certification
    assert len(extended.queried) > len(pilot)


def test_a_direct_answer_is_no_progress_of_what_judges_wherever_it_is_told(
    trained: Workspace, watercolor: Attribute
) -> None:
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3).certification
    direct_answers.answer(trained, watercolor, int(started.pilot[0]), 1, annotator="eve")
    guidance = guidance_of(trained, watercolor)
    assert guidance.facts is not None
    assert guidance.facts.certifying is not None
    progress = guidance.facts.certifying.batch
    assert (progress.answered, progress.short) == (0, 0)
    trained.judging_redundancy = 2
    vote(trained, watercolor, "ada", {int(started.pilot[1]): 1}, purpose="certification")
    found = guidance_of(trained, watercolor).facts
    assert found is not None
    assert found.certifying is not None
    (stored,) = certification_store.certifications(trained, watercolor)
    assert found.certifying.batch.short == tasks.state(trained, stored.batch).short == 1


def test_the_certified_sentence_says_which_images_it_is_about(
    trained: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    assert state.progress is not None
    found = thresholds.suggest(trained, watercolor, target=0.6)
    assert found.covers == certified_cuts.covered_from(trained, state.certification, found.value)
    assert found.covers <= state.progress.accepted
    assert found.covers < found.n_accepted
    assert f"among {found.covers} accepted images not labelled or queried" in found.summary
    assert "not labelled or queried when" in state.summary


def test_certifications_are_listed_in_the_report(trained: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    state = finish(trained, watercolor, oracle)
    (line,) = certification_history.history(trained, watercolor)
    assert (line.seed, line.target, line.planned, line.certified) == (3, 0.6, 60, state.certified)
    assert sum(line.batches) == line.labels == len(state.certification.task.rows)
    assert line.pilot == len(state.certification.pilot)
    assert line.cuts == state.certification.cuts
    assert line.population == len(trained.catalogue) - len(state.certification.known)
    text = write_report(trained, gather(trained, watercolor))
    assert "Certifications" in text
    assert " + ".join(str(size) for size in line.batches[1:]) in text
    assert ", ".join(decimal(cut, 3) for cut in line.cuts) in text


def test_all_certifications_of_an_attribute_share_the_risk(
    trained: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested: list[float] = []
    real = certification.learning.certify_precision

    def certify_precision(plan, *data, **options):
        tested.append(plan.confidence)
        return real(plan, *data, **options)

    monkeypatch.setattr(certification.learning, "certify_precision", certify_precision)
    started = certification.start(trained, watercolor, target=0.6, planned=60, seed=3)
    oracle.answer(trained, started.certification.task)
    first = certification.state(trained, started.certification)
    assert first.certification.confidence == 0.95
    assert tested == [pytest.approx(0.975)] * len(tested) != []
    assert "It is tested at 97.5%." in first.summary
    assert "together" not in first.summary, "it is the only one"
    certification.start(trained, watercolor, target=0.7, seed=4)
    turn = rounds.start_round(trained, watercolor, count=10, seed=2)
    oracle.answer(trained, turn.task)
    rounds.train(trained, watercolor)
    certification.start(trained, watercolor, target=0.6, seed=5)
    shares = [each.risk_share for each in certification_store.certifications(trained, watercolor)]
    assert shares == [0.5, 0.25, 0.125]
    again = certification.state(trained, started.certification)
    assert again.together == pytest.approx(1 - 0.05 * sum(shares))
    assert "All 3 certifications of this attribute together hold with 95.6% confidence." in again.summary
    other = trained.attributes.add("media_oilpaint", "media", "Is it an oil painting?")
    assert certification_store.certifications(trained, other) == []


def test_a_certification_of_an_early_version_keeps_the_risk_that_it_stated(
    trained: Workspace, watercolor: Attribute
) -> None:
    certification.start(trained, watercolor, target=0.6, seed=3)
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).values(risk_share=None))
    (early,) = certification_store.certifications(trained, watercolor)
    assert (early.risk_share, early.tested_at) == (1.0, early.confidence)
    assert "together" not in certification.state(trained, early).summary
    certification.start(trained, watercolor, target=0.7, seed=4)
    assert [each.risk_share for each in certification_store.certifications(trained, watercolor)] == [1.0, 0.25]


@pytest.mark.parametrize(
    ("changed", "together", "said"),
    [({"risk_share": None}, 1 - 0.05 - 0.0125, "93.7%"), ({"confidence": 0.8}, 1 - 0.1 - 0.0125, "88.7%")],
)
def test_what_all_certifications_hold_with_together_is_the_sum_of_what_each_has_spent(
    trained: Workspace,
    watercolor: Attribute,
    oracle: Oracle,
    changed: dict[str, float | None],
    together: float,
    said: str,
) -> None:
    first = certification.start(trained, watercolor, target=0.6, seed=3).certification
    later = certification.start(trained, watercolor, target=0.7, seed=4).certification
    with trained.engine.begin() as connection:
        connection.execute(sa.update(db.certifications).where(db.certifications.c.id == first.id).values(changed))
    oracle.answer(trained, later.task)
    found = certification.state(trained, later)
    assert found.certification.tested_at == pytest.approx(0.9875)
    assert found.together == pytest.approx(together)
    assert f"It is tested at 98.7%. Both certifications of this attribute together hold with {said}" in found.summary
