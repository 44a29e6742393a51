"""Shows a drawing of the engine as inline SVG: in the page's colours, with selectable text.

In:  a drawing. Out: nothing. It is a component because ``st.html`` removes SVG.
"""

import streamlit as st

from bam_engine.exchange import Drawing, svg_element

_component = st.components.v2.component(
    "bam_drawing",
    css=(
        ".sheet { overflow-x: auto; color: var(--st-text-color); --paper: var(--st-background-color); }\n"
        "svg { display: block; width: 100%; max-width: 880px; min-width: 500px; height: auto; }"
    ),
    js=(
        "export default function ({ parentElement, data }) {\n"
        "  let sheet = parentElement.querySelector('.sheet');\n"
        "  if (!sheet) {\n"
        "    sheet = document.createElement('div');\n"
        "    sheet.className = 'sheet';\n"
        "    sheet.tabIndex = 0;\n"  # so that keys can scroll it
        "    sheet.setAttribute('role', 'group');\n"
        "    sheet.setAttribute('aria-label', 'Figure');\n"
        "    parentElement.append(sheet);\n"
        "  }\n"
        "  sheet.innerHTML = data.svg;\n"
        "}\n"
    ),
)


def show_drawing(drawing: Drawing, *, key: str) -> None:
    """Show ``drawing`` at the page's width, at most 880 px; on a narrow screen it scrolls sideways."""
    _component(key=key, data={"svg": svg_element(drawing)})
