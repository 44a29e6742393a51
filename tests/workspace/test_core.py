"""Opening a workspace."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bam_engine.workspace import Workspace


def test_concurrent_openers_of_a_new_workspace_agree_on_its_id(tmp_path: Path) -> None:
    for number in range(6):
        together, home = threading.Barrier(4), tmp_path / str(number)

        def open_one(together: threading.Barrier = together, home: Path = home) -> str:
            together.wait()
            opened = Workspace(home / "workspace", home / "cache")
            opened.close()
            return opened.id

        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(open_one) for _ in range(4)]
        assert len({one.result() for one in futures}) == 1


class Counter:
    def __init__(self) -> None:
        self.value = 0


def test_each_workspace_has_one_state_of_a_class(tmp_path: Path) -> None:
    one, other = (Workspace(tmp_path / name / "workspace", tmp_path / name / "cache") for name in "ab")
    one.state(Counter).value += 1
    one.memory.clear()
    assert (one.state(Counter).value, other.state(Counter).value) == (1, 0)
    one.close()
    other.close()
