"""The page that every address of ours begins with: Streamlit's own, with what is seen before it has come.

Streamlit's page is blank until its scripts have come and the first run has begun; each kind of element then waits for a
script of its own, and what is drawn takes its final place only as our rules arrive with that run. Here the rules stand
in the page's head, fonts and scripts are fetched from the start, and a shell in the shape of a page is there from the
first paint. Where Streamlit's page is not as we know it, it is served as it is.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web import ui
from web.routes.caching import ALWAYS_ASK

_IMPORTED = re.compile(r'(?:from|import)"\./([^"/]+\.js)"')
_FOLDER = Path(__file__).parent.parent / "shell"
_STATIC = Path(streamlit.__file__).parent / "static"
_FONTS = ("MaterialSymbols-Rounded", "SourceSerifVariable-Roman")
_ELEMENTS = (
    *("Html", "Button", "PageLink", "TextInput", "BidiComponent", "Selectbox", "Multiselect", "ButtonGroup"),
    *("Checkbox", "Metric", "rehype-raw"),
)
"""What most pages are made of, about 500 kB of scripts in all; tables and charts are fetched where they are shown."""


def shell_routes(pages: Sequence[str], *, static: Path = _STATIC) -> list[Route]:
    """Return the routes of the root and of each page; none where Streamlit's page cannot be dressed."""
    content = dressed(static)
    if not content:
        return []
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'

    async def page(request: Request) -> Response:
        headers = {"Cache-Control": ALWAYS_ASK, "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="text/html", headers=headers)

    return [Route(path, page) for path in ("/", *(f"/{name}" for name in pages))]


def dressed(static: Path) -> bytes:
    """Return Streamlit's page with our rules and shell in it; nothing where it is not there or looks otherwise."""
    try:
        page = (static / "index.html").read_text(encoding="utf-8")
    except OSError:
        return b""
    if page.count("</head>") != 1 or page.count('<div id="root"></div>') != 1:
        return b""
    fonts = [file for name in _FONTS for file in sorted((static / "static" / "media").glob(f"{name}.*woff2"))]
    head = "".join(
        f'<link rel="preload" href="./static/media/{font.name}" as="font" type="font/woff2" crossorigin />\n'
        for font in fonts
    )
    folder = static / "static" / "js"
    head += "".join(
        f'<link rel="modulepreload" crossorigin href="./static/js/{name}">\n'
        for name in _scripts(folder, _ELEMENTS)
        if name not in page
    )
    begun = "".join(f'import("./static/js/{file.name}");' for name in _ELEMENTS for file in folder.glob(f"{name}.*.js"))
    head += f"<style>\n{_read('shell.css')}\n{ui.CSS}</style>\n"
    page = page.replace("<title>Streamlit</title>", f"<title>{ui.TITLE}</title>").replace("</head>", f"{head}</head>")
    return page.replace(
        '<div id="root"></div>', f'<div id="root"></div>\n{_read("shell.html")}<script type="module">{begun}</script>'
    ).encode()


def _scripts(folder: Path, elements: Sequence[str]) -> list[str]:
    """Return the scripts of the elements and all that these import, by name."""
    found: dict[str, None] = {}
    wanted = [file.name for element in elements for file in folder.glob(f"{element}.*.js")]
    while wanted:
        name = wanted.pop()
        if name not in found and (folder / name).is_file():
            found[name] = None
            wanted += _IMPORTED.findall((folder / name).read_text(encoding="utf-8"))
    return list(found)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
