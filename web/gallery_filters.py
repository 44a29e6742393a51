"""The panel beside the gallery: its filters, each value with the number of images that a click would leave.

In:  the query of the page. Out: widgets; what they choose is read by ``web/gallery_query.py`` in the next run. The
values of a folded group are counted once it is opened.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from bam_engine import formatting
from bam_engine.annotation import readable
from bam_engine.gallery import facets, near_duplicates, problems
from bam_engine.gallery.categories import MAX_VALUES, UNKNOWN
from bam_engine.gallery.conditions import NEAR
from bam_engine.gallery.counts import ScoreHistogram, attribute_counts, facet_counts, score_histogram
from bam_engine.gallery.query import LABELS, Query
from bam_engine.team import Role
from web import jobs, ui
from web.engine import workspace
from web.gallery_query import PREFIX, forget_range
from web.gallery_words import PLACES, STATES

JOB = "facets"
PROBLEMS_JOB = "problems"
FEW = 12
"""Up to so many values are listed; more are searched for."""

PLACES_HELP = (
    "Accepted are the images labelled yes and, of those without a label, the ones that score at the threshold or "
    "above; rejected those labelled no, and those that score below; undecided are unsure, disputed or without a score. "
    "Borderline is the tenth of either side that scores closest to the threshold, at most {near:,} images, where a "
    "mistake is likeliest. Not covered are accepted images that the evidence for the threshold is not about: most came "
    "later."
)
_SWATCHES = {
    "accepted": "background: var(--bam-accent); border-radius: 3px",
    "positive": "background: var(--bam-accent)",
    "rejected": "border: 2px dotted currentColor; border-radius: 3px",
    "negative": "border: 2px dotted currentColor",
    "near": "background: linear-gradient(var(--bam-accent) 50%, #8886 50%); border-radius: 3px",
    "undecided": "border: 1.5px solid #8889; border-radius: 3px",
    "uncovered": "background: repeating-linear-gradient(45deg, var(--bam-accent) 0 2px, #8883 2px 4px)",
    "unsure": "border: 1.5px solid currentColor",
    "waiting": "background: linear-gradient(90deg, currentColor 50%, #8886 50%)",
    "disputed": "background: linear-gradient(90deg, var(--bam-accent) 50%, currentColor 50%)",
    "disagreed": "background: linear-gradient(var(--bam-accent) 50%, currentColor 50%)",
    "bulk": "border: 2px dashed var(--bam-accent)",
    "unlabelled": "border: 1.5px solid #8889",
    "yellow": "background: gold",
    "lime": "background: yellowgreen",
    "azure": "background: deepskyblue",
    "violet": "background: blueviolet",
}
"""The CSS of the patch before a value; another colour is its own name."""

_PANEL = ".st-key-gallery-filters"
_VALUES = f'{_PANEL} [data-testid="stButtonGroup"] > :is([role="radiogroup"], [role="toolbar"])'
_BESIDE = f'[data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] {_PANEL})'
CSS = f"""<style>
:root {{ --bam-accent: light-dark(#0b6e69, #2aa198); }}
{_BESIDE} {{ flex-wrap: nowrap; }}
{_BESIDE} > [data-testid="stColumn"] {{ flex: 1 1 0; min-width: 0 !important; }}
{_BESIDE} > [data-testid="stColumn"]:has({_PANEL}) {{ flex: 0 0 16.5rem; width: 16.5rem; }}
[data-testid="stLayoutWrapper"]:has(> {_PANEL}) {{ position: sticky; top: 1rem; max-height: calc(100vh - 2rem);
  overflow: hidden auto; scrollbar-width: thin; padding: 3px; }}
:root[data-bam-gallery-filters="closed"] {_BESIDE} > [data-testid="stColumn"]:has({_PANEL}) {{ display: none; }}
@media (max-width: 1199px) {{ /* folded until the button says otherwise: as in web/components/fold/fold.js */
  :root:not([data-bam-gallery-filters]) {_BESIDE} > [data-testid="stColumn"]:has({_PANEL}) {{ display: none; }}
}}
{_VALUES} {{ flex-flow: column; gap: 1px; width: 100%; }}
{_VALUES} > button {{ justify-content: flex-start; width: 100%; min-height: 1.75rem; padding: .1rem .5rem; margin: 0;
  border-color: transparent; border-radius: 6px !important; background: none; }}
{_VALUES} > button:is([aria-checked="true"], [aria-pressed="true"]) {{
  background: color-mix(in srgb, var(--bam-accent) 16%, transparent); }}
{_VALUES} > button > div, {_VALUES} > button > div > span, {_VALUES} > button p {{ flex: 1; }}
{_VALUES} > button [data-testid="stMarkdownContainer"] {{ flex: 1; }}
{_VALUES} > button p {{ display: flex; justify-content: space-between; gap: .5rem; text-align: left; }}
{_VALUES} > button em {{ font-style: normal; font-variant-numeric: tabular-nums; }}
{_PANEL} [data-testid="stExpander"] summary {{ opacity: 1; }}
{_PANEL} [data-testid="stSlider"] p {{ color: light-dark(#1f2422, #e7e8e4); }}
{_VALUES} > button::before {{ content: ""; flex: none; box-sizing: border-box; width: .8em; height: .8em;
  margin-right: .5em; border-radius: 50%; }}
.st-key-gallery-colour [role="toolbar"] {{ display: grid; grid-template-columns: 1fr 1fr; }}
.st-key-gallery-colour [role="toolbar"] > button::before {{ box-shadow: 0 0 0 1px #8888; }}
.bam-facet {{ margin: 0 0 .25rem; font-size: .875rem; }}
.bam-bars {{ position: relative; display: flex; align-items: flex-end; gap: 1px; height: 44px;
  margin: 0 .4rem 1.1rem; }}
.bam-bars i {{ flex: 1; display: flex; align-items: flex-end; min-height: 1px;
  background: color-mix(in srgb, currentColor 28%, transparent); }}
.bam-bars b {{ flex: 1; background: var(--bam-accent); }}
.bam-bars u {{ position: absolute; top: -3px; bottom: 0; border-left: 2px solid currentColor; }}
.st-key-gallery-line :is(.st-key-gallery-image, .st-key-gallery-shuffle) button p {{
  position: absolute; width: 1px; height: 1px; clip-path: inset(50%); overflow: hidden !important; }}
.st-key-gallery-chips button {{ min-height: 1.8rem; padding: .05rem .6rem; border-radius: 1rem; }}
@media (max-width: 640px) {{ /* the first pictures are seen without scrolling; the panel is a sheet over the last */
  [data-testid="stMain"] .bam-lead {{ display: none; }}
  {_BESIDE} > [data-testid="stColumn"]:has({_PANEL}) {{ position: fixed; inset: auto 0 0; z-index: 1000; width: 100%;
    max-height: 62vh; overflow: auto; padding: .75rem 1rem; background: light-dark(#fcfcfa, #15181a);
    border-top: 1px solid #8886; box-shadow: 0 -6px 24px #0003; }}
  [data-testid="stLayoutWrapper"]:has(> {_PANEL}) {{ position: static; max-height: none; }}
  .st-key-gallery-line [data-testid="stPopover"] p {{ position: absolute; width: 1px; height: 1px;
    clip-path: inset(50%); overflow: hidden !important; }} /* its icon is seen, its name is read aloud */
}}
</style>"""


def columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return the place of the panel, and that of what is beside it."""
    st.html(CSS)
    panel, beside = st.container(key="gallery-body").columns([1, 4], gap="medium")
    return panel.container(key="gallery-filters", gap="small"), beside


def filter_panel(query: Query, names: Sequence[str]) -> None:
    """Draw the filters; ``names`` are those of the attributes."""
    st.selectbox(
        "Attribute",
        ["", *names],
        key=PREFIX + "attribute",
        format_func=lambda name: readable(name) if name else "All images",
        on_change=forget_range,
        persist_state="page",
    )
    if query.attribute:
        counts = facet_counts(workspace(), query, ["place", "label"])
        _places(query, counts["place"])
        labels = {state: counts["label"].get(state, 0) for state in LABELS}
        _swatches("label", _values("Label", "label", labels, STATES.__getitem__))
        _scores(query)
    others = [name for name in names if name != query.attribute]
    if others:
        _group("Other attributes", "others", (*query.yes, *query.no), lambda: _others(query, others))
    _group("Tags", "tag", query.tag, lambda: _tags(query))
    _group("Project", "project", query.project, lambda: _projects(query))
    _group("Colour and year", "colour", (*query.colour, *query.year), lambda: _scanned(query))
    _group("Size and shape", "size", (*query.size, *query.shape), lambda: _dimensions(query))
    _group("Problems of the picture", "problem", query.problem, lambda: _problems(query))
    _group("Format and licence", "format", (*query.format, *query.licence), lambda: _files(query))
    _folding()


def _group(title: str, name: str, chosen: Sequence[str], draw: Callable[[], None]) -> None:
    """Draw a group of filters that can be folded, and says how many are set; it is open at first where one is."""
    label = f"{title} · {len(chosen)}" if chosen else title
    st.session_state.setdefault(f"gallery-open-{name}", bool(chosen))
    part = st.expander(label, key=f"gallery-open-{name}", type="compact", on_change="rerun")
    if part.open:
        with part:
            draw()


def _places(query: Query, counts: Mapping[str, int]) -> None:
    always = ("all", "accepted", "near", "rejected") if "accepted" in counts else ("all",)
    places = [place for place in PLACES if place in always or counts.get(place) or query.place == place]
    _swatches("place", places)
    st.segmented_control(
        "Decision",
        places,
        key=PREFIX + "place",
        required=True,
        help=PLACES_HELP.format(near=NEAR),
        format_func=lambda place: _counted(PLACES[place], counts.get(place)),
        persist_state="page",
        width="stretch",
    )


def _scores(query: Query) -> None:
    """Draw how the scores are spread, and the range to which the gallery is narrowed."""
    histogram = score_histogram(workspace(), query)
    if histogram is None:
        return
    low, high = math.floor(100 * histogram.low) / 100, math.ceil(100 * histogram.high) / 100
    chosen = (query.score_from, query.score_to)
    st.session_state["gallery-range"] = tuple(
        end if one is None else min(max(one, low), high) for one, end in zip(chosen, (low, high), strict=True)
    )
    with st.container(key="gallery-scores", gap=None):
        st.html(_drawn(histogram))
        st.slider(
            "Range of scores",
            low,
            high,
            key="gallery-range",
            step=0.01,
            on_change=_ranged,
            args=(low, high),
            label_visibility="collapsed",
        )


def _ranged(low: float, high: float) -> None:
    first, last = st.session_state["gallery-range"]
    st.session_state[PREFIX + "score_from"] = None if first <= low else round(first, 2)
    st.session_state[PREFIX + "score_to"] = None if last >= high else round(last, 2)


def _drawn(histogram: ScoreHistogram) -> str:
    """Return a histogram as HTML: a bar for each bin, filled as far as its images are accepted; and the threshold."""
    most = max(map(sum, zip(histogram.accepted, histogram.others, strict=True))) or 1
    bars = "".join(
        f'<i style="height: {100 * (accepted + others) / most:.1f}%"><b style="height: '
        f'{100 * accepted / max(1, accepted + others):.0f}%"></b></i>'
        for accepted, others in zip(histogram.accepted, histogram.others, strict=True)
    )
    at = 100 * (histogram.cut - histogram.low) / (histogram.high - histogram.low)
    line = f'<u style="left: {at:.1f}%"></u>' if 0 <= at <= 100 else ""
    words = (
        f"Scores from {formatting.decimal(histogram.low)} to {formatting.decimal(histogram.high)}: "
        f"{sum(histogram.accepted):,} accepted, {sum(histogram.others):,} others; "
        f"threshold {formatting.decimal(histogram.cut, 3)}"
    )
    return f'<p class="bam-facet">Score</p><div class="bam-bars" role="img" aria-label="{words}">{bars}{line}</div>'


def _others(query: Query, names: Sequence[str]) -> None:
    """Draw for each other attribute with scores whether it has to accept the images, or to reject them."""
    counts = attribute_counts(workspace(), query, names)
    if not counts:
        st.caption("No other attribute has scores yet.")
    _swatches("other", ["accepted", "rejected"])
    for name, by_decision in counts.items():
        key = f"gallery-other-{name}"
        words = {decision: _counted(PLACES[decision], number) for decision, number in by_decision.items()}
        st.session_state[key] = "accepted" if name in query.yes else "rejected" if name in query.no else None
        st.segmented_control(
            readable(name),
            list(words),
            key=key,
            format_func=words.__getitem__,
            on_change=_other_chosen,
            args=(name,),
            width="stretch",
        )


def _other_chosen(name: str) -> None:
    for key, decision in (("yes", "accepted"), ("no", "rejected")):
        others = [one for one in st.session_state.get(PREFIX + key) or [] if one != name]
        is_chosen = st.session_state[f"gallery-other-{name}"] == decision
        st.session_state[PREFIX + key] = [*others, name] if is_chosen else others


def _facet(label: str, name: str, counts: Mapping[str, int], chosen: Sequence[str]) -> None:
    """Draw the values of a facet: as a list if they are few, and else to be searched for."""
    if len(counts) <= FEW:
        _values(label, name, counts, str)
        return
    st.multiselect(
        label,
        sorted({*counts, *chosen}, key=lambda value: (value == UNKNOWN, value.casefold())),
        key=PREFIX + name,
        placeholder="any" if len(counts) < MAX_VALUES else f"the {MAX_VALUES} largest",
        format_func=lambda value: f"{value} · {counts.get(value, 0):,}",
        persist_state="page",
    )


def _scanned(query: Query) -> None:
    """Draw what is read from the pictures themselves."""
    _facet_scan()
    counts = facet_counts(workspace(), query, ["colour", "year"])
    _swatches("colour", _values("Colour: fills at least 15% of the picture", "colour", counts["colour"], str))
    _facet("Year", "year", counts["year"], query.year)
    scan = facets.scan_progress(workspace())
    if scan.done:
        st.caption(
            f"The day the picture was taken, where its own record tells it ({scan.from_exif:,}); else the last "
            f"change of its file ({scan.from_file:,}), which may be the day it was copied."
        )


def _dimensions(query: Query) -> None:
    counts = facet_counts(workspace(), query, ["size", "shape"])
    _values("Megapixels", "size", counts["size"], str)
    _values("Shape", "shape", counts["shape"], str)


def _problems(query: Query) -> None:
    """Draw the problems that were found in pictures, and offer to look for them where they are not measured."""
    ws = workspace()
    known = problems.progress(ws)
    left, unreadable = known.total - known.measured, known.unreadable
    if not jobs.show(PROBLEMS_JOB) and left:
        words = f"{formatting.count(left, 'image')} {'is' if left == 1 else 'are'} not measured"
        st.caption(f"{words}, {unreadable:,} of them since they cannot be read." if unreadable else f"{words}.")
        if st.button("Look for problems", icon=":material/troubleshoot:", key="gallery-measure"):
            ws.jobs.forget(PROBLEMS_JOB)
            ws.jobs.start_once(
                PROBLEMS_JOB,
                "Looking for problems of pictures",
                lambda report: problems.scan(ws, report=report),
                least=Role.VIEWER,
            )
            st.rerun()
    if known.measured or query.problem:
        _values("Problem", "problem", facet_counts(ws, query, ["problem"])["problem"], str)
        st.caption("By simple measures of a small copy: look before you remove any. An image may have several.")


def _files(query: Query) -> None:
    counts = facet_counts(workspace(), query, ["format", "licence"])
    _facet("Format, by the name of the file", "format", counts["format"], query.format)
    _facet("Licence", "licence", counts["licence"], query.licence)


def _tags(query: Query) -> None:
    counts = facet_counts(workspace(), query, ["tag"])["tag"]
    if not counts and not query.tag:
        st.caption("No image has a tag yet. Open one, or select several, to give them a tag.")
    _facet("Tag", "tag", counts, query.tag)


def _projects(query: Query) -> None:
    _facet("Project", "project", facet_counts(workspace(), query, ["project"])["project"], query.project)


def _folding() -> None:
    """Draw the toggle that groups near-duplicates, and how many images it affects."""
    st.toggle("Group near-duplicates", key=PREFIX + "folded", persist_state="page")
    if near_duplicates.has_groups(workspace()):
        summary = near_duplicates.fold_summary(workspace())
        grouped, others = formatting.count(summary.folded, "image"), formatting.count(summary.groups, "other")
        words = f"{grouped} would be grouped with {others}."
        newer = f" {summary.newer:,} came after that was computed." if summary.newer else ""
        st.caption(words + newer)


def _values(label: str, name: str, counts: Mapping[str, int], words: Callable[[str], str]) -> list[str]:
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
            format_func=lambda value: _counted(words(value), counts.get(value, 0)),
            persist_state="page",
            width="stretch",
        )
    return values


def _counted(words: str, number: int | None) -> str:
    """Return the label of a value: its words, and the number of images that a click would leave, as emphasised text."""
    return ui.plain(words) if number is None else f"{ui.plain(words)} *{number:,}*"


def _swatches(name: str, values: Sequence[str]) -> None:
    """Put a patch before each value of a facet."""
    patches = [
        f"[class*=st-key-gallery-{name}] [role] > button:nth-of-type({place})::before "
        f"{{ {_SWATCHES.get(value, f'background: {value}')}; }}"
        for place, value in enumerate(values, 1)
        if value not in ("all", UNKNOWN)
    ]
    st.html("<style>" + "\n".join(patches) + "</style>")


def _facet_scan() -> None:
    """Offer to index colours and dates that are missing, and draw the progress."""
    ws = workspace()
    scan = facets.scan_progress(ws)
    if jobs.show(JOB) or scan.done >= scan.total:
        return
    st.caption(f"Colours and dates of {formatting.count(scan.total - scan.done, 'image')} are not indexed yet.")
    if st.button("Index colours and dates", icon=":material/palette:", key="gallery-index"):
        ws.jobs.forget(JOB)
        ws.jobs.start_once(
            JOB, "Indexing colours and dates", lambda report: facets.scan(ws, report=report), least=Role.VIEWER
        )
        st.rerun()
