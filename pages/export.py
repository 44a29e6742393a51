"""Export: the dataset in the format for what one wants to do with it: BAM's tables, CSV, training, other tools."""

import io
import time
import zipfile

import streamlit as st

from bam_engine.demo import demo_workspace
from bam_engine.formatting import count, file_size
from bam_engine.reporting.export import TABLES, export
from bam_engine.reporting.image_contents import Content
from bam_engine.team import Role
from web import backup, check, dataset, jobs, ui
from web.engine import workspace
from web.export_choice import result_choice
from web.export_content import content_choice, form_choice, readiness
from web.output import output_folder

JOB = "export"
DOWNLOAD_LIMIT = 500 * 1024**2
ENDINGS = {"sqlite": ".sqlite", "parquet": ".parquet", "jsonl": ".jsonl"}
TABLES_HELP = {
    "sqlite": "Tables modules, scores, crowd_labels, automatic_labels, crowd_raw_hits, crowd_raw_choices and "
    "crowd_raw_captions, as the Behance Artistic Media dataset was published, and more: label_reasons, projects, "
    "attributes with the evidence and the encoder, adjudications, set_aside (answers that do not count), and "
    "images_without_file, the images whose file is missing or replaced.",
    "csv": "images.csv (one row per image; its file is ok, missing or replaced), annotations.csv (one row per answer), "
    "attributes.csv (questions and evidence).",
}

ws = workspace()
ui.head("Export", "The dataset as it stands: images, labels by people, scores, decisions and the evidence for them.")
if len(ws.catalogue) == 0:
    ui.empty("There is nothing to export yet.", "Add a folder of images", "images")
    st.stop()

form = form_choice()
content, pictures, raw_text = Content(), "copy", False
if form in TABLES:
    st.caption(TABLES_HELP[form])
    raw_text = form == "csv" and ui.raw_text("export-raw-text")
else:
    content, pictures = content_choice(form)
    st.caption("With a data card (README.md), Croissant metadata and a manifest of checksums for `bam check-export`.")
if demo_workspace.demo(ws) is not None:
    st.caption(
        "The images are generated, and the files say so: GENERATED.txt, and a column or table of their own. Answers of "
        "simulated annotators are marked."
    )
chosen = {name: key for name, key in result_choice().items() if not content.attributes or name in content.attributes}
readiness(content, chosen)
if st.button("Export", type="primary", icon=":material/download:", key=f"write-{ws.choice.key}"):
    stamp = time.strftime("%Y-%m-%d-%H%M%S")
    target = output_folder("exports") / f"dataset-{stamp}{ENDINGS.get(form, '')}"
    ws.jobs.start(
        JOB,
        "Export",
        lambda report: export(
            ws,
            target,
            form=form,
            raw_text=raw_text,
            encoders=chosen,
            content=content,
            pictures=pictures,
            report=report,
        ),
        least=Role.REVIEWER,
    )
    st.rerun()


written = [path for path in jobs.result_of(JOB, unit="steps") or [] if path.exists()]
files = [file for path in written for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if file.is_file()]
size = sum(file.stat().st_size for file in files)
for path in written:
    words = f"{count(len(files), 'file')}, {file_size(size)}" if path.is_dir() else file_size(path.stat().st_size)
    st.markdown(f"`{path}` · {words}")
if files and size <= DOWNLOAD_LIMIT:
    if len(files) == 1:
        st.download_button("Download", files[0].read_bytes(), files[0].name, icon=":material/download:")
    else:
        buffer, folder = io.BytesIO(), written[0] if written[0].is_dir() else written[0].parent
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
        name = f"{folder.name if written[0].is_dir() or written[0].suffix == '.csv' else written[0].stem}.zip"
        st.download_button("Download all", buffer.getvalue(), name, icon=":material/download:")

dataset.manage(written)
backup.section()
check.section()
