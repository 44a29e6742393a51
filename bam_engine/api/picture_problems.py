"""The problems of the pictures of a collection."""

import pandas as pd

from bam_engine.collection.picture_problems import MEASURES
from bam_engine.gallery import problems
from bam_engine.progress import Report, silent
from bam_engine.workspace import Workspace
from bam_engine.workspace.membership import member_rows


class PictureProblems:
    """What a :class:`~bam_engine.Collection` does with dark, blurred, blank and other odd pictures."""

    workspace: Workspace

    def problems(self, *, report: Report = silent) -> pd.DataFrame:
        """Return the measures and problems of every image by row; images that are not measured are measured first.

        Columns are those of :class:`~bam_engine.collection.picture_problems.Measures` (``brightest``, ``darkest``,
        ``sharpness``, ``contrast``, ``colour``, ``aspect``, ``shorter``), nan where an image cannot be read; and
        ``problems``, a list of names such as ``"blurred"``, None where it cannot.

        Examples
        --------
        >>> found = bam.problems()
        >>> found.loc[0, "shorter"], found.loc[0, "problems"]  # doctest: +SKIP
        (64.0, [])
        """
        problems.scan(self.workspace, report=report)
        rows, measured = member_rows(self.workspace), problems.MEASURED.read(self.workspace)
        flags = problems.flags(self.workspace, len(self.workspace.catalogue))[rows].tolist()
        columns: dict[str, object] = {name: measured[name][rows] for name in MEASURES}
        columns["problems"] = [list(problems.names_of(flag)) if flag else None for flag in flags]
        return pd.DataFrame(columns, index=pd.Index(rows, name="row"))
