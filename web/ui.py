"""What pages share: headings, error handling, pickers, tables.

Nothing here makes decisions about data.
"""

import contextlib
import html
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine.annotation import KINDS, Attribute, readable
from bam_engine.annotation.names import MAX_LENGTH
from bam_engine.collection import Problem
from bam_engine.database import read_only
from bam_engine.errors import BamError
from bam_engine.formatting import count
from bam_engine.gallery import search
from bam_engine.guidance.guidance import Guidance, guidance_of
from bam_engine.team.permissions import plural
from web import identity, people
from web.engine import workspace
from web.identity import annotator as annotator
from web.navigation import go, is_allowed
from web.next_steps import direct
from web.rules import PAGES

log = logging.getLogger(__name__)

TITLE = "bam: image datasets you can trust"
"""The title of a page in the browser before the app has loaded."""

WAITING = "bam-waiting"
"""The CSS class of placeholders for what is still loading."""

STICKY = "bam-sticky"
"""The key of a container that stays in sight while the page is scrolled."""

UNSEEN = "bam-unseen"
"""The CSS class of words for screen readers alone."""

CSS = """
.stMain .block-container { position: relative; padding-top: 2.6rem; padding-bottom: 3rem; max-width: 1480px; }
h1 { font-size: 1.9rem !important; letter-spacing: -0.01em; padding-bottom: .1rem !important; }
h2 { font-size: 1.35rem !important; } h3 { font-size: 1.1rem !important; }
:is(.stElementContainer:has(.bam-workspace), .st-key-workspace-menu) { position: absolute; top: .9rem; width: auto; }
.bam-workspace { font-size: .875rem; line-height: 1.2; color: color-mix(in srgb, currentColor 68%, transparent); }
.bam-workspace b { font-weight: 600; overflow-wrap: anywhere; }
.st-key-workspace-menu { height: 0; }
.st-key-workspace-menu button { min-height: 0; padding: 0; color: color-mix(in srgb, currentColor 68%, transparent); }
.st-key-workspace-menu button p { overflow-wrap: anywhere; text-align: left; }
.bam-person { font-size: .875rem; line-height: 1.6; overflow-wrap: anywhere; }
.bam-person a { color: light-dark(#0b6e69, #5fd0c7); }
.bam-lead { color: color-mix(in srgb, currentColor 68%, transparent); margin: 0 0 1.1rem; max-width: 62rem; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
[data-testid="stMetric"] { min-width: 0; }
[data-testid="stMetric"] :is([data-testid="stMetricLabel"], [data-testid="stMetricDelta"], p, div),
[data-testid="stMain"] :is([data-testid="stCheckbox"], [data-testid="stPageLink"], button) :is(p, div, span) {
  white-space: normal; overflow: visible; text-overflow: clip;
}
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p {
  opacity: 1; color: light-dark(#5b605d, #a9aca7);
}
@media (max-width: 768px) { /* beside the button that opens the sidebar */
  :is(.stElementContainer:has(.bam-workspace), .st-key-workspace-menu) { position: fixed; top: 1.2rem; left: 3.6rem;
    max-width: calc(100vw - 8rem); z-index: 999990; }
}
@media (max-width: 1100px) { [data-testid="stMetricValue"] { font-size: 1.5rem; } }
@media (max-width: 640px) {
  /* The controls of a bar, two beside each other on a telephone. */
  [class*="st-key-"][class*="-bar"] [data-testid="stHorizontalBlock"] > [data-testid="stColumn"] {
    min-width: calc(50% - 1rem) !important; flex: 1 1 40% !important; }
  /* Numbers likewise, and so before their script has come. */
  [data-testid="stHorizontalBlock"]:is(
    :has(> [data-testid="stColumn"] > [data-testid="stVerticalBlock"] > :first-child [data-testid="stMetric"]),
    :has(> [data-testid="stColumn"] > [data-testid="stVerticalBlock"] > :only-child [data-testid="stSkeleton"])
  ):not([class*="st-key-"][class*="-bar"] *) > [data-testid="stColumn"] {
    min-width: calc(50% - 1rem) !important; flex: 1 1 40%; }
  [data-testid="stColumn"] > [data-testid="stVerticalBlock"] > :only-child [data-testid="stSkeleton"] {
    min-height: 3.75rem;
  }
  [class*="-answer-bar"] > :first-child { flex: 1 0 100% !important; } /* the answers below what they are for */
  [data-testid="stLayoutWrapper"]:has(> [class*="-steps"]) { flex: 1 0 100% !important; } /* actions below these */
  [data-testid="stLayoutWrapper"]:has(> .st-key-bam-sticky) { top: 3.75rem !important; } /* below Streamlit's header */
}
:is([role="radio"][data-selected="true"], [role="tab"][aria-selected="true"]) p { color: light-dark(#0b6e69, #5fd0c7); }
:where([data-testid="stMain"]) .stPageLink a:not(:hover, :focus-visible) { background: transparent; }
:where([data-testid="stMain"]) .stPageLink a p { font-weight: 400; }
.bam-table { overflow-x: auto; }
.bam-table[aria-hidden] table { width: 100%; }
.bam-table table { border-collapse: collapse; margin: 0; font-size: .875rem; line-height: 1.4; white-space: nowrap; }
.bam-table :is(th, td) { padding: .3rem .7rem .3rem 0; text-align: left; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent); font-variant-numeric: tabular-nums; }
.bam-table thead th { font-weight: 400; color: color-mix(in srgb, currentColor 68%, transparent); }
.bam-table tbody th { font-weight: 400; }
@media (max-width: 1100px) { .bam-stacked td { white-space: normal; } }
@media (max-width: 640px) {
  .bam-stacked thead { display: none; }
  .bam-stacked :is(table, tbody, tr, th, td) { display: block; white-space: normal; }
  .bam-stacked tr { padding: .4rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent); }
  .bam-stacked tbody :is(th, td) { display: flex; justify-content: space-between; gap: 1rem; padding: .1rem 0;
    border: 0; }
  .bam-stacked [data-name]::before { content: attr(data-name);
    color: color-mix(in srgb, currentColor 68%, transparent); }
  .bam-stacked tbody th { font-weight: 600; }
}
.bam-table thead th:first-child { font-weight: 600; color: inherit; }
[data-testid="stPlotlyChart"] :is(.xtitle, .ytitle, :is(.xtick, .ytick, .annotation) text) {
  fill: light-dark(#5d6461, #a3aaa6) !important; }
[data-testid="stPlotlyChart"] .legendtext { fill: light-dark(#1f2422, #e7e8e4) !important; }
.bam-unseen, [data-testid="stLayoutWrapper"]:has(> .st-key-bam-unseen) {
  position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); }
@media (max-width: 640px) { [data-testid="stLayoutWrapper"]:has(> .st-key-bam-unseen) + * { margin-top: 1.4rem; } }
.bam-waiting { --least: light-dark(#f0efea, #1f2426); --most: light-dark(#e3e1d9, #2b3235); border-radius: 4px;
  background-color: var(--least); }
@media (prefers-reduced-motion: no-preference) {
  .bam-waiting { background-image: linear-gradient(100deg, var(--least) 30%, var(--most) 50%, var(--least) 70%);
    background-size: 300% 100%; animation: bam-shimmer 1.6s linear 12; }
  @keyframes bam-shimmer { from { background-position: 120% 0; } to { background-position: -30% 0; } }
}
[data-testid="stLayoutWrapper"]:has(> .st-key-bam-sticky) { position: sticky; top: 0; z-index: 10;
  background: light-dark(#fcfcfa, #15181a); }
[data-testid="stSkillsNudge"] { display: none !important; } /* an offer to developers, not to our users */
"""


