"""Proposals: what the next version of the dataset should ask about; anyone proposes and votes, owners decide."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.annotation.attributes import MAX_NAME_LENGTH
from bam_engine.annotation.proposals import (
    ACCEPTED,
    DECLINED,
    MAX_EXAMPLES,
    MAX_NOTE,
    MAX_QUESTION,
    MAX_REASON,
    MERGED,
    OPEN,
    Proposal,
)
from bam_engine.formatting import count
from bam_engine.labelling.proposed_attributes import accept_proposal
from bam_engine.team import Account, Role
from bam_engine.workspace.membership import removed
from web import people, ui, undo
from web.components.gallery import Picture, gallery
from web.engine import workspace
from web.image_panel import open_image
from web.navigation import link
from web.proposing import chosen_examples, forget_examples

_THUMBNAIL = 96

ws = workspace()
proposals = ws.proposals


def examples(rows: Sequence[int], *, key: str) -> None:
    """Draw example images; one that is clicked opens."""
    gone = removed(ws).rows
    pictures = [Picture(row) for row in rows if row not in gone]
    if not pictures:
        return
    picked = gallery(pictures, key=key, version=ws.picture_version, size=_THUMBNAIL)
    if picked is not None:
        open_image(picked, [one.row for one in pictures])


def text(one: Proposal) -> None:
    """Draw what is proposed, by whom and why."""
    names = ws.annotators.names()
    st.markdown(f"**{ui.plain(one.name)}** · {ui.plain(one.question)}")
    if one.reason:
        st.markdown(ui.plain(one.reason))
    st.caption(f"Proposed by {ui.plain(names[one.annotator_id])}, {one.made_at[:10]}")


def open_proposal(one: Proposal, account: Account, others: Sequence[Proposal]) -> None:
    """Draw an open proposal, with what whoever looks may do about it.

    Only open ones show their examples: an attribute is judged blind, and its guidelines say which examples are shown.
    """
    with st.container(border=True, key=f"proposal-{one.id}-card"), ui.guard():
        text(one)
        examples(one.rows, key=f"proposal-{one.id}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{count(len(one.voters), 'vote')}**", width="content")
            voting(one, account)
        if people.may(Role.OWNER):
            with st.expander("Decide"):
                accepting(one)
                merging(one, [other for other in others if other.id != one.id])
                declining(one)


def voting(one: Proposal, account: Account) -> None:
    """Draw the button of the vote of whoever looks, or of their own proposal."""
    person = account.annotator_id
    if person == one.annotator_id and not one.absorbed:
        if st.button("Withdraw", key=f"withdraw-{one.id}", icon=":material/close:"):
            act = proposals.withdraw(one.id, person)
            undo.done(f"“{ui.plain(one.name)}” is withdrawn.", partial(proposals.undo, act))
    elif person in one.proposers:
        st.caption("You proposed this.", width="content")
    elif person in one.voters:
        if st.button("Take the vote back", key=f"vote-{one.id}", icon=":material/thumb_up:", type="primary"):
            proposals.take_back(one.id, person)
            st.rerun()
    elif st.button("I want this, too", key=f"vote-{one.id}", icon=":material/thumb_up:"):
        proposals.vote(one.id, person)
        st.rerun()


def accepting(one: Proposal) -> None:
    """Draw the form that makes an attribute of a proposal."""
    with st.form(f"accept-{one.id}", border=False):
        name = st.text_input("Name", one.name, max_chars=MAX_NAME_LENGTH)
        question = st.text_input("Question", one.question, max_chars=MAX_QUESTION)
        kind = ui.choose_category()
        if st.form_submit_button("Accept: make it an attribute", icon=":material/check:", type="primary"):
            attribute = accept_proposal(ws, one.id, name=name.strip(), question=question.strip(), kind=kind)
            told(f"“{ui.plain(readable(attribute.name))}” is an attribute now.")


def merging(one: Proposal, others: Sequence[Proposal]) -> None:
    """Draw the form that merges a proposal into another or into an attribute."""
    targets: dict[str, Proposal | Attribute] = {f"proposal “{other.name}”": other for other in others}
    targets |= {f"attribute “{readable(each.name)}”": each for each in ws.attributes.all()}
    if not targets:
        return
    with st.form(f"merge-{one.id}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("The same as", list(targets), index=None, placeholder="Choose what it is")
        if st.form_submit_button("Merge", icon=":material/merge:"):
            if chosen is None:
                st.warning("Choose first what it is the same as.")
                return
            act = proposals.merge(one.id, targets[chosen])
            words = f"“{ui.plain(one.name)}” is merged into the {ui.plain(chosen)}."
            undo.done(words, partial(proposals.undo, act))


def declining(one: Proposal) -> None:
    """Draw the form that declines a proposal, with a reason."""
    with st.form(f"decline-{one.id}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        note = st.text_input("Why not", max_chars=MAX_NOTE, placeholder="Whoever wants it reads this")
        if st.form_submit_button("Decline", icon=":material/block:"):
            act = proposals.decline(one.id, note)
            undo.done(f"“{ui.plain(one.name)}” is declined.", partial(proposals.undo, act))


def decided(one: Proposal, names: Mapping[int, str]) -> None:
    """Draw what became of a proposal."""
    with st.container(border=True), ui.guard():
        text(one)
        st.markdown(f"**{outcome(one, names)}** · {count(len(one.voters), 'vote')}")
        if one.note:
            st.markdown(ui.plain(one.note))
        if one.state == ACCEPTED and one.attribute_id is not None:
            link("annotate", "Annotate", ws.attributes.by_id(one.attribute_id).name, icon="check_box")
        elif one.state in (MERGED, DECLINED) and people.may(Role.OWNER):
            reopening(one)


def reopening(one: Proposal) -> None:
    """Draw the button that opens a declined or merged proposal again."""
    if st.button("Open again", key=f"reopen-{one.id}", icon=":material/undo:"):
        proposals.reopen(one.id)
        st.rerun()


def outcome(one: Proposal, names: Mapping[int, str]) -> str:
    """Return what became of a proposal, in words; ``names`` are those of all proposals."""
    if one.attribute_id is not None:
        became = ui.plain(readable(ws.attributes.by_id(one.attribute_id).name))
        return f"Accepted as “{became}”" if one.state == ACCEPTED else f"Merged into the attribute “{became}”"
    if one.state == MERGED and one.into_id is not None:
        return f"Merged into “{ui.plain(names[one.into_id])}”"
    return one.state.capitalize()


def propose(account: Account) -> None:
    """Draw the form that proposes an attribute."""
    st.subheader("Propose an attribute", anchor=False)
    rows = chosen_examples()
    if rows:
        st.caption(f"{count(len(rows), 'example')}, where the answer is yes")
        examples(rows, key="proposal-examples")
    with st.form("propose", border=True):
        name = st.text_input("Name", placeholder="red kite", max_chars=MAX_NAME_LENGTH)
        question = st.text_input(
            "Question", placeholder="Is there a red kite?", max_chars=MAX_QUESTION, help="It is answered yes or no."
        )
        reason = st.text_area("Why (optional)", max_chars=MAX_REASON, height=80)
        if st.form_submit_button("Propose", icon=":material/lightbulb:", type="primary"):
            with ui.guard():
                one = proposals.propose(account.annotator_id, name, question, reason, rows)
                forget_examples()
                told(f"“{ui.plain(one.name)}” is proposed, with your vote.")
    with st.container(horizontal=True, vertical_alignment="center"):
        link("gallery", "Choose other examples" if rows else "Choose examples in the gallery", icon="photo_library")
        if rows and st.button("No examples", icon=":material/close:"):
            forget_examples()
            st.rerun()
    st.caption(
        f"Examples show where the answer is yes. Select up to {MAX_EXAMPLES} images in the gallery, and press “Propose "
        "an attribute” there."
    )


def told(words: str) -> None:
    """Say on the next run what was done."""
    st.session_state["proposals-told"] = words
    st.rerun()


ui.head("Proposals", "What the next version of the dataset should ask about. Anyone proposes and votes; owners decide.")
account = people.person()
if account is None:
    st.info("This server is for one person, who adds attributes at once. `bam serve --team` starts one for a team.")
    link("attributes", "Add an attribute", icon="label")
    st.stop()
if words := st.session_state.pop("proposals-told", None):
    st.success(words, icon=":material/check_circle:")
everything = proposals.all()
listed = [one for one in everything if one.state == OPEN]
if not listed:
    st.info("Nothing is proposed just now.", icon=":material/lightbulb:")
for one in listed:
    open_proposal(one, account, listed)
propose(account)
if past := [one for one in everything if one.state != OPEN]:
    with st.expander(f"Decided · {len(past):,}"):
        for one in sorted(past, key=lambda each: each.id, reverse=True):
            decided(one, {other.id: other.name for other in everything})
