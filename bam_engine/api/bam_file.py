"""BAM's published SQLite file beside a collection: read once, then queried as a DataFrame."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bam_engine.errors import CollectionError, NotFound
from bam_engine.progress import Report, silent
from bam_engine.published import Contents, Query, find, lines_of, make_arrays, opened
from bam_engine.workspace import Workspace


class BamFile:
    """What a :class:`~bam_engine.Collection` does with BAM's file, none of whose images are in it until downloaded."""

    workspace: Workspace

    def read_bam_file(self, file: str | Path, *, report: Report = silent) -> Contents:
        """Read BAM's SQLite file into arrays of the cache, browse it from now on, and return what is in it.

        The file stays where it is. Reading it again takes no time unless it has changed; reading that was stopped goes
        on with the next part.

        Raises
        ------
        CollectionError
            The file cannot be read, or is none of BAM's.

        Examples
        --------
        >>> contents = bam.read_bam_file("bam.sqlite")  # doctest: +SKIP
        >>> contents.images, contents.choices, contents.absent  # doctest: +SKIP
        (2289817, 819476, ())
        """
        return make_arrays(self.workspace, Path(file), report=report).contents

    def find_in_bam_file(
        self, query: Query | None = None, *, count: int | None = 1000, attributes: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Return the images of BAM's file that match a query, in order, as a DataFrame by ``mid``.

        The columns are ``url``, ``project``, ``license`` and ``mature``, and of each attribute that the query names,
        and of ``attributes``, its ``NAME_place`` (the share of scored images with a lower score), ``NAME_automatic``
        and ``NAME_crowd``: BAM's labels, "positive", "negative" or "unsure".

        Parameters
        ----------
        query
            By default all images, by number.
        count
            The most images to return; None for all. ``attrs["matches"]`` is the number of all.

        Raises
        ------
        NotFound
            No file was read, or it has no such attribute.
        CollectionError
            The file has changed since, or cannot be read.

        Examples
        --------
        >>> from bam_engine.published import Query
        >>> query = Query(yes=("media_watercolor", "content_cat"), no=("content_people",))
        >>> found = bam.find_in_bam_file(query, count=100)  # doctest: +SKIP
        >>> found["url"].to_csv("cats.csv")  # doctest: +SKIP
        """
        query = Query() if query is None else query
        arrays = opened(self.workspace)
        found = find(self.workspace, arrays, query)
        known = [one.name for one in arrays.contents.attributes]
        for name in attributes:
            if name not in known:
                raise NotFound(f"{arrays.file.name} has no attribute {name!r}. It has {', '.join(known)}.")
        if count is not None and count < 0:
            raise CollectionError(f"Cannot return {count} images. Choose a number from 0, or None for all.")
        names = tuple(dict.fromkeys((*query.names, *query.crowd_yes, *query.crowd_no, *attributes)))
        positions = found.positions if count is None else found.positions[:count]
        columns = ["mid", "url", "project", "license", "mature"]
        columns += [f"{name}_{what}" for name in names for what in ("place", "automatic", "crowd")]
        frame = pd.DataFrame(lines_of(arrays, positions, names), columns=columns).set_index("mid")
        frame.attrs["matches"] = len(found)
        return frame
