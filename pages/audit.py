"""Audit: precision on a fresh, blind sample, beside BAM's."""

import pandas as pd
import streamlit as st

from bam_engine.audit import BAM_MEAN_PRECISION
from bam_engine.workspace import audits
from bam_engine.workspace.thresholds import current_threshold
from web import charts, ui
from web.engine import workspace
from web.navigation import go, link

ws = workspace()
ui.head(
    "Audit",
    "Accepted and rejected images that nobody has answered about, shuffled and unmarked, judged in the same grid: "
    "the precision that can be stated.",
)
attribute = ui.pick_attribute()
if attribute is None:
    st.stop()

threshold = current_threshold(ws, attribute)
result = audits.latest_result(ws, attribute)
if threshold is None or not threshold.kept:
    ui.empty(
        "An audit judges a threshold that was kept, and this attribute has none for its newest model.",
        "Keep a threshold",
        "threshold",
        attribute.name,
    )
elif result is None or result.complete:
    with st.form("draw", border=True):
        cells = st.columns(2)
        yes = cells[0].number_input("Accepted images", 1, 5000, audits.EACH, step=50)
        no = cells[1].number_input("Rejected images", 0, 5000, audits.EACH, step=50)
        again = "Draw another audit" if result else "Draw the audit"
        if st.form_submit_button(again, type="secondary" if result else "primary"):
            audits.draw(ws, attribute, n_accepted=int(yes), n_rejected=int(no))
            go("annotate", attribute.name)
else:
    st.progress(
        result.state.answered / max(1, result.state.asked),
        text=f"{result.state.answered} of {result.state.asked} images are judged",
    )
    link("annotate", "Judge them", attribute.name)

if result is not None and result.precision is not None:
    shares = [
        ("Precision", result.precision, "share of the accepted that people agree are positive"),
        ("Precision, BAM's definition", result.by_any, "at least one annotator says positive"),
        ("Missed", result.missed, "share of the rejected that people agree are positive"),
    ]
    for cell, (name, share, meaning) in zip(st.columns(3), shares, strict=True):
        if share is not None:
            cell.metric(
                name,
                f"{share.value:.1%}",
                f"{share.low:.1%} to {share.high:.1%} · {share.k} of {share.n}",
                delta_color="off",
                delta_arrow="off",
                help=meaning,
            )
    if not result.complete:
        st.caption("The audit is not finished: these numbers will move.")

everyone = [found for one in ws.attributes.all() if (found := audits.latest_result(ws, one)) and found.precision]
if everyone:
    st.subheader("Audited precision by attribute", anchor=False)
    mean = audits.mean_precision(everyone)
    bars = [(ui.readable(found.attribute.name), *found.share) for found in everyone]
    if mean is not None:
        bars_and_mean = [*bars, ("mean", mean.value, mean.low, mean.high)] if len(bars) > 1 else bars
        charts.show(charts.audit_bars(bars_and_mean, BAM_MEAN_PRECISION), "audited-precision")
        st.caption(
            f"Mean over {len(bars)} attribute{'s' if len(bars) > 1 else ''}: {mean.value:.1%} "
            f"({mean.low:.1%} to {mean.high:.1%}). BAM's mean over its 20 attributes: {BAM_MEAN_PRECISION:.1%}. "
            "Intervals hold with 95 % confidence."
        )
    table = pd.DataFrame(
        [
            {
                "attribute": found.attribute.name,
                "precision": found.precision.value,
                "low": found.precision.low,
                "high": found.precision.high,
                "positive": found.precision.k,
                "judged": found.precision.n,
                "design effect": found.precision.design_effect,
                "method": found.precision.method,
            }
            for found in everyone
        ]
    )
    st.download_button(
        "Download as CSV", table.to_csv(index=False), "audited-precision.csv", icon=":material/download:"
    )
