"""The frame around every page: navigation, who is annotating, what runs in the background.

This file stands outside ``pages/`` so that deep links work; it is the script that the server runs.
"""

from pathlib import Path

import streamlit as st

from web import demo_controls, navigation, ui
from web.warm import stillness

ICON = str(Path(__file__).with_name("icon.png"))


def draw(start: str = "overview") -> None:
    """Draw the frame and the page that the URL names; ``start`` is the page at the root."""
    st.set_page_config(page_title=ui.TITLE, page_icon=ICON, layout="wide")
    ui.style()
    chosen = st.navigation(navigation.pages(start), expanded=True)  # else the last pages hide behind a button
    with stillness.broken(), ui.guard():
        ui.sidebar()
        demo_controls.banner()
        chosen.run()


if __name__ == "__main__":
    draw()
