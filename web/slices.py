"""The part of the Report that shows an attribute by slice: in each saved view, or for each value of a facet."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.gallery import saved_views
from bam_engine.gallery.image_facets import FACETS
from bam_engine.reporting.charts import slice_chart
from bam_engine.reporting.slice_words import HEAD, table_of
from bam_engine.reporting.slices import by_facet, slices_of
from web import charts, ui
from web.engine import workspace

_VIEWS = "saved views"


def section(attribute: Attribute) -> None:
    """Draw the choice of slices, their precision as a chart, all figures as a table, and what differs."""
    ws = workspace()
    st.subheader("By slice", anchor=False)
    chosen = st.selectbox(
        "Slices",
        (_VIEWS, *FACETS),
        format_func=lambda name: name.capitalize() if name == _VIEWS else f"By {name}",
        key="report-slices",
        width=260,
    )
    views = saved_views.load_all(ws) if chosen == _VIEWS else ()
    queries = {view.name: view.query for view in views} if chosen == _VIEWS else by_facet(ws, chosen)
    if not queries:
        missing = "No view is saved yet. Save one in the gallery" if chosen == _VIEWS else f"No image has a {chosen}"
        st.caption(f"{missing}, or choose other slices, to see where the threshold is less precise.")
        return
    with ui.guard():
        found = slices_of(ws, attribute, queries)
        st.markdown(ui.plain(found.summary))
        chart = slice_chart(found)
        if not chart.empty:
            charts.show(chart, f"report-slices-{attribute.name}")
        st.html(ui.table(HEAD, table_of(found), stacked=True))
        for one in found.slices:
            words = " ".join(filter(None, (one.problem, one.too_few, *one.notes)))
            if words:
                st.caption(f"**{ui.plain(one.name)}.** {ui.plain(words)}")
        st.caption(ui.plain(found.caution))
