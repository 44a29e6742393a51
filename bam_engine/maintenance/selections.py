"""The check of selections: what somebody selected, which cannot be derived again."""

from collections.abc import Iterator
from pathlib import Path

from bam_engine.formatting import count
from bam_engine.gallery.selections import is_damaged
from bam_engine.maintenance.finding import Files, Finding, Step, first_of
from bam_engine.workspace import Workspace


def selections(workspace: Workspace, files: Files, orphans: set[Path], step: Step) -> Iterator[Finding]:
    """Examine the stored selections. One of other images is not damaged: a copy of the workspace may have made it."""
    damaged = []
    for file in files:
        if is_damaged(workspace, file.stem):
            damaged.append(file)
        step("selections")
    if damaged:
        yield Finding(
            f"{count(len(damaged), 'selection is', 'selections are')} damaged{first_of(damaged)}.",
            "Delete them, and select the images again.",
            tuple(damaged),
        )
