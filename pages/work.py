"""Your work: what whoever looks has answered, how well it agrees with others, and what is left for them."""

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.formatting import count
from bam_engine.reporting.own_work import OwnAttribute, OwnWork, own_work
from bam_engine.team import Role
from bam_engine.training.last_answers import last_answers
from web import dataset, people, ui
from web.engine import workspace
from web.navigation import link
from web.pausing import paused_notice

DAYS = 30  # of the table of days

ws = workspace()


def facts(one: OwnAttribute) -> str:
    """Return what was done for an attribute, and how well it agrees, in words."""
    parts = [f"{count(one.images, 'image')} answered"]
    if one.accepted:
        parts.append(f"{one.accepted:,} accepted")
    if one.agreement.n:
        parts.append(f"as most others say: {one.agreement.text} of {count(one.agreement.n, 'image')}")
    return " · ".join(parts)


def attribute_line(one: OwnAttribute, annotator: str) -> None:
    """Draw one attribute, with the ways to go on and to correct."""
    with st.container(border=True):
        st.markdown(f"**{ui.plain(readable(one.attribute.name))}**")
        if one.images:
            st.markdown(facts(one))
        with st.container(horizontal=True):
            if one.left:
                words = f"Answer {count(one.left, 'image')}"
                link("annotate", words, one.attribute.name, icon="check_box")
            else:
                st.caption("Nothing is left for you.", width="content")
            if one.images and last_answers(ws, one.attribute, annotator) is not None:
                link("annotate", "Correct your last answers", one.attribute.name, icon="edit", task="last")


def days(work: OwnWork) -> None:
    """Draw the answers of each day, by attribute."""
    if not work.days:
        return
    st.subheader("By day", anchor=False)
    answered = [one for one in work.attributes if one.images]
    lines = [
        {
            "day": f"{day:%Y-%m-%d}",
            "images": sum(one.by_day.get(day, 0) for one in answered),
            **{readable(one.attribute.name): one.by_day.get(day, 0) for one in answered},
        }
        for day in work.days[:DAYS]
    ]
    st.dataframe(lines, hide_index=True, width="stretch", column_config=ui.counts(lines))
    st.caption(f"An image counts on the day (UTC) of your last answer to it. The last {DAYS} days with an answer.")


ui.head("Your work", "What you have answered, how well it agrees with others, and what is left for you.")
if (account := people.person()) is not None:
    dataset.own(account)
if not people.may(Role.ANNOTATOR):
    st.info("You look at images and results. An owner can let you annotate, too.", icon=":material/visibility:")
    st.stop()
paused = paused_notice(asks=False)
work = own_work(ws, ui.annotator())
if not work.attributes and paused:
    st.stop()
if not work.attributes:
    ui.empty(
        f"Nothing waits for you just now, {ui.plain(work.annotator)}, and you have no answers.",
        "See the images",
        "gallery",
    )
    st.stop()
for one in work.attributes:
    attribute_line(one, work.annotator)
if any(one.images for one in work.attributes):
    st.caption(
        "Accepted: your answer is the label of its image and was your first. As most others say: of the images that "
        "others answered, too, without your own vote. The interval is wide while these are few."
    )
if work.gold.n:
    st.markdown(f"Checked: right on {work.gold.text} of {count(work.gold.n, 'image')} whose answer is known.")
    st.caption("Told after every 20 of them, of all attributes together. They come unmarked, among the others.")
days(work)
