"""Duplicates: images that are the same or almost, of which one is kept, or all."""

from bam_engine.gallery import near_duplicates
from web import duplicates, ui
from web.engine import workspace

ws = workspace()
ui.head(
    "Duplicates",
    "Images that are the same or almost: keep one of each group, or all. What is dropped is removed from the "
    "collection, not from the disk, and comes back with its answers.",
)
if len(ws.catalogue) == 0:
    ui.empty("The collection is empty.", "Add a folder of images", "images")
elif len(ws.vectors()) == 0:
    ui.empty("Images are compared by their embeddings, and there are none yet.", "Compute embeddings", "embed")
elif duplicates.searched() and near_duplicates.has_groups(ws):
    with ui.guard():
        duplicates.draw()
