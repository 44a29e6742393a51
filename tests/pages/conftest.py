"""What every page test needs: a page of a workspace inside the app's frame, and the words on it."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from bam_engine.annotation import BAM_ATTRIBUTES
from bam_engine.audit import audits
from bam_engine.collection import ingest_folder
from bam_engine.training import certification, thresholds
from bam_engine.workspace import Workspace
from tests.conftest import Oracle

Pictures = tuple[Workspace, Path]
"""A workspace and the folder of its pictures."""


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Give a function that runs one page of a workspace inside the app's frame, for an annotator and an address."""

    def run(workspace: Workspace, page: str, *, annotator: str | None = "me", **query: str) -> AppTest:
        monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
        monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
        app = AppTest.from_string(f"from web.frame import draw\ndraw({page!r})", default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if annotator is not None:
            app.session_state["annotator"] = annotator
        return app.run()

    return run


@pytest.fixture
def pictures(tmp_path: Path) -> Pictures:
    """A workspace of three pictures, 0.png to 2.png, and their folder."""
    workspace = Workspace(tmp_path / "workspace", tmp_path / "cache")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        Image.new("RGB", (8, 8), (80 * number, 0, 0)).save(folder / f"{number}.png")
    ingest_folder(workspace.catalogue, workspace.thumbnails, folder)
    return workspace, folder


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


def text_of(app: AppTest) -> str:
    """Return the words on a page that drew without an exception."""
    assert not app.exception, app.exception[0].value
    parts = [*app.markdown, *app.info, *app.warning, *app.success, *app.caption, *app.error]
    return "\n".join(str(part.value) for part in parts)


def run_until(app: AppTest, happened: Callable[[], object], seconds: float = 60) -> None:
    """Run the page again and again, as its polling does, until something has happened; a minute is the most."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"it has not happened within {seconds:.0f} s"
        time.sleep(0.05)
        app.run()
