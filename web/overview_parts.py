"""The parts of the Overview: a strip of pictures and the quality of each attribute."""

import html
import math
from collections.abc import Iterable, Sequence

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import NOTHING, count, percent, percent_interval
from bam_engine.reporting.overview import AttributeSummary, Interval, Waiting
from bam_engine.training.delivered import DeliveredCounts
from web import ui
from web.engine import workspace
from web.next_steps import action

_STRIP = """<style>
.bam-strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); grid-auto-rows: 116px;
  height: 116px; gap: 4px; overflow: hidden; border-radius: 6px; }
.bam-strip img { width: 100%; height: 100%; object-fit: cover;
  background: color-mix(in srgb, currentColor 8%, transparent); }
@media (max-width: 640px) { .bam-strip { grid-template-columns: repeat(auto-fill, minmax(76px, 1fr));
  grid-auto-rows: 84px; height: 84px; } }
</style>"""

_WORTH = """<style>
.bam-worth { display: grid; gap: 0; font-variant-numeric: tabular-nums; font-size: .9375rem; }
.bam-worth > div { display: grid; gap: .2rem 1.2rem; align-items: center; padding: .5rem 0;
  grid-template-columns: minmax(9rem, 1.3fr) repeat(3, minmax(8rem, 2fr)) minmax(8rem, 1.2fr) minmax(8rem, 1.2fr);
  border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
.bam-worth .name { font-weight: 600; overflow-wrap: anywhere; }
.bam-worth .quiet, .bam-worth .head { color: light-dark(#5b605d, #a9aca7); font-size: .875rem; font-weight: 400; }
.bam-worth .head span::first-letter { text-transform: uppercase; }
.bam-worth .elsewhere, .bam-worth .examples { grid-column: 1 / -1; }
.bam-worth .examples { display: flex; gap: 4px; height: 48px; overflow: hidden; }
.bam-worth .examples img { width: 48px; height: 48px; object-fit: cover; border-radius: 4px; flex: none; }
.bam-worth .true { color: light-dark(#7a4512, #e8bd86); font-size: .875rem; }
.bam-bar { position: relative; height: 8px; border-radius: 4px; margin: .3rem 0 .1rem;
  background: color-mix(in srgb, currentColor 10%, transparent); }
.bam-bar i { position: absolute; height: 8px; border-radius: 4px; min-width: 3px;
  background: light-dark(#0b6e6966, #5fd0c766); }
.bam-bar b { position: absolute; width: 3px; height: 14px; top: -3px; margin-left: -1px; border-radius: 2px;
  background: light-dark(#0b6e69, #5fd0c7); }
.bam-bar u { position: absolute; width: 9px; height: 9px; top: -1px; margin-left: -5px; transform: rotate(45deg);
  background: light-dark(#a05a1c, #e0a060); border: 1px solid light-dark(#fff, #15181a); }
@media (max-width: 1100px) {
  .bam-worth > div { grid-template-columns: 1fr 1fr; align-items: start; } .bam-worth > .head { display: none; }
  .bam-worth [data-name]::before { content: attr(data-name); display: block; color: light-dark(#5b605d, #a9aca7);
  font-size: .8125rem; } }
</style>"""


def strip(rows: Iterable[int]) -> None:
    """Draw one line of pictures of fixed height, as many as fit."""
    version = workspace().picture_version
    pictures = "".join(f'<img src="/thumbs/{int(row)}.webp?v={version}" alt="" loading="lazy">' for row in rows)
    if pictures:
        words = "Some of the images in the collection"
        st.html(f'{_STRIP}<div class="bam-strip" role="img" aria-label="{words}">{pictures}</div>')


def waiting_table(waiting: Sequence[Waiting], you: str) -> None:
    """Draw a row for each person whose answers something waits for; ``you`` are pointed out."""
    if not waiting:
        return
    st.subheader("Waiting for answers", anchor=False)
    lines = [
        [
            f"{one.annotator} (you)" if one.annotator == you else one.annotator,
            f"{one.images:,}",
            ", ".join(f"{readable(name)} {images:,}" for name, images in one.attributes),
        ]
        for one in waiting
    ]
    st.html(ui.table(["Annotator", "Images", "Attributes"], lines, stacked=True))
    if len(waiting) > 1:
        st.caption("An image that several people could answer is counted for each of them.")


