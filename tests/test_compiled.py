"""Compiled kernels are kept for the next process, and made anew when any file of kernels changes."""

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
    """A package with the same module, and two files of kernels of which one calls the other."""
    room = folder / "small_engine" / "room"
    room.mkdir(parents=True)
    for package in (room.parent, room):
        (package / "__init__.py").touch()
    (room.parent / "compiled.py").write_text((ROOT / "bam_engine" / "compiled.py").read_text())
    (room / "more_kernels.py").write_text(ONE.format(package="small_engine", factor=2))
    (room / "kernels.py").write_text(TWO.format(package="small_engine"))
    return room


def asked(folder: Path) -> tuple[int, int]:
    """What a fresh process gets for 4, and whether it found it compiled."""
    program = ASK.format(package="small_engine", room="room")
    told = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    value, hits = told.stdout.split()
    return int(value), int(hits)


def test_the_next_process_finds_a_kernel_compiled_until_a_kernel_that_it_calls_changes(tmp_path: Path) -> None:
    room = engine(tmp_path)
    assert asked(tmp_path) == (9, 0)
    assert asked(tmp_path) == (9, 1)
    (room / "more_kernels.py").write_text(ONE.format(package="small_engine", factor=30))
    assert asked(tmp_path) == (121, 0)
