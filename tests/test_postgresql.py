"""The PostgreSQL server of the tests: nothing of it stays, however the process that started it ends."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import ROOT

PROGRAM = """
import signal, sys, tempfile, time
from pathlib import Path
from tests.postgresql import run_server

signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background of a shell ignores it
tempfile.tempdir = sys.argv[1]
with run_server():
    (pid_file,) = Path(sys.argv[1]).glob("bam-pg-*/data/postmaster.pid")
    print(pid_file.read_text().splitlines()[0], flush=True)
    if sys.argv[2] == "wait":
        time.sleep(600)
"""


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """An empty folder that every user may write to, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bam-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


@pytest.mark.parametrize("ending", ["returns", signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.usefixtures("postgresql")  # skips where there is none
def test_a_server_ends_with_the_process_that_started_it(ending: str | signal.Signals, socket_folder: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, socket_folder, "return" if ending == "returns" else "wait"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        if isinstance(ending, signal.Signals):
            process.send_signal(ending)
    deadline = time.monotonic() + 60
    while any(socket_folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not list(socket_folder.iterdir())
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(server)], capture_output=True, text=True).stdout
    assert not state or state.startswith("Z")  # ended, if not yet collected by the first process


@pytest.mark.usefixtures("postgresql")
def test_a_folder_is_removed_only_after_the_program_that_fills_it(socket_folder: Path) -> None:
    """A process that is killed while its server's files are written leaves none, and nobody misses a file."""
    command = [sys.executable, "-c", PROGRAM, socket_folder, "wait"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not list(socket_folder.glob("bam-pg-*/data/PG_VERSION")):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        assert process.stderr is not None
        assert not process.stderr.read()  # to the end: every program that was started has ended
    assert not list(socket_folder.iterdir())