def style() -> None:
    """Add the CSS that the theme cannot express; pages from our server have it in their head too."""
    st.html(f"<style>{CSS}</style>")


@contextlib.contextmanager
def guard() -> Iterator[None]:
    """Show an error of the engine as its message, and any other as an apology, with the details in the log."""
    try:
        yield
    except BamError as error:
        st.error(plain(str(error)), icon=":material/error:")
    except Exception as error:
        log.exception("a page failed")
        st.error(
            f"This page met a defect of the program ({type(error).__name__}). Nothing that was saved is lost. "
            "The server's log has the details.",
            icon=":material/bug_report:",
        )


def show_workspace(name: str) -> None:
    """Draw the name of the workspace above the page."""
    words = f'<span class="{UNSEEN}">Workspace </span><b>{html.escape(name)}</b>'
    st.html(f'<div class="bam-workspace" title="Workspace">{words}</div>')


def head(title: str, lead: str) -> None:
    """Draw the title of a page and the sentence that says what it is for."""
    st.title(title, anchor=False)
    st.markdown(f'<p class="bam-lead">{lead}</p>', unsafe_allow_html=True)


def unseen_head(title: str) -> None:
    """Give a page whose content starts at the top a title for screen readers."""
    with st.container(key=UNSEEN):
        st.title(title, anchor=False)


