"""Audits from drawing to chart: by project, by one or several people, kept apart by threshold, and written to files."""

import csv
import io
import uuid
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from bam_engine.annotation import IMPORT, Attribute, NewAnswer
from bam_engine.audit import audits
from bam_engine.audit.audits import AuditResult
from bam_engine.audit.charts import FORMS, chart_file
from bam_engine.cli import main
from bam_engine.errors import AuditError
from bam_engine.guidance.guidance import guidance_of
from bam_engine.labelling import assigning, tasks
from bam_engine.learning import clopper_pearson
from bam_engine.reporting.overview import waiting_tasks
from bam_engine.training import thresholds
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.labelling.team import vote


@pytest.fixture
def decided(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    oracle.play(workspace, watercolor, count=1)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    return workspace


def test_two_people_label_each_image_of_an_audit_while_one_is_enough_elsewhere(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = tasks.labels(decided, watercolor).settled.sum()
    drawn = audits.draw(decided, watercolor, n_accepted=6, n_rejected=4, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="anna")
    half = audits.latest_result(decided, watercolor)
    assert half is not None
    assert (half.people, half.state.answered, half.complete) == (2, 0, False)
    assert half.precision is half.by_any is half.missed is None
    assert len(assigning.rows_for(decided, drawn.task, decided.annotations.annotator("anna"))) == 0
    oracle.answer(decided, drawn.task, name="berta")
    whole = audits.latest_result(decided, watercolor)
    assert whole is not None
    assert whole.complete
    assert whole.annotators == (("anna", 10), ("berta", 10))
    assert whole.precision is not None
    assert whole.precision.n == 6
    assert tasks.labels(decided, watercolor).settled.sum() == before + 10
    assert decided.redundancy == 1


def test_after_the_rounds_come_the_threshold_the_audit_and_the_report(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    def comes_next() -> str:
        return guidance_of(workspace, watercolor).step

    oracle.play(workspace, watercolor)
    assert comes_next() == "decide"
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert comes_next() == "audit"
    drawn = audits.draw(workspace, watercolor, n_accepted=6, n_rejected=4, seed=1)
    assert comes_next() == "label_audit"
    oracle.answer(workspace, drawn.task)
    assert comes_next() == "done"


def test_where_two_people_disagree_bams_definition_says_yes_and_consensus_no_until_others_have_settled_it(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=6, n_rejected=0, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="anna")
    oracle.answer(decided, drawn.task, name="berta", wrong=True)
    torn = audits.latest_result(decided, watercolor)
    assert torn is not None
    assert torn.precision is not None
    assert torn.by_any is not None
    assert (torn.precision.k, torn.precision.n) == (0, 6)
    assert (torn.by_any.k, torn.by_any.n) == (6, 6)
    assert (torn.complete, torn.unsettled) == (True, 6)
    assert waiting_tasks(decided, watercolor, "anna") == []
    assert [task.source_id for task in waiting_tasks(decided, watercolor, "clara")] == [drawn.id]
    for name in ("clara", "dora"):
        oracle.answer(decided, drawn.task, name=name)
    settled = audits.latest_result(decided, watercolor)
    assert settled is not None
    assert settled.precision is not None
    assert settled.precision.k == sum(oracle.knows(decided, row) for row in drawn.task.rows)


def test_the_number_of_people_stays_with_the_audit_and_is_refused_where_it_cannot_be(
    decided: Workspace, watercolor: Attribute
) -> None:
    for people in (0, 10):
        with pytest.raises(AuditError, match=f"{people} people cannot label"):
            audits.draw(decided, watercolor, people=people)
    assert audits.results(decided, watercolor) == []
    audits.draw(decided, watercolor, n_accepted=2, n_rejected=2, seed=1)
    audits.draw(decided, watercolor, n_accepted=2, n_rejected=2, people=3, seed=2)
    decided.redundancy = 2
    assert [one.people for one in audits.results(decided, watercolor)] == [1, 3]


@pytest.mark.parametrize("seed", [0, 1])
def test_an_audit_spreads_over_projects(decided: Workspace, watercolor: Attribute, seed: int) -> None:
    makers = {uri: {"project_id": str(row % 10)} for row, uri in enumerate(decided.catalogue.uris())}
    decided.catalogue.update_details(makers)
    scores, codes = scores_of(decided, watercolor), decided.catalogue.projects()
    drawn = audits.draw(decided, watercolor, n_accepted=5, n_rejected=10, seed=seed)
    most = np.bincount(codes[scores >= drawn.threshold], minlength=10).max()
    assert drawn.n_accepted / 5 >= most, "no maker has more than a fifth of the accepted"
    yes = scores[drawn.task.rows] >= drawn.threshold
    assert len(set(codes[drawn.task.rows[yes]])) == 5


def test_older_audits_are_listed_with_the_threshold_they_measured(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    first = audits.draw(decided, watercolor, n_accepted=4, n_rejected=4, seed=7)
    oracle.answer(decided, first.task)
    looser = thresholds.save(decided, watercolor, thresholds.suggest(decided, watercolor, target=0.6))
    audits.draw(decided, watercolor, n_accepted=3, n_rejected=0, seed=8)
    old, new = audits.results(decided, watercolor)
    assert (old.threshold, old.target, old.current, old.seed) == (first.threshold, 0.9, False, 7)
    assert (new.threshold, new.target, new.current, new.seed) == (looser.value, 0.6, True, 8)
    assert old.precision_interval is not None
    latest = audits.latest_result(decided, watercolor)
    assert latest is not None
    assert latest.id == new.id
    assert not set(old.task.rows) & set(new.task.rows), "what was judged once is not fresh"


def test_the_audit_says_whether_it_keeps_the_target_of_its_threshold(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=8, n_rejected=0, seed=1)
    assert drawn.verdict is None
    oracle.answer(decided, drawn.task)
    found = audits.latest_result(decided, watercolor)
    assert found is not None
    assert found.verdict is not None
    assert found.verdict.target == 0.9
    assert found.verdict.met is None, "eight images certify nothing"
    assert found.verdict.available == drawn.n_accepted


def test_an_audit_that_is_under_way_gives_counts_but_no_verdict(
    decided: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=8, n_rejected=8, seed=1)
    assignment = assigning.open_task(decided, drawn.task, "ada")
    assert assignment is not None
    for row in assignment.rows[:-1]:  # all but one are judged not to be: the worst verdict there is
        decided.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, row, 0)])
    half = audits.latest_result(decided, watercolor)
    assert half is not None
    assert half.verdict is not None
    assert half.precision is not None
    assert half.precision.meets(0.9) is False
    assert half.verdict.met is None
    assert "not finished" in half.verdict.summary
    assert "1 image of both halves has no label" in half.verdict.summary
    assert audits.finished_audits(decided) == [], "neither in the chart nor in the mean"
    lines = list(csv.DictReader(io.StringIO(chart_file([half], "csv").decode())))
    assert lines[0]["target_met"] == "open"
    svg = "".join(ElementTree.fromstring(chart_file([half], "svg")).itertext())
    assert "not finished" in svg
    decided.annotations.record(assignment.id, [NewAnswer(uuid.uuid4().hex, assignment.rows[-1], 0)])
    whole = audits.latest_result(decided, watercolor)
    assert whole is not None
    assert whole.verdict is not None
    assert whole.verdict.met is False
    assert [one.id for one in audits.finished_audits(decided)] == [drawn.id]


def test_doubt_is_left_until_as_many_people_as_required_have_judged_all_that_is_delivered(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    decided.redundancy = 2
    first = int(np.flatnonzero(delivered_of(decided, watercolor).by_classifier)[0])
    vote(decided, watercolor, "ada", {first: 1})  # asked before the draw, so it is not drawn, but still delivered
    drawn = audits.draw(decided, watercolor, n_accepted=500, n_rejected=0, people=1, seed=1)
    assert first not in drawn.task.rows

    def judged(found: AuditResult | None) -> tuple[bool | None, int]:
        assert found is not None
        assert found.verdict is not None
        assert found.unjudged == delivered_of(decided, watercolor).counts.by_classifier
        return found.verdict.met, found.unjudged

    vote(decided, watercolor, "anna", dict.fromkeys(drawn.task.rows.tolist(), 0), purpose="audit")
    met, unjudged = judged(audits.latest_result(decided, watercolor))
    assert (met, unjudged > len(drawn.task.rows)) == (False, True), "a single no takes nothing out"
    vote(decided, watercolor, "berta", dict.fromkeys(drawn.task.rows.tolist(), 0), purpose="audit")
    met, unjudged = judged(audits.latest_result(decided, watercolor))
    assert (met, unjudged > 0) == (False, True), "images that could not be drawn are left"
    left = np.flatnonzero(delivered_of(decided, watercolor).by_classifier).tolist()
    for name in ("anna", "berta"):
        vote(decided, watercolor, name, {row: int(oracle.knows(decided, row)) for row in left})
    assert judged(audits.latest_result(decided, watercolor)) == (True, 0)


@pytest.fixture
def audited(decided: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    drawn = audits.draw(decided, watercolor, n_accepted=8, n_rejected=4, people=2, seed=1)
    oracle.answer(decided, drawn.task, name="anna")
    oracle.answer(decided, drawn.task, name="berta")
    return decided


def test_the_table_has_both_definitions_and_the_mean(audited: Workspace) -> None:
    found = audits.finished_audits(audited)
    lines = list(csv.DictReader(io.StringIO(chart_file(found, "csv").decode())))
    assert [(line["attribute"], line["definition"]) for line in lines] == [
        ("media_watercolor", "consensus"),
        ("media_watercolor", "any"),
        ("mean", "consensus"),
        ("mean", "any"),
    ]
    first = lines[0]
    exact = clopper_pearson(int(first["positive"]), int(first["labelled"]))
    assert (float(first["low"]), float(first["high"])) == pytest.approx((exact.low, exact.high))
    assert (first["people"], first["target_met"], first["target"], first["seed"]) == ("2", "open", "0.9", "1")


def test_the_chart_is_written_as_svg_and_png_and_in_no_other_form(audited: Workspace) -> None:
    found = audits.finished_audits(audited)
    text = "".join(ElementTree.fromstring(chart_file(found, "svg")).itertext())
    assert "watercolor (media)" in text
    assert "mean of" not in text, "one attribute has no mean beside itself"
    assert chart_file(found, "png").startswith(b"\x89PNG")
    with pytest.raises(AuditError, match="Choose one of svg, png, csv"):
        chart_file(found, "pdf")
    with pytest.raises(AuditError, match="No attribute is audited yet"):
        chart_file([], "svg")


def test_the_command_line_writes_the_chart_and_says_the_verdict(
    audited: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(audited.folder))
    monkeypatch.setenv("BAM_CACHE", str(audited.cache.parent))
    for form in FORMS:
        target = tmp_path / f"chart.{form}"
        assert main(["audit", "--chart", str(target)]) == 0
        assert target.read_bytes() == chart_file(audits.finished_audits(audited), form)
        assert capsys.readouterr().out.strip() == str(target)
    assert main(["audit", "media_watercolor"]) == 0
    out = capsys.readouterr().out
    assert "design effect 1.00" in out
    assert "Inconclusive: " in out
    assert main(["audit"]) == 1
    assert "No attribute is given" in capsys.readouterr().err
    assert main(["audit", "--chart", str(tmp_path / "chart.pdf")]) == 1
    assert "'pdf'" in capsys.readouterr().err
    assert main(["audit", "media_watercolor", "--draw", "--accepted", "2", "--rejected", "1", "--votes", "3"]) == 0
    capsys.readouterr()
    assert audits.results(audited, tasks.attribute_of(audited, "media_watercolor"))[-1].people == 3


def test_an_audit_shows_only_images_nobody_has_answered_and_counts_both_sides(
    played: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    with pytest.raises(AuditError, match="media_watercolor has no saved threshold"):
        audits.draw(played, watercolor)
    kept = thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    known = set(played.annotations.answers(watercolor.id).rows.tolist())
    drawn = audits.draw(played, watercolor, n_accepted=8, n_rejected=8, seed=1)
    assert not known & set(drawn.task.rows.tolist())
    assert [task.purpose for task in waiting_tasks(played, watercolor, "me")] == ["audit"]
    oracle.answer(played, drawn.task)
    found = audits.latest_result(played, watercolor)
    assert found is not None
    assert found.complete
    assert found.precision is not None
    assert found.missed is not None
    above = drawn.task.rows[scores_of(played, watercolor)[drawn.task.rows] >= kept.value]
    assert found.precision.n == len(above)
    assert found.precision.k == sum(oracle.knows(played, row) for row in above)
    assert found.missed.n == len(drawn.task.rows) - len(above)


def test_an_audit_belongs_to_its_threshold(played: Workspace, watercolor: Attribute, oracle: Oracle) -> None:
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.9))
    oracle.answer(played, audits.draw(played, watercolor, n_accepted=4, n_rejected=4, seed=1).task)
    thresholds.save(played, watercolor, thresholds.suggest(played, watercolor, target=0.5))
    assert audits.latest_result(played, watercolor) is None
    assert len(audits.results(played, watercolor)) == 1


def test_an_audit_of_a_threshold_that_was_replaced_scores_no_image_again(
    decided: Workspace, watercolor: Attribute, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = audits.draw(decided, watercolor, n_accepted=4, n_rejected=4, seed=7)
    oracle.answer(decided, first.task)
    in_force = audits.latest_result(decided, watercolor)
    assert in_force is not None
    thresholds.save(decided, watercolor, thresholds.suggest(decided, watercolor, target=0.6))
    monkeypatch.setattr(audits, "delivered_at", None)
    (old,) = audits.results(decided, watercolor)
    assert (old.by_people, old.precision, old.later) == (in_force.by_people, in_force.precision, 0)
    assert old.verdict is not None
    assert in_force.verdict is not None
    assert old.verdict.delivered == in_force.verdict.delivered


def test_where_all_accepted_images_are_judged_the_audited_precision_is_exact(
    decided: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=500, n_rejected=2, seed=7)
    oracle.answer(decided, drawn.task)
    found = audits.latest_result(decided, watercolor)
    assert found is not None
    assert found.precision is not None
    assert found.by_any is not None
    for estimate in (found.precision, found.by_any, audits.mean_precision([found])):
        assert estimate is not None
        assert estimate.low == estimate.value == estimate.high == estimate.bound
    assert found.precision_interval == (found.precision.value,) * 3


def test_imported_labels_say_nothing_in_an_audit(decided: Workspace, watercolor: Attribute) -> None:
    drawn = audits.draw(decided, watercolor, n_accepted=5, n_rejected=5, people=1, seed=1)
    judged = {int(row): number % 2 for number, row in enumerate(drawn.task.rows)}
    vote(decided, watercolor, "oracle", judged, purpose="audit")
    before = audits.results(decided, watercolor)[-1]
    for name in ("somebody", "somebody else"):
        vote(decided, watercolor, name, dict.fromkeys(judged, 1), purpose=IMPORT)
    after = audits.results(decided, watercolor)[-1]
    assert (after.precision, after.by_any, after.missed) == (before.precision, before.by_any, before.missed)
    assert after.annotators == before.annotators
