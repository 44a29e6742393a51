"""The workspace's name above every page, and the dialog that opens another one or makes a new one."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from bam_engine.errors import BamError
from bam_engine.workspace.recent import existing_workspace, new_workspace
from web import ui, workspaces
from web.dialogs import open_dialog

_PORT = "workspace-port"  # in the session: (folder, port) of the workspace that was opened
_MOST = 8  # recent ones that are listed


def show(name: str) -> None:
    """Draw the name; on a server for this computer alone it is a button that opens the dialog."""
    if not workspaces.may_switch():
        ui.show_workspace(name)
    elif st.button(
        f"**{ui.plain(name)}**",
        key="workspace-menu",
        type="tertiary",
        icon=":material/unfold_more:",
        icon_position="right",
        help="This workspace. Open another one, or make a new one.",
    ):
        st.session_state.pop(_PORT, None)
        open_dialog("Workspaces", partial(choice, name), width="medium")


def choice(name: str) -> None:
    """Draw the recent workspaces, the forms for another and a new one, and the link to the one that was opened."""
    st.caption(f"This one is **{ui.plain(name)}**, in {ui.plain(str(workspaces.own_folder()))}.")
    for chosen in [_recent(), _new(), _by_folder()]:
        if chosen is not None:
            _open(*chosen)
    if _PORT in st.session_state:
        _link(*st.session_state[_PORT])


def _recent() -> tuple[Path, Path] | None:
    chosen = None
    with st.container(gap="small"):
        for number, one in enumerate(workspaces.other_workspaces()[:_MOST]):
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button(ui.plain(one.name), key=f"recent-{number}", icon=":material/folder_open:"):
                    chosen = one.folder, one.cache
                st.caption(f"{ui.plain(str(one.folder.parent))} · last opened {one.opened[:10]}")
    return chosen


def _new() -> tuple[Path, Path] | None:
    own = workspaces.own_folder()
    with st.form("new-workspace", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("New workspace", placeholder="its name", help=f"Its folder will be made in {own.parent}.")
        made = st.form_submit_button("Make and open", icon=":material/add:")
    if not made:
        return None
    return _checked(lambda: new_workspace(name, beside=own))


def _by_folder() -> tuple[Path, Path] | None:
    with st.form("open-workspace", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        typed = st.text_input("Workspace in a folder", placeholder="/path/of/its/folder")
        asked = st.form_submit_button("Open", icon=":material/folder_open:")
    if not asked:
        return None
    return _checked(lambda: existing_workspace(typed))


def _checked(folder: Callable[[], Path]) -> tuple[Path, Path] | None:
    try:
        return folder(), workspaces.own_cache()
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/error:")
        return None


def _open(folder: Path, cache: Path) -> None:
    st.session_state.pop(_PORT, None)
    with st.spinner(f"A server for “{ui.plain(folder.name)}” is starting…", show_time=True):
        try:
            st.session_state[_PORT] = folder, workspaces.serve(folder, cache)
        except BamError as error:
            st.error(ui.plain(str(error)), icon=":material/error:")


def _link(folder: Path, port: int) -> None:
    st.link_button(
        f"Go to “{ui.plain(folder.name)}”",
        address(st.context.url, port),
        type="primary",
        icon=":material/arrow_forward:",
        help="It opens in a tab of its own.",
    )


def address(here: str | None, port: int) -> str:
    """Return the address of another server on the computer that the browser reached as ``here``."""
    place = urlsplit(here or "http://localhost")
    host = place.hostname or "localhost"
    return f"{place.scheme}://{f'[{host}]' if ':' in host else host}:{port}/"
