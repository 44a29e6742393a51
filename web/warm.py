"""The warm-up of a new process: a thread imports and compiles what the first visits would wait for.

Imports and compilation hold the interpreter, so they slow any page drawn meanwhile. What every page needs comes first,
while the browser loads its scripts, then what the gallery and the Image page need. The rest waits until no page is
being drawn.
"""

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module

import numpy as np

from bam_engine.errors import BamError
from bam_engine.workspace import Workspace

log = logging.getLogger(__name__)

QUIET = 1.5
"""Seconds without page activity before a heavy step starts."""

FIRST = 8.0
"""Seconds after the start in which the first visit is expected."""

PATIENCE = 120.0
"""Seconds after which a heavy step starts in any case."""

_PAGES = ("web.frame", "web.image_panel", "web.gallery_filters", "web.gallery_actions", "pandas")
_LATER = ("sklearn.linear_model", "plotly.graph_objects")


class PageActivity:
    """Tracks the pages being drawn. For the first ``first`` seconds, one counts as being drawn."""

    def __init__(self, first: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._active = 0
        self._since = time.monotonic() + first

    @contextlib.contextmanager
    def drawing(self) -> Iterator[None]:
        """Count as a page being drawn."""
        with self._lock:
            self._active += 1
        try:
            yield
        finally:
            with self._lock:
                self._active -= 1
                self._since = time.monotonic()

    def wait_until_idle(self, seconds: float = QUIET, patience: float = PATIENCE) -> None:
        """Wait until no page has been drawn for ``seconds``, but no longer than ``patience``."""
        end = time.monotonic() + patience
        while (now := time.monotonic()) < end:
            with self._lock:
                remaining = seconds if self._active else self._since + seconds - now
            if remaining <= 0:
                return
            time.sleep(min(max(remaining, 0.02), end - now))


activity = PageActivity(FIRST)


def start(workspace: Callable[[], Workspace]) -> threading.Thread:
    """Warm up in a daemon thread."""
    thread = threading.Thread(target=warm, args=(workspace,), name="warm", daemon=True)
    thread.start()
    return thread


def warm(workspace: Callable[[], Workspace], activity: PageActivity = activity) -> None:
    """Import, read and compile what the first visits need, in the likely order of need.

    What fails here fails again where it is needed, and is reported there.
    """
    steps: list[tuple[bool, Callable[[], object]]] = [
        *((False, partial(import_module, name)) for name in _PAGES),
        (False, lambda: _neighbours()),
        (False, lambda: _gallery(workspace())),
        *((True, partial(import_module, name)) for name in _LATER),
        (True, _map),
        (True, lambda: _sprites(workspace())),
        (True, _freeze_heap),
        (True, lambda: workspace().sweep()),
    ]
    for heavy, step in steps:
        if heavy:
            activity.wait_until_idle()
        try:
            step()
        except (BamError, ImportError, OSError):
            log.warning("a step of the warm-up failed; its error is reported where the step is needed", exc_info=True)


def _neighbours() -> None:
    """Compile the search for neighbours, and import what probabilities need."""
    from bam_engine import learning

    import_module("scipy.special")
    vectors = np.eye(2, dtype=np.float16)
    vectors.flags.writeable = False  # like memory-mapped vectors, so that the same kernel is compiled
    learning.most_similar(vectors, np.ones((1, 2), np.float32), 1)


def _gallery(workspace: Workspace) -> None:
    """Load what every listing needs: the number of images, the scores, the projects."""
    from bam_engine.gallery.counts import facet_counts
    from bam_engine.gallery.query import Query

    names = [attribute.name for attribute in workspace.attributes.all()]
    if len(workspace.catalogue):
        facet_counts(
            workspace,
            Query(attribute=names[0] if names else ""),
            ["project", "place"] if names else ["project"],
        )


def _map() -> None:
    from bam_engine.projection import MapView

    MapView([[0.5, 0.5]], version="warm", thumbnail=lambda row: None).warm()


def _freeze_heap() -> None:
    """Exempt what stays in memory from garbage collection, which would take a tenth of a second each time."""
    gc.collect()
    gc.freeze()


def _sprites(workspace: Workspace) -> None:
    """Pack the sprites of the newest map in the background."""
    from bam_engine.maps import sprite_packing

    sprite_packing.start_newest(workspace)
