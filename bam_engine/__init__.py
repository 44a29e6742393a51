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

__all__ = ["AttributeHandle", "BamError", "Collection", "__version__", "open", "restore"]


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


def restore(
    folder: str | Path, file: str | Path, *, replace: bool = False, database_url: str | None = None
) -> Path | None:
    """Put a backup in the place of a collection's database, like ``bam restore``; close the collection first.

    The file, which may also be a daily copy, is checked first, and migrated if it is old.

    Parameters
    ----------
    folder, database_url
        As for :func:`open`.
    replace
        Replace a database that holds something.

    Returns
    -------
    Path or None
        The file that keeps what the database held before; None if there was none.

    Raises
    ------
    BamError
        The file is damaged, or the database holds something and is not to be replaced; it is as it was.

    Examples
    --------
    >>> file = bam.backup("labels.sqlite")
    >>> bam.close()
    >>> kept = bam_engine.restore("workspace", file, replace=True)
    >>> kept.exists()
    True
    """
    from bam_engine.api.restoring import restore as restored

    return restored(Path(folder), Path(file), replace=replace, database_url=database_url)


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
