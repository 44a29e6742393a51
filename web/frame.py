"""The frame around every page: navigation, annotator, background jobs.

The server runs this script. It lies outside ``pages/`` so that deep links work.
"""

from pathlib import Path

import streamlit as st

from bam_engine.errors import BamError
from web import demo_controls, dialogs, identity, jobs, navigation, people, ui, undo, workspace_menu
from web.engine import workspace, workspace_name
from web.warm import activity

ICON = str(Path(__file__).with_name("icon.png"))


def draw(start: str = navigation.START) -> None:
    """Draw the frame and the page that the URL names; ``start`` is the page at the root."""
    st.set_page_config(page_title=ui.TITLE, page_icon=ICON, layout="wide")
    ui.style()
    dialogs.page_begins()
    if not _is_known():
        return
    # Unless it is expanded, the last pages are hidden behind a button.
    chosen = st.navigation(navigation.pages(start), expanded=True)
    with activity.drawing(), ui.guard():
        name = workspace_name()
        st.set_page_config(page_title=f"{chosen.title} · {name}")
        workspace_menu.show(name)
        with workspace().reading():
            jobs.turn_page(chosen.url_path)
            ui.sidebar()
            jobs.in_sidebar()
            demo_controls.banner()
            undo.offer(chosen.url_path)
            try:
                chosen.run()
            finally:  # a page may stop early
                with st.sidebar:
                    identity.keep()


def _is_known() -> bool:
    """Return whether somebody may look; if nobody is signed in to a team's server, say so."""
    try:
        people.person()
    except BamError as error:
        st.error(ui.plain(str(error)), icon=":material/lock:")
        return False
    return True


if __name__ == "__main__":
    draw()
