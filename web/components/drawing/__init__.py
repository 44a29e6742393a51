"""A figure of the engine's own, drawn on the page as it is exported: in the page's colours, its words selectable.

In:  a drawing. Out: nothing. Streamlit takes SVG out of ``st.html``, hence a component.
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
    """Draw ``drawing`` over the page's width, to 880 px; it scrolls sideways on a narrow screen."""
    _component(key=key, data={"svg": svg_element(drawing)})
