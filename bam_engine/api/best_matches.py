"""The result of a search as a table."""

import pandas as pd

from bam_engine.gallery.search import Found
from bam_engine.workspace import Workspace


def best_matches(workspace: Workspace, found: Found) -> pd.DataFrame:
    """Return one line per image found, by row, best match first, with what was searched in its ``attrs``."""
    images = workspace.catalogue.images(found.rows.tolist())
    columns = {
        "path": [image.uri for image in images],
        "file": [image.status for image in images],
        "title": [image.title for image in images],
        "project": [image.project_id for image in images],
    }
    if found.similarities is not None:
        columns["similarity"] = found.similarities.tolist()
    table = pd.DataFrame(columns, index=pd.Index(found.rows, name="row"))
    table.attrs |= {"searched": found.searched, "matches": found.matches}
    return table
