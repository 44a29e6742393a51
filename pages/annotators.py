"""Annotators: whose answers there are, under which names, and which of them are one person."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Annotator
from bam_engine.annotation.names import MAX_LENGTH
from bam_engine.formatting import count
from bam_engine.labelling.agreement import answers_by_annotator
from bam_engine.labelling.flags import flags
from web import identity, ui, undo
from web.engine import workspace

ws = workspace()
people = ws.annotators
answers = answers_by_annotator(ws)
flagged = flags(ws)


@ui.guard()
def merge(one: Annotator, other: Annotator) -> None:
    """Merge an annotator into another one."""
    people.merge(one.id, other.id)
    undo.done(
        f"The answers of {ui.plain(one.name)} count for {ui.plain(other.name)}.", partial(people.separate, one.id)
    )


def call(one: Annotator, name: str) -> Annotator:
    """Give an annotator another name, under which whoever answers as them on this page goes on."""
    answering = people.find(ui.annotator())
    renamed = people.rename(one.id, name)
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
    people.archive(one.id)
    undo.done(f"{ui.plain(one.name)} is archived. Their answers count as before.", partial(people.restore, one.id))


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


def card(one: Annotator, others: list[Annotator]) -> None:
    """Draw an annotator, with what can be done about them."""
    flag = flagged.get(one.id)
    kind = " · simulated" if one.simulated else ""
    seen = " · :material/flag: worth a look" if flag else ""
    with st.expander(f"**{ui.plain(one.name)}** · {count(answers.get(one.id, 0), 'answer')}{kind}{seen}"):
        if flag:
            st.warning(
                f"{ui.plain(flag.text)} Look at some of these answers, or ask, before you conclude anything: who "
                "understood the question differently looks like this too.",
                icon=":material/flag:",
            )
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
                "answer counts. Nothing is rewritten, so they can be separated again.",
            )
            if button.button("Merge", key=f"merge-{one.id}", width="stretch", disabled=other is None) and other:
                merge(one, other)
        if st.button("Archive", key=f"archive-{one.id}", icon=":material/archive:"):
            archive(one)


def aside(text: str, label: str, key: str) -> bool:
    """Draw a line about an annotator who is out of the way; return whether its button was pressed."""
    words, button = st.columns([3, 1], vertical_alignment="center")
    words.markdown(text)
    return bool(button.button(label, key=key, icon=":material/undo:", width="stretch"))


@ui.guard()
def separate(one: Annotator, other: Annotator) -> None:
    """Undo a merge."""
    people.separate(one.id)
    words = f"{ui.plain(one.name)} and {ui.plain(other.name)} are two people."
    undo.done(words, partial(people.merge, one.id, other.id))


@ui.guard()
def bring_back(one: Annotator) -> None:
    """Bring an archived annotator back."""
    people.restore(one.id)
    undo.done(f"{ui.plain(one.name)} can answer again.", partial(people.archive, one.id))


ui.head("Annotators", "Who has answered, under which names. One person should have one name here.")
for group in people.spellings():
    warn(group)
everyone = people.all()
active = [one for one in everyone if not one.archived]
if not everyone:
    ui.empty("Nobody has answered yet. Answers are kept under the name at the left.", "Answer some images", "annotate")
for one in active:
    card(one, [other for other in active if other != one and other.simulated == one.simulated])
if merged := people.merged():
    st.subheader("Merged", anchor=False)
    for one, other in merged:
        if aside(f"{ui.plain(one.name)} counts as {ui.plain(other.name)}", "Separate", f"separate-{one.id}"):
            separate(one, other)
if archived := [one for one in everyone if one.archived]:
    st.subheader("Archived", anchor=False)
    for one in archived:
        text = f"{ui.plain(one.name)} · {count(answers.get(one.id, 0), 'answer')}"
        if aside(text, "Bring back", f"restore-{one.id}"):
            bring_back(one)
