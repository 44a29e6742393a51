"""What the server has beside its pages: the routes, and what happens when it starts and stops."""

import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from typing import Any

from starlette.routing import BaseRoute

from web.engine import workspace
from web.routes.images import image_routes
from web.routes.labels import label_routes
from web.routes.tiles import tile_routes

log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """Return every route of ours."""
    return [
        *image_routes(workspace),
        *label_routes(lambda: workspace().annotations),
        *tile_routes(_map_view),
    ]


def _map_view(map_id: str) -> Any:
    from bam_engine.workspace import maps

    return maps.view(workspace(), map_id)


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Warm what pages import late, once the server answers; stop the background work at the end."""
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    yield
    for job in workspace().jobs.running():
        job.stop()


def _warm() -> None:
    """Import the heavy libraries after the first paint, so that no page waits for them."""
    import time

    time.sleep(2)
    for name in ("plotly.graph_objects", "sklearn.linear_model", "numba"):
        try:
            __import__(name)
        except ImportError:
            log.warning("%s cannot be imported; pages that need it will say so", name, exc_info=True)
