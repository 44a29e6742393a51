"""The report holds what the stores hold, says what is missing, and is one file that asks nobody for anything."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import sqlalchemy as sa

from bam_engine import __version__
from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.cli import main
from bam_engine.formatting import percent_interval
from bam_engine.labelling import agreement, tasks
from bam_engine.labelling.guideline_examples import add_examples
from bam_engine.labelling.importing import store_labels
from bam_engine.reporting.overview import overview
from bam_engine.reporting.report import AttributeReport, gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import rounds, thresholds, validation
from bam_engine.training.delivered import delivered_of
from bam_engine.training.models import scores_of
from bam_engine.workspace import Workspace
from tests.conftest import Oracle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7 * 7 }}"
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Reader(HTMLParser):
    """Reads a page as a browser would: tags must close in order, and what is in them is kept."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def finished(workspace: Workspace, watercolor: Attribute, oracle: Oracle) -> Workspace:
    oracle.play(workspace, watercolor, count=2)
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=8, n_rejected=8, seed=1).task)
    return workspace


def test_the_report_names_the_version_of_this_program(finished: Workspace, watercolor: Attribute) -> None:
    report = gather(finished, watercolor)
    assert report.versions[0] == ("bam", __version__)
    assert f"bam {__version__}" in Reader(write_report(finished, report)).text


def test_the_report_counts_the_reasons_of_each_round_and_tells_the_seed_of_the_draw(
    finished: Workspace, watercolor: Attribute
) -> None:
    report = gather(finished, watercolor)
    text = Reader(write_report(finished, report)).text
    for line, round_ in zip(report.rounds, rounds.rounds_of(finished, watercolor), strict=True):
        why = Counter(reason for reason, _ in rounds.reasons(finished, round_).values())
        assert dict(line.reasons) == dict(why)
        assert all(f"{count} {reason}" in text for reason, count in why.items())
    assert report.draws[0].seed == 1


def test_the_report_counts_what_the_stores_hold(finished: Workspace, watercolor: Attribute) -> None:
    report = gather(finished, watercolor)
    assert (report.images, report.embedded, report.redundancy) == (120, 120, 1)
    assert report.encoder == finished.choice.key
    (oracle,) = report.annotators
    assert oracle.answers == oracle.positive + oracle.negative == len(finished.annotations.answers(watercolor.id).rows)
    (draw,) = report.draws
    assert (draw.number, draw.images, draw.positive + draw.negative) == (0, 40, 40)
    all_rounds = rounds.rounds_of(finished, watercolor)
    for line, round_ in zip(report.rounds, all_rounds, strict=True):
        assert (line.number, line.strategy, line.seed) == (round_.number, round_.strategy, round_.seed)
        assert dict(line.reasons) == Counter(why for why, _ in rounds.reasons(finished, round_).values())
        assert sum(count for _, count in line.reasons) == line.queried == line.answered == 12
        assert round_.model is not None
        assert (line.model_id, line.trained_at) == (round_.model.id, round_.model.made_at)
    assert [line.labels for line in report.rounds] == [12, 24]
    assert report.threshold == thresholds.current_threshold(finished, watercolor)
    assert [one.id for one in report.audits] == [one.id for one in audits.results(finished, watercolor)]
    assert report.evaluation is not None
    assert report.evaluation.n == 40
    assert report.missing == ()
    assert report.guidance.step == "done"
    assert report.schema == db.SCHEMA_VERSION
    assert dict(report.versions)["numpy"] == np.__version__


def test_examples_stand_on_the_side_they_are_shown_for(finished: Workspace, watercolor: Attribute) -> None:
    report = gather(finished, watercolor, examples=5)
    assert report.threshold is not None
    cut, scores = report.threshold.value, scores_of(finished, watercolor)
    best, accepted, above, below, rejected = report.examples
    ordered = np.sort(scores)
    assert [one.score for one in best.examples] == ordered[::-1][:5].tolist()
    assert [one.score for one in above.examples] == ordered[ordered >= cut][:5].tolist()
    assert [one.score for one in below.examples] == ordered[ordered < cut][::-1][:5].tolist()
    delivered = delivered_of(finished, watercolor)
    assert delivered.accepted[[one.row for one in accepted.examples]].all()
    assert delivered.rejected[[one.row for one in rejected.examples]].all()
    labels = tasks.labels(finished, watercolor)
    for one in best.examples:
        assert one.score == scores[one.row]
        assert one.label == {1: "yes", 0: "no", -1: ""}[int(tasks.labels_of(labels, np.array([one.row]))[0])]
    assert gather(finished, watercolor, examples=5).examples == report.examples, "the same every time"


