"""How often the Overview asks the database: a few times for any number of attributes, once if nothing has changed."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import web.engine
from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.audit import audits
from bam_engine.reporting.overview import overview
from bam_engine.training import certification, rounds, thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle
from tests.database.counting import counted
from tests.labelling.team import vote
from tests.pages.conftest import text_of


@pytest.fixture
def twenty(workspace: Workspace, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """BAM's twenty attributes, all with a sample, a round and a model; some certified or audited."""
    monkeypatch.setattr("bam_engine.learning.PILOT_SIZE", 8)
    with workspace.reading():
        for number, template in enumerate(BAM_ATTRIBUTES):
            attribute = workspace.attributes.add(template.name, template.kind, template.question)
            oracle.play(workspace, attribute, count=1, batch=20)
            if number % 5:
                thresholds.save(workspace, attribute, thresholds.suggest(workspace, attribute, target=0.6))
            if number % 5 == 1:
                audit = audits.draw(workspace, attribute, n_accepted=3, n_rejected=3, seed=1)
                oracle.answer(workspace, audit.task)
            if number % 5 == 2:
                oracle.answer(workspace, certification.start(workspace, attribute, planned=10).certification.task)
    return workspace


def test_the_overview_of_twenty_attributes(
    open_page: Callable[..., AppTest], twenty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(twenty.folder))
    monkeypatch.setenv("BAM_CACHE", str(twenty.cache.parent))
    shown = web.engine.workspace()  # another one on the same database, which has read nothing yet
    with counted(shown.engine) as first:
        app = open_page(twenty, "overview")
    text_of(app)
    assert len(first) <= 25, first
    with counted(shown.engine) as again:
        text_of(app.run())
    assert len(again) <= 5, again
    assert overview(shown) == overview(twenty)

    attribute = twenty.attributes.get("media_watercolor")
    vote(twenty, attribute, "ada", {0: 1})
    with counted(shown.engine) as after_an_answer:
        text_of(app.run())
    assert len(after_an_answer) <= 10, after_an_answer
    rounds.train(twenty, attribute)
    with counted(shown.engine) as after_a_training:
        text_of(app.run())
    assert len(after_a_training) <= 10, after_a_training
    assert overview(shown) == overview(twenty)
