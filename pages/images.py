"""Images: add a folder, follow its progress, see what could not be read."""

from pathlib import Path
from typing import NoReturn

import pandas as pd
import streamlit as st

from bam_engine.archives import FOLDER, ingest_images
from bam_engine.collection import check_allowed
from bam_engine.collection.browsing import image_roots
from bam_engine.demo import demo_workspace
from bam_engine.formatting import count
from bam_engine.team import Role
from bam_engine.typed_paths import typed_path
from bam_engine.workspace.membership import count_images, rows_at
from web import buckets, demo_controls, folder_browser, jobs, missing_files, people, removing, ui, url_lists
from web.engine import workspace
from web.navigation import link
from web.overview_parts import strip

JOB = "ingest"
ARCHIVES = (
    "Archives are zip, tar (WebDataset, too) and Parquet files with images in them. Their images, also those of "
    "archives in the folder, are copied into the folder of the workspace."
)
STRIP = 24  # pictures; as many as fit are seen

ws = workspace()
demo = demo_workspace.demo(ws)
ui.head(
    "Images",
    "Add a folder of images, or a bucket: the files stay where they are. Images in archives (zip, tar, Parquet) are "
    "copied into the workspace."
    if demo is None
    else "The generated images of the demo, and more of them if you like.",
)

if demo is not None:
    st.info(
        f"This workspace holds the demo: generated images alone, from seed {demo.seed}, in "
        f"{demo_workspace.folder_of(ws)}. For images of your own, open another workspace by the name at the top.",
        icon=":material/info:",
    )
    st.subheader(f"{count(count_images(ws), 'generated image')} in the collection", anchor=False)
    if jobs.show(demo_controls.JOB, unit="%"):
        st.stop()
    size, action = st.columns([1, 3], vertical_alignment="bottom")
    more = size.number_input("Images of the demo", demo.count, 100_000, demo.count, step=1000)
    if action.button("Draw more", disabled=more <= demo.count, icon=":material/brush:"):
        seed = demo.seed
        ws.jobs.start(
            demo_controls.JOB,
            "Drawing more",
            lambda report: demo_workspace.make_demo(ws, count=int(more), seed=seed, attributes=(), report=report),
            least=Role.OWNER,
        )
        st.rerun()
    st.stop()


def remove_folder() -> None:
    """Offer to remove the images of a folder."""
    with st.expander("Remove the images of a folder"), st.form("remove-folder", border=False):
        place = st.text_input("Folder, or one image", key="folder-to-remove", help=removing.HELP)
        if st.form_submit_button("Remove", icon=":material/delete:"):
            with ui.guard():
                removing.remove(rows_at(ws, place), place.strip())


def add(folder: str, metadata: str, *, by_folder: bool, verify: bool) -> NoReturn:
    """Start adding the images of a folder or an archive, with a table of their details."""
    place = typed_path(folder).resolve() if folder.strip() else Path()
    if place.is_file():
        check_allowed(place.parent)
    else:
        place = check_allowed(folder)
    csv = typed_path(metadata) if metadata.strip() else None
    if csv is not None and people.team_mode():
        check_allowed(csv.parent)
    ws.jobs.forget(missing_files.JOB)  # what was missing may be in this folder
    ws.jobs.start(
        JOB,
        f"Adding {place.name}",
        lambda report: ingest_images(
            ws.catalogue,
            ws.thumbnails,
            place,
            home=ws.folder / FOLDER,
            metadata=csv,
            project="folder" if by_folder else "none",
            verify=verify,
            apart=ws.own_folders,
            report=report,
        ),
        least=Role.OWNER,
    )
    st.rerun()


def form() -> None:
    """Draw the form that adds a folder; a team's server adds only what its configuration names."""
    if people.team_mode() and not image_roots():
        st.info(
            "This server adds no folders in the app: its configuration names none (BAM_IMAGE_FOLDERS). Whoever runs it "
            "can add one with `bam ingest FOLDER`.",
            icon=":material/info:",
        )
        return
    running = ws.jobs.is_running(JOB)
    folder_browser.take_choice("folder")
    folder_browser.browse_button("folder")
    with st.form("ingest", border=True):
        folder = st.text_input("Folder or archive", placeholder="/home/you/pictures", key="folder", help=ARCHIVES)
        with st.expander("Options"):
            metadata = st.text_input(
                "Metadata CSV (optional)",
                placeholder="/home/you/pictures/labels.csv",
                help="A column `path`, relative to the folder, and any of `title`, `project`, `license`, "
                "`mature_content`.",
            )
            by_folder = st.toggle(
                "Treat each subfolder as one group",
                help="Turn this on if each folder holds the images of one maker or one shoot: samples then do not "
                "count them as independent.",
            )
            verify = st.toggle(
                "Read every byte of known files",
                help="Files whose size and times are unchanged are taken as known without reading them. Turn this on "
                "if files may have been exchanged with their times kept, on a disk that does not record it.",
            )
        go = st.form_submit_button(
            "Add images", type="primary", disabled=running, icon=":material/add_photo_alternate:"
        )
    if go:
        with ui.guard():
            add(folder, metadata, by_folder=by_folder, verify=verify)
    url_lists.add()


