"""Drawers: processes of their own that each draw one work after the other, so that no core waits for another.

In:  a function's arguments as JSON, a line for each work. Out: what was drawn, a line for each. A drawer is a fresh
interpreter that runs :func:`serve`: it knows nothing of the caller's main module, and ends when its input does.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bam_engine.errors import BamError

_PACKAGE = Path(__file__).resolve().parents[2]
_CODE = "import sys; from bam_engine.demo.drawers import serve; serve(int(sys.argv[1]))"
_PATIENCE = 60.0  # seconds for the work in hand, once no more is wanted


class Drawer:
    """One process that draws; used by one thread at a time."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, folder: str, seed: int, index: int) -> dict[str, Any]:
        """Have a work drawn; return what was told of it.

        Raises
        ------
        OSError
            The picture could not be written, as if that had happened here.
        BamError
            The process is gone.
        """
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a drawer was started without pipes")
        try:
            process.stdin.write(json.dumps([folder, seed, index]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if not line:
            raise BamError(
                f"a process that draws the demo ended at work {index:,} (exit code {process.wait()}). Start again to "
                "go on; if it ends once more, the machine may lack memory."
            )
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise OSError(*told["error"])
        return told


@contextlib.contextmanager
def drawers(count: int) -> Iterator[list[Drawer]]:
    """Start processes; yield those that could be started, and end them all after the work in hand."""
    there = os.environ.get("PYTHONPATH")
    paths = os.pathsep.join([str(_PACKAGE), *([there] if there else [])])
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    processes: list[subprocess.Popen[str]] = []
    try:
        with contextlib.suppress(OSError):
            for number in range(count):
                command = [sys.executable, "-c", _CODE, str(number)]
                pipe = subprocess.PIPE
                processes.append(
                    subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8", env=environment)
                )
        yield [Drawer(process) for process in processes]
    finally:
        for process in processes:
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def serve(number: int) -> None:
    """Draw what the input asks for until it ends; ``number`` is this process's among its like."""
    import cv2

    from bam_engine.demo import kernels, writing

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    cv2.setNumThreads(1)  # every core has a drawer of its own
    kernels.prepare(number * 5)
    for line in sys.stdin:
        folder, seed, index = json.loads(line)
        with contextlib.suppress(BrokenPipeError):
            answers.write(json.dumps(_answer(writing.ensure, Path(folder), seed, index)) + "\n")
            answers.flush()


def _answer(ensure: Callable[[Path, int, int], Any], folder: Path, seed: int, index: int) -> dict[str, Any]:
    try:
        work = ensure(folder, seed, index)
    except OSError as error:
        return {"error": [error.errno, error.strerror, error.filename]}
    return {"path": work.path, "project": work.project, "title": work.title, "truth": sorted(work.truth)}
