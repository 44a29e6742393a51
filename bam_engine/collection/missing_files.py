"""Files that are not there any more: the images that one may want to remove.

In:  paths. Out: which of them do not exist. A file in a folder that cannot be looked at, say for lack of permissions,
is not known to be gone and is not among them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
        try:
            Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            gone.append(place)
        except OSError:
            pass
    report(len(paths), len(paths), "")
    return np.array(gone, np.int64)
