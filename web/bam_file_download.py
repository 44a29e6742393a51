"""Downloading what a query finds in BAM's file: offered to owners below the grid, as a job."""

import streamlit as st

from bam_engine.formatting import count
from bam_engine.published import Arrays, Found
from bam_engine.published.fetching import MOST, USUAL, download_found
from bam_engine.team import Role
from web import jobs, people, ui
from web.engine import workspace

JOB = "bam-file-download"


def offer(arrays: Arrays, found: Found) -> None:
    """Draw how many are downloaded and the button; or the download that is under way, and what came of it."""
    fetched = jobs.result_of(JOB, unit="URLs")
    if workspace().jobs.is_running(JOB) or not people.may(Role.OWNER):
        return
    if fetched is not None:
        st.markdown("\n".join(f"- {ui.plain(line)}" for line in fetched.lines()))
    with st.form("bamfile-download", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        most = min(MOST, len(found))
        number = st.number_input(
            f"First images of {len(found):,}, at most {most:,}",
            1,
            most,
            min(USUAL, most),
            width=260,
            help="Images that the collection does not have, in this order. What the crowd said of them is stored as "
            "votes of its workers.",
        )
        go = st.form_submit_button("Download these", icon=":material/cloud_download:")
    if go:
        with ui.guard():
            _start(arrays, found, int(number))
            st.rerun()


def _start(arrays: Arrays, found: Found, number: int) -> None:
    ws = workspace()
    ws.jobs.start(
        JOB,
        f"Downloading {count(number, 'image')} of {arrays.file.name}",
        lambda report: download_found(ws, arrays, found, number, report=report),
        least=Role.OWNER,
    )
