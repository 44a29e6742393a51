"""Snapshots: freeze the dataset under a name, and see what has changed since, or between two."""

from web import snapshots, ui
from web.engine import workspace

ws = workspace()
ui.head(
    "Snapshots",
    "The dataset as it was, under a name: what a paper used, what a model was trained on, what was handed on.",
)
if len(ws.catalogue) == 0:
    ui.empty("There is nothing to freeze yet.", "Add a folder of images", "images")
else:
    snapshots.form()
    snapshots.stored()
    snapshots.comparison()
