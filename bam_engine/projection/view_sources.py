"""The optional data sources of a map: categories, selections, descriptions, and stores of tiles and sprites."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import ArrayLike

from bam_engine.projection.categories import Categories
from bam_engine.projection.picture_store import Sprites


class TileStore(Protocol):
    """A persistent store of drawn tiles."""

    def get(self, key: str) -> bytes | None:
        """Return the tile stored under a key, or None."""

    def put(self, key: str, tile: bytes) -> None:
        """Store a tile; failing to do so is no error."""


@dataclass(frozen=True)
class Sources:
    """The optional data sources of a map, used when needed.

    Attributes
    ----------
    categories : mapping of name to callable
        Return the category ``category-NAME``; called at its first use.
    selection : callable
        The id of a selection to its image rows; raises ``NotFound``.
    describe : callable
        Image row to its description, JSON-ready: ``{"title": ...}``.
    kind_versions : mapping of kind to str
        A version of the tiles of each kind; other kinds have the map's version.
    tiles : TileStore
    sprites : Sprites
    """

    categories: Mapping[str, Callable[[], Categories]] = field(default_factory=dict)
    selection: Callable[[str], ArrayLike] | None = None
    describe: Callable[[int], Mapping[str, Any]] | None = None
    kind_versions: Mapping[str, str] = field(default_factory=dict)
    tiles: TileStore | None = None
    sprites: Sprites | None = None
