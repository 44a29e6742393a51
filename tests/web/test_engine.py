"""The one workspace of a process."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bam_engine.workspace import Workspace
from web import engine


def test_pages_that_ask_at_once_get_the_same_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAM_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("BAM_CACHE", str(tmp_path / "cache"))
    opened, together = Workspace.from_environment, threading.Barrier(4)

    def slowly() -> Workspace:
        time.sleep(0.2)
        return opened()

    def asked() -> Workspace:
        together.wait()
        return engine.workspace()

    monkeypatch.setattr(Workspace, "from_environment", slowly)
    with ThreadPoolExecutor(4) as pool:
        found = [one.result() for one in [pool.submit(asked) for _ in range(4)]]
    assert len({id(one) for one in found}) == 1
    found[0].close()
