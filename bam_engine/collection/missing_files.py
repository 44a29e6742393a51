"""Originals that are not there any more: the images that one may want to remove.

In:  files and objects of buckets. Out: which of them are gone (:func:`bam_engine.collection.originals.is_gone`).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from bam_engine.collection.originals import Original, is_gone
from bam_engine.progress import Report, silent

_EVERY = 1000  # originals between two reports
_AT_ONCE = 16  # an object of a bucket takes its time to answer


def find_missing(originals: Sequence[str | Original], *, report: Report = silent) -> NDArray[np.int64]:
    """Return the positions of the originals that are not there, ascending.

    Raises
    ------
    Stopped
        By ``report``.
    BucketUnavailable
        A bucket does not answer.
    """
    gone: list[int] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="missing") as pool:
        for start in range(0, len(originals), _EVERY):
            report(start, len(originals), "looking at the files")
            states = pool.map(is_gone, originals[start : start + _EVERY])
            gone += [start + place for place, state in enumerate(states) if state]
    report(len(originals), len(originals), "")
    return np.array(gone, np.int64)
