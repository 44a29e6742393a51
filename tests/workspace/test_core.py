"""The workspace itself: opened, and known by its name."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bam_engine.workspace import Workspace


def test_two_that_open_a_new_workspace_at_once_know_it_by_one_name(tmp_path: Path) -> None:
    for number in range(6):
        together, home = threading.Barrier(4), tmp_path / str(number)

        def named(together: threading.Barrier = together, home: Path = home) -> str:
            together.wait()
            opened = Workspace(home / "workspace", home / "cache")
            opened.close()
            return opened.id

        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(named) for _ in range(4)]
        assert len({one.result() for one in asked}) == 1
