"""Compiled kernels are cached for the next process and recompiled when any kernel file changes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ASK = """
from {package}.{room}.kernels import twice_and_one
print(twice_and_one(4), sum(twice_and_one.stats.cache_hits.values()))
"""
ONE = "from {package}.compiled import njit\n\n\n@njit(nogil=True)\ndef twice(x):\n    return {factor} * x\n"
TWO = (
    "from {package}.compiled import njit\nfrom {package}.room.more_kernels import twice\n\n\n"
    "@njit(nogil=True)\ndef twice_and_one(x):\n    return twice(x) + 1\n"
)


def engine(folder: Path) -> Path:
    """Write a package with a copy of the module and two kernel files, one of which calls the other."""
    room = folder / "small_engine" / "room"
    room.mkdir(parents=True)
    for package in (room.parent, room):
        (package / "__init__.py").touch()
    (room.parent / "compiled.py").write_text((ROOT / "bam_engine" / "compiled.py").read_text())
    (room / "more_kernels.py").write_text(ONE.format(package="small_engine", factor=2))
    (room / "kernels.py").write_text(TWO.format(package="small_engine"))
    return room


def run_fresh(folder: Path) -> tuple[int, int]:
    """Return the kernel's result for 4 in a fresh process, and the number of cache hits."""
    program = ASK.format(package="small_engine", room="room")
    process = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    value, hits = process.stdout.split()
    return int(value), int(hits)


def test_a_cached_kernel_is_reused_until_a_kernel_that_it_calls_changes(tmp_path: Path) -> None:
    room = engine(tmp_path)
    assert run_fresh(tmp_path) == (9, 0)
    assert run_fresh(tmp_path) == (9, 1)
    (room / "more_kernels.py").write_text(ONE.format(package="small_engine", factor=30))
    assert run_fresh(tmp_path) == (121, 0)
