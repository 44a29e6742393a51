"""The HTML page behind every address: Streamlit's own, with our style and a skeleton added.

Streamlit's page stays blank until its scripts have loaded and the first run has started; each kind of element then
loads a script of its own, and the layout shifts once our style arrives with that run. Here the style is in the page's
head, fonts and scripts are preloaded, the modules of the page's component among them, and a skeleton shows from the
first paint. Once a page is shown and rests, the modules of the other pages are fetched too, so that a click on one
finds them there. Where Streamlit's page has an unexpected form, it is served unchanged.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web import modules, people, ui
from web.routes.caching import REVALIDATE

_INLINE = re.compile(r"<script(?: type=\"module\")?>(.*?)</script>", re.DOTALL)
_IMPORTED = re.compile(r'(?:from|import)"\./([^"/]+\.js)"')
_FOLDER = Path(__file__).parent.parent / "shell"
_STATIC = Path(streamlit.__file__).parent / "static"
_FONTS = ("MaterialSymbols-Rounded", "SourceSerifVariable-Roman")
_ELEMENTS = (
    *("Html", "Button", "PageLink", "TextInput", "BidiComponent", "Selectbox", "Multiselect", "ButtonGroup"),
    *("Checkbox", "Metric", "rehype-raw"),
)
"""Elements of most pages, about 500 kB of scripts in all; those of tables and charts load where they are shown."""


def shell_routes(titles: Mapping[str, str], *, static: Path = _STATIC) -> list[Route]:
    """Return the routes of the pages; none where Streamlit's page has an unexpected form.

    ``titles`` gives the title of each page by its address; that of the root is empty.
    """
    contents = {name: page_with_shell(static, modules.OF_PAGES.get(name), titles) for name in titles}
    return [Route(f"/{name}", partial(_page, content)) for name, content in contents.items() if content]


def root_routes(start: str) -> list[Route]:
    """Return the route that leads from the name of the page at the root to the root, where Streamlit has it."""
    return [Route(f"/{start}", _to_root)]


async def _to_root(request: Request) -> Response:
    return RedirectResponse("./" + (f"?{request.url.query}" if request.url.query else ""))


async def _page(content: bytes, request: Request) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    headers = {"Cache-Control": REVALIDATE, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/html", headers=headers)


def page_with_shell(static: Path, module: str | None = None, titles: Mapping[str, str] | None = None) -> bytes:
    """Return Streamlit's page with our style and skeleton; empty where it is missing or has an unexpected form.

    ``module`` is that of the page's component, which is preloaded with all that it imports; ``titles`` are those of
    all pages, by their addresses.
    """
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
    own = modules.addresses(module) if module else ()
    head += "".join(f'<link rel="modulepreload" href="{address}">\n' for address in own)
    others = {address: None for other in modules.OF_PAGES.values() for address in modules.addresses(other)}
    later = " ".join(address for address in others if address not in own)
    imports = "".join(
        f'import("./static/js/{file.name}");' for name in _ELEMENTS for file in folder.glob(f"{name}.*.js")
    )
    head += f"<style>\n{_read('shell.css')}\n{ui.CSS}</style>\n"
    page = page.replace("<title>Streamlit</title>", f"<title>{ui.TITLE}</title>").replace("</head>", f"{head}</head>")
    shell = _read("shell.html").replace('data-modules=""', f'data-modules="{later}"')
    shell = shell.replace('data-titles="{}"', f'data-titles="{html.escape(json.dumps(titles or {}))}"')
    shell += _read("team.html") if people.team_mode() else ""
    return page.replace(
        '<div id="root"></div>', f'<div id="root"></div>\n{shell}<script type="module">{imports}</script>'
    ).encode()


def inline_scripts(static: Path = _STATIC) -> list[str]:
    """Return the digests of the scripts within our pages and Streamlit's, as a content security policy has them."""
    index = static / "index.html"
    pages = (index.read_text(encoding="utf-8") if index.is_file() else "", page_with_shell(static).decode())
    scripts = dict.fromkeys(script for page in pages for script in _INLINE.findall(page))
    return [f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}" for script in scripts]


def _scripts(folder: Path, elements: Sequence[str]) -> list[str]:
    """Return the names of the elements' scripts and of all that these import."""
    scripts: dict[str, None] = {}
    pending = [file.name for element in elements for file in folder.glob(f"{element}.*.js")]
    while pending:
        name = pending.pop()
        if name not in scripts and (folder / name).is_file():
            scripts[name] = None
            pending += _IMPORTED.findall((folder / name).read_text(encoding="utf-8"))
    return list(scripts)


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
