"""``GET /api/dataset``: the opened dataset, as a file, for whoever may have it.

In:  whoever is signed in. Out: the file; 403 with the reason for somebody with too few accepted answers; 404 where none
is opened.
"""

from collections.abc import Callable

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bam_engine.reporting import opened_dataset
from bam_engine.reporting.opened_dataset import OpenedDataset
from bam_engine.workspace import Workspace
from web import people
from web.routes.caching import NO_STORE
from web.routes.replies import in_words

ADDRESS = "/api/dataset"


def dataset_routes(get_workspace: Callable[[], Workspace]) -> list[Route]:
    """Return the route; ``get_workspace`` is called in a worker thread at every request."""

    def allowed() -> OpenedDataset:
        return opened_dataset.download(get_workspace(), people.person())

    async def send(_request: Request) -> Response:
        found = await to_thread.run_sync(allowed)
        return FileResponse(
            found.path, filename=found.path.name, media_type="application/octet-stream", headers=NO_STORE
        )

    return [Route(ADDRESS, in_words(send))]
