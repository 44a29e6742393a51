"""The JavaScript modules of the components: their contents, their version, the addresses a component loads.

All modules share one version, the digest of all their contents, which is a folder of their address. Relative imports
stay within that folder, so a browser with cached modules never mixes versions.
"""

import gzip
import hashlib
import json
import posixpath
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_FOLDER = Path(__file__).parent
_COMPONENTS = _FOLDER / "components"
_STUB = _COMPONENTS / "stub.js"
_IMPORT = re.compile(r'^(?:import|export|\})[^"\n]*"(\.[^"]+\.js)";$', re.MULTILINE)


OF_PAGES = {
    "gallery": "gallery/endless_mount.js",
    "bam_file": "gallery/endless_mount.js",
    "map": "map/map.js",
    "annotate": "label_grid/mount.js",
}
"""The module of each page that is nothing without its component: the browser fetches it with the page."""


@cache
def contents() -> dict[str, bytes]:
    """Return every module by its path below ``web/``."""
    files = [file for folder in ("components", "vendor") for file in sorted((_FOLDER / folder).rglob("*.js"))]
    return {file.relative_to(_FOLDER).as_posix(): file.read_bytes() for file in files if file != _STUB}


@cache
def compressed(name: str) -> bytes:
    """Return a module compressed by gzip."""
    return gzip.compress(contents()[name], mtime=0)


@cache
def version() -> str:
    """Return the version of the modules: the digest of their names and contents."""
    digest = hashlib.sha256()
    for name, content in contents().items():
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


@cache
def addresses(entry: str) -> tuple[str, ...]:
    """Return the addresses of a module, given by its path below ``web/components/``, and of all that it imports."""
    found: dict[str, None] = {}
    pending = [f"components/{entry}"]
    while pending:
        name = pending.pop(0)
        if name not in found:
            found[name] = None
            imported = _IMPORT.findall(contents()[name].decode())
            pending += [posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in imported]
    return tuple(f"/modules/{version()}/{name}" for name in found)


def script(entry: str) -> str:
    """Return the script of a component: it loads the modules and calls the default function of ``entry``."""
    return f"const MODULES = {json.dumps(addresses(entry))};\n{_STUB.read_text(encoding='utf-8')}"


def component(name: str, entry: str, styles: Sequence[str]) -> "ComponentRenderer":
    """Declare a component of Streamlit.

    Parameters
    ----------
    entry
        The module whose default function Streamlit calls, by its path below ``web/components/``.
    styles
        Style sheets by their paths below ``web/components/``, joined in this order.
    """
    css = "\n".join((_COMPONENTS / style).read_text(encoding="utf-8") for style in styles)
    return st.components.v2.component(name, css=css, js=script(entry))