def missing_at(workspace: Workspace, attribute: Attribute) -> str:
    report = gather(workspace, attribute)
    page = Reader(write_report(workspace, report))
    for words in report.missing:
        assert words in page.text
    return "\n".join(report.missing)


def test_an_attribute_under_way_gives_a_report_that_says_what_is_missing(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    assert "There is no validation sample" in missing_at(workspace, watercolor)
    validation.draw_validation(workspace, watercolor, 40, seed=1)
    assert "Only 0 of 40 validation images are labelled." in missing_at(workspace, watercolor)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    assert "No model is trained" in missing_at(workspace, watercolor)
    round_ = rounds.start_round(workspace, watercolor, count=12, seed=0)
    assert "Round 1 is not fully labelled" in missing_at(workspace, watercolor)
    oracle.answer(workspace, round_.task)
    rounds.train(workspace, watercolor)
    assert missing_at(workspace, watercolor) == "No threshold has been chosen; the one shown is a suggestion."
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert missing_at(workspace, watercolor) == "The threshold is not audited."
    assert gather(workspace, watercolor).guidance.step == "certify", "which can find one that is sure of its target"
    drawn = audits.draw(workspace, watercolor, n_accepted=4, n_rejected=4, seed=1)
    assert missing_at(workspace, watercolor) == "The audit of the threshold is not finished."
    oracle.answer(workspace, drawn.task)
    assert missing_at(workspace, watercolor) == ""


def test_an_empty_workspace_gives_a_report(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "workspace", tmp_path / "cache")
    attribute = empty.attributes.add("own_blue", "own", "Is it blue?")
    assert "The images are not embedded." in missing_at(empty, attribute)
    empty.close()


def test_a_validation_sample_of_one_kind_is_said_in_the_report(
    workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    validation.draw_validation(workspace, watercolor, 10, seed=1)
    truth, oracle.truth = oracle.truth, dict.fromkeys(oracle.truth, False)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    oracle.truth = truth
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=30, seed=0).task)
    rounds.train(workspace, watercolor)
    report = gather(workspace, watercolor)
    assert report.evaluation is None
    assert "labelled validation images is positive" in missing_at(workspace, watercolor)


def test_a_model_trained_on_imported_labels_alone_is_a_model(workspace: Workspace, watercolor: Attribute) -> None:
    assert "No model is trained, so no image has a score." in missing_at(workspace, watercolor)
    store_labels(workspace, watercolor, {row: row % 2 for row in range(20)}, annotator="ada")
    rounds.train(workspace, watercolor)
    assert "No model is trained, so no image has a score." not in missing_at(workspace, watercolor)


def test_the_file_holds_the_numbers_the_charts_and_the_pictures(finished: Workspace, watercolor: Attribute) -> None:
    report = gather(finished, watercolor, examples=4)
    page = Reader(write_report(finished, report))
    audit, threshold = report.audit, report.threshold
    assert audit is not None
    assert audit.precision is not None
    assert audit.verdict is not None
    assert threshold is not None
    for words in (
        watercolor.question,
        report.encoder,
        percent_interval(audit.precision.value, audit.precision.low, audit.precision.high),
        audit.verdict.summary,
        threshold.finding,
        "96 of 100, 188 of 200, 371 of 400.",
        *(one.title for one in report.examples),
        *(why for line in report.rounds for why, _ in line.reasons),
    ):
        assert re.sub(r"\s+", " ", words) in page.text
    titles = [page.tags[i + 1][0] for i, (tag, _) in enumerate(page.tags) if tag == "svg"]
    assert titles == ["title"] * 4
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(pictures) == sum(len(group.examples) for group in report.examples)
    assert all(source is not None and source.startswith("data:image/webp;base64,") for source in pictures)


def test_the_file_refers_to_nothing_outside_itself(finished: Workspace, watercolor: Attribute) -> None:
    text = write_report(finished, gather(finished, watercolor))
    page = Reader(text)
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "a"} == set()
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in text
    assert "@import" not in text
    assert str(finished.folder.parent) not in text, "no path of this machine"


def test_what_people_wrote_is_shown_as_it_is_and_never_run(finished: Workspace, watercolor: Attribute) -> None:
    evil = finished.attributes.update(watercolor.id, question=EVIL, instructions=f"{EVIL}\nsecond line")
    with finished.engine.begin() as connection:
        connection.execute(sa.update(db.images).values(title=EVIL))
        connection.execute(sa.update(db.annotators).values(name=EVIL))
        connection.execute(sa.update(db.round_images).values(reason=f"matches {EVIL}"))
    report = replace(gather(finished, evil, examples=3), agreement=((EVIL, EVIL),))
    page = Reader(write_report(finished, report))
    assert "script" not in {tag for tag, _ in page.tags}
    assert all(attributes.get("src") != "x" for _, attributes in page.tags)
    assert page.text.count(EVIL) > 10
    assert "49" not in page.text.replace(EVIL, "").split("Annotators")[0][:200], "a template in a title stays text"


