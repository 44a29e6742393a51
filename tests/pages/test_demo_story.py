"""A demo from its first sample to its end: what stands in several places has one value, and no sentence denies another.

After each step, every named figure of the pages, of the commands, of the Python interface and of the report is gathered
under the name of its quantity.
"""

import json
import re
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from bam_engine import database as db
from bam_engine.annotation import Attribute, NewAnswer
from bam_engine.api.attribute import AttributeHandle
from bam_engine.cli import main
from bam_engine.demo.demo_workspace import make_demo
from bam_engine.demo.simulated_annotators import play_next, team_of
from bam_engine.formatting import decimal_interval, percent_interval
from bam_engine.guidance.guidance import Figure, Guidance, guidance_of
from bam_engine.guidance.sizes import sizes
from bam_engine.reporting.overview import overview
from bam_engine.reporting.report import gather
from bam_engine.reporting.report_file import write_report
from bam_engine.training import validation
from bam_engine.workspace import Workspace
from tests.pages.conftest import text_of
from tests.two_encoders import add_vectors, blind_vectors, use

PAGES = ("overview", "rounds", "threshold", "audit", "report", "annotate", "agreement")
METRICS = {
    "rounds": {
        "Labels": "labels",
        "Average precision": "average precision",
        "Precision": "precision",
        "Recall": "recall",
        "Validation": "validation",
    },
    "threshold": {"Precision": "precision", "Recall": "recall", "Accepted": "accepted"},
    "audit": {"Precision": "audited precision"},
    "report": {
        "Accepted": "accepted",
        "Precision": "precision",
        "Recall": "recall",
        "Audited precision": "audited precision",
    },
    "agreement": {"Raw agreement": "raw agreement", "Krippendorff's alpha": "alpha"},
}
"""The quantity that each named figure of a page is, by its label. Of several alike, the first is of what is in use."""
INTERVALS = ("average precision", "precision", "recall", "audited precision")

Said = defaultdict[str, dict[str, str]]
"""What each place says of a quantity."""


def written(text: str) -> str:
    """Return a value and its limits as "90% 83–95%", however they were set."""
    found = re.match(r"[^ ]+(?: \(?[^ ()]+(?: to [^ ()]+)?\)?)?", " ".join(text.split()))
    assert found is not None, text
    return found[0].replace("(", "").replace(")", "")


