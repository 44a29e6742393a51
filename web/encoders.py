"""The encoders of the workspace on pages: what each has, what a move takes and has done, and one click back."""

from collections.abc import Callable, Sequence

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.embedding import encoder_key
from bam_engine.errors import BamError
from bam_engine.formatting import count, duration
from bam_engine.switching import moving
from bam_engine.switching.moving import Move, Moved
from bam_engine.switching.results import EncoderResults
from bam_engine.team import Role
from bam_engine.typed_paths import typed_path
from web import ui
from web.engine import workspace
from web.navigation import link

JOB = "embed"
_NOTE = "encoder-note"
_MOST_NAMES = 6


def names(of: Sequence[str], display: Callable[[str], str] = readable) -> str:
    """Return names in one line, the first few of many, each as ``display`` shows it.

    Examples
    --------
    >>> names(["content_dog", "media_watercolor"])
    'dog (content), watercolor (media)'
    """
    shown = [ui.plain(display(name)) for name in of[:_MOST_NAMES]]
    more = f" and {count(len(of) - _MOST_NAMES, 'other')}" if len(of) > _MOST_NAMES else ""
    return ", ".join(shown) + more


def plan(move: Move) -> None:
    """Draw what a move to another encoder does, before it is made."""
    ws = workspace()
    now = ui.plain(ws.encoder_name())
    lines = [f"{_work(move)} {now} stays in use until then." if move.seconds != 0 else "Everything is ready."]
    lines.append(
        f"The thresholds, audits, maps and scores of {now} stay with it, listed below, one click back. Labels belong "
        "to the images, whatever the encoder."
    )
    if move.kept:
        verb = "keeps the model" if len(move.kept) == 1 else "keep the models"
        lines.append(
            f"{names(move.kept)} {verb} that a threshold or a certification rests on: what was labelled or added since "
            "is not in it."
        )
    lines += [
        f"Round {number} of {ui.plain(readable(name))} is being labelled: its images and answers stay as they are, and "
        "it trains the encoder that is in use when its last label has come."
        for name, number in move.open_rounds
    ]
    others = [job.title for job in ws.jobs.running() if job.name != JOB]
    lines += [f"{ui.plain(title)} is running, and ends with {now}." for title in others]
    st.info("\n".join(f"- {line}" for line in lines), icon=":material/swap_horiz:")


def _work(move: Move) -> str:
    """Say what a move embeds and trains, and about how long it takes."""
    steps = [f"{count(move.to_embed, 'image')} will be embedded"] if move.to_embed else []
    if move.to_train:
        verb = "learns its labels anew" if len(move.to_train) == 1 else "learn their labels anew"
        steps.append(f"{count(len(move.to_train), 'attribute')} {verb} ({names(move.to_train)})")
    time = "how long that takes is seen once it runs" if move.seconds is None else f"about {words(move.seconds)}"
    return f"{', then '.join(steps)}: {time}."


def words(seconds: float) -> str:
    """Return a rough duration: what is estimated beforehand is not known to the second."""
    return duration(max(5.0, 5 * round(seconds / 5)))


def outcome(moved: Moved) -> None:
    """Draw what a move has done."""
    ws = workspace()
    if moved.embedded.embedded:
        st.caption(f"{count(moved.embedded.embedded, 'image')} at {moved.embedded.rate:,.0f} images/s.")
    to, before = ui.plain(ws.encoder_name(moved.key)), ui.plain(ws.encoder_name(moved.before))
    if moved.failed:
        lines = [f"{ui.plain(readable(name))} could not be trained: {ui.plain(why)}" for name, why in moved.failed]
        if moved.key != ws.choice.key:
            lines.append(f"{ui.plain(ws.encoder_name())} is in use. Mend this and go on, or use {to} as it is.")
        st.warning("\n".join(f"- {line}" for line in lines), icon=":material/warning:")
    elif moved.key == ws.choice.key and moved.key != moved.before:
        trained = f" {count(len(moved.trained), 'attribute')} trained: {names(moved.trained)}." if moved.trained else ""
        kept = f" What {before} has stays listed below." if len(ws.vectors(moved.before)) else ""
        st.markdown(f"{to} is in use.{trained}{kept}")


