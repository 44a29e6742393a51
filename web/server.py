"""The routes of the server, what stands before them, and what happens when it starts and stops."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from bam_engine.errors import BamError, StoreUnavailable
from bam_engine.files import private_files
from bam_engine.maps import view_cache
from bam_engine.workspace import Workspace
from web import engine, warm, workspaces
from web.access import access_middleware
from web.assets import asset_middleware
from web.door import door_middleware
from web.engine import workspace
from web.navigation import START, titles
from web.routes.bam_file import bam_file_routes
from web.routes.borderline import borderline_routes
from web.routes.dataset import dataset_routes
from web.routes.direct_answers import direct_answer_routes
from web.routes.gallery import gallery_routes
from web.routes.images import image_routes
from web.routes.labels import label_routes
from web.routes.maps import map_routes
from web.routes.modules import module_routes
from web.routes.replies import nothing_below
from web.routes.shell import inline_scripts, root_routes, shell_routes
from web.routes.sign_in import sign_in_routes
from web.routes.single_sign_on import single_sign_on_routes
from web.routes.tiles import tile_routes


def routes() -> list[BaseRoute]:
    """Return all routes beside the pages."""
    return [
        *sign_in_routes(opened_workspace),
        *single_sign_on_routes(opened_workspace),
        *root_routes(START),
        *shell_routes(titles()),
        *module_routes(),
        *image_routes(opened_workspace),
        *gallery_routes(opened_workspace),
        *bam_file_routes(opened_workspace),
        *label_routes(lambda: opened_workspace().annotations),
        *direct_answer_routes(opened_workspace),
        *borderline_routes(opened_workspace),
        *dataset_routes(opened_workspace),
        *map_routes(opened_workspace),
        *tile_routes(
            lambda map_id: view_cache.current_view(opened_workspace(), map_id),
            get_cached_map=lambda map_id: view_cache.cached_view(opened_workspace(), map_id),
        ),
        *workspaces.workspace_routes(),
        *nothing_below("/api"),
        *nothing_below("/sign-in"),
    ]


def opened_workspace() -> Workspace:
    """Return the workspace for a request.

    Raises
    ------
    StoreUnavailable
        It cannot be opened, whatever the reason: a browser keeps what it sends until it can be.
    """
    try:
        return workspace()
    except BamError as error:
        raise StoreUnavailable(str(error)) from error


def middleware() -> list[Middleware]:
    """Return what every request passes first."""
    return [*access_middleware(inline_scripts()), *door_middleware(), *asset_middleware()]


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Warm up at the start; stop background jobs and the servers of other workspaces at the end."""
    with private_files():
        warm.start(workspace)
        workspaces.remember_own()
        yield
        workspaces.stop_all()
        if (opened := engine.opened_workspace()) is not None:
            for job in opened.jobs.running():
                job.stop()
