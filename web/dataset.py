"""The opened dataset on pages: owners open an export to the team; everybody sees how far they are, and downloads it."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from bam_engine.formatting import count, file_size
from bam_engine.reporting import opened_dataset
from bam_engine.reporting.opened_dataset import MAX_AFTER, OpenedDataset
from bam_engine.team import Account, Role
from web import jobs, people, ui
from web.engine import workspace
from web.routes.dataset import ADDRESS

JOB = "open-dataset"


def manage(written: Sequence[Path]) -> None:
    """Draw which dataset is open to the team and, for an owner, the ways to open, change and close it.

    ``written`` are the files of the export that was just written; on a server for one person, nothing is drawn.
    """
    ws = workspace()
    if not people.team_mode():
        return
    st.subheader("For the team", anchor=False)
    st.caption(
        "An export that viewers and annotators download on the page Your work, once enough of their answers are "
        "accepted: an answer is, where it is the settled label of its image and was the person's first answer. Owners "
        "and reviewers always may."
    )
    opened = opened_dataset.opened_dataset(ws)
    if opened is None:
        st.markdown("No dataset is opened.")
    else:
        _state(opened)
    if jobs.show(JOB, unit="files") or not people.may(Role.OWNER):
        return
    after = st.number_input(
        "Accepted answers",
        0,
        MAX_AFTER,
        0 if opened is None else opened.after,
        key="dataset-after",
        width=200,
        help="How many each person needs. 0 opens the dataset at once to whoever is signed in.",
    )
    with st.container(horizontal=True), ui.guard():
        if written and st.button("Open this export", type="primary", icon=":material/lock_open:"):
            _open(written, int(after))
        if opened is not None and st.button("Change the number", disabled=after == opened.after):
            people.check(Role.OWNER)
            opened_dataset.open_after(ws, int(after))
            st.rerun()
        if opened is not None and st.button("Close the dataset", icon=":material/lock:"):
            people.check(Role.OWNER)
            opened_dataset.close_dataset(ws)
            st.rerun()
    if not written:
        st.caption("Write an export above, and open it here.")


def _open(written: Sequence[Path], after: int) -> None:
    ws, files = workspace(), list(written)
    ws.jobs.start(
        JOB,
        "Opening the dataset",
        lambda report: opened_dataset.open_dataset(ws, files, after=after, report=report),
        least=Role.OWNER,
    )
    st.rerun()


def _state(opened: OpenedDataset) -> None:
    have, everybody = opened_dataset.reached(workspace())
    words = f"after {count(opened.after, 'accepted answer')}" if opened.after else "at once"
    st.markdown(
        f"**{ui.plain(opened.path.name)}** ({file_size(opened.size)}) is open {words}: {have:,} of "
        f"{count(everybody, 'viewer or annotator', 'viewers and annotators')} may download it."
    )


def own(account: Account) -> None:
    """Draw how far somebody is on the way to the opened dataset, or the way to download it; nothing without one."""
    ws = workspace()
    opened = opened_dataset.opened_dataset(ws)
    if opened is None:
        return
    with st.container(border=True):
        st.markdown("**The dataset**")
        if account.role < Role.REVIEWER and opened.after:
            known = opened_dataset.progress(ws, account.annotator_id)
            words = f"{known.told:,} of {count(opened.after, 'accepted answer')}"
            st.progress(min(1.0, known.told / opened.after), text=words)
            if not known.reached:
                st.caption(
                    "It opens to you then. An answer is accepted where it is the settled label of its image and was "
                    "your first answer."
                )
                return
        st.link_button(f"Download it ({file_size(opened.size)})", ADDRESS, icon=":material/download:")
