"""The filters of the gallery: labels, other attributes, colours, years and projects, with their numbers of images."""

from collections.abc import Callable, Mapping

import streamlit as st

from bam_engine import formatting
from bam_engine.annotation import readable
from bam_engine.gallery import facets, near_duplicates
from bam_engine.gallery.listing import FACETS, facet_counts
from bam_engine.gallery.query import LABELS, Query
from web import jobs, ui
from web.engine import workspace

PREFIX = "gallery-"
"""The keys of the gallery's widgets begin with it; the field of the query follows."""

STATES = {
    "positive": "yes",
    "negative": "no",
    "unsure": "unsure",
    "waiting": "needs another vote",
    "disputed": "disputed",
    "disagreed": "people disagree",
    "bulk": "in bulk only",
    "unlabelled": "no label",
}
JOB = "facets"
_SWATCHES = {"yellow": "gold", "lime": "yellowgreen", "azure": "deepskyblue", "violet": "blueviolet"}
_SWATCH = ".st-key-gallery-colour button:nth-of-type(%d)::before { background: %s; }"
_CSS = """<style>.st-key-gallery-colour button::before { content: ""; width: .8em; height: .8em; margin-right: .4em;
  border-radius: 50%%; flex: none; box-shadow: 0 0 0 1px #8888; }
%s</style>"""


def chosen_words(query: Query) -> list[str]:
    """Return the filters of a query in words."""
    words = [f"accepted for {', '.join(map(readable, query.yes))}"] if query.yes else []
    words += [f"rejected for {', '.join(map(readable, query.no))}"] if query.no else []
    words += [
        f"{name}: {', '.join(values)}" for name in ("colour", "year", "project") if (values := getattr(query, name))
    ]
    words += [f"label: {', '.join(STATES[state] for state in query.label)}"] if query.label else []
    return words + (["near-duplicates grouped"] if query.folded else [])


def filters_popover(query: Query, names: list[str]) -> None:
    """Draw the filters, ``names`` of attributes among them, in a popover that says how many are set."""
    count = len(chosen_words(query))
    with st.popover(f"Filters · {count}" if count else "Filters", icon=":material/filter_alt:"):
        _facets(query, names)


def _facets(query: Query, names: list[str]) -> None:
    """Draw the facets with the number of images for each value."""
    counted = [name for name in FACETS if name != "place" and (name != "label" or query.attribute)]
    counts = facet_counts(workspace(), query, counted)
    if query.attribute:
        _choice("Label", "label", {state: counts["label"].get(state, 0) for state in LABELS}, STATES.get)
    others = [name for name in names if name != query.attribute]
    if others:
        for column, key, words in zip(st.columns(2), ("yes", "no"), ("Also accepted for", "Rejected for"), strict=True):
            column.multiselect(words, others, key=PREFIX + key, format_func=readable, placeholder="any")
    _facet_scan()
    _swatches(_choice("Colour (fills at least 15% of the picture)", "colour", counts["colour"], str))
    _choice("Year", "year", counts["year"], str)
    scan = facets.scan_progress(workspace())
    if scan.done:
        st.caption(
            f"The day the picture was taken, where its own record tells it ({scan.from_exif:,}); else the last "
            f"change of its file ({scan.from_file:,}), which may be the day it was copied."
        )
    projects = sorted({*counts["project"], *query.project}, key=lambda name: (name == facets.UNKNOWN, name.casefold()))
    st.multiselect(
        "Project",
        projects,
        key="gallery-project",
        placeholder="any" if len(projects) < facets.MAX_PROJECTS else f"the {facets.MAX_PROJECTS} largest",
        format_func=lambda name: f"{name} · {counts['project'].get(name, 0):,}",
    )
    _folding()


def _folding() -> None:
    """Draw the toggle that groups near-duplicates, and how many images it affects."""
    st.toggle("Group near-duplicates", key="gallery-folded")
    if near_duplicates.has_groups(workspace()):
        summary = near_duplicates.fold_summary(workspace())
        grouped, others = formatting.count(summary.folded, "image"), formatting.count(summary.groups, "other")
        words = f"{grouped} would be grouped with {others}."
        newer = f" {summary.newer:,} came after that was computed." if summary.newer else ""
        st.caption(words + newer)


def _choice(label: str, name: str, counts: Mapping[str, int], words: Callable[[str], str | None]) -> list[str]:
    """Draw the values of a facet that match an image, and the chosen ones; return them."""
    chosen = st.session_state.get(PREFIX + name) or []
    values = [value for value, count in counts.items() if count or value in chosen]
    values += [value for value in chosen if value not in values]
    st.session_state[PREFIX + name] = list(chosen)
    if values:
        st.pills(
            label,
            values,
            key=PREFIX + name,
            selection_mode="multi",
            format_func=lambda value: f"{ui.plain(str(words(value)))} · {counts.get(value, 0):,}",
        )
    return values


def _swatches(colours: list[str]) -> None:
    """Put a patch of its colour on each of these buttons."""
    patches = [_SWATCH % (place, _SWATCHES.get(name, name)) for place, name in enumerate(colours, 1)]
    st.html(_CSS % "\n".join(patches))


def _facet_scan() -> None:
    """Offer to index colours and dates that are missing, and draw the progress."""
    ws = workspace()
    scan = facets.scan_progress(ws)
    if jobs.show(JOB) or scan.done >= scan.total:
        return
    st.caption(f"Colours and dates of {formatting.count(scan.total - scan.done, 'image')} are not indexed yet.")
    if st.button("Index colours and dates", icon=":material/palette:"):
        ws.jobs.forget(JOB)
        ws.jobs.start_once(JOB, "Indexing colours and dates", lambda report: facets.scan(ws, report=report))
        st.rerun()
