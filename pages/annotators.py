"""Annotators: whose answers there are and which of them count, under which names, and which names are one person."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Annotator
from bam_engine.annotation.names import MAX_LENGTH
from bam_engine.formatting import count
from bam_engine.labelling import gold, pausing
from bam_engine.labelling.agreement import answers_by_annotator
from bam_engine.labelling.flags import flags
from bam_engine.labelling.pace import LOOK, paces
from bam_engine.labelling.with_others import compared_with_others
from bam_engine.team import Role
from bam_engine.training.setting_aside import set_aside_by_annotator
from web import identity, people, ui, undo
from web.engine import workspace
from web.gold_form import gold_form
from web.pausing import pause_part, rule_form, soon, standing
from web.set_aside import set_aside_part

COMPARED = (
    "Of the images that several people were meant to answer, without this person's own vote; “unsure” agrees with "
    "neither. Others are no truth: where they err alike, who is right looks wrong."
)
ON_GOLD = (
    "Of the images mixed in unmarked whose answer three people or a reviewer gave, by what they are labelled today; "
    "“unsure” is not right. The interval is exact, at 95%."
)

PACE = (
    "The time for which a page was visible, shared out among its images; each page counts once, so an idle minute "
    f"moves little. Whoever surely takes less than {LOOK} s on most pages is flagged: the eye rests longer on what it "
    "looks at. The interval is exact, at 95%."
)

ws = workspace()
known = ws.annotators
answers, aside = answers_by_annotator(ws), set_aside_by_annotator(ws)
manages = people.may(Role.OWNER)  # who is who; reviewers say whose answers count
flagged, compared, on_gold = flags(ws), compared_with_others(ws), gold.accuracies(ws)
pace = paces(ws)
paused, falling = ws.pauses.now(), pausing.falling_below(ws, pausing.rule(ws))


@ui.guard()
def merge(one: Annotator, other: Annotator) -> None:
    """Merge an annotator into another one."""
    known.merge(one.id, other.id)
    undo.done(f"The answers of {ui.plain(one.name)} count for {ui.plain(other.name)}.", partial(known.separate, one.id))


def call(one: Annotator, name: str) -> Annotator:
    """Give an annotator another name, under which whoever answers as them on this page goes on."""
    answering = known.find(ui.annotator())
    renamed = known.rename(one.id, name)
    if answering is not None and answering.id == one.id:
        identity.answer_as(renamed.name)
    return renamed


@ui.guard()
def rename(one: Annotator, name: str) -> None:
    """Give an annotator another name."""
    renamed = call(one, name)
    if renamed.name != one.name:
        undo.done(f"{ui.plain(one.name)} is called {ui.plain(renamed.name)}.", partial(call, renamed, one.name))


@ui.guard()
def archive(one: Annotator) -> None:
    """Put an annotator out of the way."""
    known.archive(one.id)
    undo.done(f"{ui.plain(one.name)} is archived. Their answers count as before.", partial(known.restore, one.id))


def warn(group: list[Annotator]) -> None:
    """Say that several names are probably one person, and offer to merge them."""
    names = " and ".join(f"“{ui.plain(one.name)}”" for one in group)
    with st.container(border=True):
        st.warning(
            f"{names} are spellings of one name, but count as {len(group)} people who agree with each other. If they "
            "are one person, merge them.",
            icon=":material/warning:",
        )
        kept = max(group, key=lambda one: answers.get(one.id, 0))
        for one in group:
            if one != kept and st.button(
                f"Merge {ui.plain(one.name)} into {ui.plain(kept.name)}", key=f"merge-spelling-{one.id}", type="primary"
            ):
                merge(one, kept)


def heading(one: Annotator) -> str:
    """Return the name of an annotator with their answers, those that count and those that do not."""
    set_aside = f" · {aside[one.id]:,} set aside" if one.id in aside else ""
    kind = " · simulated" if one.simulated else ""
    stopped = " · :material/pause_circle: paused" if one.id in paused else ""
    return f"**{ui.plain(one.name)}** · {count(answers.get(one.id, 0), 'answer')}{set_aside}{kind}{stopped}"


def card(one: Annotator, others: list[Annotator]) -> None:
    """Draw an annotator, with what can be done about them."""
    flag, own_pace = flagged.get(one.id), pace.get(one.id)
    too_fast = own_pace is not None and own_pace.too_fast
    seen = " · :material/flag: worth a look" if flag or too_fast else ""
    with st.expander(heading(one) + seen):
        if one.id in paused:
            standing(paused[one.id])
        elif one.id in falling:
            soon(falling[one.id])
        if flag:
            st.warning(
                f"{ui.plain(flag.text)} Look at some of these answers, or ask, before you conclude anything: who "
                "understood the question differently looks like this too.",
                icon=":material/flag:",
            )
        if own_pace is not None and too_fast:
            st.warning(f"{own_pace.text} Ask before you conclude anything.", icon=":material/timer:")
        elif own_pace is not None:
            st.markdown(own_pace.text, help=PACE)
        for right in on_gold.get(one.id, []):
            st.markdown(ui.plain(right.text), help=ON_GOLD)
        for found in compared.get(one.id, []):
            st.markdown(ui.plain(found.text), help=COMPARED)
        set_aside_part(one, answers.get(one.id, 0), aside.get(one.id, 0))
        if manages:
            if not one.simulated:
                pause_part(one, paused.get(one.id))
            name_part(one, others)


def name_part(one: Annotator, others: list[Annotator]) -> None:
    """Draw what renames, merges and archives an annotator."""
    with st.form(f"rename-form-{one.id}", border=False):
        name, button = st.columns([3, 1], vertical_alignment="bottom")
        new = name.text_input("Name", one.name, max_chars=MAX_LENGTH, key=f"name-{one.id}-{one.name}")
        if button.form_submit_button("Rename", key=f"rename-{one.id}", width="stretch"):
            rename(one, new)
    if others:
        into, button = st.columns([3, 1], vertical_alignment="bottom")
        other = into.selectbox(
            "The same person as",
            others,
            index=None,
            format_func=lambda each: each.name,
            key=f"into-{one.id}",
            help="Their answers then count for this person, once per image: where both answered, the newest "
            "answer counts, and none where the other skipped it later. Nothing is rewritten, so they can be separated "
            "again.",
        )
        if button.button("Merge", key=f"merge-{one.id}", width="stretch", disabled=other is None) and other:
            merge(one, other)
    if st.button("Archive", key=f"archive-{one.id}", icon=":material/archive:"):
        archive(one)


@ui.guard()
def separate(one: Annotator, other: Annotator) -> None:
    """Undo a merge."""
    known.separate(one.id)
    words = f"{ui.plain(one.name)} and {ui.plain(other.name)} are two people."
    undo.done(words, partial(known.merge, one.id, other.id))


@ui.guard()
def bring_back(one: Annotator) -> None:
    """Bring an archived annotator back."""
    known.restore(one.id)
    undo.done(f"{ui.plain(one.name)} can answer again.", partial(known.archive, one.id))


ui.head("Annotators", "Who has answered, under which names. One person should have one name here.")
for group in known.spellings() if manages else []:
    warn(group)
everyone = known.all()
active = [one for one in everyone if not one.archived]
if not everyone:
    ui.empty(
        "Nobody has answered yet. Answers are kept under the name in the sidebar.", "Answer some images", "annotate"
    )
for one in active:
    card(one, [other for other in active if other != one and other.simulated == one.simulated])
if manages and (merged := known.merged()):
    st.subheader("Merged", anchor=False)
    for one, other in merged:
        words, button = st.columns([3, 1], vertical_alignment="center")
        words.markdown(f"{ui.plain(one.name)} counts as {ui.plain(other.name)}")
        if button.button("Separate", key=f"separate-{one.id}", icon=":material/undo:", width="stretch"):
            separate(one, other)
if archived := [one for one in everyone if one.archived]:
    st.subheader("Archived", anchor=False)
    for one in archived:
        with st.expander(heading(one)):
            set_aside_part(one, answers.get(one.id, 0), aside.get(one.id, 0))
            if manages and st.button("Let them answer again", key=f"restore-{one.id}", icon=":material/undo:"):
                bring_back(one)
if manages:
    gold_form()
    rule_form(falling)
