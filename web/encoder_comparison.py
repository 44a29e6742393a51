"""Encoders side by side: the average precision of each, attribute by attribute, and which one is shown to be better."""

import html

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import NOTHING, count, decimal, decimal_range
from bam_engine.team import Role
from bam_engine.training.comparison import (
    EncoderComparison,
    EncoderResult,
    compare_encoders,
    comparison_lines,
    is_relied_on,
    models_behind,
    train_behind,
)
from bam_engine.workspace.vectors import stored_encoders
from web import jobs, ui
from web.engine import workspace

JOB = "train-encoders"

_CSS = """<style>
.bam-sides { display: grid; font-variant-numeric: tabular-nums; font-size: .9375rem; overflow-x: auto; }
.bam-sides > div { display: grid; gap: .2rem 1.6rem; align-items: start; padding: .6rem 0;
  grid-template-columns: minmax(8rem, 1fr) repeat(var(--encoders), minmax(11rem, 1.6fr)) minmax(13rem, 2fr);
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.bam-sides .name { font-weight: 600; overflow-wrap: anywhere; }
.bam-sides :is(.quiet, .head) { color: light-dark(#5b605d, #a9aca7); font-size: .875rem; font-weight: 400; }
.bam-sides .bar { display: block; position: relative; height: 8px; border-radius: 4px; margin: .4rem 0 .2rem;
  background: color-mix(in srgb, currentColor 10%, transparent); }
.bam-sides .bar i { position: absolute; height: 8px; border-radius: 4px; min-width: 3px;
  background: light-dark(#0b6e6966, #5fd0c766); }
.bam-sides .bar b { position: absolute; width: 3px; height: 14px; top: -3px; margin-left: -1px; border-radius: 2px;
  background: light-dark(#0b6e69, #5fd0c7); }
@media (max-width: 900px) { .bam-sides > div { grid-template-columns: 1fr; } .bam-sides > .head { display: none; }
  .bam-sides [data-name]::before { content: attr(data-name); display: block; color: light-dark(#5b605d, #a9aca7);
  font-size: .8125rem; } }
</style>"""


def section() -> None:
    """Draw the comparison where at least two encoders have vectors and an attribute has a model."""
    ws = workspace()
    if len(stored_encoders(ws)) < 2:
        return
    with st.spinner("Comparing the encoders …"):
        compared = [compare_encoders(ws, attribute) for attribute in ws.attributes.all()]
    compared = [one for one in compared if any(result.model is not None for result in one.encoders)]
    if not compared:
        return
    st.subheader("Encoders side by side", anchor=False)
    _table(compared)
    st.caption(
        "Average precision of each attribute's newest model, all on the same validation labels; bands are 95% "
        "intervals, from 0 to 1. The difference is paired: what is hard for both encoders cancels out."
    )
    _training()


def _table(compared: list[EncoderComparison]) -> None:
    ws = workspace()
    keys = list(dict.fromkeys(result.encoder for one in compared for result in one.encoders))
    names = {key: ws.encoder_name(key) + (", in use" if key == ws.choice.key else "") for key in keys}
    head = "".join(f"<span>{html.escape(name)}</span>" for name in ("attribute", *names.values(), "difference"))
    body = "".join(_line(one, names) for one in compared)
    style = f"--encoders:{len(keys)}"
    st.html(f'{_CSS}<div class="bam-sides" style="{style}"><div class="head">{head}</div>{body}</div>')


def _line(one: EncoderComparison, names: dict[str, str]) -> str:
    results = {result.encoder: result for result in one.encoders}
    labels = f"{count(one.n, 'validation label')}, {one.n_positive:,} positive"
    name = f'{html.escape(readable(one.attribute.name))}<br><span class="quiet">{labels}</span>'
    cells = "".join(_cell(results.get(key), label) for key, label in names.items())
    words = "<br>".join(map(html.escape, comparison_lines(workspace(), one))) or NOTHING
    return f'<div><span class="name">{name}</span>{cells}<span data-name="difference">{words}</span></div>'


def _cell(result: EncoderResult | None, name: str) -> str:
    head = f'<span data-name="{html.escape(name)}">'
    if result is None or result.average_precision is None or result.model is None:
        words = NOTHING if result is None else html.escape(result.problem)
        return f'{head}<span class="quiet">{words}</span></span>'
    found, labels = result.average_precision, count(result.model.labels, "label")
    kept = ", kept for its threshold" if is_relied_on(workspace(), result.model) else ""
    trained = f"trained on {labels}" + ("" if result.current else f", not all of today{kept}")
    band = f'<i style="left:{100 * found.low:.1f}%;width:{100 * (found.high - found.low):.1f}%"></i>'
    bar = f'<span class="bar">{band}<b style="left:{100 * found.value:.1f}%"></b></span>'
    limits = f'<span class="quiet">({decimal_range(found.low, found.high)})</span>'
    return f'{head}{decimal(found.value)} {limits}{bar}<span class="quiet">{trained}</span></span>'


def _training() -> None:
    """Offer to train what is missing or behind, and draw the progress."""
    ws = workspace()
    problems = jobs.result_of(JOB, unit="models")
    if ws.jobs.is_running(JOB):
        return
    for problem in problems or ():
        st.warning(ui.plain(problem), icon=":material/warning:")
    behind = models_behind(ws)
    if not behind:
        return
    st.markdown(f"{count(len(behind), 'model is', 'models are')} missing, or not of all labels of today.")
    if st.button(f"Train {count(len(behind), 'model')}", icon=":material/model_training:", key=JOB):
        ws.jobs.start(
            JOB, "Training the encoders' models", lambda report: train_behind(ws, report=report), least=Role.REVIEWER
        )
        st.rerun()
