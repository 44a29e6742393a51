"""How many images a collection had at a moment: rows are given in the order in which images are added."""

import sqlalchemy as sa

from bam_engine import database as db
from bam_engine.annotation import Attribute
from bam_engine.labelling.drawn_images import whole_validation_sample
from bam_engine.workspace.core import Workspace


def images_at_draw(workspace: Workspace, attribute: Attribute) -> int:
    """Return the number of images at the first validation draw, which certifies; of all without one."""
    drawn = whole_validation_sample(workspace, attribute)
    if not len(drawn.rows):
        return len(workspace.catalogue)
    return images_at(workspace, str(drawn.made_at[drawn.draws.argmin()]))


def images_at(workspace: Workspace, moment: str) -> int:
    """Return the number of images that the collection had at a moment, as :func:`bam_engine.database.now` writes it."""
    n, newest = workspace.catalogue.newest
    table = db.images.c

    def search(connection: sa.Connection, _: object) -> int:
        low, high = 0, n  # rows are in order of time
        while low < high:
            middle = (low + high) // 2
            added = str(connection.scalar(sa.select(table.made_at).where(table.row == middle)))
            low, high = (low, middle) if added > moment else (middle + 1, high)
        return low

    if newest <= moment:
        return n
    return workspace.snapshot.read(("images at", moment, n), [db.images], search)
