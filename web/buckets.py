"""Buckets on the Images page: an address is entered, and its images are added where they are."""

import streamlit as st

from bam_engine.collection.bucket_ingest import ingest_bucket
from bam_engine.collection.buckets import bucket_roots, check_allowed_address, check_endpoint
from bam_engine.team import Role
from web import missing_files, people, ui
from web.engine import workspace

_HELP = (
    "Credentials come from the environment of the app, or from the provider's own configuration (profiles, `gcloud`), "
    "and are never entered or stored here."
)
_REMEMBERED = "As last time, or from the environment"


def add(job: str) -> None:
    """Offer to add the images of a bucket; a team's server adds only what its configuration names."""
    team = people.team_mode()
    with st.expander("Add the images of a bucket", icon=":material/cloud:"):
        if team and not bucket_roots():
            st.caption(
                "This server adds no buckets in the app: its configuration names none (BAM_IMAGE_BUCKETS). Whoever "
                "runs it can add one with `bam ingest bucket ADDRESS`."
            )
            return
        st.caption(
            "The images stay where they are, and are read from there; thumbnails are kept here. Adding the bucket "
            "again finds what is new, changed and missing."
        )
        with st.form("bucket", border=False):
            address = st.text_input("Address", placeholder="s3://bucket/folder", key="bucket", help=_HELP)
            endpoint = "" if team else _endpoint()
            credentials = st.radio(
                "Credentials", (_REMEMBERED, "From the environment", "None: the bucket is public"), horizontal=True
            )
            by_folder = st.toggle("Treat each subfolder as one group", key="bucket-folders")
            running = workspace().jobs.is_running(job)
            go = st.form_submit_button("Add bucket", type="primary", disabled=running, icon=":material/cloud_sync:")
    if go:
        with ui.guard():
            anonymous = None if credentials == _REMEMBERED else credentials.startswith("None")
            _start(job, address, check_endpoint(endpoint) or None, anonymous, "folder" if by_folder else "none")


def _endpoint() -> str:
    return st.text_input(
        "Endpoint (optional)",
        placeholder="https://minio.example:9000",
        key="bucket-endpoint",
        help="The server of the bucket if it is not the provider's own, such as MinIO; it is remembered.",
    )


def _start(job: str, address: str, endpoint: str | None, anonymous: bool | None, project: str) -> None:
    ws, place = workspace(), check_allowed_address(address)
    ws.jobs.forget(missing_files.JOB)  # what was missing may be there
    ws.jobs.start(
        job,
        f"Adding {place}",
        lambda report: ingest_bucket(
            ws.catalogue,
            ws.thumbnails,
            place,
            endpoint_url=endpoint,
            anonymous=anonymous,
            project=project,
            report=report,
        ),
        least=Role.OWNER,
    )
    st.rerun()
