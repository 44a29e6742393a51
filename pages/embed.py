"""Embeddings: choose an encoder, compute the vectors, watch the rate."""

import streamlit as st

from bam_engine.embedding import display_name
from bam_engine.formatting import count
from bam_engine.typed_paths import typed_path
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embed_collection, embedded_rows, problem_stage
from web import jobs, ui
from web.engine import workspace
from web.navigation import link

JOB = "embed"
KINDS = {
    **{spec: display_name(spec) for spec in ("combined", "builtin", "network")},
    "timm": "timm: a network's features, such as resnet18",
    "openclip": "OpenCLIP: images and text",
}
ABOUT = {
    "combined": "A small network that learned from a million photographs sees what a picture shows; descriptors of "
    "colour, texture, strokes and shape see how it is made. Nothing is downloaded, and 2,000 images take about half a "
    "minute on two cores.",
    "builtin": "Descriptors of colour, texture, strokes and shape tell media and moods apart, in seconds. They hardly "
    "see what a picture shows: choose the standard encoder for that.",
    "network": "A small network that learned from a million photographs sees what a picture shows. Without the "
    "descriptors it tells media and moods apart less well.",
}

ws = workspace()
ui.head(
    "Embeddings",
    "An encoder turns each image into a vector. Everything after this works on the vectors: "
    "rounds, neighbours and the map.",
)
running = ws.jobs.is_running(JOB)
n, choice = count_images(ws), ws.choice
done = count_images(ws, len(ws.vectors()))
present = choice.spec.partition(":")[0]

if choice.problem:
    st.warning(choice.problem, icon=":material/warning:")
kind = st.radio("Encoder", list(KINDS), index=list(KINDS).index(present), format_func=KINDS.get, disabled=running)
with st.form("encoder", border=True):
    name, file = "", ""
    if kind in ABOUT:
        st.caption(ABOUT[kind])
    else:
        name = st.text_input(
            "Model",
            choice.spec.partition(":")[2] if present == kind else "",
            placeholder="resnet18" if kind == "timm" else "ViT-B-32/laion2b_s34b_b79k",
            key="model",
        )
        file = st.text_input(
            "Checkpoint file (optional)",
            str(choice.checkpoint or "") if present == kind else "",
            placeholder="/home/you/weights/model.safetensors",
            help="Without a file, the weights are fetched by name from the model's hub. On a machine without "
            "internet, give the file; `bam weights get` fetches it on one that has internet.",
            key="checkpoint",
        )
    go = st.form_submit_button("Embed the collection", type="primary", disabled=running, icon=":material/hub:")

if go:
    spec = kind if kind in ABOUT else f"{kind}:{name.strip()}"
    with st.spinner("Opening the encoder …"):
        ws.choose_encoder(spec, typed_path(file) if file.strip() else None)
    ws.jobs.start(JOB, f"Embedding with {spec}", lambda report: embed_collection(ws, report=report))
    st.rerun()

if n == 0:
    ui.empty("There are no images to embed yet.", "Add a folder of images", "images")
else:
    if jobs.show(JOB):
        st.stop()
    result = getattr(ws.jobs.get(JOB), "result", None)
    if result is not None and result.embedded:
        st.caption(f"{count(result.embedded, 'image')} at {result.rate:,.0f} images/s.")
    st.metric(f"Embedded with {ui.plain(ws.encoder_name())}", f"{len(embedded_rows(ws)):,} of {n:,}")
    if done and done >= n:
        link("attributes", "Next: define what to look for")
failed = ws.catalogue.problems(problem_stage(choice.key))
ui.problem_list(
    f"{count(len(failed), 'image')} could not be embedded",
    failed,
    "They keep their place and are tried again on the next run.",
)
