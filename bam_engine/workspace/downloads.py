"""Where the pictures of lists of URLs go in a workspace."""

from bam_engine.download import FOLDER, Stores
from bam_engine.workspace.core import Workspace


def stores_of(workspace: Workspace) -> Stores:
    """Return the catalogue and the thumbnails of a workspace, and the folder of its lists of URLs."""
    return Stores(workspace.catalogue, workspace.thumbnails, workspace.folder / FOLDER)