def quality_table(lines: Sequence[AttributeSummary]) -> None:
    """Draw a row for each attribute: its estimates with intervals, beside the ground truth where it is known."""
    known = any(line.truth is not None for line in lines)
    head = "".join(f"<span>{name}</span>" for name in ("attribute", *_COLUMNS, "accepted", "next"))
    body = "".join(_line(line) for line in lines)
    st.html(f'{_WORTH}<div class="bam-worth"><div class="head">{head}</div>{body}</div>')
    truth = (
        " A brown diamond is the ground truth, known only because the collection is generated. Estimates are based on "
        "the labels. If labels are wrong, the true value can fall outside the interval."
        if known
        else ""
    )
    several = any(line.other_encoders for line in lines)
    encoder = f"Results with {ui.plain(workspace().encoder_name())}, the encoder in use. " if several else ""
    covered = " and covered" if any(line.delivered and line.delivered.not_covered for line in lines) else ""
    st.caption(
        f"{encoder}Precision and recall are those of the images that are delivered{covered}, as far as the labels "
        "tell; audited precision is that of a fresh blind sample of the accepted images that had no label. Bands are "
        f"95% intervals.{truth}"
    )


_COLUMNS = ("precision", "recall", "audited precision")


def _line(line: AttributeSummary) -> str:
    at = None if line.truth is None else line.truth.threshold
    true = (
        None if at is None else at.precision,
        None if at is None else at.recall,
        None if line.truth is None else line.truth.audited,
    )
    shares = (line.precision, line.recall, line.audited)
    cells = "".join(_cell(name, *both) for name, both in zip(_COLUMNS, zip(shares, true, strict=True), strict=True))
    name = f'<span class="name">{html.escape(readable(line.name))}{_about(line)}</span>'
    accepted = NOTHING if line.delivered is None else _delivered(line.delivered, line.taken_back)
    step = f'<span class="quiet" data-name="next">{html.escape(_next(line))}</span>'
    rest = f'<span data-name="accepted">{accepted}</span>{step}{_elsewhere(line)}{_examples(line)}'
    return f"<div>{name}{cells}{rest}</div>"


def _next(line: AttributeSummary) -> str:
    """Return the next step, and how much of it waits for answers."""
    progress = line.guidance.labelling
    if progress is None:
        return action(line.step)
    words = f"{action(line.step)}: {progress.answered:,} of {progress.total:,}"
    if progress.short:
        words += f", {count(progress.short, 'image waits', 'images wait')} for another annotator"
    return words


def _examples(line: AttributeSummary) -> str:
    """Return the accepted images with the highest scores as a strip of thumbnails."""
    version = workspace().picture_version
    pictures = "".join(f'<img src="/thumbs/{row}.webp?v={version}" alt="" loading="lazy">' for row in line.examples)
    words = html.escape(f"Accepted for {readable(line.name)}, the highest scores")
    return f'<span class="examples" role="img" aria-label="{words}">{pictures}</span>' if pictures else ""


def _about(line: AttributeSummary) -> str:
    """Return on what an attribute was trained, and whether it learns, as a quiet line."""
    words = f"{count(line.rounds, 'round')}, {count(line.labels, 'label')}"
    words += f" ({line.positive:,} positive)" if line.labels else ""
    if line.other_encoders and not line.rounds:
        words = f"not trained with the encoder in use, {count(line.labels, 'label')}"
    elif line.learned == "no":
        words += ", does not learn yet"
    return f'<br><span class="quiet">{html.escape(words)}</span>'


def _elsewhere(line: AttributeSummary) -> str:
    """Return what another encoder has for an attribute, as a quiet line below it."""
    if line.better is None:
        return ""
    result = line.better.result
    return f'<span class="quiet elsewhere">With {html.escape(f"{result.source}: {result.short_words}")}</span>'


def _delivered(counts: DeliveredCounts, taken_back: str) -> str:
    words = f"{counts.words}. {taken_back}" if taken_back else counts.words
    return f'{counts.accepted:,}<br><span class="quiet">{html.escape(words)}</span>'


def _cell(name: str, estimate: Interval | None, true: float | None) -> str:
    if estimate is None:
        return f'<span class="quiet" data-name="{name}">{NOTHING}</span>'
    value, low, high = estimate
    true = None if true is None or math.isnan(true) else true
    mark = "" if true is None else f'<u style="left:{100 * true:.1f}%"></u>'
    band = f'<i style="left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"></i>'
    point = f'<b style="left:{100 * value:.1f}%"></b>'
    bar = f'<span class="bam-bar" style="display:block">{band}{point}{mark}</span>'
    number, limits = percent_interval(*estimate).split(" ", 1)
    truth = f'<span class="true">truth {percent(true)}</span>' if true is not None else ""
    return f'<span data-name="{name}">{number} <span class="quiet">{limits}</span> {truth}{bar}</span>'
