"""What only the folder ``shared`` beside the project has: real pictures and weights; a test skips without them.

Few tests need them; all others draw their pictures (:mod:`tests.drawn_pictures`). The reasons of these skips begin with
:data:`REASONS`, so that a run that must not skip them can tell.
"""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
NO_PICTURES = "the real pictures are not here"
NO_WEIGHTS = "the real weights are not here"
REASONS = (NO_PICTURES, NO_WEIGHTS)


def needs_real_pictures() -> Path:
    """Return the folder of real pictures with its ``labels.csv``, or skip the test."""
    return _there(SHARED / "images" / "labels.csv", NO_PICTURES).parent


def needs_real_weights() -> Path:
    """Return the checkpoint of a real, small network, or skip the test."""
    return _there(SHARED / "weights" / "mobilenetv2_100_same.safetensors", NO_WEIGHTS)


def _there(file: Path, reason: str) -> Path:
    if not file.exists():
        pytest.skip(f"{reason}: no {file}")
    return file
