"""What the server has beside its pages: the routes, and what happens when it starts and stops."""

import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

from starlette.routing import BaseRoute

from bam_engine.projection import MapView
from bam_engine.workspace import map_views, sprite_packing
from web.engine import workspace
from web.routes.gallery import gallery_routes
from web.routes.images import image_routes
from web.routes.labels import label_routes
from web.routes.maps import map_routes
from web.routes.tiles import tile_routes

log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """Return every route of ours."""
    return [
        *image_routes(workspace),
        *gallery_routes(workspace),
        *label_routes(lambda: workspace().annotations),
        *map_routes(workspace),
        *tile_routes(
            lambda map_id: map_views.view(workspace(), map_id),
            glance=lambda map_id: map_views.glance(workspace(), map_id),
        ),
    ]


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Warm what pages import late, once the server answers; stop the background work at the end."""
    threading.Thread(target=_warm, name="warm", daemon=True).start()
    yield
    for job in workspace().jobs.running():
        job.stop()


def _warm() -> None:
    """Import the heavy libraries and compile the map's kernels after the first paint: no page waits for them."""
    time.sleep(2)
    try:
        import plotly.graph_objects  # noqa: F401
        import sklearn.linear_model  # noqa: F401

        MapView([[0.5, 0.5]], version="warm", thumbnail=lambda row: None).warm()
        sprite_packing.start_newest(workspace())
    except ImportError:
        log.warning("a library cannot be imported; the pages that need it will say so", exc_info=True)