@st.fragment(run_every=2.0)
def newest() -> None:
    """Draw the images that were added last, while more are added."""
    last = len(ws.catalogue)
    strip(range(last - 1, max(-1, last - 1 - STRIP), -1))


def sources() -> None:
    """Draw the folders and buckets that were added."""
    known = ws.catalogue.sources()
    if known:
        st.subheader("Sources", anchor=False)
        lines = [{"folder": one.folder, "images": one.images, "last added": one.added[:10]} for one in known]
        st.dataframe(lines, hide_index=True, width="stretch", column_config=ui.counts(lines))


form()
buckets.add(JOB)
if jobs.show(JOB) or url_lists.running():
    newest()
    st.stop()
result = getattr(ws.jobs.get(JOB), "result", None)
if result is not None:
    cells = st.columns(5)
    cells[0].metric("Images found", f"{result.files:,}")
    cells[1].metric("Added", f"{result.added:,}")
    cells[2].metric("Already in the collection", f"{result.existing + result.moved + result.found_again:,}")
    cells[3].metric("Exact duplicates", f"{len(result.duplicates):,}")
    cells[4].metric("Could not be added", f"{len(result.unreadable):,}")
    if result.moved:
        words = "was moved or renamed, and kept its" if result.moved == 1 else "were moved or renamed, and kept their"
        st.caption(f"{count(result.moved, 'file')} {words} labels.")
    if result.removed:
        verb = "holds an image that was" if result.removed == 1 else "hold images that were"
        st.caption(
            f"{count(result.removed, 'file')} {verb} removed from the collection, and adding the folder does not bring "
            "them back: the list under *Removed*, below, does."
        )
    if result.found_again:
        words = "its file was" if result.found_again == 1 else "their files were"
        st.caption(f"{count(result.found_again, 'image')} found again after {words} missing or replaced.")
    ui.file_list(
        result.replaced,
        "has changed" if len(result.replaced) == 1 else "have changed",
        "What is there now is a new image, or one that has moved there. Labels stay with the old picture; nobody is "
        "asked about it until it turns up, under any name, in a folder that you add.",
    )
    ui.file_list(
        result.missing,
        "is missing" if len(result.missing) == 1 else "are missing",
        "Their images keep their labels; nobody is asked about them until they turn up, under any name, in a folder "
        "that you add.",
    )
    missing_files.remove_button(list(ws.catalogue.rows_of(result.missing).values()), key="remove-gone")
    if result.skipped:
        st.caption(f"{count(result.skipped, 'file')} skipped: no image.")
    for passed in result.passed_over:
        st.caption(f"`{passed}` skipped: a cache, or the folder of the workspace.")
    if result.hidden:
        st.caption(f"{count(result.hidden, 'hidden file or folder', 'hidden files and folders')} skipped.")
    if result.updated:
        st.caption(f"{count(result.updated, 'image')} in the collection with new details.")
    if result.other_project:
        words = "keeps its" if result.other_project == 1 else "keep their"
        st.caption(f"{count(result.other_project, 'image')} {words} project, which is not the folder.")
    if result.unmatched:
        words = "names no image" if len(result.unmatched) == 1 else "name no image"
        with st.expander(f"{count(len(result.unmatched), 'path')} of the metadata {words} of the folder"):
            st.dataframe(pd.DataFrame({"path": result.unmatched}), hide_index=True, width="stretch")
    if result.duplicates:
        with st.expander(f"{count(len(result.duplicates), 'file')} exactly the same as another"):
            st.dataframe(
                pd.DataFrame(result.duplicates, columns=["file", "the same as"]), hide_index=True, width="stretch"
            )

n = count_images(ws)
if len(ws.catalogue) == 0:
    st.info(
        "The collection is empty. Choose a folder of this computer, a bucket or a list of URLs above.",
        icon=":material/info:",
    )
    url_lists.lists()
else:
    st.subheader(f"{count(n, 'image')} in the collection", anchor=False)
    if count_images(ws, len(ws.vectors())) < n:
        link("embed", "Compute embeddings")
    sources()
    url_lists.lists()
    missing_files.look()
    remove_folder()
removing.removals_list()
problems = ws.catalogue.problems("ingest")
ui.problem_list(
    f"{count(len(problems), 'file')} could not be added",
    problems,
    "Mend what the reason says, and add the folder again.",
)