def preparation(*, linked: bool) -> None:
    """Say in a line how far the next encoder is, if there is one; ``linked`` leads to the Embeddings page."""
    ws = workspace()
    state = moving.preparation(ws)
    if state is None:
        return
    name, now = f"**{ui.plain(state.name)}**", ui.plain(ws.encoder_name())
    done = f"{state.embedded:,} of {count(state.images, 'image')} embedded"
    if ws.jobs.is_running(JOB):
        background = f"being prepared in the background: {done}" if linked else "being prepared in the background"
        line, icon = f"{name} is {background}. {now} is in use until then.", "hourglass"
    elif state.embedded_all and state.to_train:
        left = count(len(state.to_train), "attribute")
        line = f"{name} is embedded, {left} left to train. {now} is in use; go on when you like."
        icon = "pause_circle"
    elif state.embedded_all:
        line, icon = f"{name} is ready. {now} stays in use until you move.", "swap_horiz"
    else:
        line, icon = f"{name} is not ready: {done}. {now} is in use; go on when you like.", "pause_circle"
    st.info(line, icon=f":material/{icon}:")
    if ws.jobs.is_running(JOB):
        return
    if linked:
        link("embed", "Go on with it" if state.to_train or not state.embedded_all else "Move to it")
    elif st.button(f"Stay with {now}", key="stay", icon=":material/close:"):
        ws.encoders.stay()
        st.rerun()


def cards(encoders: Sequence[EncoderResults]) -> None:
    """Draw what each encoder has, with the way to it."""
    st.subheader("Encoders of this collection", anchor=False)
    current = next(one for one in encoders if one.in_use)
    for one in encoders:
        with st.container(border=True, key=f"encoder-{one.key}"):
            left, right = st.columns([4, 1.3], vertical_alignment="center")
            with left:
                st.markdown(f"**{ui.plain(one.name)}**" + (" · in use" if one.in_use else ""))
                st.caption(" · ".join(_facts(one)))
                if one.problem:
                    st.caption(ui.plain(one.problem))
            if not one.in_use and one.embedded:
                with right:
                    _ways_to(one, current)


def _facts(one: EncoderResults) -> list[str]:
    facts = [f"{one.embedded:,} of {count(one.images, 'image')} embedded"]
    facts += [f"{what}: {names(of)}" for what, of in one.attributes.items()]
    return facts + ([f"maps: {names(one.maps, str)}"] if one.maps else [])


def _ways_to(one: EncoderResults, current: EncoderResults) -> None:
    """Draw the buttons that lead to an encoder: at once where it has everything, else by the work that is left."""
    running = workspace().jobs.is_running(JOB)
    ready = one.complete and not one.to_train
    if not ready and not one.problem:
        label = "Go on and move" if not one.complete else "Train and move"
        if st.button(label, key=f"move-{one.key}", disabled=running, width="stretch", icon=":material/swap_horiz:"):
            choice = workspace().encoders.choice_for(one.key)
            start(choice.spec, str(choice.checkpoint or ""))
    st.button(
        "Use this one" if ready else "Use it as it is",
        key=f"use-{one.key}",
        on_click=_use,
        args=(one.key, current.key),
        disabled=running,
        width="stretch",
        type="secondary" if ready else "tertiary",
        icon=":material/swap_horiz:" if ready else None,
    )


def _use(key: str, instead_of: str) -> None:
    ws = workspace()
    try:
        moving.use(ws, key, instead_of=instead_of)
    except BamError as error:
        st.session_state[_NOTE] = ("error", str(error))
    else:
        ws.jobs.forget(JOB)
        before = ws.encoder_name(instead_of)
        st.session_state[_NOTE] = ("success", f"{ws.encoder_name(key)} is in use. {before} keeps what it has.")


def note() -> None:
    """Draw what the last click on an encoder has done, once."""
    kind, text = st.session_state.pop(_NOTE, ("", ""))
    if kind == "error":
        st.error(ui.plain(text), icon=":material/error:")
    elif kind:
        st.success(ui.plain(text), icon=":material/check_circle:")


def start(spec: str, file: str = "", *, preview: bool = False) -> None:
    """Start to embed with an encoder and to move to it, in the background, and draw the page again.

    Raises
    ------
    EmbeddingError
        The spec is invalid, or the file cannot be read.
    """
    ws, checkpoint = workspace(), typed_path(file) if file.strip() else None
    key, name = encoder_key(spec, checkpoint), ws.encoders.name_of(spec, checkpoint)
    moves = preview or (key != ws.choice.key and len(ws.vectors()) > 0)
    work = moving.begin_with_preview if preview else moving.move
    ws.jobs.start(
        JOB,
        f"Moving to {name}" if moves else f"Embedding with {name}",
        lambda report: work(ws, spec, checkpoint, report=report),
        least=Role.OWNER,
    )
    st.rerun()
