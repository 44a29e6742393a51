"""The report page in every state: it says what is missing and what to do next, and hands out the file."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.audit import audits
from bam_engine.labelling import tasks
from bam_engine.training import rounds, thresholds, validation
from bam_engine.workspace import Workspace
from tests.conftest import Oracle


@pytest.fixture
def open_report(monkeypatch: pytest.MonkeyPatch) -> Callable[[Workspace], AppTest]:
    def run(workspace: Workspace) -> AppTest:
        monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
        monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
        app = AppTest.from_string("from web.frame import draw\ndraw('report')", default_timeout=60).run()
        assert not app.exception, app.exception[0].value
        assert not app.error, app.error[0].value
        return app

    return run


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_each_step_of_the_way_says_what_is_missing_and_leads_to_it(
    open_report: Callable[[Workspace], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    app = open_report(workspace)
    assert "There is no validation sample" in app.info[0].value
    assert "Create validation sample" in labels(app)
    validation.draw_validation(workspace, watercolor, 40, seed=1)
    oracle.answer(workspace, tasks.validation_task(workspace, watercolor))
    assert "Start the next round" in labels(open_report(workspace))
    oracle.answer(workspace, rounds.start_round(workspace, watercolor, count=12, seed=0).task)
    rounds.train(workspace, watercolor)
    app = open_report(workspace)
    assert "No threshold has been chosen" in app.info[0].value
    assert len(app.get("plotly_chart")) == 3
    thresholds.save(workspace, watercolor, thresholds.suggest(workspace, watercolor, target=0.9))
    assert "Certify the threshold" in labels(open_report(workspace))
    oracle.answer(workspace, audits.draw(workspace, watercolor, n_accepted=4, n_rejected=4, seed=1).task)
    app = open_report(workspace)
    assert not app.info
    assert {one.label: one.value for one in app.metric}["Images"] == "120"
    assert [one.value for one in app.subheader][:5] == ["Audit", "Threshold", "By slice", "Rounds", "People and labels"]
    assert [one.label for one in app.get("download_button")] == [
        "Download report (HTML)",
        *["SVG", "PNG", "CSV"] * 4,
    ]
    assert len(app.get("plotly_chart")) == 4


def test_what_people_wrote_is_shown_as_text(
    open_report: Callable[[Workspace], AppTest], workspace: Workspace, watercolor: Attribute, oracle: Oracle
) -> None:
    oracle.play(workspace, watercolor, count=1)
    workspace.attributes.update(watercolor.id, question="<b>bold</b> [a](http://x)", instructions="# Big\n*thin*")
    with workspace.engine.begin() as connection:
        connection.execute(sa.update(db.annotators).values(name="<script>"))
    app = open_report(workspace)
    words = "\n".join(one.value for one in app.markdown)
    assert r"**\<b\>bold\</b\> \[a\]\(http\://x\)**" in words
    assert "\\# Big  \n\\*thin\\*" in words
    assert list(app.dataframe[1].value["annotator"]) == ["<script>"]
