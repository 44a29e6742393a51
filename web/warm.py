"""What a fresh process would make its first visitors wait for, done beforehand in a thread.

Imports and compiling hold the interpreter, so they slow whatever page is drawn meanwhile. What every page needs comes
first, while the browser still loads its scripts; then what the gallery and an image's page ask for; what only some
pages need waits until no page is being drawn.
"""

import contextlib
import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from importlib import import_module

import numpy as np

from bam_engine.errors import BamError
from bam_engine.workspace import Workspace

log = logging.getLogger(__name__)

QUIET = 1.5
"""Seconds without a page being drawn before something heavy is begun."""

FIRST = 8.0
"""Seconds after the start in which the first visitor is waited for."""

PATIENCE = 120.0
"""Seconds after which it is begun all the same."""

_PAGES = ("web.frame", "web.image_panel", "web.gallery_bar", "web.gallery_actions", "pandas")
_LATER = ("sklearn.linear_model", "plotly.graph_objects")


class Stillness:
    """How long no page has been drawn; many may be drawn at once. For ``first`` seconds one is expected."""

    def __init__(self, first: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._drawing = 0
        self._since = time.monotonic() + first

    @contextlib.contextmanager
    def broken(self) -> Iterator[None]:
        """Count as a page that is being drawn."""
        with self._lock:
            self._drawing += 1
        try:
            yield
        finally:
            with self._lock:
                self._drawing -= 1
                self._since = time.monotonic()

    def wait(self, seconds: float = QUIET, patience: float = PATIENCE) -> None:
        """Wait until no page has been drawn for so long, at most as long as patience lasts."""
        end = time.monotonic() + patience
        while (now := time.monotonic()) < end:
            with self._lock:
                rest = seconds if self._drawing else self._since + seconds - now
            if rest <= 0:
                return
            time.sleep(min(max(rest, 0.02), end - now))


stillness = Stillness(FIRST)


def start(workspace: Callable[[], Workspace]) -> threading.Thread:
    """Warm the process in a thread of its own; it ends with the process."""
    thread = threading.Thread(target=warm, args=(workspace,), name="warm", daemon=True)
    thread.start()
    return thread


def warm(workspace: Callable[[], Workspace], still: Stillness = stillness) -> None:
    """Import, read and compile what the first visits need, in the order in which they are likely to need it.

    What fails here fails again where it is asked for, and is told there.
    """
    steps: list[tuple[bool, Callable[[], object]]] = [
        *((False, lambda name=name: import_module(name)) for name in _PAGES),  # type: ignore[misc]
        (False, lambda: _likes()),
        (False, lambda: _gallery(workspace())),
        *((True, lambda name=name: import_module(name)) for name in _LATER),  # type: ignore[misc]
        (True, _map),
        (True, lambda: _sprites(workspace())),
        (True, _settle),
    ]
    for heavy, step in steps:
        if heavy:
            still.wait()
        try:
            step()
        except (BamError, ImportError, OSError):
            log.warning("what would have been slow could not be done beforehand; who needs it is told", exc_info=True)


def _likes() -> None:
    """Compile the look for what is alike, and import what probabilities need."""
    from bam_engine import learning

    import_module("scipy.special")
    vectors = np.eye(2, dtype=np.float16)
    vectors.flags.writeable = False  # as those that are mapped: another kind of array, another kernel
    learning.most_similar(vectors, np.ones((1, 2), np.float32), 1)


def _gallery(workspace: Workspace) -> None:
    """Read what every listing stands on: how many images there are, the scores, the projects."""
    from bam_engine.gallery.listing import facet_counts
    from bam_engine.gallery.query import Query

    names = [attribute.name for attribute in workspace.attributes.all()]
    if len(workspace.catalogue):
        facet_counts(
            workspace, Query(attribute=names[0] if names else ""), ["project", "place"] if names else ["project"]
        )


def _map() -> None:
    from bam_engine.projection import MapView

    MapView([[0.5, 0.5]], version="warm", thumbnail=lambda row: None).warm()


def _settle() -> None:
    """Let garbage collections pass over what is here to stay: each would hold everybody up for a tenth of a second."""
    gc.collect()
    gc.freeze()


def _sprites(workspace: Workspace) -> None:
    """Pack the pictures of the newest map, in the background."""
    from bam_engine.maps import sprite_packing

    sprite_packing.start_newest(workspace)
