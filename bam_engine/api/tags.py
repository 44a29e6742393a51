"""The tags of a collection: words of people's own on images, to find them again."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bam_engine.gallery.tag_facet import tag_counts
from bam_engine.workspace import Workspace
from bam_engine.workspace.flow import one_flow
from bam_engine.workspace.membership import members


class Tags:
    """What a :class:`~bam_engine.Collection` does with the tags of its images."""

    workspace: Workspace

    def tags(self) -> pd.Series:
        """Return how many images have each tag, as a Series by tag, in alphabetical order.

        A tag exists as long as an image has it. ``images()`` has the tags of each image.

        Examples
        --------
        >>> bam.tag_images([0, 3], "to check"), bam.tags().to_dict()
        (2, {'to check': 2})
        """
        return _counts(self.workspace)

    def tag_images(self, images: Iterable[int | str | Path], tag: str, *, annotator: str | None = None) -> int:
        """Give images a tag, by row or path (a folder: all images below it); return how many did not have it.

        Tags that differ in capitals alone are one. ``annotator`` is the name of the person who does it.

        Raises
        ------
        NotFound
            There is no such image.
        AnnotationError
            The tag is empty, has more than 60 characters or control characters, or there are too many tags.

        Examples
        --------
        >>> bam.tag_images([7], "for the talk", annotator="ada"), bam.tag_images([7, 8], "For the talk")
        (1, 1)
        >>> bam.images().loc[7, "tags"]
        ['for the talk']
        """
        return len(self.workspace.tags.add(self._rows(images), tag, self._actor(annotator)))

    def untag_images(self, images: Iterable[int | str | Path], tag: str) -> int:
        """Take a tag off images, by row or path; return how many had it.

        Examples
        --------
        >>> bam.tag_images([9], "blurred"), bam.untag_images([9, 10], "blurred"), "blurred" in bam.tags()
        (1, 1, False)
        """
        return len(self.workspace.tags.remove(self._rows(images), tag))

    def _actor(self, annotator: str | None) -> int | None:
        raise NotImplementedError

    def _rows(self, images: Iterable[int | str | Path]) -> NDArray[np.int64]:
        raise NotImplementedError


@one_flow
def _counts(workspace: Workspace) -> pd.Series:
    counts = tag_counts(workspace, members(workspace))
    return pd.Series(counts, name="images", dtype=np.int64).rename_axis("tag")
