"""Background jobs on pages: their progress, their outcome, and the training after a round.

What a job does and saves is the engine's; nothing here makes decisions about data.
"""

from typing import Any

import streamlit as st

from bam_engine.annotation import Attribute
from bam_engine.formatting import duration
from bam_engine.jobs import Job
from bam_engine.training.rounds import train
from web import ui
from web.engine import workspace


def in_sidebar() -> None:
    """Draw the jobs that are running in the sidebar."""
    with st.sidebar:
        # refreshed only while a job runs: a refresh can cut short the run that follows a change of page
        st.fragment(_running, run_every=2.0 if workspace().jobs.running() else None)()


def _running() -> None:
    for job in workspace().jobs.running():
        st.progress(_fraction_done(job), text=f"{ui.plain(job.title)}: {_progress_words(job)}")


def _fraction_done(job: Job) -> float:
    """Return the finished fraction of a job."""
    return min(1.0, job.done / job.total) if job.total else 0.0


def _progress_words(job: Job) -> str:
    """Return the progress of a job in words."""
    return f"{job.done:,} of {job.total:,}" if job.total else f"{job.done:,}"


def show(name: str, *, unit: str = "images") -> bool:
    """Draw the job ``name`` with its rate, remaining time and a stop button; return whether it is running.

    The page reruns once when the job ends.
    """
    job = workspace().jobs.get(name)
    if job is not None and job.running:
        _watch(name, unit)
        return True
    if job is not None:
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
        st.rerun()
        return
    left = job.seconds_left
    speed = f"{job.rate:,.0f} {unit}/s" if job.rate >= 1 else ""
    facts = [_progress_words(job), speed, "" if left is None else f"{duration(left)} left", ui.plain(job.message)]
    st.progress(_fraction_done(job), text=f"**{ui.plain(job.title)}** · " + " · ".join(fact for fact in facts if fact))
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
        st.success(f"**{ui.plain(job.title)}** finished in {duration(job.seconds)}.", icon=":material/check_circle:")


def train_when_due(attribute: Attribute, number: int) -> None:
    """Train on a labelled round in the background, once, and draw the progress."""
    ws = workspace()
    name = training(attribute, number)
    ws.jobs.start_once(name, f"Training after round {number}", lambda report: train(ws, attribute, report=report))
    if show(name, unit="steps"):
        return
    if st.button("Train again", icon=":material/refresh:", key=f"again-{name}"):
        ws.jobs.forget(name)
        st.rerun()


def training(attribute: Attribute, number: int) -> str:
    """Return the name of the job that trains the encoder in use after a round."""
    return f"train-{attribute.id}-{number}-{workspace().choice.key}"