def test_a_picture_that_is_gone_leaves_a_dash(finished: Workspace, watercolor: Attribute) -> None:
    report = gather(finished, watercolor, examples=1)
    row = report.examples[0].examples[0].row
    finished.thumbnails.path(row).unlink()
    with finished.engine.begin() as connection:
        connection.execute(sa.update(db.images).where(db.images.c.row == row).values(uri="/gone.png"))
    page = Reader(write_report(finished, report))
    readable_images = sum(one.row != row for group in report.examples for one in group.examples)
    assert sum(tag == "img" for tag, _ in page.tags) == readable_images


def test_the_file_shows_the_examples_of_the_guidelines_and_says_which_were_removed(
    workspace: Workspace, watercolor: Attribute
) -> None:
    add_examples(workspace, watercolor, [3], "good", EVIL)
    add_examples(workspace, watercolor, [5], "corner")
    workspace.removals.remove([5], reason="a test")
    page = Reader(write_report(workspace, gather(workspace, watercolor)))
    assert [name for name, _ in page.tags].count("img") == 1
    text = " ".join(page.words)
    assert f"Good example: {EVIL}" in text
    assert "Corner case (removed from the collection)" in text


def test_agreement_is_told_where_several_answered_the_same_images(
    finished: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    alone: AttributeReport = gather(finished, watercolor)
    assert alone.agreement == ()
    finished.redundancy = 2
    oracle.answer(finished, tasks.validation_task(finished, watercolor), name="second")
    report = gather(finished, watercolor)
    raw = agreement.measure(finished, watercolor).raw
    assert report.agreement[0] == ("Raw agreement", raw.text)
    assert f"Raw agreement {raw.text}" in Reader(write_report(finished, report)).text


def test_the_command_line_writes_the_report(
    finished: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(finished.folder))
    monkeypatch.setenv("BAM_CACHE", str(finished.cache.parent))
    monkeypatch.chdir(tmp_path)
    assert main(["report", "media_watercolor"]) == 0
    assert capsys.readouterr().out.strip() == "media_watercolor.html"
    Reader((tmp_path / "media_watercolor.html").read_text(encoding="utf-8"))
    assert main(["report", "media_watercolor", "--out", str(tmp_path / "deep" / "r.html")]) == 0
    assert (tmp_path / "deep" / "r.html").exists()
    assert main(["report", "nothing"]) == 1
    (tmp_path / "file").write_text("")
    assert main(["report", "media_watercolor", "--out", str(tmp_path / "file" / "r.html")]) == 1
    assert "Cannot write" in capsys.readouterr().err


def test_chromium_opens_the_file_offline_and_finds_nothing_to_complain_of(
    finished: Workspace, watercolor: Attribute, browser: "Browser", tmp_path: Path
) -> None:
    finished.attributes.update(watercolor.id, question=EVIL)
    file = tmp_path / "report.html"
    text = write_report(finished, gather(finished, finished.attributes.by_id(watercolor.id)))
    file.write_text(text, encoding="utf-8")
    context = browser.new_context(viewport={"width": 390, "height": 800}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: requested.append(request.url.split(":")[0]))
    page.goto(file.as_uri())
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "a phone need not scroll sideways"
    assert page.locator("p.lead").first.inner_text() == EVIL
    assert set(requested) <= {"file", "data"}
    assert complaints == []
    context.close()


def test_the_newest_round_is_measured_by_the_labels_of_now_as_the_rest_is(
    finished: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    before = gather(finished, watercolor)
    assert before.rounds[-1].average_precision is not None
    validation.draw_validation(finished, watercolor, 30, seed=5)
    oracle.answer(finished, tasks.validation_task(finished, watercolor))
    after = gather(finished, watercolor)
    first, last = after.rounds[0], after.rounds[-1]
    assert after.threshold is not None
    assert after.evaluation is not None
    ap = after.evaluation.average_precision
    assert last.average_precision == (ap.value, ap.low, ap.high) != before.rounds[-1].average_precision
    assert last.precision == after.threshold.evidence.precision_interval
    assert last.recall == after.threshold.evidence.recall_interval != before.rounds[-1].recall
    assert last.recall == next(one.recall for one in overview(finished).attributes if one.name == watercolor.name)
    assert first == before.rounds[0], "an earlier one as it was"
