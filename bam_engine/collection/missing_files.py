"""Files that are not there any more: the images that one may want to remove.

In:  paths. Out: which of them are gone (:func:`bam_engine.collection.files.is_gone`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.files import is_gone
from bam_engine.progress import Report, silent

_EVERY = 1000  # files between two reports


def find_missing(paths: Sequence[str], *, report: Report = silent) -> NDArray[np.int64]:
    """Return the positions of the paths at which there is no file, ascending.

    Raises
    ------
    Stopped
        By ``report``.
    """
    gone = []
    for place, path in enumerate(paths):
        if place % _EVERY == 0:
            report(place, len(paths), "looking at the files")
        if is_gone(path):
            gone.append(place)
    report(len(paths), len(paths), "")
    return np.array(gone, np.int64)
