"""The JavaScript modules of the components.

In:  ``GET /modules/{version}/{path below web/}``. Out: the module, immutable, compressed for browsers that accept it. A
module has one address in each version; any other version is a 404, since other content there would mix versions.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web import modules
from web.routes.caching import NO_STORE, accepts_gzip, kept_text
from web.routes.replies import nothing_below


def module_routes() -> list[Route]:
    """Return the route of the modules."""
    return [
        *(Route(f"/modules/{path}", _module) for path in ("{version}/{name:path}", "{rest:path}")),
        *nothing_below("/modules"),
    ]


async def _module(request: Request) -> Response:
    name = request.path_params.get("name")
    if name not in modules.contents() or request.path_params["version"] != modules.version():
        text = "There is no such module in this version of the app. Reload the page."
        return Response(text, status_code=404, media_type="text/plain", headers=NO_STORE)
    compressed = accepts_gzip(request)
    content = modules.compressed(name) if compressed else modules.contents()[name]
    return kept_text(content, "text/javascript", compressed=compressed)
