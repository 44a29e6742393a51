"""The pages of the app in their groups, and links between them."""

from pathlib import Path

import streamlit as st

from bam_engine.errors import BamError, TeamError
from bam_engine.published import named_file
from bam_engine.team.permissions import plural
from web import people
from web.engine import workspace
from web.rules import PAGES

_FOLDER = Path(__file__).parent.parent / "pages"
GROUPS = {
    "Collection": {
        "overview": ("Overview", "home"),
        "gallery": ("Gallery", "photo_library"),
        "map": ("Map", "map"),
        "image": ("Image", "image"),
    },
    "Attributes": {
        "attributes": ("Attributes", "label"),
        "annotate": ("Annotate", "check_box"),
        "work": ("Your work", "person"),
        "rounds": ("Rounds", "cycle"),
        "threshold": ("Threshold", "tune"),
        "audit": ("Audit", "fact_check"),
        "report": ("Report", "description"),
        "agreement": ("Agreement", "handshake"),
        "annotators": ("Annotators", "group"),
    },
    "Data": {
        "images": ("Images", "add_photo_alternate"),
        "embed": ("Embeddings", "hub"),
        "duplicates": ("Duplicates", "content_copy"),
        "export": ("Export", "download"),
        "bam_file": ("BAM's file", "database"),
        "snapshots": ("Snapshots", "photo_camera"),
    },
    "Help": {
        "guide": ("Guide", "menu_book"),
    },
}
_OF_A_TEAM = {"Team": {"proposals": ("Proposals", "lightbulb"), "people": ("People", "badge")}}
START = "overview"
"""The page at the root."""
_FOCUS = "attribute_kept"
HIDDEN = ("image", "rounds", "threshold", "audit", "report")
"""Pages that are not in the sidebar: links lead to an image, and the steps of an attribute to its pages."""


def groups() -> dict[str, dict[str, tuple[str, str]]]:
    """Return the groups of the pages of this server: by address, the title and the icon of each."""
    return GROUPS | _OF_A_TEAM if people.team_mode() else GROUPS


def titles() -> dict[str, str]:
    """Return the title of each page of this server by its address; that of the root is empty."""
    named = {name: title for pages in groups().values() for name, (title, _) in pages.items()}
    return {"": named[START], **named}


def is_allowed(page: str) -> bool:
    """Return whether whoever looks may open a page."""
    return people.may(PAGES[page])


def pages(start: str = START) -> dict[str, list[st.Page]]:
    """Return the pages of each group that whoever looks may open; ``start`` is the page at the root."""
    allowed = {
        group: {
            name: _page(name, title, icon, default=name == start)
            for name, (title, icon) in names.items()
            if is_allowed(name)
        }
        for group, names in groups().items()
    }
    st.session_state["pages"] = {name: page for pages in allowed.values() for name, page in pages.items()}
    return {group: list(pages.values()) for group, pages in allowed.items() if pages}


def _page(name: str, title: str, icon: str, *, default: bool) -> st.Page:
    path = "" if default else name
    return st.Page(
        _FOLDER / f"{name}.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=path,
        default=default,
        visibility="hidden" if name in HIDDEN or (name == "bam_file" and not _has_bam_file()) else "visible",
    )


def _has_bam_file() -> bool:
    """Return whether the workspace browses a file of BAM's; whatever keeps it from opening is told by the page."""
    try:
        return named_file(workspace()) is not None
    except BamError:
        return False


def focused_attribute() -> str | None:
    """Return the name of the attribute that was looked at last in this session, or None."""
    name: str | None = st.session_state.get(_FOCUS)
    return name


def focus_attribute(name: str) -> None:
    """Remember the attribute that is looked at, for the pages that follow."""
    st.session_state[_FOCUS] = name


def link(
    page: str,
    label: str,
    attribute: str | None = None,
    *,
    icon: str = "arrow_forward",
    help: str | None = None,  # noqa: A002
    **parameters: str,
) -> None:
    """Draw a link to a page, optionally for one attribute; ``parameters`` are added to the URL's query.

    Nothing is drawn for whoever may not open the page.
    """
    if not is_allowed(page):
        return
    st.page_link(
        st.session_state["pages"][page],
        label=label,
        icon=f":material/{icon}:",
        help=help,
        query_params=({"attribute": attribute, **parameters} if attribute else parameters) or None,
    )


def go(page: str, attribute: str | None = None, **parameters: str) -> None:
    """Go to a page, optionally for one attribute; ``parameters`` are added to the URL's query.

    Raises
    ------
    TeamError
        Whoever looks may not open it.
    """
    if not is_allowed(page):
        raise TeamError(f"That page is for {plural(PAGES[page])}. Ask an owner to do it.")
    query = {"attribute": attribute, **parameters} if attribute else parameters
    st.switch_page(st.session_state["pages"][page], query_params=query or None)
