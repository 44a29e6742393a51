"""Reading BAM's file into arrays, as a job: offered where a file is known, and followed until it has ended."""

from pathlib import Path

import streamlit as st

from bam_engine.collection import check_allowed
from bam_engine.published import make_arrays
from bam_engine.team import Role
from bam_engine.typed_paths import typed_path
from web import jobs, people, ui
from web.engine import workspace

JOB = "bam-file"


def running() -> bool:
    """Draw the reading that is under way, or how it ended; return whether one is."""
    return jobs.show(JOB, unit="lines")


def offer(file: Path | None) -> None:
    """Offer owners to read a file: the one that is named, or another."""
    if not people.may(Role.OWNER):
        return
    with st.form("bamfile-read", border=False):
        typed = st.text_input(
            "File of the computer that runs the app",
            value="" if file is None else str(file),
            placeholder="/home/you/bam.sqlite",
        )
        go = st.form_submit_button("Read the file", icon=":material/database:")
    if go and typed.strip():
        with ui.guard():
            start(typed_path(typed.strip()))
            st.rerun()


def start(file: Path) -> None:
    """Start to read a file.

    Raises
    ------
    CollectionError
        Nothing may be read from its folder.
    TeamError
        Whoever looks is no owner.
    """
    ws = workspace()
    check_allowed(file.absolute().parent)
    ws.jobs.start(JOB, f"Reading {file.name}", lambda report: make_arrays(ws, file, report=report), least=Role.OWNER)
