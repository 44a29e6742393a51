"""Background jobs on pages: their progress, their outcome, and the training after a round.

What a job does and saves is the engine's; nothing here makes decisions about data.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import duration, percent
from bam_engine.jobs import Job
from bam_engine.team import Role
from bam_engine.training.rounds import train
from web import dialogs, people, ui
from web.engine import workspace


def in_sidebar() -> None:
    """Draw the jobs that are running in the sidebar."""
    with st.sidebar:
        # refreshed only while a job runs: a refresh can cut short the run that follows a change of page
        st.fragment(_running, run_every=2.0 if workspace().jobs.running() else None)()


def _running() -> None:
    for job in workspace().jobs.running():
        done = percent(_fraction_done(job)) if job.total else f"{job.done:,}" if job.done else "…"
        st.progress(_fraction_done(job), text=f"{ui.plain(job.title)}: {done}")


def _fraction_done(job: Job) -> float:
    """Return the finished fraction of a job."""
    return min(1.0, job.done / job.total) if job.total else 0.0


def _progress_words(job: Job, unit: str) -> str:
    """Return the progress of a job in words, with its unit; nothing before its first step of a known number."""
    if unit == "%" or not job.total:
        return percent(_fraction_done(job)) if job.total else f"{job.done:,} {unit}" if job.done else ""
    return f"{job.done:,} of {job.total:,} {unit}"


def _time_words(job: Job) -> str:
    """Return how long a job will take, as far as that can be told."""
    left = job.seconds_left
    if left is None:
        return "estimating…" if job.total else ""
    return f"{duration(left)} left"


@dataclass
class _Told:
    """The outcomes that anybody has seen, by the name of the job and its start."""

    outcomes: set[tuple[str, float]] = field(default_factory=set)


_MINE, _PAGE = "outcomes", "outcomes-page"
_Standing = Literal["watched", "shown", "read"]


def turn_page(page: str) -> None:
    """Take the outcomes that stood on the page that was left for read."""
    if st.session_state.get(_PAGE) != page:
        mine: dict[tuple[str, float], _Standing] = st.session_state.get(_MINE, {})
        st.session_state[_MINE] = {job: "read" if one == "shown" else one for job, one in mine.items()}
    st.session_state[_PAGE] = page


def is_news(job: Job) -> bool:
    """Return whether to show how a job ended: until the page is left, to who watched it or if nobody has seen it."""
    told, key = workspace().state(_Told).outcomes, (job.name, job.started)
    mine: dict[tuple[str, float], _Standing] = st.session_state.setdefault(_MINE, {})
    if mine.get(key) == "read" or (key not in mine and key in told):
        return False
    mine[key] = "shown"
    told.add(key)
    return True


def _watched(job: Job) -> None:
    st.session_state.setdefault(_MINE, {}).setdefault((job.name, job.started), "watched")


def show(name: str, *, unit: str = "images") -> bool:
    """Draw the job ``name`` with its rate, remaining time and a stop button; return whether it is running.

    Reviewers may stop it, or those alone who may start it.

    The page reruns once when the job ends, or when the dialog is closed that is open over it then. It says for a few
    seconds that the job has finished, since the page shows what it made, or, until the page is left, why it was stopped
    or has failed.
    """
    job = workspace().jobs.get(name)
    if job is not None and job.running:
        _watched(job)
        _watch(name, unit)
        return True
    if job is not None and is_news(job):
        _outcome(job)
    return False


def result_of(name: str, *, unit: str = "images") -> Any:
    """Draw the job ``name`` as :func:`show`; return its result, None before it has one."""
    if show(name, unit=unit):
        return None
    job = workspace().jobs.get(name)
    return None if job is None else job.result


@st.fragment(run_every=0.5)
def _watch(name: str, unit: str) -> None:
    job = workspace().jobs.get(name)
    if job is None or not job.running:
        if not dialogs.is_open():
            st.rerun()
        return
    speed = f"{job.rate:,.0f} {unit}/s" if job.rate >= 1 and unit != "%" else ""
    facts = [_progress_words(job, unit), speed, _time_words(job), ui.plain(job.message)]
    st.progress(_fraction_done(job), text=f"**{ui.plain(job.title)}** · " + " · ".join(fact for fact in facts if fact))
    if not people.may(max(job.least, Role.REVIEWER)):
        return
    stopping = job.stopping.is_set()
    if st.button("Stopping …" if stopping else "Stop", key=f"stop-{name}", disabled=stopping, icon=":material/stop:"):
        job.stop()
        st.rerun(scope="fragment")


def _outcome(job: Job) -> None:
    if job.state == "failed":
        words = f"**{ui.plain(job.title)}** failed after {duration(job.seconds)}. {ui.plain(job.error)}"
        st.error(words, icon=":material/error:")
    elif job.state == "stopped":
        st.info(ui.plain(job.message), icon=":material/pause_circle:")
    else:
        _finished(job)


def _finished(job: Job) -> None:
    """Say once that a job has finished, in a message that goes away."""
    st.toast(f"**{ui.plain(job.title)}** finished in {duration(job.seconds)}.", icon=":material/check_circle:")
    st.session_state[_MINE][job.name, job.started] = "read"


def train_when_due(attribute: Attribute, number: int) -> None:
    """Train on a labelled round in the background, once, and draw the progress."""
    ws = workspace()
    name = training(attribute, number)
    before = ws.jobs.get(name)
    if before is not None and before.state == "done":  # of labels that have changed since
        ws.jobs.forget(name)
    ws.jobs.start_once(
        name, f"Training after round {number}", lambda report: train(ws, attribute, report=report), least=Role.ANNOTATOR
    )
    if show(name, unit="steps"):
        return
    if st.button("Train again", icon=":material/refresh:", key=f"again-{name}"):
        ws.jobs.forget(name)
        st.rerun()


def training(attribute: Attribute, number: int) -> str:
    """Return the name of the job that trains the encoder in use after a round."""
    return f"train-{attribute.id}-{number}-{workspace().choice.key}"
