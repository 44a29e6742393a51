"""What a map asks for when it needs it: groups, selections, words about an image, and where tiles and pictures wait."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import ArrayLike

from bam_engine.projection.categories import Categories
from bam_engine.projection.picture_store import Sprites


class TileStore(Protocol):
    """Where drawn tiles are kept between runs."""

    def get(self, key: str) -> bytes | None:
        """Return what is kept under a key, or None."""

    def put(self, key: str, tile: bytes) -> None:
        """Save a tile; what cannot be kept is no error."""


@dataclass(frozen=True)
class Sources:
    """What a map asks for when it needs it, each optional.

    Attributes
    ----------
    categories : mapping of name to callable
        What ``category-NAME`` is coloured by, called at its first use.
    selection : callable
        The id of a selection to its image rows; raises NotFound.
    describe : callable
        Image row to what is shown beside it, ready for JSON: ``{"title": ...}``.
    kind_versions : mapping of kind to str
        What changes whenever tiles of this kind would; without it the map's version does.
    tiles : TileStore
        Where tiles are kept.
    sprites : Sprites
        Where the smallest pictures are kept.
    """

    categories: Mapping[str, Callable[[], Categories]] = field(default_factory=dict)
    selection: Callable[[str], ArrayLike] | None = None
    describe: Callable[[int], Mapping[str, Any]] | None = None
    kind_versions: Mapping[str, str] = field(default_factory=dict)
    tiles: TileStore | None = None
    sprites: Sprites | None = None
