"""Backups on the page: written, downloaded, and the copies that are kept of each day."""

import time
from pathlib import Path

import streamlit as st

from bam_engine.database import backups
from bam_engine.database.daily_copies import daily_copies, problem_of
from bam_engine.formatting import count, file_size
from bam_engine.team import Role
from web import jobs, people, ui
from web.engine import workspace
from web.navigation import link
from web.output import output_folder

JOB = "backup"
DOWNLOAD_LIMIT = 500 * 1024**2


def section() -> None:
    """Draw the button that writes a backup, the backup to download, and what is kept besides, for owners."""
    if not people.may(Role.OWNER):
        return
    ws = workspace()
    st.subheader("Backup", anchor=False)
    st.caption(
        "Labels, decisions and models in one file, written while others go on labelling. Pictures are not in it, nor "
        "what can be recomputed. `bam restore FILE` brings it back."
    )
    if st.button("Write a backup", icon=":material/save:"):
        name = f"bam-{time.strftime('%Y-%m-%d-%H%M%S')}.{backups.ENDINGS[ws.engine.dialect.name]}"
        file = output_folder("backups") / name
        ws.jobs.start(JOB, "Writing the backup", lambda report: _write(file), least=Role.OWNER)
        st.rerun()
    written = jobs.result_of(JOB, unit="files")
    if written is not None and written.exists():
        _offer(written)
    copies = daily_copies(ws.engine)
    if copies:
        place = "in the workspace" if ws.engine.dialect.name == "postgresql" else "beside the database"
        st.caption(f"Kept {place}: {count(len(copies), 'daily copy', 'daily copies')}, last `{copies[-1]}`.")
    if problem := problem_of(ws.engine):
        st.warning(f"No daily copy is made. {ui.plain(problem)}", icon=":material/warning:")


def hint() -> None:
    """Draw when the last daily copy was made, or why none is, and where backups and the check are."""
    engine = workspace().engine
    copies, problem = daily_copies(engine), problem_of(engine)
    if problem:
        st.warning(f"No daily copy is made. {ui.plain(problem)}", icon=":material/warning:")
    elif copies:
        st.caption(f"What people entered was last copied on {copies[-1].stem.rpartition('.')[2]}.")
    if problem or copies:
        link("export", "Backups, and the check of the workspace")


def _write(file: Path) -> Path:
    file.parent.mkdir(exist_ok=True)
    return backups.back_up(workspace().engine, file)


def _offer(file: Path) -> None:
    size = file.stat().st_size
    st.markdown(f"`{file}` · {file_size(size)}")
    if size <= DOWNLOAD_LIMIT:
        st.download_button("Download the backup", file.read_bytes(), file.name, icon=":material/download:")
