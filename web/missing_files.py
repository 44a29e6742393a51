"""Images without a file: looked for in the background, listed with what happened, and removed where they are gone."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from bam_engine.collection import FILE_STATES
from bam_engine.formatting import count
from bam_engine.team import Role
from bam_engine.workspace.membership import missing_member_rows, removed
from web import jobs, removing, ui
from web.engine import workspace

JOB = "missing files"
LISTED = 1000  # images in the table


def look() -> None:
    """Offer to look for images whose files are gone, and to remove those that were found."""
    ws = workspace()
    if jobs.show(JOB, unit="files"):
        return
    job = ws.jobs.get(JOB)
    label = "Look for missing files"
    if job is not None and job.result is not None:
        _list(job.result)
        label = "Look again"
    if st.button(label, icon=":material/search:", key="look-missing"):
        ws.jobs.start(
            JOB, "Looking for missing files", lambda report: missing_member_rows(ws, report=report), least=Role.OWNER
        )
        st.rerun()


def remove_button(rows: Sequence[int] | NDArray[np.int64], *, key: str) -> None:
    """Draw the button that removes those of ``rows`` that are in the collection and whose files are still missing."""
    ws = workspace()
    rows = removed(ws).without(np.asarray(rows, np.int64))
    if not len(rows) or not removing.pressed(key, f"Remove {count(len(rows), 'image')}"):
        return
    gone = missing_member_rows(ws, among=rows)
    if not len(gone):
        st.info("The files are there again, so no image was removed.", icon=":material/info:")
        return
    with ui.guard():
        removing.remove(gone, "missing files")


def _list(rows: NDArray[np.int64]) -> None:
    ws = workspace()
    rows = removed(ws).without(rows)
    if not len(rows):
        st.caption("Every file of the collection is where it was.")
        return
    st.subheader(f"{count(len(rows), 'image')} without a file", anchor=False)
    st.caption(
        "If the files have moved, add their folder where it is now. If they are gone for good, remove the images: "
        "their answers are kept."
    )
    images = ws.catalogue.images(rows[:LISTED])
    files = [image.last_path for image in images]
    happened = [FILE_STATES.get(image.status, "The file is gone.") for image in images]
    st.dataframe({"file": files, "what happened": happened}, hide_index=True, width="stretch")
    remove_button(rows, key="remove-missing")