def sidebar() -> None:
    """Draw the annotator's name."""
    with st.sidebar:
        identity.field()
        _proposed_annotator()
        if read_only(workspace().engine):
            st.caption("This workspace is read-only: it can be looked at, reported and exported, not changed.")


def _proposed_annotator() -> None:
    """Offer the name that the address gives: whoever made a link does not decide under whose name others answer."""
    name = "" if people.team_mode() else st.query_params.get("annotator", "").strip()[:MAX_LENGTH]
    if not name or name == annotator():
        return
    st.caption(f"The link that you opened is for **{plain(name)}**.")
    st.button(
        f"Answer as {plain(name)}",
        key="annotator-accept",
        on_click=identity.choose,
        args=(name,),
        icon=":material/person:",
    )


def popover(label: str, name: str, **options: Any) -> DeltaGenerator:
    """Draw a popover that :func:`close_popover` closes; ``options`` are passed to ``st.popover``."""
    return st.popover(label, key=f"{name}-{st.session_state.get(_popover_key(name), 0)}", **options)


def close_popover(name: str) -> NoReturn:
    """Rerun the page with a popover closed."""
    renew_popover(name)
    st.rerun()


def renew_popover(name: str) -> None:
    """Draw a popover closed from the next run on: under another key, it is a new one."""
    st.session_state[_popover_key(name)] = st.session_state.get(_popover_key(name), 0) + 1


def _popover_key(name: str) -> str:
    return f"{name}-closed"


def raw_text(key: str, label: str = "Raw text") -> bool:
    """Draw the toggle that leaves texts of a CSV file as they are; return whether it is on."""
    return st.toggle(
        label,
        key=key,
        help="An apostrophe precedes each text that a spreadsheet would take for a formula. Turn this on to read the "
        "files with a program that is no spreadsheet.",
    )


def search_hint() -> str:
    """Return what can be typed into a search box."""
    by_meaning = search.searches_by_meaning(workspace())
    return "describe it" if by_meaning else "words in names"


def searched_note() -> None:
    """Draw what a search by words has looked at."""
    st.caption(f"Searched {search.searched_by_words(workspace())}.")


def empty(text: str, action: str, page: str, attribute: str | None = None) -> None:
    """Draw an empty state: what is missing or comes next, and the button that leads to it, for whoever may go there."""
    with st.container(border=True):
        st.markdown(text)
        if is_allowed(page) and st.button(
            action, type="primary", icon=":material/arrow_forward:", key=f"go-{page}-{action}"
        ):
            go(page, attribute)
        if not is_allowed(page):
            st.caption(f"This step is for {plural(PAGES[page])}.")


