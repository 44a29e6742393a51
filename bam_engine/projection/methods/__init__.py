"""The ways to lay points out: each fits some points, and places others among them without moving those.

A method is a module with ``STEPS``, how many steps its fit tells of; ``fit(points, start, ...)``, which returns arrays
with the places as ``raw`` (m, 2); and ``placer(arrays, ...)``, which returns a function from points to raw places.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Raw = NDArray[np.float64]
Arrays = dict[str, NDArray[Any]]
Placer = Callable[[Floats], Raw]


class Keep(Protocol):
    """What long work puts aside, so that it goes on from there after a stop."""

    def get(self, name: str) -> Mapping[str, NDArray[Any]] | None:
        """Return what was put aside under ``name``, if anything."""

    def put(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Put arrays aside, in place of those of the same name; whole or not at all."""

    def room(self, name: str, shape: tuple[int, ...]) -> Floats:
        """Return an array to write into; what was written before is in it, the rest is 0."""


class InMemory:
    """A ``Keep`` that ends with the process."""

    def __init__(self) -> None:
        self._kept: dict[str, Mapping[str, NDArray[Any]]] = {}
        self._rooms: dict[str, Floats] = {}

    def get(self, name: str) -> Mapping[str, NDArray[Any]] | None:
        return self._kept.get(name)

    def put(self, name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._kept[name] = {key: np.array(value) for key, value in arrays.items()}

    def room(self, name: str, shape: tuple[int, ...]) -> Floats:
        return self._rooms.setdefault(name, np.zeros(shape, np.float32))
