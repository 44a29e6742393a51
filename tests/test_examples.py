"""The scripts of ``examples/`` run one after the other, as their README says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.api.paintings import draw_paintings

ROOT = Path(__file__).resolve().parents[1]


def test_the_examples_run_in_the_order_of_their_readme(tmp_path: Path) -> None:
    draw_paintings(tmp_path / "pictures", 90)
    commands = re.findall(
        r"^python (examples/\w+\.py)([^#\n]*)", (ROOT / "examples/README.md").read_text(), re.MULTILINE
    )
    assert sorted(script for script, _ in commands) == sorted(f"examples/{file.name}" for file in EXAMPLES)
    printed = []
    for script, arguments in commands:
        run = subprocess.run(
            [sys.executable, ROOT / script, *arguments.split()],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert run.returncode == 0, run.stderr
        printed.append(run.stdout)
    labelled, trained, read = printed
    assert "accepted" in labelled
    losses = [float(loss) for loss in re.findall(r"loss (\S+)", trained)]
    assert losses[-1] < losses[0]
    assert read.startswith("Is the picture colourful?")
    assert read.count("positive") >= 5


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
