"""Agreement: how often annotators agree about an attribute, and the images that need a decision."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.annotation.remark_store import COMMENT
from bam_engine.formatting import NOTHING, count, decimal, decimal_range, percent, percent_range
from bam_engine.labelling import adjudication, agreement
from bam_engine.labelling.adjudication import TOLD, Told, Votes
from bam_engine.labelling.agreement import Agreement
from bam_engine.labelling.measures import Measure
from web import demo_controls, ui, undo
from web.answering import by_key
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import go
from web.steps import attribute_in_focus

SHOWN = 120
MARKS = {1: "yes", 0: "no", -1: "unsure"}
MEANINGS = {
    "Raw agreement": "How often two people who answered the same image said the same. It does not say how much of that "
    "is chance: where nearly every image is “no”, it is high by itself.",
    "Krippendorff's alpha": "Agreement beyond chance, of all annotators at once: 1 in all, 0 as by chance, below 0 "
    "less. Krippendorff asks for 0.80, and for 0.67 where conclusions may be tentative. It does not say that "
    "the answers are right: people can share a mistake.",
    "Probably positive": "Share of positives among the images that several people answered, by the model of Dawid and "
    "Skene, which weighs each annotator by how reliable their answers look. It assumes that people err independently.",
}

_OVERLAP = {  # how to get two answers for an image: the words, the button, and its page
    "second_annotator": (
        "Each image needs more than one vote. Let a second person answer under their own name.",
        "Annotate",
        "annotate",
    ),
    "second_vote": (
        "Each image is asked of one person here. Require two votes on the Attributes page, or have an audit judged by "
        "two people.",
        "Require two votes",
        "attributes",
    ),
}

ws = workspace()
ui.head(
    "Agreement",
    "How far the people who answered the same images agree, and the images on which somebody has to decide.",
)


def words(measure: Measure) -> str:
    """Return a measure with its interval, or a dash."""
    return NOTHING if measure.value is None else measure.text


def votes(votes_cast: Votes) -> str:
    """Return the votes in words: ``2 yes · 1 no``."""
    names = ("yes", "no", "unsure")
    parts = [f"{number} {name}" for number, name in zip(votes_cast, names, strict=True) if number]
    return " · ".join(parts) or "no votes left"


def numbers(measured: Agreement) -> None:
    """Draw the measures over all annotators, each with its interval and what it means."""
    measures = dict(zip(MEANINGS, (measured.raw, measured.alpha, measured.prevalence), strict=True))
    for cell, (name, measure) in zip(st.columns(len(measures)), measures.items(), strict=True):
        with cell:
            metric(name, measure)
            st.caption(MEANINGS[name])
            if measure.value is None and measured.raw.value is not None:
                st.caption(ui.plain(measure.reason))
    st.caption(
        f"{count(measured.answered, 'image')} answered, {measured.shared:,} of them by several people. "
        f"{measured.not_counted} Intervals hold with 95% confidence, images of one project counting as alike."
    )


def metric(name: str, measure: Measure) -> None:
    """Draw one measure with its limits."""
    if measure.value is None:
        st.metric(name, NOTHING)
        return
    number, limits = (decimal, decimal_range) if measure.coefficient else (percent, percent_range)
    delta = f"{limits(measure.low, measure.high)} · {count(measure.n, 'image')}"
    st.metric(name, number(measure.value), delta, delta_color="off", delta_arrow="off")


def tables(measured: Agreement) -> None:
    """Draw every pair of annotators, and every annotator."""
    if measured.pairs:
        st.subheader("Every two people", anchor=False)
        lines = [
            {
                "annotators": f"{pair.first} and {pair.second}",
                "shared images": pair.shared,
                "raw agreement": words(pair.raw),
                "Cohen's kappa": pair.kappa.reason or words(pair.kappa),
            }
            for pair in measured.pairs
        ]
        st.dataframe(lines, hide_index=True, width="stretch", column_config=ui.counts(lines))
        st.caption(
            "Cohen's kappa is the agreement of two beyond what their own shares of yes and no would give by chance. It "
            "does not compare across attributes: the rarer the positives, the lower it gets for the same care."
        )
    st.subheader("Every annotator", anchor=False)
    lines = [
        {
            "annotator": line.name,
            "answers": line.answers,
            "to settle": line.settling,
            "says yes": words(line.positive),
            "unsure": words(line.unsure),
            "as most others say": words(line.with_majority),
            "sensitivity": words(line.sensitivity),
            "specificity": words(line.specificity),
        }
        for line in measured.annotators
    ]
    st.dataframe(lines, hide_index=True, width="stretch", column_config=ui.counts(lines))
    st.caption(
        "“To settle”: answers of someone who was asked since others did not agree; they count for sensitivity and "
        "specificity alone. “As most others say” leaves out a person's own vote. Sensitivity: how often they say yes "
        "of images that are probably positive; specificity: no of probably negative ones; both by the model of Dawid "
        "and Skene."
    )


def disputed(attribute: Attribute) -> None:
    """Draw the images that wait for a decision, and the button that leads to deciding them."""
    disputes = adjudication.disputes(ws, attribute, ui.annotator())
    st.subheader("Disputed images", anchor=False)
    if not disputes:
        st.caption("No image waits for a decision: wherever enough people have answered, they agree or it is decided.")
        return
    mine = sum(one.answered_before for one in disputes)
    st.markdown(
        f"**{count(len(disputes), 'image')}** on which enough people have answered and do not agree. Ask one more "
        "person, or decide: a decision settles the label whatever the votes, and can be taken back. The votes stay as "
        "they are, in the numbers above too."
    )
    if mine:
        st.caption(
            f"{ui.plain(ui.annotator())} has answered {mine:,} of them before. A fresh pair of eyes is better; those "
            "come last."
        )
    if st.button("Adjudicate these", type="primary", icon=":material/gavel:"):
        go("annotate", attribute.name, task="adjudication")
    pictures = [
        Picture(one.row, votes(one.votes) + (" · you too" if one.answered_before else "")) for one in disputes[:SHOWN]
    ]
    picked = gallery(pictures, key=f"disputes-{attribute.id}", version=ws.picture_version, answering=by_key(attribute))
    if len(disputes) > SHOWN:
        st.caption(f"The first {SHOWN} of {len(disputes):,} are shown.")
    if picked is not None:
        open_image(picked)


def told(attribute: Attribute) -> None:
    """Draw what annotators tell the reviewer, and the ways to deal with it."""
    remarks = adjudication.told(ws, attribute)
    if not remarks:
        return
    by_row: dict[int, list[Told]] = {}
    for one in remarks:
        by_row.setdefault(one.row, []).append(one)
    st.subheader("To the reviewer", anchor=False)
    st.caption(
        "What annotators flagged, commented on or could not judge, the oldest first, then what several people skipped. "
        "A decision deals with all but comments, which are closed. Choose an image to look at it or to close it."
    )
    if any(one.kind != COMMENT for one in remarks) and st.button("Decide what is flagged", icon=":material/flag:"):
        go("annotate", attribute.name, task="adjudication")
    key = f"told-{attribute.id}"
    chosen = st.session_state.get(f"{key}-chosen")
    if chosen in by_row:
        for one in by_row[chosen]:
            st.markdown(
                f"**{ui.plain(one.annotator)}**, {TOLD[one.kind]}{': ' if one.text else ''}{ui.plain(one.text)}"
            )
        with st.container(horizontal=True):
            if st.button("Look at it", icon=":material/open_in_full:"):
                open_image(chosen)
            ids = [one.id for one in by_row[chosen] if one.id is not None]
            if ids and st.button("Close", icon=":material/check:"):
                adjudication.close(ws, ids, ui.annotator())
                undo.done(f"Closed what was told about image {chosen}.", partial(adjudication.reopen, ws, ids))
    pictures = [
        Picture(
            row,
            " · ".join(f"{one.annotator}: {one.text or TOLD[one.kind]}" for one in ones),
            mark="" if ones[0].decision is None else MARKS[ones[0].decision],
        )
        for row, ones in list(by_row.items())[:SHOWN]
    ]
    picked = gallery(
        pictures,
        key=key,
        version=ws.picture_version,
        selected=[chosen] if chosen in by_row else [],
        answering=by_key(attribute),
    )
    if picked is not None:
        st.session_state[f"{key}-chosen"] = picked
        st.rerun()


def decided(attribute: Attribute) -> None:
    """Draw the decisions, the newest first, and a way to undo one."""
    decisions = adjudication.decided(ws, attribute)
    if not decisions:
        return
    st.subheader("Decided images", anchor=False)
    st.caption("The newest decision first. Choose an image to take its decision back.")
    key = f"decided-{attribute.id}"
    chosen = st.session_state.get(f"{key}-chosen")
    one = next((one for one in decisions if one.row == chosen), None)
    if one is not None and st.button(f"Take back the decision on image {one.row}", icon=":material/undo:"):
        adjudication.retract(ws, attribute, one.row, ui.annotator())
        st.rerun()
    pictures = [
        Picture(one.row, f"{votes(one.votes)} · by {one.annotator}", mark=MARKS[one.answer])
        for one in decisions[:SHOWN]
    ]
    picked = gallery(pictures, key=key, version=ws.picture_version, selected=[] if chosen is None else [chosen])
    if picked is not None:
        st.session_state[f"{key}-chosen"] = picked
        st.rerun()


attribute = attribute_in_focus("agreement")
if attribute is None:
    st.stop()
ignore_unsure = st.toggle(
    "Leave out “unsure”",
    help="Off, the stricter way: whoever is unsure about what another is sure of does not agree with them.",
)

measured = agreement.measure(ws, attribute, unsure="missing" if ignore_unsure else "value")
if not measured.annotators:
    ui.empty("Nobody has answered about this attribute yet.", "Go to its rounds", "rounds", attribute.name)
    st.stop()
demo_controls.simulated_note(attribute)
if measured.raw.value is None:
    hint, action, page = _OVERLAP[agreement.suggest_overlap(ws)]
    ui.empty(f"**Agreement is not known yet.** {ui.plain(measured.raw.reason)} {hint}", action, page, attribute.name)
else:
    numbers(measured)
tables(measured)
disputed(attribute)
told(attribute)
decided(attribute)
