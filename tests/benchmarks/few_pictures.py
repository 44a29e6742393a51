"""A small collection in place of the real pictures, for tests of benchmarks."""

import numpy as np
import pytest

from benchmarks import pictures


def replace_pictures(monkeypatch: pytest.MonkeyPatch, *, above: float) -> pictures.Pictures:
    """Put 400 vectors in the place of the real pictures; "bird" are those that a direction shows ``above`` a value."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 8))
    truth = vectors[:, 0] > above
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = pictures.Pictures(vectors.astype(np.float16), np.arange(400), {"bird": truth})
    monkeypatch.setattr(pictures, "load", lambda encoder: found)
    monkeypatch.setattr(pictures, "available", lambda encoder: True)
    return found