def placeholder(skeleton: str) -> DeltaGenerator:
    """Draw the HTML ``skeleton`` in place of content that comes later; return the element to fill."""
    element = st.empty()
    if skeleton:
        element.html(skeleton)
    return element


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, stacked: bool = False) -> str:
    """Return a small table as HTML, with its column heads and its rows, each starting with its name.

    Unlike ``st.dataframe``, it is drawn at once and has the height of its rows. ``stacked``: on a telephone, the cells
    of a row are below each other, each beside the name of its column.
    """
    first = "".join(f'<th scope="col">{html.escape(words)}</th>' for words in head)
    body = "".join(
        f'<tr><th scope="row" data-name="{html.escape(head[0])}">{html.escape(line[0])}</th>'
        + "".join(
            f'<td data-name="{html.escape(name)}">{html.escape(words)}</td>'
            for name, words in zip(head[1:], line[1:], strict=True)
        )
        + "</tr>"
        for line in lines
    )
    kind = "bam-table bam-stacked" if stacked else "bam-table"
    return (
        f'<div class="{kind}" role="region" aria-label="{html.escape(head[0])}" tabindex="0">'
        f"<table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def counts(lines: Sequence[Mapping[str, object]]) -> dict[str, Any]:
    """Return the column settings of a ``st.dataframe`` that separate the thousands of whole numbers, but of seeds."""
    whole = [name for name, value in lines[0].items() if type(value) is int and name != "seed"] if lines else []
    return {name: st.column_config.NumberColumn(format="localized") for name in whole}


def table_skeleton(lines: int) -> str:
    """Return the placeholder of a table with ``lines`` rows."""
    body = f'<tr><td class="{WAITING}">&nbsp;</td></tr>' * lines
    return f'<div class="bam-table" aria-hidden="true"><table><tr><td>&nbsp;</td></tr>{body}</table></div>'


def plain(text: str) -> str:
    """Escape Markdown in ``text``, so that a title or file name is shown as it is."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|~$:" else sign for sign in text)


def next_step(attribute: Attribute) -> None:
    """Draw the next step of an attribute with the button that leads to it."""
    show_next(guidance_of(workspace(), attribute))


def show_next(guidance: Guidance) -> None:
    """Draw a step with the button that leads to it."""
    direction = direct(guidance)
    empty(f"**Next:** {plain(direction.text)}", direction.action, direction.page, direction.attribute)


def problem_list(title: str, problems: Sequence[Problem], note: str) -> None:
    """Draw a table of files and their problems, if there are any."""
    if problems:
        st.subheader(title, anchor=False)
        st.caption(note)
        lines = [{"file": problem.path, "reason": problem.reason} for problem in problems]
        st.dataframe(lines, hide_index=True, width="stretch")


def file_list(files: Sequence[str], verb: str, note: str) -> None:
    """Draw a list of files that ``verb`` ("have changed"), if there are any, with a note on what that means."""
    if files:
        with st.expander(f"{count(len(files), 'file')} {verb}", expanded=True):
            st.caption(note)
            st.dataframe({"file": files}, hide_index=True, width="stretch")


def start_key(attribute: Attribute) -> str:
    """Return the session key of the start of an attribute's next round."""
    return f"start-{attribute.id}"


def start_from_examples(attribute: Attribute, rows: Sequence[int]) -> None:
    """Go to the Rounds page to start a round of ``attribute`` from these example images."""
    st.session_state[f"examples-{attribute.id}"] = list(rows)
    st.session_state[start_key(attribute)] = "examples"
    go("rounds", attribute.name)


_CATEGORIES = {kind: kind for kind in KINDS} | {"own": "custom"}


def choose_category() -> str:
    """Draw the choice of an attribute's category, the custom one at first; return its kind."""
    return st.segmented_control("Category", KINDS, default="own", format_func=_CATEGORIES.__getitem__) or "own"


_KINDS = {"density": "density", "density-log": "density (log)", "category-project": "project"}
_KINDS |= {"category-cluster": "area of the map", "category-problem": "problem of the picture"}


def readable_kind(kind: str) -> str:
    """Return the display name of a map colouring: ``score-media_comic`` becomes ``score: comic (media)``."""
    if kind in _KINDS:
        return _KINDS[kind]
    family, _, name = kind.removeprefix("category-").partition("-")
    return f"{family}: {readable(name)}" if name else family


def is_new(key: str, value: object) -> bool:
    """Return whether ``value`` is not None and differs from the value under ``key`` in the previous run."""
    before = st.session_state.get(f"seen-{key}")
    st.session_state[f"seen-{key}"] = value
    return value is not None and value != before
