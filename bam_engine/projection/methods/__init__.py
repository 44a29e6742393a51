"""Layout methods: each fits points, and places further ones without moving those.

A method is a module with ``STEPS``, the number of progress steps of its fit; ``fit(points, start, ...)``, which returns
arrays with the places as ``raw`` (m, 2); and ``placer(arrays, ...)``, which returns a function from points to raw
places.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Raw = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
Placer = Callable[[Floats], Raw]


class Checkpoints(Protocol):
    """Where a long computation saves its state, so that it can resume after a stop."""

    def load(self, name: str) -> Mapping[str, NDArray[Any]] | None:
        """Return the arrays saved under ``name``, or None."""

    def save(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Save arrays atomically, replacing those of the same name."""

    def array(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Return a writable array of this name: what was written to it before a stop is still there, the rest is 0."""


class InMemoryCheckpoints:
    """``Checkpoints`` that live as long as the process."""

    def __init__(self) -> None:
        self._saved: dict[str, Mapping[str, NDArray[Any]]] = {}
        self._arrays: dict[str, Floats] = {}

    def load(self, name: str) -> Mapping[str, NDArray[Any]] | None:
        return self._saved.get(name)

    def save(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._saved[name] = {key: np.array(value) for key, value in arrays.items()}

    def array(self, name: str, shape: tuple[int, ...]) -> Floats:
        return self._arrays.setdefault(name, np.zeros(shape, np.float32))