class Story:
    """The demo, the pages that show it, and the attribute that is labelled."""

    def __init__(self, workspace: Workspace, open_page: Callable[..., AppTest], capsys: pytest.CaptureFixture[str]):
        self.workspace, self.open_page, self.capsys = workspace, open_page, capsys
        self.attribute = workspace.attributes.get("media_watercolor")

    @property
    def guidance(self) -> Guidance:
        return guidance_of(self.workspace, self.attribute)

    def check(self) -> None:
        """Open every page, and compare what is said."""
        said, words = Said(dict), {}
        guidance = self.guidance
        for page in PAGES:
            if guidance.step == "train" and page in ("rounds", "annotate"):
                continue  # these train
            app = self.open_page(self.workspace, page, attribute=self.attribute.name)
            words[page] = words_of(app)
            self.read(page, app, said)
        self.run_commands(said)
        self.ask_python(said)
        self.read_report(said)
        differing = {quantity: places for quantity, places in said.items() if len(set(places.values())) > 1}
        assert not differing, guidance.step
        self.compare_sentences(words, guidance)

    # What is said where

    def read(self, page: str, app: AppTest, said: Said) -> None:
        if page == "overview":
            self.read_overview(app, said)
        measured = self.guidance.facts is not None and self.guidance.facts.threshold is not None
        for metric in app.metric:
            quantity = METRICS.get(page, {}).get(metric.label)
            if quantity is None or page in said[quantity] or metric.value == "–":
                continue
            if page == "threshold" and not measured:
                continue  # that of another target
            exact = quantity in INTERVALS or quantity in ("raw agreement", "alpha")
            if exact and metric.delta and metric.delta != "all labelled yes":
                said[quantity][page] = written(f"{metric.value} {metric.delta}".partition(" · ")[0])
            elif not exact:
                said[quantity][page] = metric.value
        for line in text_of(app).splitlines():
            if line.startswith("**Next:**") and page != "overview":
                said["next"][page] = line.removeprefix("**Next:** ").replace("\\", "")
        if page == "threshold" and (found := re.search(r"Average precision (\S+ \([^)]*\))", text_of(app))):
            said["average precision"]["curve"] = written(found[1])

    def read_overview(self, app: AppTest, said: Said) -> None:
        table = "".join(one.proto.body for one in app.get("html") if "bam-worth" in one.proto.body)
        cells = re.split(r"<span data-name=\"", table)[1:]
        for cell in cells:
            name, _, rest = cell.partition('">')
            plain = re.sub(r"<[^>]*>", " ", rest).replace("truth", "|")
            if name == "accepted":
                said["accepted"]["overview"] = plain.split()[0]
            elif name in INTERVALS:
                said[name]["overview"] = written(plain.partition("|")[0])
        if found := re.search(r"([\d,]+) labels? \(", table):
            said["labels"]["overview"] = found[1]

    def run_commands(self, said: Said) -> None:
        assert main(["next", self.attribute.name, "--json"]) == 0
        told = json.loads(self.capsys.readouterr().out)
        for each in told["evidence"]:
            figure = Figure(each["name"], each["value"], each["low"], each["high"], each["labels"])
            said[figure.name]["bam next"] = written(figure.words)
        said["next"]["bam next"] = f"{told['title']} {told['reason']}".strip()
        assert main(["status"]) == 0
        lines = self.capsys.readouterr().out.splitlines()
        line = next(each for each in lines if each.startswith(f"{self.attribute.name}:"))
        if found := re.search(r"([\d,]+) images? accepted", line):
            said["accepted"]["bam status"] = found[1]
        if found := re.search(r"([\d,]+) labels?\b", line):
            said["labels"]["bam status"] = found[1]
        for name in INTERVALS[1:]:
            if found := re.search(rf"(?<!audited ){name} ([^,]+\))", line):
                said[name]["bam status"] = written(found[1])
        nexts = [each.removeprefix("next: ") for each in lines if each.startswith("next: ")]
        assert nexts == [each.removeprefix("next: ") for each in nexts]
        assert nexts[0].startswith(overview(self.workspace).next.summary)

    def ask_python(self, said: Said) -> None:
        handle = AttributeHandle(self.workspace, self.attribute)
        threshold = handle.threshold
        if threshold is not None:
            delivered = handle.decisions()
            said["accepted"]["Python"] = f"{int((delivered['decision'] == 'accepted').sum()):,}"
            said["recall"]["Python"] = written(percent_interval(*threshold.evidence.recall_interval))

    def read_report(self, said: Said) -> None:
        report = gather(self.workspace, self.attribute)
        text = write_report(self.workspace, report)
        facts = dict(re.findall(r'<div class="fact"><span>([^<]*)</span><b>([^<]*)</b>', text))
        limits = dict(re.findall(r'<div class="fact"><span>([^<]*)</span><b>[^<]*</b><span>([^<]*)</span>', text))
        for name, value in facts.items():
            quantity = name.partition(" on ")[0].lower()
            if quantity in INTERVALS:
                said[quantity]["report file"] = written(f"{value} {limits[name].partition(' · ')[0]}")
            elif quantity == "accepted":
                said[quantity]["report file"] = value
        said["next"]["report file"] = report.guidance.summary
        if report.validation.total:
            said["validation"]["report"] = f"{report.validation.answered:,}/{report.validation.total:,}"
        measured = dict(report.agreement)
        for name, quantity in (("Raw agreement", "raw agreement"), ("Krippendorff's alpha", "alpha")):
            if "(" in measured.get(name, ""):
                said[quantity]["report"] = written(measured[name])
        if report.evaluation is not None:
            average = report.evaluation.average_precision
            said["average precision"]["report"] = written(decimal_interval(average.value, average.low, average.high))

    # What is said in sentences

    def compare_sentences(self, words: dict[str, str], guidance: Guidance) -> None:
        everything, facts = "\n".join(words.values()), guidance.facts
        assert facts is not None
        if guidance.step == "decide":
            assert "is likely to help" not in everything.replace("unlikely to help", "")
            assert "No threshold reaches" not in words["rounds"]
        if guidance.step != "start_round" and not any(each.step == "start_round" for each in guidance.alternatives):
            assert "Another round is likely to help" not in everything
        if not facts.auditable:
            assert "Start audit" not in everything
            assert "Audit it" not in everything
        if facts.certified and facts.saved:
            assert "not certified" not in words["threshold"].partition("<table")[0].partition("Suggested for")[0]
        if guidance.step == "done":
            assert "has not been audited" not in everything
        required = f"{self.workspace.judging_redundancy} people must agree"
        for sentence in re.findall(r"\d+ people must agree on each image", everything):
            assert sentence.startswith(required) or guidance.step == "label_round", sentence


