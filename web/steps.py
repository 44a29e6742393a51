"""The attribute in focus: its picker, and the steps of its work, which are on top of each of its pages."""

import html

import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.errors import NotFound
from bam_engine.reporting.stages import Stage, StageName, stages_of
from web import ui
from web.engine import workspace
from web.navigation import focus_attribute, focused_attribute, link

_WORDS: dict[StageName, tuple[str, str]] = {
    "define": ("Define", "attributes"),
    "validate": ("Validate", "rounds"),
    "rounds": ("Rounds", "rounds"),
    "threshold": ("Threshold", "threshold"),
    "audit": ("Audit", "audit"),
    "report": ("Report", "report"),
}
"""The label of each step and the page that it opens."""
_ICONS = {"done": "check_circle", "current": "arrow_circle_right", "open": "radio_button_unchecked", "blocked": "lock"}
_STANDINGS = {"done": "done", "current": "next", "open": "open", "blocked": "not yet"}

_CSS = f"""<style>
[data-testid="stHorizontalBlock"]:has(> * .st-key-bam-steps) {{ flex-wrap: wrap; row-gap: .5rem; }}
[data-testid="stHorizontalBlock"]:has(> * .st-key-bam-steps) > :first-child {{ flex: 0 1 17rem; min-width: 12rem; }}
[data-testid="stHorizontalBlock"]:has(> * .st-key-bam-steps) > :last-child {{ flex: 1 1 33rem; min-width: 0; }}
.st-key-bam-steps {{ gap: 0 !important; flex-wrap: nowrap !important;
  box-shadow: inset 0 -1px color-mix(in srgb, currentColor 16%, transparent); }}
.st-key-bam-steps > * {{ flex: none; width: auto !important; }}
.st-key-bam-steps .stPageLink a {{ background: transparent; border-radius: 6px 6px 0 0; margin: 0; gap: .35rem;
  padding: .15rem .55rem; min-height: 2.25rem; border-bottom: 2px solid transparent; }}
.st-key-bam-steps .stPageLink a:is(:hover, :focus-visible) {{
  background: color-mix(in srgb, currentColor 8%, transparent); }}
.st-key-bam-steps .stPageLink a p {{ font-weight: 400; }}
.st-key-bam-steps [class*="-viewed"] a {{ border-bottom-color: light-dark(#0b6e69, #5fd0c7); }}
.st-key-bam-steps [class*="-viewed"] a p {{ font-weight: 600; }}
.st-key-bam-steps [class*="-current"] a :is(span, p) {{ color: light-dark(#0b6e69, #5fd0c7) !important; }}
.st-key-bam-steps [class*="-blocked"] a :is(span, p) {{ color: light-dark(#6b6f6c, #9a9d98) !important; }}
.st-key-bam-steps [data-testid="stElementContainer"]:has(.{ui.UNSEEN}) {{ position: absolute; }}
@media (max-width: 640px) {{
  .st-key-bam-steps:not(:has([class*="-viewed"], [class*="-current"])) {{ flex-wrap: wrap !important; }}
  .st-key-bam-steps:has([class*="-viewed"], [class*="-current"])
    > :not(:has([class*="-viewed"], [class*="-current"])) .stPageLink a > :last-child {{
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }}
}}
</style>"""


def attribute_in_focus(page: str, label: str = "Attribute") -> Attribute | None:
    """Draw the picker of the attribute in focus and its steps, above ``page``; return it.

    The choice is kept across pages, and in the address. Where there is no attribute, a hint takes their place.
    """
    attributes = workspace().attributes.all()
    if not attributes:
        ui.empty("There are no attributes yet.", "Define the first one", "attributes")
        return None
    picker, bar = st.columns([2, 5], vertical_alignment="bottom", gap="medium")
    with picker:
        attribute = _picked(attributes, label)
    with bar:
        _draw(attribute, page)
    return attribute


def _picked(attributes: list[Attribute], label: str) -> Attribute:
    names = [attribute.name for attribute in attributes]
    asked = st.query_params.get("attribute")
    wanted = asked or focused_attribute()
    current = workspace().attributes.current_name(str(wanted or ""))
    if asked and current not in names:
        _say_why_not(asked)
    name = st.selectbox(
        label,
        names,
        index=names.index(current) if current in names else 0,
        key="attribute_picker",
        format_func=readable,
        label_visibility="collapsed",
    )
    focus_attribute(name)
    if st.query_params.get("attribute") != name:
        st.query_params["attribute"] = name
    return attributes[names.index(name)]


def _say_why_not(name: str) -> None:
    """Say why an attribute that the address names is not shown: there is none, or it is archived."""
    try:
        workspace().attributes.get(name)
    except NotFound as error:
        st.warning(f"This address cannot be opened. {ui.plain(str(error))}", icon=":material/link_off:")


def _draw(attribute: Attribute, page: str) -> None:
    """Draw the steps as links; the one that ``page`` belongs to is underlined."""
    stages = stages_of(workspace(), attribute)
    viewed = _viewed(stages, page)
    with st.container(key="bam-steps", horizontal=True):
        st.html(f'{_CSS}<p class="{ui.UNSEEN}">{html.escape(in_words(attribute, stages))}</p>')
        for stage in stages:
            words, target = _WORDS[stage.name]
            key = f"bam-step-{stage.name}-{stage.standing}" + ("-viewed" if stage.name == viewed else "")
            with st.container(key=key):
                link(target, words, attribute.name, icon=_ICONS[stage.standing], help=stage.reason or None)


def _viewed(stages: tuple[Stage, ...], page: str) -> StageName | None:
    """Return the step that a page belongs to: of those that share it, the one that is under way."""
    here = [stage for stage in stages if _WORDS[stage.name][1] == page]
    begun = [stage for stage in here if stage.standing != "blocked"]
    current = next((stage for stage in here if stage.standing == "current"), None)
    chosen = current or (begun[-1] if begun else here[0] if here else None)
    return None if chosen is None else chosen.name


def in_words(attribute: Attribute, stages: tuple[Stage, ...]) -> str:
    """Return the steps as a sentence, for screen readers."""
    each = [
        f"{_WORDS[stage.name][0]}: {_STANDINGS[stage.standing]}" + (f" ({stage.reason})" if stage.reason else "")
        for stage in stages
    ]
    return f"The steps of {readable(attribute.name)}. " + "; ".join(each) + "."
