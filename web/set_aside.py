"""The part of the Annotators page that sets a person's answers aside and brings them back, with what that changes."""

from functools import partial

import streamlit as st

from bam_engine.annotation import Annotator, Attribute, readable
from bam_engine.formatting import count
from bam_engine.training import setting_aside
from bam_engine.training.setting_aside import Effect
from web import ui, undo
from web.engine import workspace

_ALL = "all attributes"
_BACK = "They count again, as if they had never been set aside."
_ASIDE = (
    "They then count for nothing: labels, training, agreement and guarantees leave them out, and others are asked "
    "about these images. Nothing is deleted. What this person answers later counts, unless they are archived."
)


def set_aside_part(one: Annotator, answers: int, aside: int) -> None:
    """Draw what sets the answers of an annotator aside, and what brings back those that are."""
    if aside < answers:
        _act(one, counted=False)
    if aside:
        _act(one, counted=True)


def _act(one: Annotator, *, counted: bool) -> None:
    """Draw the choice of what is set aside or brought back; chosen, it shows what changes, with the button."""
    ws, kind = workspace(), "bring-back" if counted else "set-aside"
    by_name = {readable(each.name): each for each in _with_answers(one, counted=counted)}
    chosen = st.selectbox(
        "Bring back the answers about" if counted else "Set aside the answers about",
        [_ALL, *by_name] if len(by_name) > 1 else list(by_name),
        index=None,
        key=f"{kind}-about-{one.id}",
        help=_BACK if counted else _ASIDE,
    )
    if chosen is None:
        return
    attribute = by_name.get(chosen)
    effects = setting_aside.effects(ws, one, attribute, counted=counted)
    _show(effects)
    number = sum(each.answers for each in effects)
    label = f"{'Bring back' if counted else 'Set aside'} {count(number, 'answer')}"
    if effects and st.button(label, type="primary", key=f"{kind}-{one.id}"):
        with ui.guard():
            _do(one, attribute, counted=counted, number=number)


def _do(one: Annotator, attribute: Attribute | None, *, counted: bool, number: int) -> None:
    ws, answers = workspace(), f"{count(number, 'answer')} of {ui.plain(one.name)}"
    if counted:
        act = setting_aside.bring_back(ws, one, attribute)
        words = f"{answers} {'counts' if number == 1 else 'count'} again."
    else:
        act = setting_aside.set_aside(ws, one, attribute, by=_known_name())
        verb, them = ("is", "it") if number == 1 else ("are", "them")
        words = f"{answers} {verb} set aside. Models learn without {them} at their next training."
    undo.done(words, partial(setting_aside.undo, ws, act))


def _known_name() -> str | None:
    """Return the name of whoever looks, unless they are no annotator yet: looking after answers makes nobody one."""
    name = ui.annotator()
    return name if name and workspace().annotators.find(name) is not None else None


def _with_answers(one: Annotator, *, counted: bool) -> list[Attribute]:
    """Return the attributes about which something could be set aside or brought back."""
    ws = workspace()
    found = []
    for attribute in ws.attributes.all():
        aside = setting_aside.set_aside_of(ws, attribute).get(one.id, 0)
        if aside if counted else ws.annotations.count(attribute.id, one.id) > aside:
            found.append(attribute)
    return found


def _show(effects: list[Effect]) -> None:
    """Draw what would happen to each attribute; a guarantee that would be lost stands out."""
    lines = "  \n".join(f"**{ui.plain(readable(one.attribute.name))}**: {one.text}" for one in effects)
    if any(one.guarantee_lost for one in effects):
        st.warning(lines, icon=":material/gpp_bad:")
    else:
        st.info(lines, icon=":material/info:")
