"""Export: the dataset as BAM's SQLite tables or as CSV."""

import io
import time
import zipfile

import streamlit as st

from bam_engine.demo import demo_workspace
from bam_engine.formatting import file_size
from bam_engine.reporting.export import export
from web import backup, check, jobs, ui
from web.engine import workspace
from web.export_choice import result_choice
from web.output import output_folder

JOB = "export"
FORMS = {"sqlite": "SQLite (BAM schema)", "csv": "CSV files"}
DOWNLOAD_LIMIT = 500 * 1024**2

ws = workspace()
ui.head("Export", "The dataset as it stands: images, labels by people, scores, decisions and the evidence for them.")
if len(ws.catalogue) == 0:
    ui.empty("There is nothing to export yet.", "Add a folder of images", "images")
    st.stop()

form = st.segmented_control("Format", list(FORMS), default="sqlite", format_func=FORMS.__getitem__) or "sqlite"
st.caption(
    "Tables modules, scores, crowd_labels, automatic_labels, crowd_raw_hits, crowd_raw_choices and crowd_raw_captions, "
    "as the Behance Artistic Media dataset was published, and five more: label_reasons, projects, attributes with the "
    "evidence and the encoder, adjudications, and images_without_file, the images whose file is missing or replaced."
    if form == "sqlite"
    else "images.csv (one row per image; its file is ok, missing or replaced), annotations.csv (one row per answer), "
    "attributes.csv (questions and evidence)."
)
raw_text = form == "csv" and ui.raw_text("export-raw-text")
if demo_workspace.demo(ws) is not None:
    st.caption(
        "The images are generated, and the files say so: GENERATED.txt, and a column or table of their own. Answers of "
        "simulated annotators are marked."
    )
chosen = result_choice()
if st.button("Export", type="primary", icon=":material/download:", key=f"write-{ws.choice.key}"):
    stamp = time.strftime("%Y-%m-%d-%H%M%S")
    target = output_folder("exports") / (f"dataset-{stamp}.sqlite" if form == "sqlite" else f"dataset-{stamp}")
    ws.jobs.start(
        JOB,
        "Export",
        lambda report: export(ws, target, form=form, raw_text=raw_text, encoders=chosen, report=report),
    )
    st.rerun()

files = jobs.result_of(JOB, unit="tables") or []
for path in files:
    st.markdown(f"`{path}` · {file_size(path.stat().st_size)}")
if files and sum(path.stat().st_size for path in files) <= DOWNLOAD_LIMIT:
    if len(files) == 1:
        st.download_button("Download", files[0].read_bytes(), files[0].name, icon=":material/download:")
    else:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.name)
        name = f"{files[0].parent.name}.zip"
        st.download_button("Download all", buffer.getvalue(), name, icon=":material/download:")

backup.section()
check.section()
