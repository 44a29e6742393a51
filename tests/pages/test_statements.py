"""How often the Overview asks the database: a few times for any number of attributes, once if nothing has changed."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

import web.engine
from bam_engine.reporting.overview import overview
from bam_engine.training import rounds
from bam_engine.workspace import Workspace
from tests.database.counting import counted
from tests.labelling.team import vote
from tests.pages.conftest import text_of


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
