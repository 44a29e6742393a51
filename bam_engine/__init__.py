"""From a pile of unlabelled images to a dataset people can trust.

:func:`open` returns a :class:`Collection`, whose attributes are :class:`AttributeHandle`. Both are loaded when they are
first needed, so that importing the package is quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from bam_engine.errors import BamError

if TYPE_CHECKING:
    from bam_engine.api.attribute import AttributeHandle
    from bam_engine.api.collection import Collection

__version__ = "0.4.0"
"""The one place that states it: the package, ``bam --version`` and every report read it here."""

__all__ = ["AttributeHandle", "BamError", "Collection", "__version__", "open"]


def open(  # noqa: A001 - as in gzip.open: it is called by the module's name
    folder: str | Path, cache: str | Path | None = None, *, database_url: str | None = None
) -> "Collection":
    """Open a collection, or create it where there is none.

    Parameters
    ----------
    folder
        Holds the database: the images' records, and every label. Created if missing.
    cache
        Holds what can be recomputed: thumbnails, embeddings, scores. ``FOLDER/cache`` by default. The app and the
        command line keep it in ``./cache`` unless ``BAM_CACHE`` says otherwise; give that folder to share it.
    database_url
        A SQLAlchemy URL instead of the SQLite file in ``folder``.

    Raises
    ------
    BamError
        A folder or the database cannot be opened.

    Examples
    --------
    >>> import bam_engine
    >>> with bam_engine.open("birds") as bam:
    ...     bam
    <Collection birds: 0 images, 0 attributes>
    """
    from bam_engine.api.collection import Collection

    return Collection(Path(folder), None if cache is None else Path(cache), database_url=database_url)


def __getattr__(name: str) -> object:
    if name == "AttributeHandle":
        from bam_engine.api.attribute import AttributeHandle

        return AttributeHandle
    if name == "Collection":
        from bam_engine.api.collection import Collection

        return Collection
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
