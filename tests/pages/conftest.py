"""What every page test needs: a page of a workspace inside the app's frame, and the words on it."""

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bam_engine.workspace import Workspace


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Give a function that runs one page of a workspace inside the app's frame."""

    def run(workspace: Workspace, page: str, **query: str) -> AppTest:
        monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
        monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
        app = AppTest.from_string(f"from web.frame import draw\ndraw({page!r})", default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return run


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
