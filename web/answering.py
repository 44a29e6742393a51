"""Answering about one image: the buttons in its dialog and on its page, and the keys wherever its picture shows."""

from typing import Any

import streamlit as st

from bam_engine.annotation import Attribute, readable
from bam_engine.database import read_only
from bam_engine.errors import BamError
from bam_engine.labelling import direct_answers
from bam_engine.labelling.direct_answers import ANSWERS
from bam_engine.team import Role
from bam_engine.training.direct_effects import effect
from bam_engine.workspace.membership import removed
from web import guideline_examples, identity, people, ui
from web.components.gallery import Answering
from web.components.keys import answer_keys
from web.engine import workspace
from web.navigation import focus_attribute, focused_attribute

_ICONS = {1: ":material/check:", 0: ":material/close:", -1: ":material/question_mark:"}


def about(attribute: Attribute) -> dict[str, Any] | None:
    """Return what keys answer about the pictures of a page; None for whoever may answer nothing."""
    if read_only(workspace().engine) or not people.may(Role.ANNOTATOR):
        return None
    return {"attribute": attribute.id, "question": attribute.question, "annotator": identity.annotator()}


def by_key(attribute: Attribute, *, names_keys: bool = True) -> Answering | None:
    """Return what keys answer about the pictures of a short gallery; None for whoever may answer nothing."""
    answering = about(attribute)
    return None if answering is None else Answering(**answering, names_keys=names_keys)


def attribute_asked(key: str) -> Attribute | None:
    """Return the attribute that :func:`answer_image` asks about; None where it asks nothing."""
    name = st.session_state.get(f"{key}-answer-for")
    return next((each for each in workspace().attributes.all() if each.name == name), None)


def answer_image(row: int, *, key: str) -> None:
    """Draw the label of an image for one attribute, and the buttons and keys that give or correct it, for who may."""
    ws = workspace()
    attributes = {attribute.name: attribute for attribute in ws.attributes.all()}
    if not attributes or row in removed(ws).rows or not people.may(Role.ANNOTATOR):
        return
    names = list(attributes)
    last = focused_attribute()
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}-answer-bar"):
        name = st.selectbox(
            "Answer for",
            names,
            index=names.index(last) if last in names else 0,
            format_func=readable,
            key=f"{key}-answer-for",
            width=260,
        )
        attribute = attributes[name]
        mark = direct_answers.standing(ws, attribute, row, identity.annotator()).mark
        st.session_state[_seen(key)] = (attribute.id, row, mark)
        for answer, words in ANSWERS.items():
            st.button(
                words.capitalize(),
                key=f"{key}-answer-{words}",
                icon=_ICONS[answer],
                type="primary" if mark == words else "secondary",
                disabled=read_only(ws.engine),
                help=f"{attribute.question} {words.capitalize()}.",
                on_click=_answer,
                args=(attribute, row, answer, key),
            )
        _undo(attribute, row, key)
        guideline_examples.offer(attribute, row, key=key)
    _tell(attribute, row, mark, key)
    if not read_only(ws.engine):
        answer_keys(key)


def _answer(attribute: Attribute, row: int, answer: int | None, key: str, *, undoes: bool = False) -> None:
    """Store an answer, given at the sight of a label, and remember what undoes it; or why it was not stored.

    Two answers may come before the page is drawn again. Then the second has seen the label that the first has made.
    """
    ws, annotator = workspace(), identity.annotator()
    focus_attribute(attribute.name)
    *about, seen = st.session_state[_seen(key)]
    try:
        before = direct_answers.answer(
            ws, attribute, row, answer, annotator=annotator, seen=seen if about == [attribute.id, row] else None
        )
        left = direct_answers.standing(ws, attribute, row, annotator).mark
        st.session_state[_seen(key)] = (attribute.id, row, left)
    except BamError as error:
        st.session_state[_problem(key)] = (attribute.id, row, str(error))
        return
    st.session_state.pop(_problem(key), None)
    st.session_state[_before(key)] = None if undoes else (attribute.id, row, before.own)


def _undo(attribute: Attribute, row: int, key: str) -> None:
    """Draw the button that undoes the answer just given to this image."""
    last = st.session_state.get(_before(key))
    if last is None or last[:2] != (attribute.id, row):
        return
    st.button(
        "Undo",
        key=f"{key}-answer-undo",
        icon=":material/undo:",
        on_click=_answer,
        args=(attribute, row, last[2], key),
        kwargs={"undoes": True},
    )


def _tell(attribute: Attribute, row: int, mark: str, key: str) -> None:
    problem = st.session_state.get(_problem(key))
    if problem is not None and problem[:2] == (attribute.id, row):
        st.warning(ui.plain(problem[2]), icon=":material/sync_problem:")
    label = f"Labelled **{mark}**." if mark else "No label yet."
    st.caption(f"{label} {ui.plain(effect(workspace(), attribute, row))}")


def _seen(key: str) -> str:
    return f"{key}-answer-seen"


def _before(key: str) -> str:
    return f"{key}-answer-before"


def _problem(key: str) -> str:
    return f"{key}-answer-problem"
