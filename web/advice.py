"""What the engine's diagnosis of an attribute says, in words, with the way to what may mend it."""

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.embedding import display_name
from bam_engine.team import Role
from bam_engine.training import rounds
from bam_engine.training.causes import Cause
from bam_engine.training.diagnosis import diagnose, judge
from bam_engine.training.rounds import AttributeState
from bam_engine.training.thresholds import current_threshold
from web import jobs, ui
from web.engine import workspace
from web.navigation import link

_ICONS = {
    "fully": ":material/check_circle:",
    "yes": ":material/trending_up:",
    "no": ":material/troubleshoot:",
    "unknown": ":material/question_mark:",
}
_STANDING = {"for": "", "open": " · not known", "against": " · unlikely"}


def diagnosis(attribute: Attribute) -> None:
    """Draw whether the attribute learns, what the last round brought, and what to do; nothing before a training."""
    with st.spinner("Looking at what it learned …"):  # drawn only where it takes longer than a blink
        found = diagnose(workspace(), attribute)
    if found is None:
        return
    learned = found.verdict.learned
    lines = [f"**{found.verdict.title}** {ui.plain(found.verdict.reason)}"]
    if learned not in ("fully", "no"):
        lines += [ui.plain(words) for words in (found.change, found.open_question) if words]
    draw = {"fully": st.success, "no": st.warning}.get(learned, st.info)
    draw("  \n".join(lines), icon=_ICONS[learned])
    if found.causes:
        _causes(attribute, found.causes)


def _causes(attribute: Attribute, causes: tuple[Cause, ...]) -> None:
    """Draw the likely causes in order, each with its evidence and the way to its cure."""
    with st.container(border=True):
        st.markdown("**Likely causes, the likeliest first**" if len(causes) > 1 else "**What may be in the way**")
        for number, cause in enumerate(causes, start=1):
            words, way = st.columns([7, 3], vertical_alignment="center", gap="medium")
            words.markdown(f"{number}. **{cause.title}**{_STANDING[cause.support]}  \n   {ui.plain(cause.evidence)}")
            with way:
                _cure(attribute, cause)


def _cure(attribute: Attribute, cause: Cause) -> None:
    if cause.kind == "encoder":
        link("embed", f"Change to {ui.plain(_better_encoder(cause))}", attribute.name)
    elif cause.kind == "labels":
        link("gallery", "Labels it contradicts most", attribute.name, sort="contradicted", place="all")
    else:
        link("attributes", "Ask two questions", attribute.name)


def _better_encoder(cause: Cause) -> str:
    """Return the name of the encoder that sees more: the one found, or the standard one where descriptors are used."""
    ws = workspace()
    if cause.encoder:
        return ws.encoder_name(cause.encoder)
    return display_name("combined") if ws.choice.spec == "builtin" else "another encoder"


def short_diagnosis(attribute: Attribute) -> None:
    """Draw that the attribute does not learn, where that is so, with a link to the likely causes."""
    verdict = judge(workspace(), attribute)
    if verdict is None or verdict.learned != "no":
        return
    st.warning(f"**{verdict.title}** {ui.plain(verdict.reason)}", icon=_ICONS["no"])
    link("rounds", "See the likely causes", attribute.name)


def offer_training(state: AttributeState) -> None:
    """Offer to train again where labels were corrected or images added since; draw the progress of it."""
    ws, attribute = workspace(), state.attribute
    if state.step not in ("start_round", "decide") or state.model is None or not state.rounds:
        return
    name = jobs.training(attribute, state.rounds[-1].number)
    if ws.jobs.is_running(name):
        jobs.show(name, unit="steps")
        return
    if rounds.is_current(ws, attribute, state.model):
        return
    words = "Labels or images have changed since it was trained."
    threshold = current_threshold(ws, attribute)
    if threshold is not None and threshold.saved:
        again = "chosen and certified" if threshold.evidence.certified else "chosen"
        words += f" Training again makes another model, whose threshold has to be {again} again."
    st.info(words, icon=":material/refresh:")
    if st.button("Train again", key=f"retrain-{attribute.id}-{ws.choice.key}"):
        ws.jobs.forget(name)
        ws.jobs.start_once(
            name, "Training again", lambda report: rounds.train(ws, attribute, report=report), least=Role.REVIEWER
        )
        st.rerun()
