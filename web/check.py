"""The check of the workspace on the page: what is damaged, and the button that repairs it."""

from collections.abc import Sequence

import streamlit as st

from bam_engine import maintenance
from bam_engine.progress import Report
from bam_engine.team import Role
from web import jobs, people, ui
from web.engine import workspace

CHECK, REPAIR = "check", "repair"


def section() -> None:
    """Draw the button that checks the workspace, and what was found, for owners."""
    if not people.may(Role.OWNER):
        return
    ws = workspace()
    st.subheader("Check", anchor=False)
    st.caption(
        "Reads the database, its copies and every image file, and finds thumbnails, vectors, scores and maps that are "
        "damaged, of other images, or left over. Nothing is changed."
    )
    busy = ws.jobs.is_running(CHECK) or ws.jobs.is_running(REPAIR)
    if st.button("Check the workspace", icon=":material/health_and_safety:", disabled=busy):
        ws.jobs.forget(REPAIR)
        ws.jobs.start(
            CHECK, "Checking the workspace", lambda report: maintenance.check(ws, report=report), least=Role.OWNER
        )
        st.rerun()
    for outcome in jobs.result_of(REPAIR, unit="steps") or ():
        if outcome.problem:
            st.warning(f"{ui.plain(outcome.finding.what)} {ui.plain(outcome.problem)}", icon=":material/warning:")
        else:
            st.markdown(f"- Repaired: {ui.plain(outcome.finding.what)}")
    if ws.jobs.is_running(REPAIR):
        return
    found = jobs.result_of(CHECK, unit="files")
    if found is not None:
        _show(found)


def _show(found: Sequence[maintenance.Finding]) -> None:
    if not found:
        st.markdown("Nothing is damaged.")
    for finding in found:
        st.markdown(f"- {ui.plain(finding.what)} {ui.plain(finding.cure)}")
    if any(finding.repairable for finding in found) and st.button("Repair", icon=":material/build:"):
        jobs = workspace().jobs
        jobs.forget(CHECK)
        jobs.start(REPAIR, "Repairing the workspace", lambda report: _repair(found, report), least=Role.OWNER)
        st.rerun()


def _repair(found: Sequence[maintenance.Finding], report: Report) -> list[maintenance.Outcome]:
    """Repair what can be; the rest needs its cure."""
    repairable = [finding for finding in found if finding.repairable]
    left = [maintenance.Outcome(finding, finding.cure) for finding in found if not finding.repairable]
    return [*maintenance.repair(repairable, report=report), *left]
