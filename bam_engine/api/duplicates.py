"""The duplicates of a collection: listed as groups, and dropped."""

from typing import Literal

import numpy as np
import pandas as pd

from bam_engine.gallery import duplicates, near_duplicates
from bam_engine.gallery.duplicates import DuplicateGroups
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace


class Duplicates:
    """What a :class:`~bam_engine.Collection` does with duplicates."""

    workspace: Workspace

    def duplicates(
        self,
        *,
        exact: bool = False,
        state: Literal["open", "disagreeing", "kept"] = "open",
        report: Report = silent,
    ) -> pd.DataFrame:
        """Return the images of all groups of duplicates by row, those of a group together, the largest group first.

        Columns are ``group``, a number from 0; ``keep``, whether the image is suggested to be kept; ``path``,
        ``width``, ``height``; ``labels``, for how many attributes it is labelled yes or no; ``distance`` of its group,
        from 0 (exact) to 1; ``disagreeing``, whether one image of the group is labelled yes and another one no. Groups
        that disagree come first. Suggested is one with a readable file, then the one with most labels, then most
        pixels, then the first by path. Images are searched first where some have not been.

        Parameters
        ----------
        exact
            Only images that the encoder cannot tell apart; files with the same bytes are never added twice.
        state
            ``"open"``: to be decided; ``"disagreeing"``: those of them with disagreeing labels; ``"kept"``: groups
            of which somebody keeps all.

        Raises
        ------
        EmbeddingError
            Nothing is embedded yet.

        Examples
        --------
        >>> found = bam.duplicates(exact=True)
        >>> int(found["keep"].sum()) == found["group"].nunique()
        True
        """
        groups = duplicates.ranked(self.workspace, self._groups(exact=exact, report=report).only(state).ordered("size"))
        number = np.repeat(np.arange(len(groups)), groups.sizes)
        images = self.workspace.catalogue.images(groups.rows)
        keep = np.zeros(len(groups.rows), bool)
        keep[groups.starts[:-1]] = True
        columns = {
            "group": number,
            "keep": keep,
            "path": [image.uri for image in images],
            "width": [image.width for image in images],
            "height": [image.height for image in images],
            "labels": duplicates.labels_of(self.workspace, groups.rows),
            "distance": groups.distances[number],
            "disagreeing": groups.disagreeing[number],
        }
        return pd.DataFrame(columns, index=pd.Index(groups.rows, name="row"))

    def drop_duplicates(
        self,
        *,
        exact: bool = False,
        disagreeing: bool = False,
        annotator: str | None = None,
        report: Report = silent,
    ) -> list[int]:
        """Keep the suggested image of each group to be decided, and remove the others; return their rows, ascending.

        Answers stay stored with their images; ``return_images`` brings the rows back as they were. Groups whose labels
        disagree are left out, unless ``disagreeing``.

        Examples
        --------
        >>> dropped = bam.drop_duplicates(exact=True)
        >>> bam.return_images(dropped) == len(dropped)
        True
        """
        groups = self._groups(exact=exact, report=report).only("open")
        if not disagreeing:
            groups = groups.take(np.flatnonzero(~groups.disagreeing))
        if not len(groups):
            return []
        by = None if annotator is None else self.workspace.annotators.actor(annotator)
        removal = duplicates.keep_suggested(self.workspace, groups, by=by)
        return [int(row) for row in self.workspace.removals.rows_of(removal.id)]

    def _groups(self, *, exact: bool, report: Report) -> DuplicateGroups:
        workspace = self.workspace
        near_duplicates.search_where_needed(workspace, report=report)
        return duplicates.duplicate_groups(workspace, "exact" if exact else "near")
