"""What an export of images contains, chosen on the page: attributes, accepted images, splits, and how pictures come."""

from dataclasses import dataclass

import streamlit as st

from bam_engine.annotation import readable
from bam_engine.reporting.image_contents import SHARES, Content
from bam_engine.reporting.image_export import FOLDER_FORMATS
from bam_engine.reporting.readiness import not_ready
from web import ui
from web.engine import workspace


@dataclass(frozen=True)
class Purpose:
    """What somebody wants to do with an export: in words, and what comes of it."""

    title: str
    result: str


PURPOSES = {
    "sqlite": Purpose("BAM's tables (SQLite)", "One file with everything, as the BAM! dataset was published."),
    "csv": Purpose("CSV files", "Everything as tables for a spreadsheet or a script."),
    "parquet": Purpose("Analyse it with pandas, Polars or DuckDB", "One Parquet file, a row for each image."),
    "jsonl": Purpose("Read it with a program of your own", "One JSON Lines file, an object for each image."),
    "imagefolder": Purpose(
        "Train with Hugging Face datasets", 'Pictures and metadata.jsonl, for load_dataset("imagefolder").'
    ),
    "folders": Purpose("Train with PyTorch or Keras", "A folder of pictures for each label of each attribute."),
    "webdataset": Purpose("Train from shards", "Tar files that WebDataset streams."),
    "fiftyone": Purpose("Open it in FiftyOne", "Pictures and labels.json, a FiftyOneImageClassificationDataset."),
}
"""By format, in the order in which they are offered."""

_PICTURES = {
    "copy": "Copy them",
    "link": "Symbolic links: no room is taken, and the pictures stay where they are",
    "hardlink": "Hard links: no room is taken on the same disk",
}


def form_choice() -> str:
    """Draw what one can do with an export; return the format that it takes."""
    return st.radio(
        "What do you want to do with it?",
        list(PURPOSES),
        format_func=lambda form: PURPOSES[form].title,
        captions=[purpose.result for purpose in PURPOSES.values()],
        key="export-form",
    )


def content_choice(form: str) -> tuple[Content, str]:
    """Draw what an export of images may leave out or add; return it, and how pictures come into its folder."""
    ws = workspace()
    names = [attribute.name for attribute in ws.attributes.all()]
    chosen = st.multiselect(
        "Attributes", names, format_func=readable, placeholder="All attributes", key="export-attributes"
    )
    accepted = st.checkbox("Only the images that are accepted for one of these attributes", key="export-accepted")
    split = st.checkbox(
        "Training, validation and test: 80%, 10% and 10%",
        help="Images of one project, and near-duplicates, are in one split. An image stays in its split when others "
        "are added. Other shares: `bam export --splits`.",
        key="export-splits",
    )
    seed = int(st.number_input("Seed", 0, 2**31, 0, key="export-seed")) if split else 0
    pictures = "copy"
    if form in FOLDER_FORMATS and form != "webdataset":
        pictures = st.selectbox("Pictures", list(_PICTURES), format_func=_PICTURES.__getitem__, key="export-pictures")
    return Content(tuple(chosen), accepted, SHARES if split else None, seed), pictures


def readiness(content: Content, encoders: dict[str, str]) -> None:
    """Say what the results that would be exported lack: each sentence once, after its attributes."""
    lacking: dict[str, list[str]] = {}
    for name, problem in not_ready(workspace(), content.attributes, encoders):
        lacking.setdefault(problem, []).append(readable(name))
    if lacking:
        words = "\n".join(f"- **{ui.plain(', '.join(names))}**: {ui.plain(why)}" for why, names in lacking.items())
        st.info(f"Not ready yet; an export says so in its data card.\n{words}", icon=":material/info:")
