"""The charts: one look, units on every axis, an interval on every estimate.

In:  arrays and records of the engine. Out: Plotly figures. Plotly is imported inside, since it takes a while.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.formatting import percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from bam_engine.learning import Curve

ACCENT, SECOND, QUIET = "#0f8f88", "#c2703d", "#8a8f8c"
HEIGHT = 320


def show(figure: "go.Figure", key: str) -> None:
    """Draw a figure over the page's width, with a download button and nothing else in its bar."""
    config = {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"],
        "toImageButtonOptions": {"format": "svg", "filename": key},
    }
    st.plotly_chart(figure, width="stretch", key=key, config=config)


def _figure(x: str, y: str, height: int = HEIGHT) -> "go.Figure":
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
        xaxis={"title": x, "automargin": True},
        yaxis={"title": y, "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="closest",
    )
    return figure


def learning_curve(rounds: Sequence[dict[str, Any]], truth: Sequence[dict[str, float]] = ()) -> "go.Figure":
    """Average precision, precision and recall on the validation set against the labels used, with intervals.

    Each of ``rounds`` has ``labels`` and, where it could be measured, (value, low, high) under ``average_precision``,
    ``precision`` and ``recall``. ``truth`` has the true values under the same names, where they are known: of a demo.
    """
    figure = _figure("labels used for training", "on the validation set")
    colours = {"average_precision": QUIET, "precision": ACCENT, "recall": SECOND}
    for name, colour in colours.items():
        measured = [one for one in rounds if one.get(name)]
        values = np.array([one[name] for one in measured], float).reshape(-1, 3)
        figure.add_scatter(
            x=[one["labels"] for one in measured],
            y=values[:, 0],
            error_y={
                "type": "data",
                "array": values[:, 2] - values[:, 0],
                "arrayminus": values[:, 0] - values[:, 1],
                "thickness": 1.2,
                "width": 4,
            },
            mode="lines+markers",
            name=name.replace("_", " "),
            line={"color": colour, "width": 2},
        )
        true = [one for one in truth if name in one]
        figure.add_scatter(
            x=[one["labels"] for one in true],
            y=[one[name] for one in true],
            mode="markers",
            name=f"{name.replace('_', ' ')}, ground truth",
            marker={"color": colour, "symbol": "diamond-open", "size": 10, "line": {"width": 2}},
            visible=bool(true),
        )
    figure.update_yaxes(range=[0, 1.03])
    figure.update_xaxes(rangemode="tozero")
    return figure


def score_distribution(
    scores: NDArray[np.float32],
    labelled: dict[str, NDArray[np.float32]],
    threshold: float | None,
) -> "go.Figure":
    """How many images have which score, where the labelled ones lie, and where the threshold cuts."""
    counts, edges = np.histogram(scores, bins=80)
    figure = _figure("score (log-odds; higher is more positive)", "images")
    middle = (edges[1:] + edges[:-1]) / 2
    figure.add_bar(
        x=middle, y=counts, width=np.diff(edges), marker={"color": QUIET, "line_width": 0}, name="all images"
    )
    for (name, values), colour in zip(labelled.items(), (ACCENT, SECOND), strict=False):
        counts, _ = np.histogram(values, bins=edges)
        figure.add_bar(
            x=middle, y=counts, width=np.diff(edges), marker={"color": colour, "line_width": 0}, name=f"labelled {name}"
        )
    figure.update_layout(barmode="overlay", bargap=0)
    figure.update_yaxes(type="log", dtick=1)
    if threshold is not None:
        figure.add_vline(threshold, line={"color": ACCENT, "width": 2, "dash": "dot"}, annotation_text="threshold")
    return figure


def precision_recall(curve: "Curve", target: float, chosen: tuple[float, float] | None) -> "go.Figure":
    """Precision against recall with the interval of the precision, the target, and the chosen point."""
    figure = _figure("recall", "precision", 380)
    finite = np.isfinite(curve.precision) & np.isfinite(curve.recall)
    order = np.argsort(curve.recall[finite], kind="stable")
    x = curve.recall[finite][order]
    low, high = curve.precision_low[finite][order], curve.precision_high[finite][order]
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor="rgba(15,143,136,0.18)",
        line={"width": 0},
        hoverinfo="skip",
        name="interval of the precision",
    )
    figure.add_scatter(
        x=x,
        y=curve.precision[finite][order],
        mode="lines",
        line={"color": ACCENT, "width": 2.4},
        name="precision",
        customdata=np.stack([curve.cuts[finite][order], curve.accepted[finite][order]], axis=1),
        hovertemplate="recall %{x:.1%}<br>precision %{y:.1%}<br>score ≥ %{customdata[0]:.2f}"
        "<br>%{customdata[1]:,} images accepted<extra></extra>",
    )
    figure.add_hline(
        target,
        line={"color": SECOND, "dash": "dot"},
        annotation={"text": f"target {percent(target)}", "x": 0, "xanchor": "left"},
    )
    if chosen is not None:
        figure.add_scatter(
            x=[chosen[0]],
            y=[chosen[1]],
            mode="markers",
            marker={"size": 13, "color": SECOND, "line": {"width": 2, "color": "white"}},
            name="threshold",
        )
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%")
    figure.update_xaxes(range=[0, 1.02], tickformat=".0%")
    return figure
