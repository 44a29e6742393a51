"""The form that makes a map: what is on it, and how it is laid out; and what is said of a map that is there.

In:  the workspace, and what is selected on the page, if anything. Out: a running job called ``layout``.
"""

from collections.abc import Sequence

import streamlit as st

from bam_engine.workspace import Workspace, maps, selections
from web import ui

JOB = "layout"
HOW = {
    "tsne": "Keeps what is most alike together best. About two minutes for 100,000 images.",
    "umap": "Keeps more of how groups lie to one another, fewer of the nearest. Runs on one core.",
    "pacmap": "A preview: large shapes in seconds, fewer of the nearest.",
    "pca": "The two directions in which the images differ most. Instant.",
    "scores": "One attribute's score to the right, another's upwards. Instant.",
}
_BY = {"rank": "By rank: evenly filled", "value": "By value: as the scores are"}


def layout_form(ws: Workspace, *, first: bool, selection: Sequence[int] | None = None) -> None:
    """Draw what makes a layout, and start it; ``first``: there is no map yet. ``selection``: rows that may be laid out.

    The running job is called ``JOB``; the page shows it. Where the same request was stopped, it goes on from there.
    """
    if first:
        st.markdown("There is no map of this encoder's vectors yet.")
    scored = maps.scored_attributes(ws)
    methods = [method for method in maps.METHODS if method != "scores" or len(scored) >= 2]
    scopes = [scope for scope in maps.SCOPES if _possible(scope, scored, selection)]
    with st.container(border=first, key="layout-form"):
        method = st.segmented_control(
            "Method", methods, default="tsne", format_func=maps.METHODS.get, key="layout-method", required=True
        )
        st.caption(HOW[method])
        asked: dict[str, object] = {}
        if method == "scores":
            across, up = st.columns(2)
            right = across.selectbox("To the right", scored, format_func=ui.readable, key="layout-right")
            others = [name for name in scored if name != right]
            asked["attributes"] = (right, up.selectbox("Upwards", others, format_func=ui.readable, key="layout-up"))
            asked["by"] = st.radio("Scores", list(maps.BY), format_func=_BY.get, key="layout-by", horizontal=True)
        scope = st.radio("On the map", scopes, format_func=lambda key: _scope_words(key, selection), key="layout-scope")
        if st.button("Make the map", type="primary", icon=":material/map:", key="layout-make"):
            start(ws, method, scope, asked, selection)
            st.rerun()


def start(
    ws: Workspace, method: str, scope: str, asked: dict[str, object], selection: Sequence[int] | None = None
) -> None:
    """Start the job that makes a layout; ``asked`` is what else :func:`maps.make_layout` takes."""
    if scope == "selection":
        asked = {**asked, "selection": selections.keep(ws, selection or [])}
    title = f"{maps.METHODS[method]} of {maps.SCOPES[scope]}"
    ws.jobs.start(
        JOB,
        title[0].upper() + title[1:],
        lambda report: maps.make_layout(ws, method=method, scope=scope, report=report, **asked),  # type: ignore[arg-type]
    )


def map_state(ws: Workspace, record: maps.LayoutRecord, *, busy: bool = False) -> None:
    """Draw what is said under a map: how well it keeps neighbours, its axes, and what came after it was made.

    ``busy``: a layout is being made, so none can be started.
    """
    if words := quality_words(record):
        st.caption(words)
    if problem := maps.outdated(ws, record):
        st.info(problem, icon=":material/update:")
        return
    if newer := maps.newer(ws, record):
        said, does = st.columns([3, 2], vertical_alignment="center")
        said.info(f"{ui.several(newer, 'image')} came after this map was made.", icon=":material/update:")
        if does.button("Place them on it", icon=":material/add_location_alt:", disabled=busy, key="layout-place-new"):
            ws.jobs.start(
                JOB,
                f"Placing {ui.several(newer, 'image')}",
                lambda report: maps.place_new(ws, record.id, report=report),
            )
            st.rerun()


def quality_words(record: maps.LayoutRecord) -> str:
    """Say how well a layout keeps neighbours, in one line with intervals, and how it was made.

    Examples
    --------
    >>> quality_words(record)  # doctest: +SKIP
    'Of the 10 nearest on the map, 47 % (45–48 %) are among the 10 most alike; trustworthiness 0.985 (0.983–0.987).'
    """
    parts = []
    if record.axes:
        parts.append(f"To the right: {record.axes[0]}. Upwards: {record.axes[1]}.")
    if record.quality is not None:
        found = record.quality
        kept = f"{100 * found.kept:.0f} % ({100 * found.kept_low:.0f}–{100 * found.kept_high:.0f} %)"
        trust = f"{found.trust:.3f} ({found.trust_low:.3f}–{found.trust_high:.3f})"
        parts.append(
            f"Of the {found.nearest} nearest on the map, {kept} are among the {found.nearest} most alike; "
            f"trustworthiness {trust}; measured on {found.sampled:,} images against all."
        )
    if 0 < record.fitted < record.n:
        parts.append(f"{record.fitted:,} images were laid out together, the others placed among them.")
    return " ".join(parts)


def _possible(scope: str, scored: Sequence[str], selection: Sequence[int] | None) -> bool:
    return scope == "collection" or (scope == "best" and bool(scored)) or (scope == "selection" and bool(selection))


def _scope_words(scope: str, selection: Sequence[int] | None) -> str:
    words = maps.SCOPES[scope]
    count = f": {ui.several(len(selection or ()), 'image')}" if scope == "selection" else ""
    return words[0].upper() + words[1:] + count
