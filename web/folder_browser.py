"""A dialog to choose a folder of the computer on which the server runs."""

from functools import partial
from pathlib import Path

import streamlit as st

from bam_engine.collection import FolderContents, check_allowed, look_into, starting_folder
from bam_engine.errors import BamError
from bam_engine.formatting import count
from web import ui
from web.dialogs import open_dialog

_PLACE = "folder-browser"  # in the session: the folder that the dialog shows
_MOST = 200  # folders that are listed as buttons


def browse_button(key: str) -> None:
    """Draw a button that opens the dialog; ``key`` is that of the text field that the chosen folder is written to."""
    if st.button(
        "Choose a folder…",
        icon=":material/folder_open:",
        help="Look into the folders of the computer that runs the app",
    ):
        st.session_state[_PLACE] = str(_start(st.session_state.get(key, "")))
        open_dialog("Choose a folder", partial(choice, key), width="medium")


def _start(typed: str) -> Path:
    """Return the folder that is typed, if it can be looked into, or where a choice starts."""
    try:
        return check_allowed(typed)
    except BamError:
        return starting_folder()


def choice(key: str) -> None:
    """Draw a folder with the folders around it, and a button that chooses it for the text field ``key``."""
    with ui.guard():
        contents = _contents(st.session_state[_PLACE])
        _parents(contents)
        _folders(contents)
        st.caption(
            f"{count(contents.images, 'image')} in this folder itself; those of the folders in it are added too."
        )
        name = contents.path.name or str(contents.path)
        if st.button(f"Choose “{ui.plain(name)}”", type="primary", icon=":material/check:", key="choose-folder"):
            st.session_state[f"{key}-chosen"] = str(contents.path)
            st.rerun()


def _contents(place: str) -> FolderContents:
    """Return what a folder holds; where it cannot be looked into, say why, and return what is around it."""
    try:
        return look_into(place)
    except BamError as error:
        st.warning(ui.plain(str(error)), icon=":material/folder_off:")
        return look_into(_start(str(Path(place).parent)))


def take_choice(key: str) -> None:
    """Write the folder that was chosen into the text field ``key``; call it before the field is drawn."""
    chosen = st.session_state.pop(f"{key}-chosen", None)
    if chosen is not None:
        st.session_state[key] = chosen


def _show(folder: Path) -> None:
    st.session_state[_PLACE] = str(folder)


def _parents(contents: FolderContents) -> None:
    with st.container(horizontal=True, gap="small"):
        for depth, parent in enumerate(contents.parents):
            last = parent == contents.path
            name = parent.name or str(parent)
            st.button(
                ui.plain(name), key=f"parent-{depth}", on_click=_show, args=(parent,), type="tertiary", disabled=last
            )


def _folders(contents: FolderContents) -> None:
    wanted = ""
    if len(contents.folders) > 12:
        wanted = st.text_input("Filter", key=f"filter-{contents.path}", placeholder="part of a name").casefold()
    names = [name for name in contents.folders if wanted in name.casefold()]
    with st.container(height=320, border=True, gap=None):
        if not names:
            st.caption("No folders in here.")
        for name in names[:_MOST]:
            st.button(
                ui.plain(name),
                key=f"folder-{name}",
                on_click=_show,
                args=(contents.path / name,),
                icon=":material/folder:",
                type="tertiary",
            )
        if len(names) > _MOST:
            st.caption(f"{count(len(names) - _MOST, 'more folder')}: narrow them down by a part of their name.")