def words_of(app: AppTest) -> str:
    """Return all sentences of a page, headings, buttons and drawn parts included."""
    parts = [text_of(app), *(str(one.value) for one in app.subheader), *(one.label for one in app.button)]
    return "\n".join([*parts, *(one.proto.body for one in app.get("html"))]).replace("\\", "")


def undo(workspace: Workspace, attribute: Attribute) -> None:
    """Withdraw a half of the newest assignment's answers."""
    of = db.assignments.c
    with workspace.engine.connect() as connection:
        query = sa.select(of.id).where(of.attribute_id == attribute.id).order_by(of.made_at.desc())
        newest = next(each for each in connection.scalars(query) if workspace.annotations.answered_rows(each))
    rows = sorted(workspace.annotations.answered_rows(newest))
    answers = [NewAnswer(uuid.uuid4().hex, row, -2) for row in rows[: len(rows) // 2 or 1]]
    workspace.annotations.record(newest, answers)


@pytest.fixture
def story(
    tmp_path: Path, open_page: Callable[..., AppTest], stub_drawing: None, capsys: pytest.CaptureFixture[str]
) -> Story:
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    make_demo(workspace, count=300, attributes=["media_watercolor", "content_dog"])
    return Story(workspace, open_page, capsys)


@pytest.mark.slow
def test_the_demo_tells_one_story_from_its_first_sample_to_its_end(story: Story) -> None:
    workspace, attribute = story.workspace, story.attribute
    team = team_of(workspace)
    assert (team.people, team.judges) == (1, 2), "one teaches, two judge"
    seen = []
    story.check()
    validation.draw_validation(workspace, attribute, sizes(300).validation, seed=1)
    story.check()
    for _ in range(30):
        seen.append(story.guidance.step)
        if play_next(workspace, attribute, team) is None:
            break
        if story.guidance.step != seen[-1]:  # the next batch of a certification says nothing new
            story.check()
    assert story.guidance.step == "done", seen
    assert {"label_validation", "start_round", "decide", "audit"} <= set(seen), seen


@pytest.mark.slow
def test_one_story_also_after_what_is_taken_back(story: Story) -> None:
    workspace, attribute = story.workspace, story.attribute
    while story.guidance.step != "audit":
        assert play_next(workspace, attribute, team_of(workspace)) is not None
    undo(workspace, attribute)
    story.check()
    while story.guidance.step != "done":
        assert play_next(workspace, attribute, team_of(workspace)) is not None
    undo(workspace, attribute)
    story.check()
    workspace.judging_redundancy = 3
    story.check()
    workspace.judging_redundancy = 1
    story.check()
    add_vectors(workspace, blind_vectors(workspace))
    use(workspace, "network")
    story.check()
    use(workspace, "builtin")
    story.check()
