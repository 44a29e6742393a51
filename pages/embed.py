"""Embeddings: choose an encoder, compute the vectors, watch the rate, and move between encoders."""

import streamlit as st

from bam_engine.embedding import display_name
from bam_engine.formatting import count
from bam_engine.switching import moving
from bam_engine.switching.results import encoder_results
from bam_engine.workspace.membership import count_images
from bam_engine.workspace.vectors import embedded_rows, problem_stage
from web import encoder_comparison, encoders, jobs, ui
from web.encoders import JOB
from web.engine import workspace
from web.navigation import link

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

encoders.note()
if choice.problem:
    st.warning(ui.plain(choice.problem), icon=":material/warning:")
known = list(KINDS)
index = known.index(present) if present in known else None
kind = st.radio("Encoder", known, index=index, format_func=KINDS.get, disabled=running)
if kind is None:
    st.stop()
finished = done >= n > 0
moves = done > 0 and (kind != present or bool(choice.problem))
if moves and kind in ABOUT and not running:
    encoders.plan(moving.plan_move(ws, kind))
with st.form(f"encoder-{choice.key}", border=True):  # of the plan above, which begins with the encoder in use
    name, file, preview = "", "", False
    if kind in ABOUT:
        st.caption(ABOUT[kind])
        if moving.gains_from_preview(ws, kind):
            preview = st.checkbox(
                "Begin with the fast preview",
                value=True,
                help="The descriptors of all images are there sooner, and the collection can be explored with them. "
                "The encoder goes on in the background, and takes their place unless something rests on them by then.",
            )
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
        if done:
            st.caption(
                "Another model than the one in use embeds all images first, and learns the labels of every attribute; "
                "then it is used. What the present one has stays listed below."
            )
    go = st.form_submit_button(
        "Move to this encoder" if moves else "Compute embeddings",
        type="secondary" if n == 0 or (finished and not moves) else "primary",
        disabled=running or n == 0,
        icon=":material/hub:",
    )

if go:
    encoders.start(kind if kind in ABOUT else f"{kind}:{name.strip()}", file, preview=preview)

if n == 0:
    ui.empty("There are no images to embed yet.", "Add a folder of images", "images")
else:
    encoders.preparation(linked=False)
    result = jobs.result_of(JOB)
    if result is not None:
        encoders.outcome(result)
    st.metric(f"Embedded with {ui.plain(ws.encoder_name())}", f"{len(embedded_rows(ws)):,} of {n:,}")
    if done and done >= n:
        if ws.attributes.all():
            link("rounds", "Next: label and train")
        else:
            link("attributes", "Next: define what to look for")
    everything = encoder_results(ws)
    if len(everything) > 1:
        encoders.cards(everything)
failed = ws.catalogue.problems(problem_stage(choice.key))
ui.problem_list(
    f"{count(len(failed), 'image')} could not be embedded",
    failed,
    "An image without a vector keeps its place; the next run tries again.",
)
encoder_comparison.section()
