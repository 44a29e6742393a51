"""Guide: how the method works, how to label, what the numbers mean, the words, and how to cite."""

import streamlit as st

from web import ui
from web.guide import Picture, figure, sections

top, *rest = sections()
ui.head(top.heading, str(top.parts[0]))
for tab, section in zip(st.tabs([one.heading for one in rest]), rest, strict=True):
    with tab:
        for part in section.parts:
            if isinstance(part, Picture):
                st.html(figure(part))
            else:
                st.markdown(part)
